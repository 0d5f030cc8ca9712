//! What create and heartbeat say of how many streams play.

use serde_json::{Value, json};

use super::session_api::{create, created, heartbeat};
use super::{World, get, json};
use crate::exchange::Answer;
use crate::testing::{config_with, test};

fn counts(answer: &Answer) -> (Option<u64>, Option<u64>) {
    let session = json(answer)["session"].clone();
    let number = |name: &str| session.get(name).map(|value| value.as_u64().unwrap());
    (number("activeStreams"), number("maxStreams"))
}

#[test]
fn create_and_heartbeat_say_how_many_play_of_how_many() {
    let mut world = World::new();
    let first = world.ask(create("web")).answer();
    assert_eq!(counts(&first), (Some(1), Some(3)));
    let url = created(&mut world, create("tv"));
    let first = first.header("location").unwrap();
    let beat = heartbeat(&mut world, "web", first);
    assert_eq!(counts(&beat), (Some(2), Some(3)));
    let stop = get(&url).method("DELETE").application("tv");
    assert_eq!(world.ask(stop).answer().status, 202);
    assert_eq!(
        counts(&heartbeat(&mut world, "web", first)),
        (Some(1), Some(3))
    );
}

/// A player that nobody changed takes a place, too.
#[test]
fn streams_that_no_session_was_created_for_count() {
    let mut world = World::new();
    let segment = get("/vod/a/1.ts").account("alice");
    world.ask(segment.header("x-stream-id", "s1")).served();
    let answer = world.ask(create("web")).answer();
    assert_eq!(counts(&answer), (Some(2), Some(3)));
}

#[test]
fn nothing_is_said_where_no_rule_counts_streams_or_only_watches() {
    let distinct = json!([{
        "name": "devices", "max": 2, "count": {"distinct": "deviceId"}, "on_conflict": "deny_new"
    }]);
    let changes: [fn(&mut Value, Value); 2] = [
        |json, distinct| json["policies"][0]["rules"] = distinct,
        |json, _| json["policies"][0]["mode"] = json!("monitor"),
    ];
    for change in changes {
        let distinct = distinct.clone();
        let config = move || config_with(|json| change(json, distinct.clone())).unwrap();
        let mut world = World::with(config);
        let answer = world.ask(create("web").body("deviceId=1")).answer();
        assert_eq!(answer.status, 202);
        assert_eq!(counts(&answer), (None, None));
        let session = json(&answer)["session"].clone();
        assert!(session.get("maxStreams").is_none(), "{session}");
    }
}
