//! The web client of `client/`, run by Node, with an edge to talk to.

use std::path::PathBuf;
use std::process::Command;

use streamgate_tests::{Edge, Settings, node, project};

/// The client's tests. By name: what a directory means to Node depends on its version.
fn test_files() -> Vec<PathBuf> {
    let files = std::fs::read_dir(project().join("client/test")).expect("a directory");
    files
        .map(|file| file.expect("a file").path())
        .filter(|path| path.to_string_lossy().ends_with(".test.js"))
        .collect()
}

#[test]
fn the_web_client_keeps_its_promises() {
    // Heartbeats each second, and enough time after them for a slow machine.
    let edge = Edge::start(Settings::default().lapsing_after(4));
    let run = Command::new(node())
        .args(["--test", "--test-reporter=tap"])
        .args(test_files())
        .env("STREAMGATE_URL", format!("http://127.0.0.1:{}", edge.port))
        .output()
        .expect("to run Node");
    let report = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{report}");
    assert!(report.contains("\n# skipped 0\n"), "{report}");
    assert!(edge.metric("kills") > 0, "the edge was talked to");
}
