//! What could be several accounts' or streams' is nobody's.

use serde_json::{Value, json};

use super::session_api::create;
use super::{Ask, World, get, refused};
use crate::testing::{config_with, test};

/// The tests' configuration with this changed in `/vod/`.
fn world(name: &'static str, value: Value) -> World {
    World::with(move || config_with(|json| json["playback"][0][name] = value.clone()).unwrap())
}

fn segment() -> Ask {
    get("/vod/a/1.m4s")
}

#[test]
fn a_trusted_header_that_comes_twice_names_nobody() {
    let mut world = World::new();
    // A hop that adds its own line leaves what the client sent in front of it.
    for (first, second) in [("mallory", "alice"), ("alice", "alice"), ("alice", "")] {
        let ask = segment().account(first).account(second);
        let ask = ask.header("x-stream-id", "tv");
        assert_eq!(world.ask(ask).refusal(), refused(400, "malformed"));
    }
    let twice = segment().account("alice");
    let twice = twice
        .header("x-stream-id", "tv")
        .header("x-stream-id", "tv2");
    assert_eq!(world.ask(twice).refusal(), refused(400, "malformed"));
    assert_eq!((world.streams("alice"), world.streams("mallory")), (0, 0));
    let once = segment().account("alice").header("x-stream-id", "tv");
    world.ask(once).served();
    assert_eq!(world.streams("alice"), 1);
}

#[test]
fn nor_does_it_pass_beside_a_token() {
    let mut world = World::new();
    let prefix = world.play("alice");
    // A worker that has no lease for the token looks at what else the request says.
    let ask = get(format!("{prefix}/vod/a/2.m4s")).on_worker(1);
    let ask = ask.account("alice").account("mallory");
    assert_eq!(world.ask(ask).refusal(), refused(400, "malformed"));
}

#[test]
fn a_claim_that_is_too_long_is_no_attribute_but_malformed() {
    let mut world = world("attributes", json!({"deviceId": {"jwt_claim": "device"}}));
    let ask = |device: &str| {
        let ask = segment().account("alice").header("x-stream-id", "tv");
        ask.claim("device", device)
    };
    let malformed = refused(400, "malformed");
    assert_eq!(world.ask(ask(&"x".repeat(257))).refusal(), malformed);
    assert_eq!(world.streams("alice"), 0);
    world.ask(ask(&"x".repeat(256))).served();
    assert_eq!(world.streams("alice"), 1);
}

#[test]
fn a_truth_value_proves_no_account_to_the_session_api() {
    let mut world = World::with(|| {
        let proof = json!({"subject": {"jwt_claim": "paying"}, "idp": ["acme"]});
        config_with(|json| json["session_api"] = proof).unwrap()
    });
    let ask = |subject: &str, claim: &[u8]| {
        let ask = get(format!("/v2/sessions/acme/{subject}")).method("POST");
        ask.application("web").claim("paying", claim)
    };
    assert_eq!(world.ask(ask("true", b"\x01")).answer().status, 403);
    assert_eq!(world.ask(ask("false", b"\0")).answer().status, 403);
    assert_eq!(world.ask(ask("true", b"true")).answer().status, 202);
    assert_eq!(world.ask(create("web")).answer().status, 403);
}
