//! What is loaded to be played later is no stream yet.

use super::{Ask, World, get, refused};
use crate::config::Config;
use crate::testing::{config_with, test};

/// What players and browsers say of a prefetch.
const SAID: [(&str, &str); 5] = [
    ("sec-purpose", "prefetch"),
    ("sec-purpose", "Prefetch;prerender"),
    ("purpose", "prefetch"),
    ("x-moz", "prefetch"),
    ("cmcd-request", "sta=d"),
];

fn segment(stream: &str) -> Ask {
    get("/vod/a/1.m4s")
        .account("alice")
        .header("x-stream-id", stream)
}

fn latest_wins() -> Config {
    config_with(|json| json["playback"][0]["application"] = "mobile".into()).unwrap()
}

#[test]
fn a_prefetch_creates_no_stream_and_what_is_played_then_does() {
    for (name, value) in SAID {
        let mut world = World::new();
        world.ask(segment("next").header(name, value)).served();
        assert_eq!(world.streams("alice"), 0, "{name}: {value}");
        world.ask(segment("next")).served();
        assert_eq!(world.streams("alice"), 1);
    }
}

#[test]
fn a_prefetch_evicts_nobody() {
    for (name, value) in SAID {
        let mut world = World::with(latest_wins);
        world.ask(segment("plays")).served();
        let prefetch = world.ask(segment("next").header(name, value));
        assert_eq!(prefetch.refusal(), refused(403, "limit-reached"));
        world.ask(segment("plays")).served();
        // Once it plays, it wins.
        world.ask(segment("next")).served();
        assert_eq!(
            world.ask(segment("plays")).refusal(),
            refused(403, "evicted")
        );
    }
}

/// Whoever says it of all that is watched would play uncounted.
#[test]
fn nobody_plays_by_prefetches() {
    let mut world = World::new();
    for n in 0..4 {
        let stream = format!("next{n}");
        world
            .ask(segment(&stream).header("sec-purpose", "prefetch"))
            .served();
    }
    let fifth = world.ask(segment("next").header("sec-purpose", "prefetch"));
    assert_eq!(fifth.refusal(), refused(403, "limit-reached"));
    world.host.advance_ms(60_000);
    world
        .ask(segment("next").header("sec-purpose", "prefetch"))
        .served();
    for stream in ["one", "two", "three"] {
        world.ask(segment(stream)).served();
    }
    world.host.advance_ms(60_000);
    for stream in ["one", "two", "three"] {
        world.ask(segment(stream)).served();
    }
    let full = world.ask(segment("next").header("sec-purpose", "prefetch"));
    assert_eq!(full.refusal(), refused(403, "limit-reached"));
}

#[test]
fn a_stream_that_plays_is_kept_alive_whatever_it_says() {
    let mut world = World::new();
    world.ask(segment("plays")).served();
    for _ in 0..10 {
        world.host.advance_ms(60_000);
        world
            .ask(segment("plays").header("sec-purpose", "prefetch"))
            .served();
    }
    assert_eq!(world.streams("alice"), 1);
}

#[test]
fn other_purposes_are_ordinary_requests() {
    for (name, value) in [
        ("sec-purpose", "prefetching"),
        ("purpose", ""),
        ("x-moz", "no-prefetch"),
        ("cmcd-request", "sta=p"),
    ] {
        let mut world = World::new();
        world.ask(segment("one").header(name, value)).served();
        assert_eq!(world.streams("alice"), 1, "{name}: {value}");
    }
    let mut world = World::new();
    let odd = segment("one").header("sec-purpose", b"\xff\x00prefetch");
    world.ask(odd).served();
    assert_eq!(world.streams("alice"), 1);
}
