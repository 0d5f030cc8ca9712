//! Refusals as a web player on another site meets them.

use serde_json::json;
use streamgate_tests::{Answer, Edge, Settings, eventually};

const SITE: &str = "https://player.example";
const SEGMENT: &str = "/carried/film/segment-1.m4s";

/// That a page of [`SITE`] may read it, and why it was refused.
#[track_caller]
fn assert_readable(answer: &Answer) {
    let allowed = answer.header("access-control-allow-origin");
    assert_eq!(allowed, Some(SITE), "{answer:?}");
    let exposed = answer.header("access-control-expose-headers");
    for header in ["Location", "Retry-After", "X-Streamgate-Reason"] {
        assert!(exposed.is_some_and(|exposed| exposed.contains(header)));
    }
}

/// Asks for a segment of stream `late` of an account that has room, and hands back what
/// comes after the account has filled up while the origin thought about it.
fn overtaken(edge: &Edge, headers: &[(&str, &str)]) -> Answer {
    edge.origin.holds(SEGMENT);
    let app = edge.app("demo-tv");
    let earlier = [(); 2].map(|()| app.start("alice"));
    let mut ask = edge.get(SEGMENT).account("alice");
    // Each time another one: of one stream, the first refusal in a second has the only line.
    let stream = headers.first().map_or("late", |(name, _)| name);
    ask = ask.header("x-stream-id", stream).header("origin", SITE);
    for (name, value) in headers {
        ask = ask.header(name, value);
    }
    let answer = std::thread::spawn(|| ask.send());
    eventually("the origin is asked", || !edge.origin.seen().is_empty());
    let last = app.start("alice");
    edge.origin.releases(SEGMENT);
    let answer = answer.join().expect("an answer");
    for session in earlier.into_iter().chain([last]) {
        let _ = session.stop().expect(202);
    }
    edge.origin.forget();
    answer
}

#[test]
fn a_refusal_after_the_origins_answer_is_like_one_before_it() {
    let edge = Edge::start(Settings::default());
    edge.origin.is_cacheable();
    for range in [None, Some(("range", "bytes=0-3"))] {
        let answer = overtaken(&edge, range.as_slice()).expect_refusal(403, "limit-reached");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
        assert_eq!(answer.header("content-range"), None, "{answer:?}");
        assert!(!answer.text().contains("media"), "{answer:?}");
        assert_readable(&answer);
    }
    // There is no body to replace.
    let answer = overtaken(&edge, &[("if-none-match", "\"1\"")]).expect(403);
    assert_eq!(answer.reason(), "limit-reached");
    assert_eq!(answer.header("content-length"), Some("0"));
    assert_readable(&answer);
    // Of the same refusal of the same stream a line a second.
    let decisions = edge.decisions(19);
    let refusals: Vec<_> = decisions
        .iter()
        .filter(|line| line["event"] == "refusal")
        .collect();
    let are_403 = refusals.iter().all(|line| line["status"] == 403);
    assert!(!refusals.is_empty() && are_403, "{refusals:?}");
}

#[test]
fn nothing_is_left_of_a_long_response_that_is_refused() {
    let files = tempfile::tempdir().expect("a directory");
    let segment = files.path().join(SEGMENT.trim_start_matches('/'));
    std::fs::create_dir_all(segment.parent().expect("a directory")).expect("to write");
    std::fs::write(&segment, "media".repeat(400_000)).expect("to write");
    let edge = Edge::start(Settings::default().serving(files.path().to_owned()));
    let answer = overtaken(&edge, &[]).expect_refusal(403, "limit-reached");
    let length = answer.body.len().to_string();
    assert_eq!(answer.header("content-length"), Some(length.as_str()));
    // And whole, where it is not refused.
    let ask = edge.get(SEGMENT).account("bob").header("x-stream-id", "s");
    assert_eq!(ask.send().expect(200).body.len(), 2_000_000);
}

#[test]
fn redirects_and_slates_are_readable_too() {
    let slate = json!({"status": 403, "slate": {"hls": "/slate/slate.m3u8"}});
    let edge = Edge::start(Settings::default().with("/playback/0/refuse", slate));
    let open = || {
        let ask = edge.get("/vod/film/master.m3u8").account("alice");
        ask.header("origin", SITE).send()
    };
    assert_readable(&open().expect(307));
    let _sessions = [(); 3].map(|()| edge.app("demo-tv").start("alice"));
    let slate = open().expect(302);
    assert_eq!(slate.header("location"), Some("/slate/slate.m3u8"));
    assert_readable(&slate);
}
