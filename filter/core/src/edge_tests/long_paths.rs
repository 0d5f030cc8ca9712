//! What somebody writes into a path, a query or a header is kept up to a bound.

use serde_json::{Value, json};
use streamgate_record::metric::Metric;

use super::{Ask, World, get, refused};
use crate::testing::{config_with, test};

fn edge(change: Value) -> World {
    World::with(|| {
        config_with(|json| {
            for (name, value) in change.as_object().unwrap() {
                json["playback"][0][name] = value.clone();
            }
        })
        .unwrap()
    })
}

fn on(path: impl AsRef<[u8]>) -> Ask {
    get(path).account("alice").header("x-stream-id", "one")
}

#[test]
fn a_value_that_is_too_long_is_refused_whatever_the_origin_would_say() {
    let [longest, long, huge] = [256, 257, 50_000].map(|length| "x".repeat(length));
    let ask = |value: &str| {
        on(format!("/vod/{value}/1.m4s?ch={value}"))
            .header("x-channel", value)
            .header("cookie", format!("channel={value}"))
    };
    for source in [
        json!({"template": "/vod/{channel}/*"}),
        json!({"attributes": {"channel": {"path_segment": 2}}}),
        json!({"attributes": {"channel": {"query": "ch"}}}),
        json!({"attributes": {"channel": {"header": "x-channel"}}}),
        json!({"attributes": {"channel": {"cookie": "channel"}}}),
    ] {
        let mut world = edge(source.clone());
        for value in [&long, &huge] {
            for status in [200, 414] {
                let refusal = world.ask(ask(value).origin_says(status)).refusal();
                assert_eq!(refusal, refused(400, "malformed"), "{source}");
            }
        }
        let manifest = get(format!("/vod/{long}/m.m3u8?ch={long}"))
            .account("alice")
            .header("x-channel", &long)
            .header("cookie", format!("channel={long}"));
        let refusal = world.ask(manifest).refusal();
        assert_eq!(refusal, refused(400, "malformed"), "{source}");
        assert_eq!(world.streams("alice"), 0);
        world.ask(ask(&longest)).served();
        let running = world.running("web", "alice");
        assert_eq!(running[0]["metadata"]["channel"], *longest);
        // Of a stream that plays already, it changes nothing.
        world.ask(ask(&longest)).served();
        world.host.advance_ms(crate::testing::TIMEOUT_MS / 2);
        world.tick();
        let refusal = world.ask(ask(&huge)).refusal();
        assert_eq!(refusal, refused(400, "malformed"), "{source}");
        assert_eq!(
            world.running("web", "alice")[0]["metadata"]["channel"],
            *longest
        );
    }
}

/// How many of three more segments passed by a lease.
fn by_lease(world: &mut World, path: &str) -> u64 {
    let passes = |world: &mut World| {
        world.tick();
        world.host.count(Metric::FastPathPasses)
    };
    world.ask(on(path)).served();
    let before = passes(world);
    for _ in 0..3 {
        world.ask(on(path)).served();
    }
    passes(world) - before
}

#[test]
fn a_scope_that_is_too_long_is_judged_by_the_record() {
    let mut world = edge(json!({"template": "/vod/{channel}/{assetId}/*"}));
    // The scope is `/vod/{channel}/{assetId}/hd/`: ten bytes, and the two values.
    for (length, passes) in [(100, 3), (123, 3), (124, 0), (250, 0)] {
        let [channel, asset] = ["c", "a"].map(|one| one.repeat(length));
        let path = format!("/vod/{channel}/{asset}/hd/1.m4s");
        assert_eq!(by_lease(&mut world, &path), passes, "{length}");
    }
}

#[test]
fn a_long_path_costs_no_more_memory_than_a_short_one() {
    let mut world = edge(json!({}));
    let path = format!("/vod/{}/1.m4s", "x".repeat(50_000));
    // Nothing is known by the path but the prefix: it plays, and by its lease.
    assert_eq!(by_lease(&mut world, &path), 3);
    let ask = on(&path).header("x-stream-id", "two");
    assert_eq!(world.ask(ask).served().len(), path.len());
}
