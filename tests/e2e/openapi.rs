//! `docs/openapi.yaml` says what the session API does: schemathesis reads it, makes up
//! calls that are as they should be and calls that are not, follows created sessions
//! through heartbeat and stop, and compares every answer with the document.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;
use streamgate_tests::{Edge, Settings, project};

/// How long one run may take. It takes a tenth of that on a machine of its own.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn the_document_is_valid_and_its_examples_are_true_to_it() {
    let python = schemathesis().with_file_name("python3");
    run(Command::new(python)
        .arg(file("document.py"))
        .arg(document()));
}

#[test]
fn an_application_that_denies_newcomers_is_answered_as_documented() {
    let messages = json!({"en": "At most {limit} streams", "de": "Höchstens {limit} Streams"});
    let settings = settings().with("/policies/0/rules/0/message", messages);
    let edge = Edge::start(settings);
    compare(&edge, "demo-web", &[]);
    for counter in ["starts", "heartbeats", "stops"] {
        assert!(edge.metric(counter) > 0, "{counter}");
    }
    for reason in ["limit", "over", "credential", "malformed"] {
        assert!(edge.metric(&format!("refusals.{reason}")) > 0, "{reason}");
    }
}

#[test]
fn an_application_whose_latest_stream_wins_is_answered_as_documented() {
    let edge = Edge::start(settings());
    compare(&edge, "demo-mobile", &[]);
    for counter in ["starts", "heartbeats", "stops", "evictions"] {
        assert!(edge.metric(counter) > 0, "{counter}");
    }
}

#[test]
fn a_demanding_edge_answers_as_documented() {
    let settings = settings()
        .with("/policies/0/rules/0/count", json!({"distinct": "deviceId"}))
        .with("/sessions/calls_per_minute", 3)
        .with("/sessions/creates_per_minute", 20);
    let edge = Edge::start(settings);
    // What is valid by the document alone may lack what a policy needs.
    compare(
        &edge,
        "demo-web",
        &["--exclude-checks", "positive_data_acceptance"],
    );
    for counter in [
        "starts",
        "refusals.missing_attributes",
        "refusals.throttled",
    ] {
        assert!(edge.metric(counter) > 0, "{counter}");
    }
}

/// No stream lapses while schemathesis is at work.
fn settings() -> Settings {
    Settings::default()
        .with("/sessions/heartbeat", "600s")
        .with("/sessions/timeout", "900s")
}

/// Lets schemathesis call an edge in the name of an application. Which calls and which
/// checks is said in `openapi/schemathesis.toml`.
fn compare(edge: &Edge, application: &str, more: &[&str]) {
    run(Command::new(schemathesis())
        .env("SCHEMATHESIS_HOOKS", file("hooks.py"))
        .arg("--config-file")
        .arg(file("schemathesis.toml"))
        .args(["--no-color", "run"])
        .arg(document())
        .args(["--url", &format!("http://127.0.0.1:{}/v2", edge.port)])
        .args(["--auth", &format!("{application}:")])
        .args(more));
}

/// Runs what has to succeed within [`PATIENCE`], somewhere where it may leave its caches.
#[track_caller]
pub(crate) fn run(command: &mut Command) {
    let place = tempfile::tempdir().expect("a directory");
    let log = place.path().join("log");
    let output = File::create(&log).expect("a log");
    let mut child = command
        .current_dir(place.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUTF8", "1")
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("a log"))
        .stderr(output)
        .spawn()
        .expect("to run it");
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a status") {
            break Some(status);
        }
        if started.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            break None;
        }
        sleep(Duration::from_millis(50));
    };
    let log = fs::read_to_string(log).expect("its output");
    let passed = status.is_some_and(|status| status.success());
    assert!(passed, "{status:?}\n{log}");
}

/// As `scripts/setup --tests` leaves it.
pub(crate) fn schemathesis() -> PathBuf {
    let link = project().join(".tools/bin/schemathesis");
    link.canonicalize()
        .expect("run scripts/setup --tests first: there is no schemathesis")
}

fn document() -> PathBuf {
    there("docs/openapi.yaml")
}

pub(crate) fn file(name: &str) -> PathBuf {
    there(&format!("tests/e2e/openapi/{name}"))
}

pub(crate) fn there(path: &str) -> PathBuf {
    project().join(path).canonicalize().expect("a file")
}
