//! What a wrong configuration is told. The texts are part of the product: operators
//! read them in Envoy's log.

use serde_json::{Value, json};
use streamgate_tokens::cat::testing::EC_PEM;

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
    assert_eq!(config.records.slots.get(), 65_536);
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
        "applications[1].policies[0]: found \"houshold\", allowed is the name of a policy \
         (did you mean \"household\"?)"
    );
    assert_eq!(
        said(|json| json["applications"][1]["policies"] = json!(["household", "household"])),
        "applications[1].policies[1]: found \"household\" a second time, allowed is a name not \
         used before"
    );
    // One mistake is told once, also where protected paths name the application.
    assert_eq!(
        said(|json| json["applications"][0]["policies"] = json!(["houshold"])),
        "applications[0].policies[0]: found \"houshold\", allowed is the name of a policy \
         (did you mean \"household\"?)"
    );
    assert_eq!(
        said(|json| json["playback"][0]["application"] = json!("nobody")),
        "playback[0].application: found \"nobody\", allowed is the id of a configured application: \
         \"mobile\", \"tv\", \"web\""
    );
    assert_eq!(
        said(|json| json["playback"][0]["refuse"] = json!({"status": 200})),
        "playback[0].refuse.status: found 200, allowed is 403, 409 or 410"
    );
    assert_eq!(
        said(|json| json["playback"][1]["match"]["prefix"] = json!("vod")),
        "playback[1].match.prefix: found \"vod\", allowed is a path prefix such as \"/vod/\", \
         without percent-encoding and without *"
    );
    assert_eq!(
        said(|json| json["playback"][1]["stream"] = json!([{"redirect": true}])),
        "playback[1].stream: found redirect without {token: path} before it, allowed is both: \
         the redirect leads to a path token"
    );
    assert_eq!(
        said(|json| json["applications"][1]["id"] = json!("web")),
        "applications[1].id: found \"web\" a second time, allowed is a name not used before"
    );
    assert_eq!(
        said(|json| json["privacy"]["subject_key"] = json!({"env": "NOT_SET"})),
        "privacy.subject_key.env: found the name of a variable that has no value in this VM, \
         allowed is one that vm_config.environment_variables passes on and that has a value in \
         Envoy's own environment"
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
        "policies[0].rules[0].max: found a text \"3\", allowed is a whole number, not negative and not too large",
    );
    said(
        |json| json["playback"][0]["start"] = json!("always"),
        "playback[0].start: unknown value `always`, expected `implicit` or `session_required`",
    );
    said(
        |json| json["sessions"]["beats"] = json!("60s"),
        "sessions.beats: unknown field `beats`, expected one of `base_path`, ",
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
fn a_slip_is_told_what_was_probably_meant() {
    fn rule(json: &mut Value) -> &mut Value {
        &mut json["policies"][0]["rules"][0]
    }
    type Slip = (fn(&mut Value), &'static str);
    let slips: [Slip; 9] = [
        (
            |json| json["sessions"]["hearbeat"] = json!("60s"),
            "sessions.hearbeat: unknown field `hearbeat`, did you mean `heartbeat`?",
        ),
        (
            |json| json["polices"] = json!([]),
            "polices: unknown field `polices`, did you mean `policies`?",
        ),
        (
            |json| rule(json)["on_conflict"] = json!("deny_now"),
            "policies[0].rules[0].on_conflict: unknown value `deny_now`, did you mean \
             `deny_new`?",
        ),
        (
            |json| rule(json)["count"] = json!({"distict": "deviceId"}),
            "policies[0].rules[0].count: unknown value `distict`, did you mean `distinct`?",
        ),
        (
            |json| json["compatibility"] = json!("cm_v2"),
            "compatibility: unknown value `cm_v2`, did you mean `cm-v2`?",
        ),
        (
            |json| json["playback"][0]["stream"][2] = json!({"cmdc": "sid"}),
            "playback[0].stream[2]: unknown value `cmdc`, did you mean `cmcd`?",
        ),
        (
            |json| json["applications"][2]["policies"] = json!(["latest-wins", "huosehold"]),
            "applications[2].policies[1]: found \"huosehold\", allowed is the name of a policy \
             (did you mean \"household\"?)",
        ),
        (
            |json| json["playback"][1]["application"] = json!("wbe"),
            "playback[1].application: found \"wbe\", allowed is the id of a configured \
             application (did you mean \"web\"?)",
        ),
        (
            |json| rule(json)["when"] = json!({"bitrate": {"atleast": 4000}}),
            "policies[0].rules[0].when.bitrate: expected a value, a list of values, or one of \
             {not: …}, {present: …}, {at_least: …}, {at_most: …}, {above: …}, {below: …}",
        ),
    ];
    for (slip, expected) in slips {
        let told = said(slip);
        // Of JSON text, serde tells the line as well.
        assert_eq!(told.split(" at line ").next(), Some(expected));
    }
}

#[test]
fn of_many_names_and_many_mistakes_only_so_many_are_shown() {
    let many = said(|json| {
        json["policies"] = (0..11)
            .map(|n| {
                let rule = json!({"name": "r", "max": 1, "on_conflict": "deny_new"});
                json!({"name": format!("policy-{n}"), "rules": [rule]})
            })
            .collect();
        json["applications"] = (0..1_000)
            .map(|n| json!({"id": format!("{n}"), "tenant": "t", "policies": ["household"]}))
            .collect();
        json["playback"] = json!([]);
    });
    let told: Vec<_> = many.split("; ").collect();
    assert_eq!(
        told[0],
        "applications[0].policies[0]: found \"household\", allowed is the name of a policy"
    );
    assert_eq!((told.len(), told[50]), (51, "and 950 more"));
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
    let debug = format!("{:?}", super::parse::parse(CONFIG.as_bytes()));
    assert!(!debug.contains("of some length"), "{debug}");
    let wrong_type = said(|json| {
        json["sessions"]["signing_keys"][0]["secret"] = json!({"text": "hunter2hunter2hunter2"});
    });
    assert!(!wrong_type.contains("hunter2"), "{wrong_type}");
    // Not where it belongs, but meant as a secret all the same.
    for (pointer, expected) in [
        (
            "/sessions/signing_keys",
            "sessions.signing_keys: found a text (not shown), allowed is a list",
        ),
        (
            "/sessions/signing_keys/0",
            "sessions.signing_keys[0]: found a text (not shown), allowed is the \
             fields of a signing key",
        ),
        (
            "/privacy",
            "privacy: found a text (not shown), allowed is the fields of `privacy`",
        ),
    ] {
        let misplaced = said(|json| {
            *json.pointer_mut(pointer).unwrap() = json!("hunter2, \"hunter2\", hunter2");
        });
        assert!(misplaced.starts_with(expected), "{misplaced}");
        assert!(!misplaced.contains("hunter2"), "{misplaced}");
    }
}

#[test]
fn a_rule_may_go_by_a_claim_and_all_of_them_by_four() {
    let with_claims = |count: usize| {
        config_with(|json| {
            let rules = (0..count).map(|n| {
                let (name, claim) = (format!("rule {n}"), format!("claim {}", n % 5));
                json!({"name": name, "max": 3, "on_conflict": "deny_new", "max_claim": claim})
            });
            json["policies"][0]["rules"] = rules.collect();
        })
    };
    let book = with_claims(4).unwrap().records.book;
    let claims = ["claim 0", "claim 1", "claim 2", "claim 3"];
    assert_eq!(book.limit_claims(), claims);
    assert_eq!(
        with_claims(7).unwrap_err().to_string(),
        "policies[0].rules[4].max_claim: found \"claim 4\", allowed is at most 4 different \
         claims in all"
    );
}

/// What is said of `cat` with this key, and these changes.
fn said_of_cat(key: Value, change: impl FnOnce(&mut Value)) -> String {
    said(|json| {
        json["cat"] = json!({"keys": [key]});
        change(&mut json["cat"]);
    })
}

#[test]
fn problems_with_access_tokens_are_told_once_each() {
    let good = || json!({"id": "k", "secret": "@".repeat(32)});
    let key = |key: Value| said_of_cat(key, |_| ());
    assert_eq!(
        key(json!({"id": "k", "secret": "hunter2"})),
        "cat.keys[0].secret: found a secret of 7 bytes, allowed is 32 bytes or more"
    );
    // As long as it looks is not as long as it is.
    assert_eq!(
        key(json!({"id": "k", "secret": "a7".repeat(31), "encoding": "hex"})),
        "cat.keys[0].secret: found a secret of 31 bytes, allowed is 32 bytes or more"
    );
    assert_eq!(
        key(json!({"id": "k", "secret": {"env": "NOT_SET"}})),
        "cat.keys[0].secret.env: found the name of a variable that has no value in this VM, \
         allowed is one that vm_config.environment_variables passes on and that has a value in \
         Envoy's own environment"
    );
    assert_eq!(
        key(json!({"id": "k", "secret": "hunter2".repeat(8), "encoding": "hex"})),
        "cat.keys[0].secret: found another text, allowed is pairs of hexadecimal digits, as \
         `encoding` says"
    );
    assert_eq!(
        key(json!({"id": "k", "secret": {"env": "SUBJECT_KEY"}, "encoding": "base64"})),
        "cat.keys[0].secret.env: found another text, allowed is padded base64, as `encoding` says"
    );
    assert_eq!(
        key(json!({"id": "k", "secret": EC_PEM})),
        "cat.keys[0].secret: found a public key, allowed is a secret; a public key stands under \
         `public_key`"
    );
    assert_eq!(
        key(json!({"id": "k", "public_key": "hunter2, which is a secret of 32"})),
        "cat.keys[0].public_key: found a text of 32 bytes, allowed is a P-256 public key in PEM"
    );
    assert_eq!(
        key(json!({"id": "k", "secret": "@".repeat(32), "public_key": EC_PEM})),
        "cat.keys[0]: found both of them, allowed is either `secret` or `public_key`"
    );
    assert_eq!(
        key(json!({"id": "k"})),
        "cat.keys[0]: found neither of them, allowed is either `secret` or `public_key`"
    );
    assert_eq!(
        key(json!({"id": "", "secret": "@".repeat(32)})),
        "cat.keys[0].id: found \"\", allowed is 1 to 128 bytes without control characters"
    );
    for (count, found) in [(0, "0 keys"), (9, "9 keys")] {
        let numbered = |n: usize| json!({"id": format!("k{n}"), "secret": "@".repeat(32)});
        let keys: Vec<Value> = (0..count).map(numbered).collect();
        let many = said_of_cat(good(), |cat| cat["keys"] = keys.into());
        assert_eq!(
            many,
            format!("cat.keys: found {found}, allowed is 1 to 8 keys")
        );
    }
    let field = |name: &str, value: &str| said_of_cat(good(), |cat| cat[name] = value.into());
    assert_eq!(
        field("leeway", "11min"),
        "cat.leeway: found \"11min\", allowed is a duration such as \"90s\", 0s to 10m"
    );
    assert_eq!(
        field("header", "no header"),
        "cat.header: found \"no header\", allowed is a header name"
    );
    assert_eq!(
        field("cookie", ""),
        "cat.cookie: found \"\", allowed is a cookie's name"
    );
    assert_eq!(
        field("query", "a=b"),
        "cat.query: found \"a=b\", allowed is a parameter's name"
    );
    assert_eq!(
        field("audience", ""),
        "cat.audience: found \"\", allowed is 1 to 128 bytes without control characters"
    );
    assert_eq!(
        said_of_cat(good(), |cat| cat["issuers"] = json!(["shop", ""])),
        "cat.issuers[1]: found \"\", allowed is 1 to 128 bytes without control characters"
    );
    assert_eq!(
        said(|json| json["playback"][1]["stream"] = json!([{"cat": "cti"}])),
        "playback[1]: found a carrier {cat: …} without `cat`, allowed is both: `cat` says whose \
         tokens are good"
    );
}

#[test]
fn keys_of_access_tokens_are_read_as_they_are_written() {
    for (secret, encoding) in [
        ("@".repeat(32), "text"),
        ("4A4a".repeat(16), "hex"),
        ("QEBA".repeat(11), "base64"),
        (format!("{}QEA=", "QEBA".repeat(10)), "base64"),
    ] {
        let config = config_with(|json| {
            json["cat"] = json!({"keys": [{"id": "k", "secret": secret, "encoding": encoding}]});
        });
        let cat = config.unwrap().cat.unwrap();
        assert_eq!(cat.demands.leeway_ms, 30_000);
        assert_eq!(cat.header, "cta-common-access-token");
    }
}

#[test]
fn no_key_of_access_tokens_is_ever_shown() {
    let config = config_with(|json| {
        json["cat"] = json!({"keys": [{"id": "k", "secret": "hunter2, ".repeat(4)}]});
    });
    let debug = format!("{:?}", config.unwrap());
    assert!(!debug.contains("hunter2"), "{debug}");
    for misplaced in [
        json!("hunter2"),
        json!({"keys": "hunter2"}),
        json!({"keys": ["hunter2"]}),
        json!({"keys": [{"id": "k", "secret": {"text": "hunter2"}}]}),
        json!({"keys": [{"id": "k", "public_key": {"env": "hunter2"}}]}),
    ] {
        let told = said(|json| json["cat"] = misplaced.clone());
        assert!(told.starts_with("cat"), "{told}");
        assert!(!told.contains("hunter2"), "{misplaced}: {told}");
    }
}
