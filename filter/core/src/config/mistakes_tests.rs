//! Many mistakes in one configuration, and secrets where none belong.

use serde_json::{Value, json};

use super::ConfigError;
use crate::testing::{config_with, test};

/// What is wrong with the tests' configuration after `change`, one text for each field.
fn said(change: impl FnOnce(&mut Value)) -> Vec<String> {
    match config_with(change).expect_err("it is wrong") {
        ConfigError::Invalid(problems) => problems.iter().map(ToString::to_string).collect(),
        unreadable => panic!("{unreadable}"),
    }
}

/// The fields that are told, in this order.
#[track_caller]
fn expect_told(fields: &[&str], change: impl FnOnce(&mut Value)) {
    let said = said(change);
    let told: Vec<_> = said
        .iter()
        .map(|said| said.split_once(": ").expect("a path").0)
        .collect();
    assert_eq!(told, fields, "{said:#?}");
}

#[test]
fn a_wrong_number_and_a_wrong_word_are_both_told() {
    let told = said(|json| {
        let rule = &mut json["policies"][0]["rules"][0];
        rule["max"] = json!("three");
        rule["on_conflict"] = json!("deny");
    });
    assert_eq!(
        told,
        [
            "policies[0].rules[0].max: found a text \"three\", allowed is a whole number, not negative and not too large",
            "policies[0].rules[0].on_conflict: unknown value `deny`, expected `deny_new` or \
             `stop_oldest`",
        ]
    );
}

#[test]
fn mistakes_of_every_kind_are_told_at_once() {
    expect_told(
        &[
            "applications[1]",
            "playback[0].start",
            "playback[0].subject[0]",
            "playback[1].stream",
            "policies[0].rules[0].max",
            "policies[0].rules[0].onconflict",
            "policies[0].rules[0]",
            "policies[1].rules",
            "sessions.beats",
            "state.slots",
        ],
        |json| {
            let _ = json["applications"][1]
                .as_object_mut()
                .unwrap()
                .remove("tenant");
            let rule = &mut json["policies"][0]["rules"][0];
            rule["max"] = json!([3]);
            let conflict = rule.as_object_mut().unwrap().remove("on_conflict");
            rule["onconflict"] = conflict.unwrap();
            json["policies"][1]["rules"] = json!("one");
            json["sessions"]["beats"] = json!("60s");
            json["playback"][0]["start"] = json!("always");
            json["playback"][0]["subject"] = json!([{"tokn": "path"}]);
            json["playback"][1]["stream"] = json!({"token": "path"});
            json["state"]["slots"] = json!(0);
        },
    );
}

/// What was written as it should be is not blamed for what its neighbour was to say.
#[test]
fn nobody_is_told_what_follows_from_another_mistake() {
    // Applications list this policy.
    expect_told(&["policies[0].name"], |json| {
        json["policies"][0]["name"] = json!(7);
    });
    // Protected paths name this application.
    expect_told(&["applications[0].id"], |json| {
        json["applications"][0]["id"] = json!(["web"]);
    });
    expect_told(&["polices"], |json| {
        let fields = json.as_object_mut().unwrap();
        let policies = fields.remove("policies").unwrap();
        fields.insert("polices".to_owned(), policies);
    });
    // The timeout is shorter than the heartbeat that holds where none is given.
    expect_told(&["sessions.hearbeat"], |json| {
        let sessions = json["sessions"].as_object_mut().unwrap();
        sessions.remove("heartbeat");
        sessions.insert("hearbeat".to_owned(), json!("5s"));
        sessions.insert("timeout".to_owned(), json!("20s"));
    });
    expect_told(&["cat.keys"], |json| {
        json["cat"] = json!({"keys": 1});
        json["playback"][1]["stream"] = json!([{"cat": "cti"}]);
    });
    // A redirect leads to a path token, and the list says nothing of one.
    expect_told(&["playback[1].stream[0]"], |json| {
        json["playback"][1]["stream"] = json!([{"tokn": "path"}, {"redirect": true}]);
    });
}

#[test]
fn a_configuration_of_another_kind_is_told_so_once() {
    for whole in [json!([]), json!("text"), json!(3), json!(null)] {
        let told = said(|json| *json = whole.clone());
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].starts_with("configuration: found "), "{told:#?}");
    }
    // Fields that have to be there are all named.
    let told = said(|json| *json = json!({}));
    for field in ["applications", "sessions", "privacy"] {
        let expected = format!("configuration: missing field `{field}`");
        assert!(told.contains(&expected), "{told:#?}");
    }
    assert_eq!(told.len(), 3, "{told:#?}");
}

#[test]
fn so_many_mistakes_are_told_and_that_there_are_more() {
    let told = said(|json| {
        json["applications"] = (0..1_000).map(Value::from).collect();
    });
    assert_eq!(told.len(), 51);
    assert_eq!(
        told[50],
        "configuration: what else is wrong is told once this is right"
    );
}

/// Long enough for a secret, and unlike any field.
const SECRET: &str = "correct-horse-battery-staple-42!";

/// A change to a configuration, given a secret.
type Misplaced = fn(&mut Value, Value);

/// Where a secret is put by mistake.
const MISPLACED: [(&str, Misplaced); 34] = [
    ("env", |json, it| {
        json["privacy"]["subject_key"] = json!({"env": it})
    }),
    ("env of a key", |json, it| {
        key(json)["secret"] = json!({"env": it})
    }),
    ("env of a list", |json, it| {
        key(json)["secret"] = json!({"env": [it]})
    }),
    ("list", |json, it| key(json)["secret"] = json!([it])),
    ("list in a list", |json, it| {
        key(json)["secret"] = json!([[it]])
    }),
    ("other field", |json, it| {
        key(json)["secret"] = json!({"text": it})
    }),
    ("field and env", |json, it| {
        key(json)["secret"] = json!({"env": "SUBJECT_KEY", "text": it})
    }),
    ("slip", |json, it| key(json)["secrt"] = it),
    ("field's name", |json, it| key(json)[text(&it)] = json!("x")),
    ("field's name below", |json, it| {
        key(json)["secret"] = json!({text(&it): "x"})
    }),
    ("id twice", |json, it| {
        let key = json!({"id": it, "secret": "some other secret"});
        json["sessions"]["signing_keys"] = json!([key, key]);
    }),
    ("long id", |json, it| {
        key(json)["id"] = text(&it).repeat(9).into()
    }),
    ("id with a line's end", |json, it| {
        key(json)["id"] = format!("{}\n", text(&it)).into()
    }),
    ("keys", |json, it| json["sessions"]["signing_keys"] = it),
    ("key", |json, it| json["sessions"]["signing_keys"][0] = it),
    ("keys by name", |json, it| {
        json["sessions"]["signing_keys"] = json!({"k1": it})
    }),
    ("sessions", |json, it| json["sessions"] = it),
    ("sessions' field", |json, it| {
        json["sessions"][text(&it)] = json!(1)
    }),
    ("privacy", |json, it| json["privacy"] = it),
    ("privacy's field", |json, it| {
        json["privacy"] = json!({text(&it): 1})
    }),
    ("privacy list", |json, it| json["privacy"] = json!([it])),
    ("fleet", |json, it| json["fleet"] = it),
    ("fleet's user", |json, it| {
        json["fleet"] = json!({"cluster": "store", "user": format!("{}\n", text(&it))});
    }),
    ("fleet's password", |json, it| {
        json["fleet"] = json!({"cluster": "store", "password": [it]});
    }),
    ("fleet's outage", |json, it| {
        json["fleet"] = json!({"cluster": "store", "on_outage": it, "wait": it, "shards": it});
    }),
    ("fleet's variable", |json, it| {
        json["fleet"] = json!({"cluster": "store", "user": "u", "password": {"env": it}});
    }),
    ("access token's encoding", |json, it| {
        json["cat"] = json!({"keys": [{"id": "k", "encoding": it}]});
    }),
    ("access token's key in hex", |json, it| {
        json["cat"] = json!({"keys": [{"id": it, "secret": it, "encoding": "hex"}], "header": it});
    }),
    ("access token's public key", |json, it| {
        json["cat"] = json!({"keys": [{"id": "k", "public_key": it}], "leeway": it});
    }),
    ("application's variable", |json, it| {
        json["applications"][0]["secret"] = json!({"env": it});
    }),
    ("application's list", |json, it| {
        json["applications"][0]["secret"] = json!([[it]]);
    }),
    ("application's field", |json, it| {
        json["applications"][0][text(&it)] = json!("x");
    }),
    ("application's secret elsewhere", |json, it| {
        json["applications"][0]["policies"] = it;
    }),
    ("a number", |json, it| json["state"]["slots"] = it),
];

fn key(json: &mut Value) -> &mut Value {
    &mut json["sessions"]["signing_keys"][0]
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn a_secret_in_the_wrong_place_is_never_repeated() {
    for (field, put) in MISPLACED {
        for secret in [
            json!(SECRET),
            json!(1_234_567_890_123_456_789_u64),
            json!(-0.123_456_789_012_345_6),
        ] {
            let shown = text(&secret);
            let Err(error) = config_with(|json| put(json, secret.clone())) else {
                // A number is a good enough name.
                assert_ne!(shown, SECRET, "{field}: is accepted");
                continue;
            };
            for told in [error.to_string(), format!("{error:?}")] {
                assert!(!told.contains(&shown), "{field}: {told}");
                assert!(!told.contains("horse"), "{field}: {told}");
                assert!(!told.contains("123456789"), "{field}: {told}");
            }
        }
    }
}

#[test]
fn where_a_secret_stands_is_told_by_its_field_alone() {
    let of = |change: fn(&mut Value)| said(change).join("; ");
    assert_eq!(
        of(|json| key(json)["secret"] = json!([SECRET])),
        "sessions.signing_keys[0].secret: found a list, allowed is the secret's text or \
         {env: NAME}"
    );
    assert_eq!(
        of(|json| key(json)["secret"] = json!(1234)),
        "sessions.signing_keys[0].secret: found a number (not shown), allowed is the \
         secret's text or {env: NAME}"
    );
    assert_eq!(
        of(|json| key(json)[SECRET] = json!("k")),
        "sessions.signing_keys[0]: unknown field (not shown), expected `id` or `secret`"
    );
    assert_eq!(
        of(|json| key(json)["secrt"] = json!("hunter2")),
        "sessions.signing_keys[0].secrt: unknown field `secrt`, did you mean `secret`?"
    );
    assert_eq!(
        of(|json| json["privacy"]["subject_key"] = json!({"enviroment": SECRET})),
        "privacy.subject_key: unknown field (not shown), expected `env`; privacy.subject_key: \
         missing field `env`"
    );
}

#[test]
fn a_configurations_debug_text_holds_no_secret_and_no_variable() {
    use super::parse::parse;
    let json = json!({
        "sessions": {"signing_keys": [{"id": "k", "secret": SECRET}]},
        "privacy": {"subject_key": {"env": SECRET}},
    });
    let parsed = parse(json.to_string().as_bytes()).unwrap();
    assert!(!format!("{parsed:?}").contains("horse"), "{parsed:?}");
}

#[test]
fn a_way_out_that_is_none_is_told_by_language() {
    let rule = "policies[0].rules[0].action";
    let long = "x".repeat(129);
    let long_url = format!("https://example.com/{}", "x".repeat(1024));
    let fields = [
        format!("{rule}.label.de"),
        format!("{rule}.label.en"),
        format!("{rule}.url.de"),
        format!("{rule}.url.en"),
        format!("{rule}.url.fr"),
    ];
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    expect_told(&fields, |json| {
        json["policies"][0]["rules"][0]["action"] = json!({
            "label": {"de": long, "en": "a\nb", "fr": "Aide"},
            "url": {"de": "http://example.com", "en": long_url, "fr": "https://a:b@example.com"}
        });
    });
    let told = said(|json| {
        json["policies"][0]["rules"][0]["action"] =
            json!({"label": " ", "url": "javascript:alert(1)"});
    });
    assert_eq!(
        told,
        [
            "policies[0].rules[0].action.label: found \" \", allowed is a text of 1 to 128 bytes, in braces only \
             {limit}, {attribute} or {device}",
            "policies[0].rules[0].action.url: found \"javascript:alert(1)\", allowed is an https URL in \
             ASCII, without user and password, of at most 1024 bytes",
        ]
    );
}
