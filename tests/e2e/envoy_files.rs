//! The files in `envoy/` are what operators start from: Envoy takes each of them as
//! it is, and the filter takes its configuration.

use std::process::Command;

use streamgate_tests::{envoy, project, wasm};

#[test]
fn envoy_and_the_filter_accept_every_shipped_file() {
    let _built = wasm();
    let files = std::fs::read_dir(project().join("envoy")).expect("a directory");
    let mut seen = 0;
    for file in files {
        let path = file.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("text");
        let validated = Command::new(envoy())
            .current_dir(project())
            .args(["--mode", "validate", "--log-level", "info", "--config-path"])
            .arg(&path)
            .env("STREAMGATE_SIGNING_KEY", "only-to-see-whether-it-loads")
            .env("STREAMGATE_SUBJECT_KEY", "only-to-see-whether-it-loads")
            .output()
            .expect("to run Envoy");
        let log = String::from_utf8_lossy(&validated.stderr);
        assert!(validated.status.success(), "{}:\n{log}", path.display());
        // The filter itself reports what it was configured with.
        if text.contains("streamgate.wasm") {
            assert!(
                log.contains("protected paths"),
                "{}:\n{log}",
                path.display()
            );
            assert!(text.contains("failure_policy: FAIL_RELOAD"));
            assert!(text.contains("allow_on_headers_stop_iteration: true"));
            assert!(text.contains("vm_id: streamgate"));
        }
        seen += 1;
    }
    assert!(seen >= 3, "edge.yaml, origin.yaml, smallest.yaml");
}
