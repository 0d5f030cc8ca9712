//! Methods: a browser's question beforehand is answered; all but HEAD is judged like GET.

use serde_json::json;

use super::*;
use crate::testing::{TIMEOUT_MS, config_with, test};

fn preflight(path: &str) -> Ask {
    get(path)
        .method("OPTIONS")
        .header("origin", "https://player.example")
        .header("access-control-request-method", "GET")
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.header(name).unwrap_or("none")
}

#[test]
fn a_preflight_is_answered_at_the_edge_whoever_asks() {
    let mut world = World::new();
    for path in [
        "/vod/a/1.m4s",
        "/vod/a/master.m3u8",
        "/live/a/1.m4s",
        "/~forged/vod/a/1.m4s",
        "/VOD/a/1.m4s",
    ] {
        let answer = world.ask(preflight(path)).answer();
        assert_eq!(answer.status, 204, "{path}");
        let allows = |name| header(&answer, name);
        assert_eq!(
            allows("access-control-allow-origin"),
            "https://player.example"
        );
        assert_eq!(allows("access-control-allow-methods"), "GET, HEAD, POST");
        assert!(allows("access-control-allow-headers").contains("range, cmcd-object"));
        assert_eq!(allows("access-control-max-age"), "7200");
        assert!(allows("vary").starts_with("origin, access-control-request-method"));
        assert_eq!(allows("access-control-allow-credentials"), "none");
        assert!(answer.body.is_empty());
    }
    let asks =
        |headers: &str| preflight("/vod/a/1.m4s").header("access-control-request-headers", headers);
    let answer = world.ask(asks("cmcd-session,range,x-mine")).answer();
    let allowed = header(&answer, "access-control-allow-headers");
    assert_eq!(allowed, "cmcd-session,range,x-mine");
    // What cannot be repeated is not.
    for odd in [&b"x\r\ny: z"[..], b"\xff", b"", &[b'x'; 2_000][..]] {
        let ask = get("/vod/a/1.m4s")
            .method("OPTIONS")
            .header("access-control-request-method", "GET")
            .header("origin", odd)
            .header("access-control-request-headers", odd);
        let answer = world.ask(ask).answer();
        assert_eq!(answer.status, 204);
        assert_eq!(header(&answer, "access-control-allow-origin"), "*");
        assert!(header(&answer, "access-control-allow-headers").starts_with("authorization, "));
    }
    assert_eq!(world.streams("alice"), 0);
}

#[test]
fn a_preflight_of_a_stream_that_is_due_is_answered_too() {
    let mut world = World::new();
    let prefix = world.play("alice");
    world.tick();
    world.host.advance_ms(TIMEOUT_MS / 2);
    world.tick();
    let answer = world
        .ask(preflight(&format!("{prefix}/vod/a/2.m4s")))
        .answer();
    assert_eq!(answer.status, 204);
    world.host.advance_ms(TIMEOUT_MS / 2);
    assert_eq!(world.streams("alice"), 0);
}

#[test]
fn options_that_is_no_preflight_is_judged_like_get() {
    let mut world = World::new();
    let options = |path: &str| get(path).method("OPTIONS");
    let nobody = refused(403, "no-subject");
    assert_eq!(world.ask(options("/vod/a/1.m4s")).refusal(), nobody);
    for half in ["origin", "access-control-request-method"] {
        let ask = options("/vod/a/1.m4s").header(half, "GET");
        assert_eq!(world.ask(ask).refusal(), nobody, "{half}");
    }
    for method in ["GET", "POST", "options"] {
        let ask = preflight("/vod/a/1.m4s").method(method);
        assert_eq!(world.ask(ask).refusal(), nobody, "{method}");
    }
}

/// An origin that answers OPTIONS with the file is not asked, so nobody plays by it uncounted.
#[test]
fn options_fetches_nothing_and_keeps_nothing_alive() {
    let mut world = World::new();
    let options = |id: &str| {
        get("/vod/a/1.m4s")
            .method("OPTIONS")
            .account("alice")
            .header("x-stream-id", id)
    };
    let answer = world.ask(options("one")).answer();
    assert_eq!(
        (answer.status, header(&answer, "allow")),
        (204, "GET, HEAD, OPTIONS")
    );
    assert_eq!(world.streams("alice"), 0);

    for id in ["one", "two", "three"] {
        let play = get("/vod/a/1.m4s")
            .account("alice")
            .header("x-stream-id", id);
        world.ask(play).served();
    }
    let full = refused(403, "limit-reached");
    assert_eq!(world.ask(options("four")).refusal(), full);
    world.tick();
    world.host.advance_ms(TIMEOUT_MS / 2);
    world.tick();
    assert_eq!(world.ask(options("one")).answer().status, 204);
    world.host.advance_ms(TIMEOUT_MS / 2);
    assert_eq!(world.streams("alice"), 0);
}

#[test]
fn a_preflight_goes_on_where_the_operator_says_so() {
    let mut world = World::with(|| {
        config_with(|json| json["playback"][0]["preflight"] = json!("forward")).unwrap()
    });
    let path = world.ask(preflight("/vod/a/1.m4s?x=1")).served();
    assert_eq!(path, "/vod/a/1.m4s?x=1");
    assert_eq!(world.streams("alice"), 0);
    let other = world.ask(preflight("/live/a/1.m4s")).answer();
    assert_eq!(other.status, 204);
    let refusal = world.ask(get("/vod/a/1.m4s").method("OPTIONS")).refusal();
    assert_eq!(refusal, refused(403, "no-subject"));
}
