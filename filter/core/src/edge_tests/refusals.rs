//! Refusals that players understand.

use serde_json::json;

use super::{Ask, TICKET, World, get, refused};
use crate::config::Config;
use crate::testing::{TIMEOUT_MS, config_with, test};

fn with_slate() -> Config {
    config_with(|json| {
        json["playback"][0]["refuse"] = json!({
            "slate": {"hls": "/slate/slate.m3u8", "dash": "https://cdn.example/slate.mpd"}
        });
    })
    .unwrap()
}

fn manifest(name: &str) -> Ask {
    get(format!("/vod/a/{name}")).account("alice")
}

#[test]
fn a_manifest_refused_for_a_limit_leads_to_the_slate_of_its_kind() {
    let mut world = World::with(with_slate);
    for _ in 0..3 {
        world.play("alice");
    }
    for (name, slate) in [
        ("master.m3u8", "/slate/slate.m3u8"),
        ("manifest.mpd", "https://cdn.example/slate.mpd"),
        ("a.ism/Manifest", "/slate/slate.m3u8"),
    ] {
        let answer = world.ask(manifest(name)).answer();
        assert_eq!(answer.status, 302);
        assert_eq!(answer.header("location"), Some(slate), "{name}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-streamgate-reason"), Some("limit-reached"));
        assert_eq!(super::json(&answer)["reason"], "limit-reached");
    }
    // The slate itself is nobody's stream.
    assert_eq!(
        world.ask(get("/slate/slate.m3u8")).served(),
        "/slate/slate.m3u8"
    );
    // A segment is no manifest, and who is unknown is not over a limit.
    let segment = get("/vod/a/1.m4s")
        .account("alice")
        .header("x-stream-id", "new");
    assert_eq!(world.ask(segment).refusal(), refused(403, "limit-reached"));
    let nobody = get("/vod/a/master.m3u8");
    assert_eq!(world.ask(nobody).refusal(), refused(403, "no-subject"));
}

#[test]
fn where_waiting_does_not_help_nothing_says_so() {
    let mut world = World::new();
    let forged = get("/~forged/vod/a/1.m4s");
    let answer = world.ask(forged).answer();
    assert_eq!(answer.header("retry-after"), None);
}

#[test]
fn a_late_refusal_speaks_the_viewers_language() {
    let mut world = World::with(|| {
        config_with(|json| {
            json["policies"][0]["rules"][0]["max"] = json!(1);
            json["policies"][0]["rules"][0]["message"] =
                json!({"en": "One stream plays already", "de": "Es läuft schon ein Stream"});
        })
        .unwrap()
    });
    let segment = |stream: &str| {
        get("/vod/a/1.m4s")
            .account("alice")
            .header("x-stream-id", stream)
            .header("accept-language", "de-AT")
    };
    // Both are let through, and only the first to be served starts.
    let head = |ask: &Ask| ask.headers.clone().with(":method", b"GET");
    let ask = segment("late");
    let step = world.workers[1].on_request(&world.host, TICKET, &head(&ask), &ask.path, true);
    let crate::step::Step::Forward(forward) = step else {
        panic!("{step:?}");
    };
    world.ask(segment("early")).served();
    let step =
        world.workers[1].on_response(&world.host, TICKET, &forward.watch.unwrap(), 200, false);
    let crate::step::Step::Reply(reply) = step else {
        panic!("{step:?}");
    };
    let body = super::json(&reply.answer);
    assert_eq!(
        body["associatedAdvice"][0]["message"],
        "Es läuft schon ein Stream"
    );
}

#[test]
fn a_slate_must_not_be_protected_itself() {
    let error = config_with(|json| {
        json["playback"][0]["refuse"] = json!({"slate": {"hls": "/vod/slate.m3u8"}});
    })
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "playback[0].refuse.slate.hls: found \"/vod/slate.m3u8\", allowed is a path that is \
         not protected"
    );
}

#[test]
fn retry_after_is_when_the_first_stream_in_the_way_would_lapse() {
    let mut world = World::new();
    for _ in 0..3 {
        world.play("alice");
        world.host.advance_ms(10_000);
    }
    let answer = world.ask(manifest("master.m3u8")).answer();
    let left_s = TIMEOUT_MS / 1000 - 30;
    assert_eq!(
        answer.header("retry-after"),
        Some(left_s.to_string().as_str())
    );
    // Then it helps indeed.
    world.host.advance_ms(left_s * 1000);
    world.play("alice");
}
