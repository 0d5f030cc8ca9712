//! Players that pause, and apps whose heartbeats outlive their segments.

use serde_json::json;
use streamgate_record::metric::Metric;

use super::{Ask, World, get, refused};
use crate::config::Config;
use crate::testing::{TIMEOUT_MS, config_with, test};

fn paused(what: &'static str) -> impl Fn() -> Config {
    move || config_with(|json| json["playback"][0]["paused"] = json!(what)).unwrap()
}

/// A manifest poll of a player that says it is paused.
fn poll(prefix: &str) -> Ask {
    get(format!("{prefix}/vod/a/master.m3u8?CMCD=sta%3Da%2Cv%3D2"))
}

#[test]
fn a_paused_player_that_polls_loses_its_place_at_its_timeout_unless_kept() {
    for (config, left) in [(None, 0), (Some("keep"), 1)] {
        let mut world = match config {
            Some(what) => World::with(paused(what)),
            None => World::new(),
        };
        let prefix = world.play("alice");
        for _ in 0..30 {
            world.host.advance_ms(TIMEOUT_MS / 10);
            world.ask(poll(&prefix)).served();
        }
        assert_eq!(world.streams("alice"), left, "{config:?}");
    }
}

#[test]
fn a_poll_that_fails_or_says_it_plays_keeps_nothing() {
    for ask in [
        |prefix: &str| poll(prefix).origin_says(404),
        |prefix: &str| poll(prefix).method("HEAD"),
        |prefix: &str| get(format!("{prefix}/vod/a/master.m3u8?CMCD=sta%3Dp")),
    ] {
        let mut world = World::with(paused("keep"));
        let prefix = world.play("alice");
        for _ in 0..11 {
            world.host.advance_ms(TIMEOUT_MS / 10);
            world.ask(ask(&prefix)).served();
        }
        assert_eq!(world.streams("alice"), 0);
    }
}

#[test]
fn a_released_place_is_free_at_once_and_the_player_comes_back_if_there_is_room() {
    let mut world = World::with(paused("release"));
    let prefix = world.play("alice");
    world.play("alice");
    world.play("alice");
    // Its lease has to come due before anybody looks.
    world.host.advance_ms(TIMEOUT_MS / 3);
    world.ask(poll(&prefix)).served();
    assert_eq!(world.streams("alice"), 2);
    assert_eq!(world.host.count(Metric::Releases), 1);
    // The others hear of it, and it stays away however often it polls.
    world.ask(poll(&prefix).on_worker(1)).served();
    assert_eq!(world.streams("alice"), 2);

    let segment = || get(format!("{prefix}/vod/a/2.m4s"));
    world.ask(segment().on_worker(1)).served();
    assert_eq!(world.streams("alice"), 3);

    world.host.advance_ms(TIMEOUT_MS / 3);
    world.ask(poll(&prefix)).served();
    world.play("alice");
    assert_eq!(
        world.ask(segment()).refusal(),
        refused(403, "limit-reached")
    );
}

#[test]
fn a_player_that_always_says_it_is_paused_is_counted_all_the_same() {
    let mut world = World::with(paused("release"));
    for stream in ["a", "b", "c", "d"] {
        let segment = get("/vod/a/1.m4s?CMCD=sta%3Da")
            .account("alice")
            .header("x-stream-id", stream);
        if stream == "d" {
            assert_eq!(world.ask(segment).refusal(), refused(403, "limit-reached"));
        } else {
            world.ask(segment).served();
        }
    }
}

#[test]
fn where_segments_are_what_counts_heartbeats_alone_hold_no_place() {
    for (liveness, left) in [("any", 1), ("media", 0)] {
        let mut world = World::with(|| {
            config_with(|json| json["playback"][0]["liveness"] = json!(liveness)).unwrap()
        });
        let create = get("/v2/sessions/acme/alice")
            .method("POST")
            .application("web");
        let session = super::json(&world.ask(create).answer());
        let text = |name: &str| session["session"][name].as_str().unwrap().to_owned();
        let (url, prefix) = (text("url"), text("playbackPrefix"));
        let heartbeat = |world: &mut World| {
            let call = get(&url).method("POST").application("web");
            world.ask(call).answer().status
        };
        // Before its first segment an app may take its time.
        for _ in 0..30 {
            world.host.advance_ms(TIMEOUT_MS / 10);
            assert_eq!(heartbeat(&mut world), 202);
        }
        world.ask(get(format!("{prefix}/vod/a/1.m4s"))).served();
        let mut last = 0;
        for _ in 0..11 {
            world.host.advance_ms(TIMEOUT_MS / 10);
            last = heartbeat(&mut world);
        }
        assert_eq!(last, if left == 1 { 202 } else { 410 }, "{liveness}");
        assert_eq!(world.streams("alice"), left, "{liveness}");
    }
}
