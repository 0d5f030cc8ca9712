//! `scripts/check-envoy` says which Envoy can run the filter, before an operator finds out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use streamgate_tests::{envoy, project};

/// Whether an Envoy can run it, and what is said.
fn checked(envoy: &Path) -> (bool, String) {
    let mut check = Command::new(project().join("scripts/check-envoy"));
    let output = check.arg(envoy).output().expect("to run the script");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// A program that says it is this version, and says this of a configuration.
fn pretending(directory: &Path, version: &str, says: &str) -> (bool, String) {
    let path = directory.join("envoy");
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = --version ]; then echo '{version}'; else echo '{says}'; exit 1; fi\n"
    );
    fs::write(&path, script).expect("to write");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("to make it run");
    checked(&path)
}

fn version(number: &str) -> String {
    format!("envoy  version: 0123abcd/{number}/Clean/RELEASE/BoringSSL")
}

#[test]
fn the_envoy_of_the_tests_can_run_it() {
    let (can, said) = checked(&envoy());
    assert!(can && said.contains("has V8"), "{said}");
}

#[test]
fn one_that_is_too_old_or_lacks_v8_or_is_none_is_told_so() {
    const HAS_V8: &str = "Failed to load: Missing or unknown Proxy-Wasm ABI version";
    const HAS_NONE: &str = "Failed to create Wasm VM using envoy.wasm.runtime.v8 runtime";
    let directory = tempfile::tempdir().expect("a directory");
    let directory = directory.path();
    for (number, says, expected) in [
        ("1.36.0", HAS_V8, "can run streamgate"),
        ("1.140.2", HAS_V8, "can run streamgate"),
        ("1.35.9", HAS_V8, "cannot run streamgate: it is 1.35.9"),
        ("1.9.1", HAS_V8, "cannot run streamgate: it is 1.9.1"),
        ("1.40.0", HAS_NONE, "without the Wasm runtime V8"),
    ] {
        let (can, said) = pretending(directory, &version(number), says);
        assert!(said.contains(expected), "{number}: {said}");
        assert_eq!(can, expected.starts_with("can "), "{number}: {said}");
    }
    let (can, said) = pretending(directory, "Python 3.11.2", HAS_V8);
    assert!(!can && said.contains("does not say its version"), "{said}");
    let (can, said) = checked(&directory.join("not-there"));
    assert!(!can && said.contains("does not run"), "{said}");
}
