//! More than one token in a request, and tokens that are none.

use serde_json::json;
use streamgate_tokens::signed::{KeyRing, PlaybackToken, SigningKey};

use super::{Ask, World, get, refused};
use crate::config::Config;
use crate::testing::{config, config_with, test};

/// Tokens wherever they may stand; the cookie is listed first, or last.
fn carriers(cookie_first: bool) -> impl Fn() -> Config {
    move || {
        let cookie = json!({"token": {"cookie": "sg"}});
        let mut positions = vec![
            json!({"token": "path"}),
            json!({"token": {"query": "t"}}),
            json!({"token": {"header": "x-token"}}),
        ];
        let at = if cookie_first { 0 } else { positions.len() };
        positions.insert(at, cookie);
        config_with(|json| {
            json["playback"][0]["subject"] = json!(positions);
            json["playback"][0]["stream"] = json!(positions);
        })
        .unwrap()
    }
}

/// A playback token of an account.
fn token(world: &mut World, account: &str) -> String {
    let create = get(format!("/v2/sessions/acme/{account}"))
        .method("POST")
        .application("web");
    let body = super::json(&world.ask(create).answer());
    let token = body["session"]["playbackToken"].as_str().unwrap();
    token.to_owned()
}

/// A segment under a token that is shown on purpose, each place in turn.
fn shown(token: &str) -> [Ask; 3] {
    [
        get(format!("/~{token}/vod/a/1.m4s")),
        get(format!("/vod/a/1.m4s?t={token}")),
        get("/vod/a/1.m4s").header("x-token", token),
    ]
}

#[test]
fn a_cookie_that_plays_nothing_stops_no_token_that_is_shown() {
    for cookie_first in [true, false] {
        let mut world = World::with(carriers(cookie_first));
        let old = token(&mut world, "alice");
        world.host.advance_ms(43_200_000);
        let good = token(&mut world, "alice");
        let bobs = token(&mut world, "bob");
        // Of another day, another account, cut, or none at all.
        let cut = &good[..good.len() - 1];
        for cookie in [&*old, &bobs, cut, "forged", ""] {
            for ask in shown(&good) {
                world
                    .ask(ask.header("cookie", format!("sg={cookie}")))
                    .served();
            }
            let both = format!("sg={cookie}; sg={good}");
            for ask in shown(&good) {
                world.ask(ask.header("cookie", both.as_str())).served();
            }
        }
        assert_eq!(world.streams("alice"), 1, "{cookie_first}");
        // Bob's stands among those that he did not show.
        let running = world.running("web", "bob");
        assert_eq!(running.len(), 1);
    }
}

#[test]
fn a_token_that_is_shown_and_is_none_is_refused_whatever_the_cookie_says() {
    for cookie_first in [true, false] {
        let mut world = World::with(carriers(cookie_first));
        let old = token(&mut world, "alice");
        world.host.advance_ms(43_200_000);
        let good = token(&mut world, "alice");
        for (bad, reason) in [(&*old, "token-expired"), ("forged", "token-invalid")] {
            for ask in shown(bad) {
                let ask = ask.header("cookie", format!("sg={good}"));
                assert_eq!(world.ask(ask).refusal(), refused(403, reason));
            }
        }
    }
}

/// Everything that is wrong with each of these is a secret.
fn forged(good: &PlaybackToken, text: &str) -> Vec<String> {
    let ring = |id: &str, secret: &[u8]| KeyRing::new(SigningKey::new(id, secret), vec![]);
    let flipped = |at: usize| {
        let mut flipped = text.to_owned().into_bytes();
        flipped[at] = if flipped[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(flipped).unwrap()
    };
    let expired = PlaybackToken {
        expires_at: streamgate_values::moment::Moment::EARLIEST,
        ..good.clone()
    };
    vec![
        "x".to_owned(),
        text[..text.len() / 2].to_owned(),
        format!("{text}A"),
        // Version, key, moment of expiry, account, signature.
        flipped(0),
        flipped(2),
        flipped(6),
        flipped(40),
        flipped(text.len() - 2),
        good.issue(&ring("k1", b"another key of some length")),
        good.issue(&ring("k2", b"a signing key of some length")),
        expired.issue(&ring("k1", b"another key of some length")),
        "A".repeat(9_000),
    ]
}

#[test]
fn whatever_is_wrong_with_a_token_the_answer_is_the_same_to_the_byte() {
    let mut world = World::with(carriers(false));
    let text = token(&mut world, "alice");
    let now = streamgate_record::ports::Clock::now(&world.host);
    let good = PlaybackToken::read(&config().sessions.ring, text.as_bytes(), now).unwrap();
    let mut seen = Vec::new();
    for (n, bad) in forged(&good, &text).into_iter().enumerate() {
        let in_cookie = get("/vod/a/1.m4s").header("cookie", format!("sg={bad}"));
        for ask in shown(&bad).into_iter().chain([in_cookie]) {
            // A worker leaves so many lines a second at most.
            let reply = world.ask(ask.on_worker(n % 2)).reply();
            assert_eq!(reply.answer.status, 403, "{bad}");
            seen.push((reply.answer, reply.log_entry, reply.logged_path));
        }
    }
    let [first, others @ ..] = &seen[..] else {
        panic!("nothing was asked");
    };
    assert_eq!(others.len(), 12 * 4 - 1);
    for other in others {
        assert_eq!(other, first);
    }
    assert_eq!(first.0.header("x-streamgate-reason"), Some("token-invalid"));
    // The genuine one that is over is told from them: it was issued here.
    world.host.advance_ms(43_200_000);
    let [old, ..] = shown(&text);
    assert_eq!(world.ask(old).refusal(), refused(403, "token-expired"));
}

#[test]
fn an_empty_place_holds_no_token() {
    let mut world = World::with(|| {
        config_with(|json| {
            let tokens = [
                json!({"token": {"query": "t"}}),
                json!({"token": {"header": "x-token"}}),
            ];
            for (field, id) in [("subject", "x-account-id"), ("stream", "x-stream-id")] {
                let last = [json!({"token": "path"}), json!({"header": id})];
                json["playback"][0][field] = tokens.iter().chain(&last).cloned().collect();
            }
        })
        .unwrap()
    });
    let good = token(&mut world, "alice");
    let ask = |path: &str| get(path).account("alice").header("x-stream-id", "tv");
    assert_eq!(world.ask(ask("/vod/a/1.m4s?t=")).served(), "/vod/a/1.m4s");
    let empty = ask("/vod/a/1.m4s?t=&t=").header("x-token", "");
    assert_eq!(world.ask(empty).served(), "/vod/a/1.m4s");
    let other = get("/vod/a/1.m4s?t=").header("x-token", &good);
    world.ask(other).served();
    let other = get(format!("/vod/a/1.m4s?t={good}")).header("x-token", "");
    world.ask(other).served();
    // Nothing else says who watches.
    let nobody = get("/vod/a/1.m4s?t=").header("x-token", "");
    assert_eq!(world.ask(nobody).refusal(), refused(403, "token-invalid"));
    // In front of a path something has to stand.
    assert_eq!(
        world.ask(ask("/~/vod/a/1.m4s")).refusal(),
        refused(403, "token-invalid")
    );
}
