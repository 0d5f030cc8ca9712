//! Attributes that policies need, and attributes that may not change.

use serde_json::json;
use streamgate_record::metric::Metric;

use super::session_api::{create, created, heartbeat};
use super::{World, get, json};
use crate::config::Config;
use crate::testing::{config_with, test};

/// `household` needs a device and a kind; `latest-wins`, which only watches, a zipcode.
fn config() -> Config {
    config_with(|json| {
        json["policies"][0]["rules"] = json!([
            {"name": "devices", "max": 3, "on_conflict": "deny_new",
             "count": {"distinct": "deviceId"}},
            {"name": "live", "max": 1, "on_conflict": "deny_new", "per": ["deviceId"],
             "when": {"contentType": "live", "hba": {"present": false}}}
        ]);
        json["policies"][1]["mode"] = json!("monitor");
        json["policies"][1]["rules"][0]["count"] = json!({"distinct": "zipcode"});
    })
    .unwrap()
}

fn refresh_metadata() -> serde_json::Value {
    json!({
        "associatedAdvice": [],
        "obligations": [{
            "namespace": "adobe.primetime.cm",
            "action": "refresh",
            "arguments": ["metadata"]
        }]
    })
}

#[test]
fn an_application_is_told_what_its_policies_need() {
    let mut world = World::with(config);
    for (application, names) in [
        ("web", json!(["deviceId", "contentType"])),
        ("mobile", json!(["zipcode"])),
    ] {
        let answer = world
            .ask(get("/v2/metadata").application(application))
            .answer();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(json(&answer), names, "{application}");
    }
    assert_eq!(world.ask(get("/v2/metadata")).answer().status, 401);
    let post = get("/v2/metadata").method("POST").application("web");
    assert_eq!(world.ask(post).answer().status, 405);
}

#[test]
fn policies_that_need_nothing_say_so() {
    let mut world = World::new();
    let answer = world.ask(get("/v2/metadata").application("web")).answer();
    assert_eq!(json(&answer), json!([]));
}

#[test]
fn a_create_without_them_is_asked_to_refresh_metadata_and_starts_nothing() {
    let mut world = World::with(config);
    for body in ["", "deviceId=tv", "contentType=live"] {
        let answer = world.ask(create("web").body(body)).answer();
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(json(&answer), refresh_metadata());
    }
    assert_eq!(world.streams("alice"), 0);
    created(
        &mut world,
        create("web").body("deviceId=tv&contentType=live"),
    );
}

#[test]
fn they_may_come_in_query_and_body_alike() {
    let mut world = World::with(config);
    let mut ask = create("web").body("contentType=vod");
    ask.path.extend(b"?deviceId=tv");
    let url = created(&mut world, ask);
    assert_eq!(heartbeat(&mut world, "web", &url).status, 202);
}

#[test]
fn a_heartbeat_after_the_policies_changed_is_asked_too_and_the_next_one_mends_it() {
    let mut world = World::new();
    let url = created(&mut world, create("web").body("deviceId=tv"));
    world.workers = [(); 2].map(|()| crate::edge::Edge::new(config(), &world.host));
    let answer = heartbeat(&mut world, "web", &url);
    assert_eq!(answer.status, 400);
    assert_eq!(json(&answer), refresh_metadata());
    assert_eq!(world.streams("alice"), 1);
    let answer = heartbeat(&mut world, "web", &format!("{url}?contentType=vod"));
    assert_eq!(answer.status, 202);
    assert_eq!(heartbeat(&mut world, "web", &url).status, 202);
}

#[test]
fn a_policy_that_only_watches_turns_nobody_away_for_a_missing_attribute() {
    let mut world = World::with(config);
    for _ in 0..3 {
        created(&mut world, create("mobile"));
    }
    assert_eq!(world.streams("alice"), 0);
    assert_eq!(world.running("mobile", "alice").len(), 3);
    created(&mut world, create("mobile").body("zipcode=1010"));
    assert_eq!(world.host.count(Metric::MonitoredBreaches), 1);
}

#[test]
fn a_heartbeat_cannot_change_what_is_immutable() {
    let mut world = World::new();
    let url = created(&mut world, create("web").body("channel=News&bitrate=1"));
    let answer = heartbeat(&mut world, "web", &format!("{url}?channel=Sport&bitrate=2"));
    assert_eq!(answer.status, 400);
    let problem = json(&answer);
    assert_eq!(problem["status"], 400);
    assert!(problem["detail"].as_str().unwrap().contains("channel"));
    let metadata = world.running("web", "alice")[0]["metadata"].clone();
    assert_eq!(metadata, json!({"channel": "News", "bitrate": "1"}));

    // What is not yet set may be, and then stays; the same again is no change.
    for (query, status) in [
        ("channel=News&package=gold", 202),
        ("package=gold&bitrate=3", 202),
        ("package=silver", 400),
        ("", 202),
    ] {
        let answer = heartbeat(&mut world, "web", &format!("{url}?{query}"));
        assert_eq!(answer.status, status, "{query}");
    }
}
