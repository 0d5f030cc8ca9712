//! An attribute that says nothing is a missing one, to every part of a rule.

use serde_json::{Value, json};

use super::session_api::{create, created};
use super::{World, get, json};
use crate::config::Config;
use crate::testing::{config_with, test};

/// Empty, and white space alone, as a form writes it.
const BLANK: [&str; 5] = ["", "+", "%20%20", "%C2%A0", "%E2%80%83"];

fn with_rule(rule: Value) -> impl Fn() -> Config {
    move || {
        config_with(|json| {
            json["policies"][0]["rules"] = json!([rule]);
            json["playback"][0]["attributes"] = json!({
                "deviceId": {"header": "x-device"}, "channel": {"query": "channel"},
            });
        })
        .unwrap()
    }
}

/// 400 with the obligation to refresh metadata, for each value that says nothing.
fn is_missing(rule: Value, attribute: &str) {
    let mut world = World::with(with_rule(rule));
    for blank in BLANK {
        let ask = create("web").body(&format!("{attribute}={blank}"));
        let answer = world.ask(ask).answer();
        assert_eq!(answer.status, 400, "{attribute}={blank}");
        assert_eq!(json(&answer)["obligations"][0]["arguments"][0], "metadata");
    }
    assert_eq!(world.streams("alice"), 0);
    let url = created(&mut world, create("web").body(&format!("{attribute}=1")));
    // Nor can it be taken back.
    for blank in BLANK {
        let ask = get(&url).method("POST").application("web");
        let ask = ask.body(&format!("{attribute}={blank}"));
        assert_eq!(world.ask(ask).answer().status, 400, "{attribute}={blank}");
    }
}

#[test]
fn an_empty_value_is_missing_to_whatever_needs_it() {
    let rule = |more: Value| {
        let mut rule = json!({"name": "r", "max": 1, "on_conflict": "deny_new"});
        for (name, value) in more.as_object().unwrap() {
            rule[name] = value.clone();
        }
        rule
    };
    is_missing(rule(json!({"count": {"distinct": "deviceId"}})), "deviceId");
    is_missing(rule(json!({"count": {"distinct": "zipcode"}})), "zipcode");
    is_missing(rule(json!({"per": ["channel"]})), "channel");
    is_missing(
        rule(json!({"when": {"contentType": "live"}})),
        "contentType",
    );
    is_missing(rule(json!({"when": {"region": {"not": "at"}}})), "region");
    is_missing(
        rule(json!({"when": {"bitrate": {"at_least": 1}}})),
        "bitrate",
    );
}

#[test]
fn an_empty_value_is_not_there() {
    let rule = json!({"name": "r", "max": 1, "on_conflict": "deny_new",
                      "when": {"kidsProfile": {"present": true}}});
    let mut world = World::with(with_rule(rule));
    for blank in BLANK {
        created(
            &mut world,
            create("web").body(&format!("kidsProfile={blank}")),
        );
    }
    created(&mut world, create("web").body("kidsProfile=1"));
    let second = create("web").body("kidsProfile=2");
    assert_eq!(world.ask(second).answer().status, 409);
}

#[test]
fn an_empty_device_is_no_device_that_starts_again() {
    let rule = json!({"name": "r", "max": 3, "on_conflict": "deny_new", "same_device": "replace"});
    for blank in BLANK {
        let mut world = World::with(with_rule(rule.clone()));
        for _ in 0..3 {
            created(&mut world, create("web").body(&format!("deviceId={blank}")));
        }
        assert_eq!(world.streams("alice"), 3, "{blank}");
    }
}

#[test]
fn an_attribute_that_stays_as_it_is_may_be_said_once_it_is_known() {
    let mut world = World::new();
    let url = created(&mut world, create("web").body("channel="));
    for (channel, status) in [("News", 202), ("News", 202), ("", 400), ("Sports", 400)] {
        let ask = get(&url).method("POST").application("web");
        let ask = ask.body(&format!("channel={channel}"));
        assert_eq!(world.ask(ask).answer().status, status, "{channel}");
    }
}

#[test]
fn an_empty_header_or_parameter_of_a_player_says_nothing_of_its_stream() {
    let rule = json!({"name": "r", "max": 3, "on_conflict": "deny_new"});
    let mut world = World::with(with_rule(rule));
    let players = [("", ""), ("%20", " "), ("%C2%A0", "\u{a0}\u{2003}")];
    for (n, (channel, device)) in players.into_iter().enumerate() {
        let ask = get(format!("/vod/a/1.m4s?channel={channel}")).account("alice");
        let ask = ask
            .header("x-stream-id", n.to_string())
            .header("x-device", device);
        world.ask(ask).served();
    }
    for stream in world.running("web", "alice") {
        assert_eq!(stream["metadata"], json!({}));
    }
    assert_eq!(world.streams("alice"), 3);
}
