//! What a configuration is told that has a session API, or means to.

use serde_json::{Value, json};

use super::SubjectProof;
use crate::testing::{config_with, test};

/// What is said of the tests' configuration, without a session API, after `change`.
fn said_without(change: impl FnOnce(&mut Value)) -> String {
    let without = config_with(|json| {
        json.as_object_mut().unwrap().remove("session_api");
        json["playback"][1]["start"] = json!("implicit");
        change(json);
    });
    without.expect_err("it is wrong").to_string()
}

fn said(session_api: Value) -> String {
    let wrong = config_with(|json| json["session_api"] = session_api);
    wrong.expect_err("it is wrong").to_string()
}

#[test]
fn whoever_means_to_have_the_api_is_told_what_to_write() {
    let told = said_without(|json| json["compatibility"] = json!("cm-v2"));
    assert_eq!(
        told,
        "session_api: found none, but `compatibility: cm-v2` is about it, allowed is \
         `session_api: {subject: {jwt_claim: sub}}` where Envoy's jwt_authn checks a JWT whose \
         claim must be the account in the path, `session_api: {subject: {cat: sub}}` for a Common \
         Access Token, or `session_api: {subject: trusted}` only where an earlier hop has checked \
         that the caller is that account"
    );
    type Change = fn(&mut Value);
    let signs: [(&str, Change); 6] = [
        ("`sessions.base_path`", |json| {
            json["sessions"]["base_path"] = json!("/v2")
        }),
        ("`sessions.calls_per_minute`", |json| {
            json["sessions"]["calls_per_minute"] = json!(200);
        }),
        ("`sessions.creates_per_minute`", |json| {
            json["sessions"]["creates_per_minute"] = json!(200);
        }),
        ("`sessions.creates_per_minute_per_client`", |json| {
            json["sessions"]["creates_per_minute_per_client"] = json!(200);
        }),
        ("application \"tv\" has a `secret`", |json| {
            json["applications"][1]["secret"] = json!("a secret of some length");
        }),
        ("`playback[1].start: session_required`", |json| {
            json["playback"][1]["start"] = json!("session_required");
        }),
    ];
    for (sign, change) in signs {
        let told = said_without(change);
        assert!(
            told.starts_with(&format!("session_api: found none, but {sign}")),
            "{told}"
        );
        for way in ["{jwt_claim: sub}", "{cat: sub}", "trusted"] {
            assert!(told.contains(way), "{told}");
        }
    }
}

#[test]
fn a_configuration_that_does_without_the_api_needs_no_section() {
    let config = config_with(|json| {
        json.as_object_mut().unwrap().remove("session_api");
        json["playback"].as_array_mut().unwrap().truncate(1);
        json["sessions"]["heartbeat"] = json!("30s");
        json["compatibility"] = json!("streamgate");
    });
    assert!(config.unwrap().session_api.is_none());
}

#[test]
fn a_claim_is_good_for_the_accounts_that_playback_takes_from_it() {
    let idps = |session_api: Value, subject: Value| {
        let config = config_with(|json| {
            json["session_api"] = session_api;
            json["cat"] = json!({"keys": [{"id": "new", "secret": "@".repeat(32)}]});
            json["playback"][0]["subject"] = subject;
            json["playback"][1]["idp"] = json!("header's");
        });
        config.unwrap().session_api.unwrap().idps
    };
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let (jwt, cat) = (json!({"jwt_claim": "sub"}), json!({"cat": "sub"}));
    for claim in [&jwt, &cat] {
        let same = idps(json!({"subject": claim}), json!([{"token": "path"}, claim]));
        assert_eq!(same, names(&["acme"]));
        let given = idps(json!({"subject": claim, "idp": ["x"]}), json!([claim]));
        assert_eq!(given, names(&["x"]));
    }
    assert_eq!(idps(json!({"subject": "trusted"}), json!([jwt])), None);
    let given = json!({"subject": "trusted", "idp": ["x", "y"]});
    assert_eq!(idps(given, json!([jwt])), names(&["x", "y"]));
}

#[test]
fn what_is_wrong_with_the_section_is_said() {
    let wrong = [
        (
            json!({"subject": {"jwt_claim": "sub"}}),
            "session_api.idp: found none, and no protected path with an `idp` takes the account \
             from this claim, allowed is the identity providers whose accounts the claim names, \
             such as `idp: [acme]`",
        ),
        (
            json!({"subject": {"cat": "sub"}, "idp": ["acme"]}),
            "session_api.subject: found {cat: sub} without `cat`, allowed is both: `cat` says \
             whose tokens are good",
        ),
        (
            json!({"subject": {"jwt_claim": ""}, "idp": ["acme"]}),
            "session_api.subject.jwt_claim: found \"\", allowed is 1 to 128 bytes without control \
             characters",
        ),
        (
            json!({"subject": {"jwt_claim": "sub"}, "idp": []}),
            "session_api.idp: found none, allowed is one identity provider or more",
        ),
    ];
    for (section, expected) in wrong {
        assert_eq!(said(section), expected);
    }
    for section in [
        json!({}),
        json!(null),
        json!("trusted"),
        json!({"subject": "trust"}),
        json!({"subject": {"header": "x-account-id"}}),
        json!({"subject": {"jwt_claim": "sub", "cat": "sub"}}),
        json!({"subject": {"cat": "iss"}}),
        json!({"subject": "trusted", "secret": "x"}),
    ] {
        let is_none = section.is_null();
        let told = said(section.clone());
        assert!(told.starts_with("session_api"), "{section}: {told}");
        assert_eq!(
            told.contains("found none, but"),
            is_none,
            "{section}: {told}"
        );
    }
}

#[test]
fn secrets_of_applications_are_long_and_never_repeated() {
    let with = |secret: Value| config_with(|json| json["applications"][0]["secret"] = secret);
    let found = |secret: Value| with(secret).expect_err("it is wrong").to_string();
    assert_eq!(
        found(json!("fifteen letters")),
        "applications[0].secret: found a secret of 15 bytes, allowed is 16 bytes or more"
    );
    assert_eq!(
        found(json!(["sixteen letters!", "fifteen letters"])),
        "applications[0].secret[1]: found a secret of 15 bytes, allowed is 16 bytes or more"
    );
    assert_eq!(
        found(json!([])),
        "applications[0].secret: found 0 secrets, allowed is 1 to 4 secrets"
    );
    assert!(found(json!({"env": "NOT_SET"})).starts_with("applications[0].secret.env: found"));
    for misplaced in [
        json!({"value": "hunter2 hunter2 hunter2"}),
        json!({"env": {"hunter2": "hunter2"}}),
        json!([["hunter2"]]),
        json!([["hunter2 hunter2 hunter2"]]),
        json!(["sixteen letters!", [{"env": "hunter2"}]]),
        json!([{"env": ["hunter2"]}]),
        json!({"env": "hunter2"}),
        json!(2),
    ] {
        let told = found(misplaced);
        assert!(told.starts_with("applications[0].secret"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
    for good in [
        json!("sixteen letters!"),
        json!({"env": "SUBJECT_KEY"}),
        json!(["sixteen letters!", {"env": "SUBJECT_KEY"}]),
    ] {
        let config = with(good).unwrap();
        let api = config.session_api.as_ref().unwrap();
        assert_eq!(api.subject, SubjectProof::Trusted);
        assert!(!api.secrets.admit(&config.hasher, "web", b""));
        assert!(!format!("{config:?}").contains("letters"));
    }
}
