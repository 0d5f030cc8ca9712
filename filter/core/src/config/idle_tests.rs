//! What would be taken and never have an effect is told instead: nobody writes it on purpose.

use serde_json::{Value, json};

use crate::testing::{config_with, test};

/// What is said of the tests' configuration after `change`.
#[track_caller]
fn said(change: impl FnOnce(&mut Value)) -> String {
    config_with(change).expect_err("it is wrong").to_string()
}

#[track_caller]
fn expect_said(expected: &str, change: impl FnOnce(&mut Value)) {
    let said = said(change);
    assert!(said.contains(expected), "{expected}\n{said}");
}

#[test]
fn a_condition_has_a_value() {
    let path = "policies[0].rules[0].when.contentType: ";
    for (test, found) in [
        (json!([]), "found none, allowed is one value or more"),
        (
            json!({"not": []}),
            "found none, allowed is one value or more",
        ),
        (json!(""), "found an empty value, allowed is a value"),
        (json!("  "), "found an empty value, allowed is a value"),
        (
            json!(["live", ""]),
            "found an empty value, allowed is a value",
        ),
        (
            json!({"not": ""}),
            "found an empty value, allowed is a value",
        ),
        (
            json!({"not": ["a", " "]}),
            "found an empty value, allowed is a value",
        ),
    ] {
        expect_said(&[path, found].concat(), |json| {
            json["policies"][0]["rules"][0]["when"] = json!({"contentType": test});
        });
    }
    for test in [
        json!("live"),
        json!(false),
        json!(0),
        json!({"present": false}),
    ] {
        let loaded = config_with(|json| {
            json["policies"][0]["rules"][0]["when"] = json!({"contentType": test.clone()});
        });
        assert!(loaded.is_ok(), "{test}");
    }
}

#[test]
fn the_session_api_is_where_requests_can_be_for_it() {
    for base_path in [
        "/a/../b", "/./v2", "//v2", "/v2;x", "/v2.", "/v\\2", "/~v2", "/v2/",
    ] {
        expect_said("sessions.base_path: found ", |json| {
            json["sessions"]["base_path"] = base_path.into();
        });
    }
}

#[test]
fn no_path_is_protected_where_the_session_api_is() {
    for prefix in ["/v2/", "/v2", "/V2/film/", "/v2/sessions/"] {
        expect_said("playback[0].match.prefix: found ", |json| {
            json["playback"][0]["match"]["prefix"] = prefix.into()
        });
    }
    // It may be below one, and a name may begin like its.
    let loaded = config_with(|json| {
        json["sessions"]["base_path"] = "/vod/api".into();
        json["playback"][1]["match"]["prefix"] = "/vod/api2/".into();
        json["playback"].as_array_mut().unwrap().swap(0, 1);
    });
    assert!(loaded.is_ok(), "{loaded:?}");
}

#[test]
fn no_path_stands_behind_one_that_takes_all_its_requests() {
    for (first, second) in [("/vod/", "/vod/live/"), ("/vod/", "/vod/"), ("/", "/vod/")] {
        expect_said(
            "allowed is one that does not begin with that of playback[0], which stands before it",
            |json| {
                json["playback"][0]["match"]["prefix"] = first.into();
                json["playback"][1]["match"]["prefix"] = second.into();
            },
        );
        let loaded = config_with(|json| {
            json["playback"][0]["match"]["prefix"] = second.into();
            json["playback"][1]["match"]["prefix"] = first.into();
        });
        assert_eq!(loaded.is_ok(), first != second);
    }
}

#[test]
fn a_path_gives_a_stream_no_more_attributes_than_it_has_room_for() {
    let sources = |number: usize| -> Value {
        let source = |n| (format!("a{n}"), json!({"value": "x"}));
        (0..number)
            .map(source)
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    for (number, template, is_good) in [
        (32, None, true),
        (33, None, false),
        (31, Some("/vod/{channel}/*"), true),
        (32, Some("/vod/{channel}/*"), false),
        (32, Some("/vod/{a1}/*"), true),
    ] {
        let loaded = config_with(|json| {
            json["playback"][0]["attributes"] = sources(number);
            if let Some(template) = template {
                json["playback"][0]["template"] = template.into();
            }
        });
        let told = loaded.err().map(|error| error.to_string());
        assert_eq!(told.is_none(), is_good, "{number} {template:?}: {told:?}");
    }
}

#[test]
fn a_name_in_a_template_has_no_braces() {
    expect_said("playback[0].template: found ", |json| {
        json["playback"][0]["template"] = "/{a}{b}/*".into();
    });
}

#[test]
fn a_whole_number_is_one_however_it_is_written() {
    let text = |max: &str| {
        let written = crate::testing::CONFIG.replace("\"max\": 3", &format!("\"max\": {max}"));
        super::load(written.as_bytes(), &crate::testing::env).map(|_| ())
    };
    for max in ["3", "3.0", "3e0", "0.3e1", "1e+02", "-0.0"] {
        assert!(text(max).is_ok(), "{max}: {:?}", text(max));
    }
    for max in ["0.5", "3.0001", "-3.0", "1e30", "1e400"] {
        assert!(text(max).is_err(), "{max}");
    }
}

#[test]
fn a_redirect_leads_to_what_is_looked_at_before_it() {
    let with = |carriers: Value| config_with(|json| json["playback"][0]["stream"] = carriers);
    for (carriers, is_good) in [
        (json!([{"token": "path"}, {"redirect": true}]), true),
        (
            json!([{"cmcd": "sid"}, {"token": "path"}, {"redirect": true}, {"token": {"cookie": "sg"}}]),
            true,
        ),
        (json!([{"redirect": true}, {"token": "path"}]), false),
        (
            json!([{"token": {"cookie": "sg"}}, {"redirect": true}, {"token": "path"}]),
            false,
        ),
        (json!([{"redirect": true}]), false),
    ] {
        assert_eq!(with(carriers.clone()).is_ok(), is_good, "{carriers}");
    }
}

#[test]
fn what_says_the_account_tells_no_streams_apart() {
    let with = |subject: &Value, stream: &Value| {
        config_with(|json| {
            json["playback"][0]["subject"] = json!([{"token": "path"}, subject]);
            json["playback"][0]["stream"] = json!([{"token": "path"}, stream]);
        })
    };
    let header = |name: &str| json!({"header": name});
    let claim = |name: &str| json!({"jwt_claim": name});
    for (subject, stream, is_good) in [
        (header("x-account-id"), header("X-Account-Id"), false),
        (claim("sub"), claim("sub"), false),
        (header("x-account-id"), header("x-stream-id"), true),
        (claim("sub"), claim("sid"), true),
        (header("sub"), claim("sub"), true),
    ] {
        let told = with(&subject, &stream).err().map(|error| error.to_string());
        assert_eq!(told.is_none(), is_good, "{subject} {stream}: {told:?}");
        let told = told.unwrap_or_default();
        assert!(
            is_good || told.contains("playback[0].stream: found what says the account"),
            "{told}"
        );
    }
}

#[test]
fn a_prefix_is_no_pattern() {
    for prefix in ["/vod/*", "/vod/**", "/*", "/v*d/"] {
        expect_said("playback[0].match.prefix: found ", |json| {
            json["playback"][0]["match"]["prefix"] = prefix.into();
        });
    }
}
