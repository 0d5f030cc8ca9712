//! What applications and players may have remembered and repeated, and no more.

use serde_json::{Value, json};

use super::session_api::{create, created};
use super::{Ask, World, get, json};
use crate::config::Config;
use crate::refusal::repeated::BYTES_MAX;
use crate::testing::{config_with, test};

/// The longest refusal or list there may be: attributes once more than they are long in JSON
/// for all that stands around them.
const ANSWER_MAX: usize = BYTES_MAX + (8 << 10);

/// `household` with these rules, and `state` with these changes.
fn edge(rules: Value, state: Value) -> World {
    World::with(move || -> Config {
        config_with(|json| {
            json["policies"][0]["rules"] = rules.clone();
            json["policies"][0]["rules"][0]["name"] = json!("rule");
            for (name, value) in state.as_object().unwrap() {
                json["state"][name] = value.clone();
            }
            json["playback"][0]["attributes"] = json!({
                "one": {"query": "one"}, "two": {"query": "two"}, "three": {"query": "three"}
            });
        })
        .unwrap()
    })
}

fn limit(max: u32) -> Value {
    json!([{"max": max, "on_conflict": "deny_new"}])
}

/// A form of attributes that have so many bytes together.
fn form(prefix: &str, bytes: usize) -> String {
    let mut left = bytes;
    let mut form = String::new();
    while left > 0 {
        let name = format!("{prefix}{left:05}");
        let value = "v".repeat(left.saturating_sub(name.len()).min(200));
        left = left.saturating_sub(name.len() + value.len());
        form.push_str(&format!("{name}={value}&"));
    }
    form
}

fn status(world: &mut World, ask: Ask) -> u16 {
    world.ask(ask).answer().status
}

#[test]
fn attributes_of_a_stream_have_two_kilobytes_together() {
    let mut world = edge(limit(3), json!({}));
    assert_eq!(
        status(&mut world, create("web").body(&form("a", 2_049))),
        400
    );
    assert_eq!(world.streams("alice"), 0);
    assert_eq!(
        status(&mut world, create("web").body(&form("a", 2_048))),
        202
    );
}

#[test]
fn a_heartbeat_that_makes_it_more_is_refused_and_changes_nothing() {
    let mut world = edge(limit(3), json!({}));
    let url = created(&mut world, create("web").body(&form("a", 1_500)));
    let before = world.running("web", "alice");
    let beat = |body: &str| get(&url).method("POST").application("web").body(body);
    let answer = world.ask(beat(&form("b", 1_500))).answer();
    assert_eq!(answer.status, 400);
    assert!(json(&answer)["detail"].as_str().unwrap().contains("bytes"));
    assert_eq!(world.running("web", "alice"), before);
    assert_eq!(status(&mut world, beat(&form("b", 500))), 202);
    assert_eq!(
        status(
            &mut world,
            beat("c=1234567890123456789012345678901234567890123456789")
        ),
        400
    );
    // In the place of what is there, not besides it.
    assert_eq!(status(&mut world, beat(&form("a", 1_500))), 202);
}

#[test]
fn the_bound_is_the_operators_and_also_an_unmodified_players() {
    let mut world = edge(limit(3), json!({"max_attribute_bytes": 64}));
    let at = |query: &str| get(format!("/vod/a/1.m4s?{query}")).account("alice");
    let ask = |query: &str| at(query).header("x-stream-id", "tv");
    let long = "x".repeat(30);
    let refusal = world.ask(ask(&format!("one={long}&two={long}"))).refusal();
    assert_eq!(refusal, (400, "too-many-attributes".to_owned()));
    // No token is minted that carries more than a stream may have.
    let manifest = get(format!("/vod/a/master.m3u8?one={long}&two={long}")).account("alice");
    assert_eq!(world.ask(manifest).answer().status, 400);
    world.ask(ask(&format!("one={long}&two=1"))).served();
    world.host.advance_ms(60_000); // The lease is due: what the request says is read again.
    let refusal = world.ask(ask(&format!("three={long}"))).refusal();
    assert_eq!(refusal, (400, "too-many-attributes".to_owned()));
    assert_eq!(world.streams("alice"), 1);
}

#[test]
fn what_is_there_already_may_stay_where_less_is_allowed_now() {
    let mut world = edge(limit(3), json!({}));
    let url = created(&mut world, create("web").body(&form("a", 2_000)));
    let host = core::mem::replace(&mut world.host, crate::testing::MemoryHost::new());
    world = edge(limit(3), json!({"max_attribute_bytes": 100}));
    world.host = host;
    let beat = |body: &str| get(&url).method("POST").application("web").body(body);
    assert_eq!(status(&mut world, beat("")), 202);
    assert_eq!(status(&mut world, beat("b=1")), 400);
    assert_eq!(status(&mut world, create("web").body(&form("a", 101))), 400);
}

/// 64 streams, each with all that it may have.
fn crowd(world: &mut World, quote: bool) {
    for n in 0..64 {
        let body = form("a", 2_000).replace('v', if quote { "%22" } else { "v" });
        let mut ask = create("web").body(&format!("deviceId=d{n}&{body}"));
        ask.path = format!("/v2/sessions/acme/alice?n={n}").into_bytes();
        created(world, ask);
    }
}

#[test]
fn a_refusal_repeats_few_streams_and_says_how_many_more_are_in_the_way() {
    for quote in [false, true] {
        for count in [json!("streams"), json!({"distinct": "deviceId"})] {
            let rule = json!([{"max": 64, "on_conflict": "deny_new", "count": count,
                "same_device": "count"}]);
            let mut world = edge(rule, json!({"max_streams_per_subject": 100}));
            crowd(&mut world, quote);
            let oldest = world.running("web", "alice")[0]["terminationCode"].clone();
            let answer = world.ask(create("web").body("deviceId=new")).answer();
            assert_eq!(answer.status, 409);
            assert!(answer.body.len() < ANSWER_MAX, "{}", answer.body.len());
            let advice = &json(&answer)["associatedAdvice"][0];
            let conflicts = advice["conflicts"].as_object().unwrap();
            let listed: Vec<&Value> = conflicts
                .values()
                .flat_map(|alike| alike.as_array().unwrap())
                .collect();
            assert!((2..=16).contains(&listed.len()), "{}", listed.len());
            let others = advice["otherStreams"].as_u64().unwrap();
            assert_eq!(others as usize + listed.len(), 64);
            let code = |stream: &&Value| stream["terminationCode"] == oldest;
            assert!(listed.iter().any(code));

            let manifest = get("/vod/a/master.m3u8").account("alice");
            let answer = world.ask(manifest).answer();
            assert_eq!(answer.status, 403);
            assert!(answer.body.len() < ANSWER_MAX, "{}", answer.body.len());

            // What is listed suffices to make room.
            let code = oldest.as_str().unwrap().to_owned();
            let ask = create("web")
                .body("deviceId=new")
                .header("x-terminate", code);
            assert_eq!(status(&mut world, ask), 202);
        }
    }
}

#[test]
fn breaches_of_one_answer_share_what_it_repeats() {
    let rules = json!([
        {"name": "a", "max": 20, "on_conflict": "deny_new", "same_device": "count"},
        {"name": "b", "max": 20, "count": {"distinct": "deviceId"}, "on_conflict": "deny_new",
         "same_device": "count"}
    ]);
    let mut world = edge(rules, json!({}));
    for n in 0..20 {
        created(&mut world, create("web").body(&format!("deviceId=d{n}")));
    }
    let answer = world.ask(create("web").body("deviceId=new")).answer();
    let advice = json(&answer)["associatedAdvice"].clone();
    for breach in advice.as_array().unwrap() {
        assert_eq!(breach["conflicts"].as_object().unwrap().len(), 8);
        assert_eq!(breach["otherStreams"], 12);
    }
}

#[test]
fn a_refusal_that_names_all_says_of_no_others() {
    let mut world = edge(limit(16), json!({}));
    for _ in 0..16 {
        created(&mut world, create("web"));
    }
    let answer = world.ask(create("web")).answer();
    let advice = &json(&answer)["associatedAdvice"][0];
    assert_eq!(advice["conflicts"].as_object().unwrap().len(), 16);
    assert!(advice.get("otherStreams").is_none());
}

#[test]
fn a_list_of_running_streams_has_an_end() {
    let mut world = edge(limit(100), json!({"max_streams_per_subject": 100}));
    crowd(&mut world, true);
    let path = "/v2/runningStreams/acme/alice";
    let answer = world.ask(get(path).application("tv")).answer();
    assert!(answer.body.len() < ANSWER_MAX, "{}", answer.body.len());
    let body = json(&answer);
    let listed = body["runningStreams"].as_array().unwrap().len();
    assert!((2..=16).contains(&listed), "{listed}");
    assert_eq!(body["otherStreams"].as_u64().unwrap() as usize, 64 - listed);
    assert_eq!(body["runningStreams"][0]["metadata"]["n"], "0");
}
