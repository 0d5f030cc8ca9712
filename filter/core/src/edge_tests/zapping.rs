//! A player that goes on to another channel under the token, or by the lease, of the one before.

use serde_json::{Value, json};
use streamgate_record::metric::Metric;

use super::{World, get, refused};
use crate::testing::{config_with, test};

/// `/vod/` with this said about its requests; one stream for each channel.
fn one_each(source: &Value) -> World {
    World::with(|| {
        config_with(|json| {
            for (name, value) in source.as_object().unwrap() {
                json["playback"][0][name] = value.clone();
            }
            json["policies"][0]["rules"] = json!([
                {"name": "one-each", "max": 1, "per": ["channel"], "on_conflict": "deny_new"}
            ]);
        })
        .unwrap()
    })
}

/// The path of a channel's media.
type OfChannel = fn(&str) -> String;

/// All ways in which a path says which channel it is of, and a path that does.
fn sources() -> [(Value, OfChannel); 6] {
    let by_number = |number: u32| json!({"attributes": {"channel": {"path_segment": number}}});
    [
        (json!({"template": "/vod/{channel}/*"}), |channel| {
            format!("/vod/{channel}/1.ts")
        }),
        (json!({"template": "/vod/*/{channel}"}), |channel| {
            format!("/vod/hd/{channel}/1.ts")
        }),
        (by_number(2), |channel| format!("/vod/{channel}/1.ts")),
        (by_number(3), |channel| format!("/vod/hd/{channel}/1.ts")),
        // A programme in one response.
        (json!({"template": "/vod/{channel}"}), |channel| {
            format!("/vod/{channel}")
        }),
        (by_number(2), |channel| format!("/vod/{channel}")),
    ]
}

/// A channel that is taken, and one next to it whose name may begin alike.
const NEXT_TO: [[&str; 2]; 5] = [
    ["news", "sport"],
    ["news", "new"],
    ["news", "news2"],
    ["news2", "news"],
    ["news", "newt"],
];

#[test]
fn zapping_under_a_fresh_lease_is_judged_by_the_new_channel_at_once() {
    for (source, path) in sources() {
        for [taken, own] in NEXT_TO {
            let mut world = one_each(&source);
            let tokens = [(); 2].map(|()| {
                let answer = world.ask(get("/vod/m.m3u8").account("alice")).answer();
                let location = answer.header("location").unwrap();
                location.strip_suffix("/vod/m.m3u8").unwrap().to_owned()
            });
            let ask = |token: &str, channel: &str| get(format!("{token}{}", path(channel)));
            let [first, second] = &tokens;
            world.ask(ask(first, taken)).served();
            for _ in 0..3 {
                world.ask(ask(second, own)).served();
            }
            world.tick();
            assert!(world.host.count(Metric::FastPathPasses) > 0, "{source}");
            let zapped = world.ask(ask(second, taken)).refusal();
            let what = format!("{source}: from {own} to {taken}");
            assert_eq!(zapped, refused(403, "limit-reached"), "{what}");
            // Both play on where they were.
            world.ask(ask(second, own)).served();
            world.ask(ask(first, taken)).served();
            assert_eq!(world.streams("alice"), 2, "{what}");
        }
    }
}

#[test]
fn the_same_holds_for_a_stream_that_is_named_by_headers() {
    for (source, path) in sources() {
        for [taken, own] in NEXT_TO {
            let mut world = one_each(&source);
            let ask = |stream: &str, channel: &str| {
                get(path(channel))
                    .account("alice")
                    .header("x-stream-id", stream)
            };
            world.ask(ask("first", taken)).served();
            for _ in 0..3 {
                world.ask(ask("second", own)).served();
            }
            let zapped = world.ask(ask("second", taken)).refusal();
            assert_eq!(zapped, refused(403, "limit-reached"), "{source}: {own}");
        }
    }
}

#[test]
fn a_channel_that_is_free_is_the_streams_own_from_then_on() {
    for (source, path) in sources() {
        for [before, own] in NEXT_TO {
            let mut world = one_each(&source);
            let ask = |channel: &str| {
                get(path(channel))
                    .account("alice")
                    .header("x-stream-id", "one")
            };
            for _ in 0..3 {
                world.ask(ask(before)).served();
            }
            for _ in 0..3 {
                world.ask(ask(own)).served();
            }
            let running = world.running("web", "alice");
            assert_eq!(running.len(), 1, "{source}");
            assert_eq!(running[0]["metadata"]["channel"], own, "{source}");
        }
    }
}
