//! What is no media by its name, and is by its size: a film as `init.mp4`, a segment as `1.key`.

use serde_json::json;

use super::{Ask, World, get, refused};
use crate::testing::{config_with, test};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Files that are no media, with as many bytes as one of its name may have.
const FILES: [(&str, u64); 9] = [
    ("init.mp4", 256 * KIB),
    ("a.m4i", 256 * KIB),
    ("1.key", 256 * KIB),
    ("film.mp4/license", 256 * KIB),
    ("1.vtt", 256 * KIB),
    ("thumbnails.jpg", 256 * KIB),
    ("a.json", 256 * KIB),
    ("1.m3u8", 2 * MIB),
    ("manifest.mpd", 2 * MIB),
];

fn fetch(file: &str, stream: &str) -> Ask {
    get(format!("/vod/a/{file}"))
        .account("alice")
        .header("x-stream-id", stream)
}

fn whole(file: &str, stream: &str, bytes: u64) -> Ask {
    fetch(file, stream).origin_tells("content-length", &bytes.to_string())
}

fn part(file: &str, stream: &str, range: &str) -> Ask {
    fetch(file, stream)
        .header("range", "bytes=0-999")
        .origin_says(206)
        .origin_tells("content-length", "1000")
        .origin_tells("content-range", range)
}

#[test]
fn what_has_the_size_of_media_counts_whatever_its_name() {
    for (file, most) in FILES {
        let mut world = World::new();
        for bytes in [0, 1, 4_000, most] {
            world.ask(whole(file, "a", bytes)).served();
            assert_eq!(world.streams("alice"), 0, "{file}: {bytes}");
        }
        world.ask(whole(file, "a", most + 1)).served();
        assert_eq!(world.streams("alice"), 1, "{file}");
        world.ask(whole(file, "a", 40_000 * MIB)).served();
        assert_eq!(world.streams("alice"), 1, "{file}");
    }
}

#[test]
fn a_piece_counts_by_the_whole() {
    for (file, most) in FILES {
        for (range, counts) in [
            (format!("bytes 0-999/{most}"), false),
            (format!("bytes 0-999/{}", most + 1), true),
            ("bytes 0-999/4000000000".to_owned(), true),
            ("bytes 0-999/99999999999999999999999".to_owned(), true),
            ("bytes 0-999/*".to_owned(), true),
            ("bytes 0-999".to_owned(), true),
            // Several pieces in one response.
            (String::new(), true),
        ] {
            let mut world = World::new();
            world.ask(part(file, "a", &range)).served();
            let streams = usize::from(counts);
            assert_eq!(world.streams("alice"), streams, "{file}: {range}");
        }
    }
}

/// It is judged as a start, and by the policies.
#[test]
fn a_film_of_another_name_is_limited() {
    for (file, _) in FILES {
        let mut world = World::new();
        for stream in ["a", "b", "c"] {
            let piece = || part(file, stream, "bytes 0-999/4000000000");
            world.ask(piece()).served();
            world.ask(piece()).served();
        }
        assert_eq!(world.streams("alice"), 3, "{file}");
        let fourth = part(file, "d", "bytes 0-999/4000000000");
        assert_eq!(world.ask(fourth).refusal(), refused(403, "limit-reached"));
        // It lives by its pieces, as far as it lives by a lease.
        for _ in 0..5 {
            world.host.advance_ms(60_000);
            world.tick();
            world.ask(part(file, "a", "bytes 5-9/4000000000")).served();
        }
        assert_eq!(world.streams("alice"), 1, "{file}");
    }
}

#[test]
fn what_is_small_evicts_nobody_and_what_is_large_does() {
    for (file, most) in FILES {
        let mut world = World::with(|| {
            config_with(|json| json["playback"][0]["application"] = "mobile".into()).unwrap()
        });
        let plays = || {
            get("/vod/a/1.m4s")
                .account("alice")
                .header("x-stream-id", "a")
        };
        world.ask(plays()).served();
        world.ask(whole(file, "b", most)).served();
        world.ask(plays()).served();
        world.ask(whole(file, "b", most + 1)).served();
        assert_eq!(
            world.ask(plays()).refusal(),
            refused(403, "evicted"),
            "{file}"
        );
    }
}

#[test]
fn what_has_no_body_or_fails_or_does_not_say_counts_nothing() {
    for (file, _) in FILES {
        let mut world = World::new();
        let head = whole(file, "a", 40_000 * MIB).method("HEAD");
        world.ask(head).served();
        for status in [301, 403, 404, 416, 500] {
            world
                .ask(whole(file, "a", 40_000 * MIB).origin_says(status))
                .served();
        }
        for length in ["", "-1", "x", "1e9", "99999999999999999999999"] {
            world
                .ask(fetch(file, "a").origin_tells("content-length", length))
                .served();
        }
        world.ask(fetch(file, "a")).served();
        assert_eq!(world.streams("alice"), 0, "{file}");
        // Origins that answer POST with the file.
        let post = whole(file, "a", 40_000 * MIB).method("POST");
        world.ask(post).served();
        assert_eq!(world.streams("alice"), 1, "{file}");
    }
}

/// An operator who says what a path fetches knows.
#[test]
fn what_an_operator_says_is_no_media_is_none_whatever_its_size() {
    for class in ["manifest", "init", "key", "side"] {
        let mut world = World::with(|| {
            config_with(|json| json["playback"][0]["classes"] = json!({class: ["**/previews/*"]}))
                .unwrap()
        });
        let preview = || whole("previews/1.mp4", "a", 40 * MIB);
        world.ask(preview()).served();
        let piece = "bytes 0-999/4000000000";
        world.ask(part("previews/1.mp4", "a", piece)).served();
        assert_eq!(world.streams("alice"), 0, "{class}");
        world.ask(whole("init.mp4", "a", 40 * MIB)).served();
        assert_eq!(world.streams("alice"), 1, "{class}");
    }
}

/// Where manifests of more bytes are rewritten, these are manifests.
#[test]
fn manifests_have_as_many_bytes_as_are_rewritten() {
    let mut world = World::with(|| {
        config_with(|json| {
            json["playback"][0]["manifests"] = json!({"max_bytes": 4 * MIB});
        })
        .unwrap()
    });
    world.ask(whole("a.mpd", "a", 4 * MIB)).served();
    assert_eq!(world.streams("alice"), 0);
    world.ask(whole("a.mpd", "a", 4 * MIB + 1)).served();
    assert_eq!(world.streams("alice"), 1);
}

#[test]
fn what_was_switched_to_another_protocol_counts() {
    let mut world = World::new();
    let upgraded = fetch("live.ts", "a").header("upgrade", "websocket");
    world.ask(upgraded.origin_says(101)).served();
    assert_eq!(world.streams("alice"), 1);
}
