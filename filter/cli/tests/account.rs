//! `streamgate account`, as a shell runs it.

#![allow(clippy::expect_used)]

use std::fs;
use std::process::{Command, Output};

use streamgate_values::subject::SubjectHasher;

const KEY: &str = "a subject key of some length";

fn streamgate() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_streamgate"));
    command.env_remove("STREAMGATE_SUBJECT_KEY");
    command.arg("account").args(["demo", "alice"]);
    command
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("UTF-8")
}

fn refused(output: &Output, code: i32, why: &str) {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    assert!(text(&output.stderr).contains(why), "{output:?}");
}

#[test]
fn an_accounts_hash_is_the_edges_wherever_the_key_comes_from() {
    let expected = SubjectHasher::new(KEY.as_bytes()).subject("demo", "alice");
    let file = std::env::temp_dir().join(format!("streamgate-key-{}", std::process::id()));
    fs::write(&file, format!("{KEY}\r\n")).expect("a file");
    let by_default = streamgate().env("STREAMGATE_SUBJECT_KEY", KEY).output();
    let by_name = streamgate()
        .env("OTHER", KEY)
        .args(["--key-env", "OTHER"])
        .output();
    let by_file = streamgate().arg("--key-file").arg(&file).output();
    fs::remove_file(&file).expect("it was there");
    for output in [by_default, by_name, by_file] {
        let output = output.expect("it runs");
        let lines: Vec<&str> = text(&output.stdout).lines().collect();
        assert_eq!(
            lines.first().copied(),
            Some(format!("hash   {expected}").as_str()),
            "{output:?}"
        );
        let stored = lines
            .get(1)
            .and_then(|line| line.strip_prefix("store  \"sg"));
        // `\xNN` for a byte that is neither digit nor small letter; first comes its shard's tag.
        let stored = stored
            .expect("the store's key")
            .split_once(':')
            .expect("a prefix")
            .1;
        let mut bytes = Vec::new();
        let mut rest = stored.trim_end_matches('"');
        while let Some(first) = rest.chars().next() {
            let hex = rest.strip_prefix("\\x").and_then(|hex| hex.get(..2));
            bytes.push(hex.map_or(first as u8, |hex| u8::from_str_radix(hex, 16).expect("hex")));
            rest = rest
                .get(if hex.is_some() { 4 } else { 1 }..)
                .expect("ASCII");
        }
        assert_eq!((bytes[0], bytes[3]), (b'{', b'}'));
        assert_eq!(&bytes[4..], expected.as_bytes());
    }
}

#[test]
fn without_a_key_that_an_edge_would_take_nothing_is_said() {
    let run = |command: &mut Command| command.output().expect("it runs");
    refused(
        &run(&mut streamgate()),
        1,
        "STREAMGATE_SUBJECT_KEY has no value",
    );
    refused(
        &run(streamgate().env("STREAMGATE_SUBJECT_KEY", "fifteen letters")),
        1,
        "15 bytes",
    );
    let missing = run(streamgate().args(["--key-file", "/nowhere/at-all"]));
    refused(&missing, 1, "/nowhere/at-all");
    let both = run(streamgate().args(["--key-file", "a", "--key-env", "B"]));
    refused(&both, 2, "cannot be used with");
    let mut nobody = Command::new(env!("CARGO_BIN_EXE_streamgate"));
    refused(&run(nobody.arg("account")), 2, "<IDP>");
}
