//! What can have no effect where it stands, or another one than it says, is refused with what to write; and what
//! is wrong in its kind is told in words of the configuration.

use serde_json::{Value, json};

use super::vain_tests::{expect_told, said};
use crate::testing::{as_door, test};

/// The door has the viewers' configuration to the letter, with a line more or with what it serves left out.
#[test]
fn what_is_for_viewers_may_stand_beside_the_operators_door() {
    let operator = || json!({"keys": ["an operator's key of some length"]});
    expect_told(&[], |json| json["operator"] = operator());
    expect_told(&[], |json| as_door(json, operator()));
    // What means to have a session API has it at the viewers' listeners.
    expect_told(&[], |json| {
        json["applications"][0]["secret"] = json!("an application's secret");
        json["compatibility"] = json!("cm-v2");
        json["sessions"]["base_path"] = json!("/api");
        json["sessions"]["calls_per_minute"] = json!(7);
        json["cat"] = json!({"keys": [{"id": "shop", "secret": "s".repeat(32)}]});
        json["fleet"] = json!({"cluster": "store", "on_outage": "admit"});
        as_door(json, operator());
    });
}

#[test]
fn a_pattern_is_one_that_a_path_below_the_prefix_can_fit() {
    let may_fit = [
        ("/vod/", "/vod/ads/**"),
        ("/vod/", "/VOD/ads"),
        ("/vod/", "/*/ads"),
        ("/vod/", "/v*/ads"),
        ("/vod/", "/**/ads/1.ts"),
        ("/vod/", "**/slate.ts"),
        ("/vod/", "**"),
        ("/vod/", "/vod/*"),
        ("/vod/", "/vod/**"),
        ("/vod", "/vod"),
        ("/vod", "/vod2/**"),
        ("/vod", "/vod*.ts"),
        ("/vod", "/v*"),
        ("/vod", "/vo*d.ts"),
        ("/Vod/a/", "/vod/*/b"),
        ("/", "/x"),
        ("/", "/x/**"),
    ];
    let never_fit = [
        ("/vod/", "/other/**"),
        ("/vod/", "/vod"),
        ("/vod/", "/*"),
        ("/vod/", "/ads/vod/1.ts"),
        ("/vod/", "/vod2/**"),
        ("/vod/", "/a*/**"),
        ("/vod", "/vo/**"),
        ("/vod", "/ads*"),
        ("/vod/a/", "/vod/b/**"),
        ("/vod/a/", "/vod/*"),
    ];
    let with = |prefix: &str, field: &str, pattern: &str| {
        said(|json| {
            let path = &mut json["playback"][0];
            path["match"]["prefix"] = prefix.into();
            match field {
                "match.exclude" => path["match"]["exclude"] = json!([pattern]),
                class => path["classes"] = json!({(class): [pattern]}),
            }
            json["playback"].as_array_mut().unwrap().truncate(1);
        })
    };
    for field in ["match.exclude", "manifest", "media"] {
        for (prefix, pattern) in may_fit {
            let told = with(prefix, field, pattern);
            assert!(told.is_empty(), "{field} {prefix} {pattern}: {told:?}");
        }
        for (prefix, pattern) in never_fit {
            let told = with(prefix, field, pattern);
            assert_eq!(told.len(), 1, "{field} {prefix} {pattern}");
        }
    }
    assert_eq!(
        with("/vod/", "manifest", "/other/**"),
        [
            "playback[0].classes.manifest[0]: found \"/other/**\", allowed is one that fits paths \
             below \"/vod/\""
        ]
    );
}

#[test]
fn a_template_is_one_of_the_paths_below_the_prefix() {
    let with = |template: &str| {
        said(|json| {
            json["playback"][1]["match"]["prefix"] = json!("/live/eu/");
            json["playback"][1]["template"] = template.into();
        })
    };
    for right in [
        "/live/eu/{channel}",
        "/Live/{region}/{channel}/*",
        "/{kind}",
        "/*/{region}",
        "/live/{region}",
    ] {
        assert!(with(right).is_empty(), "{right}: {:?}", with(right));
    }
    for wrong in ["/vod/{film}", "/live/us/{channel}", "/{x}/eu2/*"] {
        assert_eq!(with(wrong).len(), 1, "{wrong}: {:?}", with(wrong));
    }
    // What is no template at all is told once.
    assert_eq!(with("/vod/film").len(), 1);
}

/// Another listener's session API may hand them out, or another edge's, with the same keys.
#[test]
fn tokens_may_be_all_there_is_without_a_session_api() {
    expect_told(&[], |json| {
        for path in json["playback"].as_array_mut().unwrap() {
            path["subject"] = json!([{"token": "path"}, {"token": {"cookie": "sg"}}]);
            path["start"] = json!("implicit");
        }
        json["session_api"].take();
    });
}

#[test]
fn a_message_says_something() {
    let rule = "policies[0].rules[0]";
    for empty in ["", " ", "\n"] {
        expect_told(&[&format!("{rule}.message")], |json| {
            json["policies"][0]["rules"][0]["message"] = empty.into();
        });
        expect_told(&[&format!("{rule}.message.de")], |json| {
            json["policies"][0]["rules"][0]["message"] = json!({"en": "No", "de": empty});
        });
    }
    expect_told(&[&format!("{rule}.action.label")], |json| {
        let action = json!({"label": "", "url": "https://example.com"});
        json["policies"][0]["rules"][0]["action"] = action;
    });
}

#[test]
fn an_attribute_has_a_name_that_can_be_said() {
    for (length, is_good) in [(64, true), (65, false), (128, false)] {
        let name = "n".repeat(length);
        let told = said(|json| {
            let rule = &mut json["policies"][0]["rules"][0];
            rule["count"] = json!({"distinct": name});
            rule["per"] = json!([name]);
            rule["when"] = json!({name.as_str(): "x"});
            json["playback"][0]["attributes"] = json!({name.as_str(): {"query": "x"}});
            json["playback"][0]["template"] = format!("/vod/{{{name}}}").into();
        });
        assert_eq!(
            told.len(),
            if is_good { 0 } else { 5 },
            "{length}: {told:?}"
        );
        let allowed = "allowed is 1 to 64 bytes without control characters";
        assert!(told.iter().all(|told| told.ends_with(allowed)), "{told:?}");
    }
}

/// What is told of a change.
type Case = (&'static str, fn(&mut Value));

#[test]
fn a_value_of_another_kind_is_told_in_words_of_the_configuration() {
    let cases: [Case; 9] = [
        (
            "playback[0].subject[0].token: found a name alone, allowed is {query: …}",
            |json| json["playback"][0]["subject"][0]["token"] = json!("query"),
        ),
        (
            "playback[0].stream[0]: found fields, allowed is one name with its value",
            |json| json["playback"][0]["stream"][0] = json!({}),
        ),
        (
            "playback[0].stream[0]: found a number `3`, allowed is a name, or one with its value",
            |json| json["playback"][0]["stream"][0] = json!(3),
        ),
        (
            "policies[0].rules[0].count.streams: found a number `3`, allowed is the name alone",
            |json| json["policies"][0]["rules"][0]["count"] = json!({"streams": 3}),
        ),
        (
            "policies[0].rules[0].max: found a number `-1`, allowed is a whole number, not negative and not too large",
            |json| json["policies"][0]["rules"][0]["max"] = json!(-1),
        ),
        (
            "state.max_streams: found a list, allowed is a whole number, not negative and not too large",
            |json| json["state"]["max_streams"] = json!([]),
        ),
        (
            "playback[0].refuse.status: found a number `70000`, allowed is a whole number, not negative and not too large",
            |json| json["playback"][0]["refuse"] = json!({"status": 70_000}),
        ),
        (
            "playback[0].stream[1].redirect: found a text \"yes\", allowed is true or false",
            |json| json["playback"][0]["stream"][1] = json!({"redirect": "yes"}),
        ),
        ("applications: found null, allowed is a list", |json| {
            json["applications"] = json!(null)
        }),
    ];
    for (expected, change) in cases {
        let told = said(change);
        assert!(told.contains(&expected.to_owned()), "{expected}\n{told:#?}");
    }
    let words = [
        "invalid",
        "variant",
        "expected u",
        "sequence",
        "unit",
        "map",
    ];
    for (_, change) in cases {
        let told = said(change).concat();
        assert!(!words.iter().any(|word| told.contains(word)), "{told}");
    }
}
