//! What a token is held against, and what that costs.

use streamgate_tokens::cat::testing::{Computed, counted};
use streamgate_values::moment::Moment;

use super::*;
use crate::testing::test;

/// `catnip`: 10.0.0.1.
const FROM_ONE_ADDRESS: (u16, &[u8]) = (311, b"\x81\xd8\x34\x44\x0a\0\0\x01");

#[test]
fn a_worker_verifies_a_signature_once_and_looks_at_the_clock_each_time() {
    let mut world = by_token();
    let token = alice().id("one").sign();
    let ask = |world: &mut World, worker: usize| {
        counted(|| world.ask(segment().cat(&token).on_worker(worker)))
    };
    let once = Computed { hmac: 1, es256: 0 };
    let none = Computed { hmac: 0, es256: 0 };
    for (worker, expected) in [(0, once), (0, none), (1, once), (1, none), (0, none)] {
        let (outcome, computed) = ask(&mut world, worker);
        outcome.served();
        assert_eq!(computed, expected);
    }
    world.host.advance_ms(HOUR_MS + LEEWAY_MS - 1);
    ask(&mut world, 0).0.served();
    world.host.advance_ms(1);
    for worker in [0, 1] {
        let (outcome, computed) = ask(&mut world, worker);
        assert_eq!(outcome.refusal(), refused(403, "token-expired"));
        assert_eq!(computed, none);
    }
}

#[test]
fn what_a_token_restricts_is_checked_with_each_request() {
    let mut world = by_token();
    let restricted = [GET_ONLY, BELOW_A, FROM_ONE_ADDRESS]
        .into_iter()
        .fold(alice().id("one"), |claims, (label, value)| {
            claims.claim(label, value)
        });
    let token = restricted.sign();
    let from = |address: &str, ask: Ask| ask.cat(&token).header("(client address)", address);
    let good = || from("10.0.0.1:1000", segment());
    world.ask(good()).served();
    let ((), computed) = counted(|| {
        for _ in 0..2 {
            for bad in [
                from("10.0.0.1:1000", segment().method("HEAD")),
                from("10.0.0.1:1000", get("/vod/b/1.m4s")),
                from("10.0.0.1:1000", get("/vod/a/1.m4s;/b/1.m4s")),
                from("10.0.0.2:1000", segment()),
                segment().cat(&token),
            ] {
                assert_eq!(world.ask(bad).refusal(), refused(403, "token-invalid"));
            }
            world.ask(good()).served();
        }
    });
    assert_eq!(computed, Computed { hmac: 0, es256: 0 });
    // OPTIONS is a method that the token does not allow.
    let options = get(format!("/vod/a/1.m4s?CAT={token}")).method("OPTIONS");
    assert_eq!(world.ask(options).refusal(), refused(403, "token-invalid"));
}

#[test]
fn a_bad_token_is_refused_at_the_same_cost_whatever_is_wrong() {
    let mut world = by_token();
    let ago = |ms| Moment::from_ms(NOW.as_ms() - ms);
    let claims = alice().id("one");
    let good = claims.sign();
    let mut flipped = good.clone().into_bytes();
    flipped[40] ^= 1;
    let last = good.len() - 1;
    let expired = Claims::of("alice").id("one").until(ago(LEEWAY_MS)).sign();
    let future = NOW.plus_ms(LEEWAY_MS + 1_000);
    let bad = [
        (expired, "token-expired"),
        (claims.clone().from(future).sign(), "token-invalid"),
        (claims.sign_with("other", &[b'@'; 32]), "token-invalid"),
        (claims.sign_with("new", &[b'#'; 32]), "token-invalid"),
        // A secret under the id of a public key.
        (claims.sign_with("ec", &[b'@'; 32]), "token-invalid"),
        // For an audience, of which this edge is none.
        (claims.clone().claim(3, b"\x63cdn").sign(), "token-invalid"),
        // Good from here only: `geohash`.
        (claims.clone().claim(282, b"\x61u").sign(), "token-invalid"),
        (String::from_utf8(flipped).unwrap(), "token-invalid"),
        (good[..last].to_owned(), "token-invalid"),
        ("A".repeat(5_000), "token-invalid"),
        ("junk".to_owned(), "token-invalid"),
        (String::new(), "token-invalid"),
    ];
    for (token, reason) in &bad {
        let mut first = Computed { hmac: 1, es256: 1 };
        for ask in [
            segment().cat(token),
            get(format!("/vod/a/1.m4s?CAT={token}")),
            segment().cat_cookie(token),
        ] {
            let (outcome, computed) = counted(|| world.ask(ask));
            assert_eq!(outcome.refusal(), refused(403, reason), "{token}");
            assert_eq!(computed, first, "{token}");
            // It is remembered.
            first = Computed { hmac: 0, es256: 0 };
        }
    }
    world.ask(segment().cat(&good)).served();
    let not_early = claims.from(NOW.plus_ms(LEEWAY_MS)).sign();
    world.ask(segment().cat(&not_early)).served();
}

#[test]
fn a_token_under_a_public_key_plays() {
    let file = include_str!("../../../../tokens/src/cat/tests/python-cwt.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let mut vectors = file["vectors"].as_array().unwrap().iter();
    let vector = vectors.find(|vector| vector["name"] == "ES256, key id");
    let token = vector.unwrap()["token"].as_str().unwrap();
    let of_shop = carriers(json!([{"cat": "sub"}]), json!([{"cat": "cti"}]));
    let mut world = World::with(|| {
        let mut config = of_shop();
        let demands = &mut config.cat.as_mut().unwrap().demands;
        demands.audience = Some("cdn".to_owned());
        config
    });
    let (outcome, computed) = counted(|| world.ask(segment().cat(token)));
    outcome.served();
    assert_eq!(computed, Computed { hmac: 0, es256: 1 });
    let (outcome, computed) = counted(|| world.ask(segment().cat(token)));
    outcome.served();
    assert_eq!(computed, Computed { hmac: 0, es256: 0 });
    assert_eq!(world.streams("alice"), 1);
}
