//! What would be taken and do nothing, or less than somebody means.

use serde_json::{Value, json};

use super::ConfigError;
use crate::testing::{config_with, test};

/// What is wrong with the tests' configuration after `change`, one text for each field.
pub(super) fn said(change: impl FnOnce(&mut Value)) -> Vec<String> {
    match config_with(change) {
        Ok(_) => Vec::new(),
        Err(ConfigError::Invalid(problems)) => problems.iter().map(ToString::to_string).collect(),
        Err(unreadable) => panic!("{unreadable}"),
    }
}

#[track_caller]
pub(super) fn expect_told(paths: &[&str], change: impl FnOnce(&mut Value)) {
    let said = said(change);
    let told: Vec<_> = said
        .iter()
        .map(|said| said.split_once(": ").unwrap().0)
        .collect();
    assert_eq!(told, paths, "{said:#?}");
}

#[test]
fn a_message_has_only_placeholders_that_are_filled_and_an_end() {
    let path = "policies[0].rules[0].message";
    let with = |message: Value| {
        move |json: &mut Value| json["policies"][0]["rules"][0]["message"] = message
    };
    let long = "x".repeat(1_025);
    for wrong in [
        "{nope}",
        "{limit} of {Limit}",
        "{ limit }",
        "{}",
        "{device",
        "}{",
        "{{limit}}",
        &long,
    ] {
        expect_told(&[path], with(json!(wrong)));
    }
    for right in ["{limit}{attribute}{device}", "limit}", &long[1..]] {
        expect_told(&[], with(json!(right)));
    }
    expect_told(
        &[
            "policies[0].rules[0].message.de",
            "policies[0].rules[0].message.fr",
        ],
        with(json!({"en": "{limit}", "de": "{grenze}", "fr": long})),
    );
    assert_eq!(
        said(with(json!("Only {maximum}"))),
        [
            "policies[0].rules[0].message: found \"Only {maximum}\", allowed is a text of 1 to 1024 bytes, \
             in braces only {limit}, {attribute} or {device}"
        ]
    );
    let label = json!({"label": "{nope}", "url": "https://example.com"});
    expect_told(&["policies[0].rules[0].action.label"], |json| {
        json["policies"][0]["rules"][0]["action"] = label;
    });
}

#[test]
fn a_tenant_and_a_name_are_names() {
    for wrong in ["", "a\nb", &"x".repeat(129)] {
        for field in ["tenant", "name"] {
            let path = format!("applications[0].{field}");
            expect_told(&[&path], |json| {
                json["applications"][0][field] = json!(wrong)
            });
        }
    }
}

#[test]
fn an_identity_provider_is_one_that_a_path_of_the_session_api_can_name() {
    for wrong in ["a\nb", &"x".repeat(257)] {
        expect_told(&["playback[0].idp"], |json| {
            json["playback"][0]["idp"] = json!(wrong)
        });
    }
    for right in ["", &"x".repeat(256)] {
        expect_told(&[], |json| json["playback"][0]["idp"] = json!(right));
    }
}

#[test]
fn what_the_session_api_says_itself_is_no_attribute() {
    let name = "superseded";
    expect_told(
        &[
            "policies[0].rules[0].count.distinct",
            "policies[0].rules[0].per[0]",
            "policies[0].rules[0].when",
            "playback[0].attributes.superseded",
            "playback[0].template",
        ],
        |json| {
            json["playback"][0]["attributes"] = json!({name: {"query": "a"}});
            json["playback"][0]["template"] = json!("/vod/{superseded}");
            let rule = &mut json["policies"][0]["rules"][0];
            rule["count"] = json!({"distinct": name});
            rule["per"] = json!([name]);
            rule["when"] = json!({name: "a"});
        },
    );
}
