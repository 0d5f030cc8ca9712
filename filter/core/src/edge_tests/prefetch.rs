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

const MINUTE_MS: u64 = 60_000;

fn prefetch(stream: &str, worker: usize) -> Ask {
    segment(stream)
        .header("sec-purpose", "prefetch")
        .on_worker(worker)
}

/// How many of these requests pass, at each worker in turn; the others are refused.
fn passes(world: &mut World, stream: &str, requests: usize) -> usize {
    let passes = |ask: Ask| match world.ask(ask) {
        super::Outcome::Served(_) => true,
        answered => {
            assert_eq!(answered.refusal(), refused(403, "limit-reached"));
            false
        }
    };
    let asks = (0..requests).map(|n| prefetch(stream, n % 2));
    asks.map(passes).filter(|passes| *passes).count()
}

/// Whoever says it of all that is watched would play uncounted: through however many workers, and whatever
/// the streams are called.
#[test]
fn nobody_plays_by_prefetches() {
    let mut world = World::new();
    let mut served = 0;
    for minute in 0..120 {
        for n in 0..8 {
            served += passes(&mut world, &format!("{minute}-{n}"), 4);
        }
        world.host.advance_ms(MINUTE_MS);
        world.tick();
    }
    // Four at once, and one more each ten minutes.
    assert_eq!(served, 4 + 11);
    assert_eq!(world.streams("alice"), 0);
    // Not even that where the account is full.
    world.host.advance_ms(60 * MINUTE_MS);
    for stream in ["one", "two", "three"] {
        world.ask(segment(stream)).served();
    }
    assert_eq!(passes(&mut world, "next", 8), 0);
}

#[test]
fn what_an_account_may_prefetch_it_may_again_after_a_while_and_others_all_along() {
    let mut world = World::new();
    assert_eq!(passes(&mut world, "next", 8), 4);
    for n in 0..100 {
        let other = get("/vod/a/1.m4s")
            .account(&format!("bob{n}"))
            .header("x-stream-id", "next")
            .header("sec-purpose", "prefetch");
        world.ask(other).served();
    }
    world.host.advance_ms(40 * MINUTE_MS);
    assert_eq!(passes(&mut world, "next", 8), 4);
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
