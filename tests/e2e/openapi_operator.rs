//! `docs/openapi-operator.yaml` says what the operator's door does: schemathesis holds it to that.

use std::process::Command;

use serde_json::json;
use streamgate_tests::{Edge, Settings};

use crate::openapi::{file, run, schemathesis, there};

const KEY: &str = "a-key-of-the-operators-of-the-tests";
const DOCUMENT: &str = "docs/openapi-operator.yaml";

#[test]
fn the_document_of_the_door_is_valid_and_its_examples_are_true_to_it() {
    let python = schemathesis().with_file_name("python3");
    run(Command::new(python)
        .arg(file("document.py"))
        .arg(there(DOCUMENT)));
}

#[test]
fn the_door_answers_as_documented() {
    let edge = Edge::start(Settings::default().with_door(KEY));
    // Something to tell of.
    let _players = [(); 4].map(|()| edge.player("alice").open("/vod/film/master.m3u8"));
    let _sessions = ["alice", "bob"].map(|account| edge.app("demo-tv").start(account));
    run(Command::new(schemathesis())
        .env("SCHEMATHESIS_HOOKS", file("operator_hooks.py"))
        .arg("--config-file")
        .arg(file("operator.toml"))
        .args(["--no-color", "run"])
        .arg(there(DOCUMENT))
        .args([
            "--url",
            &format!("http://127.0.0.1:{}/streamgate", edge.door_port()),
        ])
        // By hash they are the same calls.
        .args(["--exclude-operation-id", "setExceptionOfHash"])
        .args(["--exclude-operation-id", "liftExceptionOfHash"])
        .args(["--exclude-operation-id", "stopStreamOfHash"])
        .args(["--header", &format!("Authorization: Bearer {KEY}")]));
    let audit = edge.decisions(1);
    let reasons: Vec<_> = audit.iter().map(|line| &line["reason"]).collect();
    for reason in ["stop-all", "exception", "exception-lifted"] {
        assert!(reasons.contains(&&json!(reason)), "{reason}");
    }
}
