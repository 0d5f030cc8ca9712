//! Too many calls of the session API.

use serde_json::json;
use streamgate_record::metric::Metric;
use streamgate_record::ports::{Clock, StoreKey};

use super::session_api::{create, created, heartbeat};
use super::{Ask, World, get};
use crate::config::Config;
use crate::testing::{NOW, TIMEOUT_MS, config_with, test};

/// Three calls a minute per session, four creates per subject.
fn config() -> Config {
    config_with(|json| {
        json["sessions"]["calls_per_minute"] = json!(3);
        json["sessions"]["creates_per_minute"] = json!(4);
    })
    .unwrap()
}

fn stored(world: &World) -> Vec<Option<Vec<u8>>> {
    let slot = |slot| world.host.stored(StoreKey::Slot(slot));
    (0..16).map(slot).collect()
}

/// Answered 429 until the minute is over; nothing is written.
#[track_caller]
fn throttled(world: &mut World, ask: Ask) {
    let before = stored(world);
    let now = world.host.now();
    let answer = world.ask(ask).answer();
    assert_eq!((answer.status, answer.body.len()), (429, 0));
    let next_minute = NOW.plus_ms(60_000);
    assert_eq!(
        answer.header("expires"),
        Some(next_minute.to_http_date().as_str())
    );
    assert_eq!(answer.header("date"), Some(now.to_http_date().as_str()));
    let left_s = next_minute.ms_since(now).div_ceil(1000).to_string();
    assert_eq!(answer.header("retry-after"), Some(left_s.as_str()));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(stored(world), before);
}

fn beat(url: &str) -> Ask {
    get(url).method("POST").application("web")
}

#[test]
fn a_session_that_calls_too_often_waits_for_the_next_minute() {
    assert_eq!(NOW.as_ms() % 60_000, 0);
    let mut world = World::with(config);
    let url = created(&mut world, create("web"));
    world.host.advance_ms(20_000);
    for worker in [0, 1, 0] {
        let answer = world.ask(beat(&url).on_worker(worker)).answer();
        assert_eq!(answer.status, 202);
    }
    for worker in [0, 1] {
        throttled(&mut world, beat(&url).on_worker(worker));
        throttled(&mut world, beat(&url).method("DELETE"));
    }
    assert_eq!(world.streams("alice"), 1);
    assert_eq!(world.host.count(Metric::RefusalsThrottled), 4);

    world.host.advance_ms(40_000);
    assert_eq!(heartbeat(&mut world, "web", &url).status, 202);
    let stop = beat(&url).method("DELETE");
    assert_eq!(world.ask(stop).answer().status, 202);
}

#[test]
fn a_throttled_heartbeat_does_not_prolong_a_life() {
    let mut world = World::with(config);
    let url = created(&mut world, create("web"));
    for _ in 0..3 {
        heartbeat(&mut world, "web", &url);
    }
    world.host.advance_ms(59_999);
    throttled(&mut world, beat(&url));
    world.host.advance_ms(TIMEOUT_MS - 59_999);
    assert_eq!(heartbeat(&mut world, "web", &url).status, 410);
}

#[test]
fn an_account_that_creates_too_often_waits_whatever_its_applications() {
    let mut world = World::with(config);
    let url = created(&mut world, create("web"));
    created(&mut world, create("tv"));
    created(&mut world, create("web"));
    assert_eq!(world.ask(create("web")).answer().status, 409);
    for application in ["web", "tv", "mobile"] {
        throttled(&mut world, create(application));
    }
    // Another account is another account, and heartbeats are counted by themselves.
    let mut bob = create("web");
    bob.path = b"/v2/sessions/acme/bob".to_vec();
    created(&mut world, bob);
    assert_eq!(heartbeat(&mut world, "web", &url).status, 202);

    world.host.advance_ms(60_000);
    assert_eq!(world.ask(create("web")).answer().status, 409);
}

#[test]
fn two_hundred_a_minute_are_allowed_where_nothing_else_is_said() {
    let mut world = World::new();
    let url = created(&mut world, create("web"));
    for _ in 0..200 {
        assert_eq!(heartbeat(&mut world, "web", &url).status, 202);
    }
    throttled(&mut world, beat(&url));
    for _ in 1..200 {
        assert_ne!(world.ask(create("web")).answer().status, 429);
    }
    throttled(&mut world, create("web"));
}

#[test]
fn segments_are_never_throttled() {
    let mut world = World::with(config);
    let prefixes = [(); 3].map(|()| world.play("alice"));
    for n in 0..20 {
        for prefix in &prefixes {
            world.ask(get(format!("{prefix}/vod/a/{n}.m4s"))).served();
        }
    }
    assert_eq!(world.host.count(Metric::RefusalsThrottled), 0);
    assert_eq!(world.ask(create("web")).answer().status, 409);
}
