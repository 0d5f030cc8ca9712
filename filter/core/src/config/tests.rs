//! What a wrong configuration is told. The texts are part of the product: operators
//! read them in Envoy's log.

use serde_json::{Value, json};

use super::{ConfigError, load};
use crate::testing::{CONFIG, config, config_with, env, test};

/// What is said of the tests' configuration after `change`.
fn said(change: impl FnOnce(&mut Value)) -> String {
    config_with(change).expect_err("it is wrong").to_string()
}

#[test]
fn defaults_are_the_contracts() {
    let config = config_with(|json| {
        let sessions = json["sessions"].as_object_mut().unwrap();
        sessions.retain(|name, _| name == "signing_keys");
        json.as_object_mut().unwrap().remove("state");
    })
    .unwrap();
    assert_eq!(config.sessions.base_path, "/v2");
    assert_eq!(config.sessions.heartbeat_ms, 60_000);
    assert_eq!(config.sessions.timeout_ms, 90_000);
    assert_eq!(config.playback[0].timeout_ms, 90_000);
    assert_eq!(config.playback[0].refuse_status, 403);
    assert_eq!(config.ledger.slots.get(), 65_536);
}

#[test]
fn each_problem_names_path_finding_and_what_is_allowed() {
    assert_eq!(
        said(|json| json["policies"][0]["rules"][0]["max"] = json!(1001)),
        "policies[0].rules[0].max: found 1001, allowed is 0 to 1000 streams"
    );
    assert_eq!(
        said(|json| json["sessions"]["timeout"] = json!("60s")),
        "sessions.timeout: found \"60s\", allowed is longer than sessions.heartbeat (60s)"
    );
    assert_eq!(
        said(|json| json["sessions"]["heartbeat"] = json!("soon")),
        "sessions.heartbeat: found \"soon\", allowed is a duration such as \"90s\", 1s to 1day"
    );
    assert_eq!(
        said(|json| json["applications"][1]["policies"] = json!(["houshold"])),
        "applications[1].policies[0]: found \"houshold\", allowed is the name of a policy: \
         \"household\", \"latest-wins\""
    );
    // One mistake is told once, also where protected paths name the application.
    assert_eq!(
        said(|json| json["applications"][0]["policies"] = json!(["houshold"])),
        "applications[0].policies[0]: found \"houshold\", allowed is the name of a policy: \
         \"household\", \"latest-wins\""
    );
    assert_eq!(
        said(|json| json["playback"][0]["application"] = json!("nobody")),
        "playback[0].application: found \"nobody\", allowed is the id of a configured application"
    );
    assert_eq!(
        said(|json| json["playback"][0]["refuse"] = json!({"status": 200})),
        "playback[0].refuse.status: found 200, allowed is 403, 409 or 410"
    );
    assert_eq!(
        said(|json| json["playback"][1]["match"]["prefix"] = json!("vod")),
        "playback[1].match.prefix: found \"vod\", allowed is a path prefix such as \"/vod/\", \
         without percent-encoding"
    );
    assert_eq!(
        said(|json| json["playback"][1]["stream"] = json!([{"redirect": true}])),
        "playback[1].stream: found redirect without {token: path}, allowed is both: the \
         redirect leads to a path token"
    );
    assert_eq!(
        said(|json| json["applications"][1]["id"] = json!("web")),
        "applications[1].id: found \"web\" a second time, allowed is a name not used before"
    );
    assert_eq!(
        said(|json| json["privacy"]["subject_key"] = json!({"env": "NOT_SET"})),
        "privacy.subject_key.env: found \"NOT_SET\", which is not set for this VM, allowed is a \
         variable named in vm_config.environment_variables"
    );
    assert_eq!(
        said(|json| json["sessions"]["signing_keys"] = json!([])),
        "sessions.signing_keys: found none, allowed is one key or more"
    );
}

#[test]
fn wrong_form_names_the_path_where_reading_stopped() {
    let said = |change: fn(&mut Value), expected: &str| {
        let said = said(change);
        assert!(said.starts_with(expected), "{said}");
    };
    said(
        |json| json["policies"][0]["rules"][0]["max"] = json!("3"),
        "policies[0].rules[0].max: invalid type: string \"3\", expected u32",
    );
    said(
        |json| json["playback"][0]["start"] = json!("always"),
        "playback[0].start: unknown variant `always`, expected `implicit` or `session_required`",
    );
    said(
        |json| json["sessions"]["hearbeat"] = json!("60s"),
        "sessions.hearbeat: unknown field `hearbeat`, expected one of",
    );
    let error = load(b"{", &env).unwrap_err().to_string();
    assert!(
        error.starts_with("configuration: EOF while parsing"),
        "{error}"
    );
    let error = load(&[CONFIG.as_bytes(), b"x"].concat(), &env).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("configuration: trailing characters")
    );
}

#[test]
fn everything_wrong_is_said_at_once() {
    let error = config_with(|json| {
        json["sessions"]["timeout"] = json!("0s");
        json["state"]["slots"] = json!(0);
        json["policies"][1]["rules"] = json!([]);
    })
    .unwrap_err();
    let ConfigError::Invalid(problems) = error else {
        panic!("{error}");
    };
    let paths: Vec<_> = problems
        .iter()
        .map(|problem| problem.path.as_str())
        .collect();
    assert_eq!(
        paths,
        ["sessions.timeout", "state.slots", "policies[1].rules"]
    );
}

#[test]
fn no_secret_is_ever_shown() {
    let shown = said(|json| json["sessions"]["signing_keys"][0]["secret"] = json!("hunter2"));
    assert_eq!(
        shown,
        "sessions.signing_keys[0].secret: found a secret of 7 bytes, allowed is 16 bytes or more"
    );
    let debug = format!("{:?}", config());
    assert!(!debug.contains("of some length"), "{debug}");
    let debug = format!("{:?}", super::raw::parse(CONFIG.as_bytes()));
    assert!(!debug.contains("of some length"), "{debug}");
    let wrong_type = said(|json| {
        json["sessions"]["signing_keys"][0]["secret"] = json!({"text": "hunter2hunter2hunter2"});
    });
    assert!(!wrong_type.contains("hunter2"), "{wrong_type}");
}
