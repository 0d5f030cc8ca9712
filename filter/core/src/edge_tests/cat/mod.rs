//! Common Access Tokens on a protected path: where they stand, and whom they name.

mod bounds;
mod checks;
mod redirect;
mod renewal;

use serde_json::{Value, json};
use streamgate_tokens::cat::testing::{Claims, EC_PEM};
use streamgate_values::head::Head;

use super::{Ask, World, get, refused};
use crate::config::Config;
use crate::testing::{NOW, config_with, test};

const NAME: &str = "cta-common-access-token";

const HOUR_MS: u64 = 3_600_000;

/// The default, which the tests do not change.
const LEEWAY_MS: u64 = 30_000;

/// `catm`: `GET`.
const GET_ONLY: (u16, &[u8]) = (313, b"\x81\x63GET");

/// `catu`: paths that begin with `/vod/a/`.
const BELOW_A: (u16, &[u8]) = (312, b"\xa1\x03\xa1\x01\x67/vod/a/");

/// The tests' configuration with a secret and a public key, and these carriers on `/vod/`.
fn carriers(subject: Value, stream: Value) -> impl Fn() -> Config {
    move || {
        config_with(|json| {
            json["cat"] = json!({"keys": [
                {"id": "new", "secret": "@".repeat(32)},
                {"id": "ec", "public_key": EC_PEM},
            ]});
            json["playback"][0]["subject"] = subject.clone();
            json["playback"][0]["stream"] = stream.clone();
        })
        .unwrap()
    }
}

/// Token and nothing else say who watches what.
fn by_token() -> World {
    World::with(carriers(json!([{"cat": "sub"}]), json!([{"cat": "cti"}])))
}

/// A token for `alice` that is good for an hour.
fn alice() -> Claims {
    Claims::of("alice").until(NOW.plus_ms(HOUR_MS))
}

fn segment() -> Ask {
    get("/vod/a/1.m4s")
}

impl Ask {
    fn cat(self, token: &str) -> Self {
        self.header(NAME, token)
    }

    fn cat_cookie(self, token: &str) -> Self {
        self.header("cookie", format!("CTA-Common-Access-Token={token}"))
    }
}

#[test]
fn header_cookie_and_query_carry_one_stream_and_nothing_of_it_reaches_the_origin() {
    let mut world = by_token();
    let token = alice().id("this one").sign();
    // As who builds a query writes it.
    let padding = "%3D".repeat(4 - token.len() % 4);
    assert_ne!(padding.len(), 12, "a token that is padded");
    let asks = [
        segment().cat(&token),
        segment().cat(&format!("Bearer {token}")),
        get(format!("/vod/a/1.m4s?CAT={token}&v=1")),
        get(format!("/vod/a/1.m4s?CAT={token}{padding}&v=1")),
        segment().header(
            "cookie",
            format!("x=1; CTA-Common-Access-Token={token}; y=2"),
        ),
        segment().cat(&format!("bearer  {token}")),
    ];
    // The first two requests of each are the first and the next of its worker.
    for worker in [0, 1, 0, 1] {
        for ask in asks.clone() {
            let referer = format!("https://edge.example/vod/a/?CAT={token}");
            let ask = ask.on_worker(worker).header("referer", referer);
            let reached = world.ask(ask).reached();
            let shown = format!("{reached:?}");
            assert!(!shown.contains(&token[..20]), "{shown}");
            assert!(
                ["/vod/a/1.m4s", "/vod/a/1.m4s?v=1"].contains(&&*reached.path),
                "{shown}"
            );
        }
    }
    assert_eq!(world.streams("alice"), 1);
    let reached = world.ask(asks[4].clone()).reached();
    let cookies = reached.headers.header("cookie");
    assert_eq!(cookies, Some(b"x=1; y=2".to_vec()));
}

#[test]
fn a_cookie_of_ours_beside_it_is_taken_off_as_well() {
    let both = json!([{"token": {"cookie": "sg"}}, {"cat": "sub"}]);
    let mut world = World::with(carriers(both, json!([{"cat": "cti"}])));
    let token = alice().id("one").sign();
    let cookies = format!("sg=old; CTA-Common-Access-Token={token}; x=1");
    let reached = world.ask(segment().header("cookie", cookies)).reached();
    let cookies = reached.headers.header("cookie");
    assert_eq!(cookies, Some(b"x=1".to_vec()));
}

#[test]
fn each_token_id_is_a_stream_and_limits_hold() {
    let mut world = by_token();
    let play = |world: &mut World, id: &str| {
        let ask = segment().cat(&alice().id(id).sign());
        world.ask(ask)
    };
    for id in ["one", "two", "three", "one"] {
        play(&mut world, id).served();
    }
    assert_eq!(world.streams("alice"), 3);
    assert_eq!(
        play(&mut world, "four").refusal(),
        refused(403, "limit-reached")
    );
    // The same id under another account is another stream.
    let bob = Claims::of("bob").id("one").sign();
    world.ask(segment().cat(&bob)).served();
    assert_eq!(world.streams("bob"), 1);
    for (claims, reason) in [
        (Claims::default().id("one"), "no-subject"),
        (Claims::of("alice"), "no-stream"),
    ] {
        let ask = segment().cat(&claims.sign());
        assert_eq!(world.ask(ask).refusal(), refused(403, reason));
    }
    let too_long = Claims::of(&"a".repeat(257)).id("one").sign();
    let ask = segment().cat(&too_long);
    assert_eq!(world.ask(ask).refusal(), refused(400, "malformed"));
}

#[test]
fn an_old_cookie_refuses_nobody_who_is_known_otherwise() {
    let mut world = World::with(carriers(
        json!([{"cat": "sub"}, {"header": "x-account-id"}]),
        json!([{"cat": "cti"}, {"header": "x-stream-id"}]),
    ));
    let expired = Claims::of("bob").id("one").until(NOW).sign();
    world.host.advance_ms(LEEWAY_MS);
    let known = || segment().account("alice").header("x-stream-id", "s");
    for cookie in [&expired, "forged"] {
        let reached = world.ask(known().cat_cookie(cookie)).reached();
        assert!(!format!("{reached:?}").contains(cookie), "{reached:?}");
    }
    assert_eq!(world.streams("alice"), 1);
    // What is shown on purpose has to be good.
    for ask in [
        known().cat(&expired),
        get(format!("/vod/a/1.m4s?CAT={expired}")).account("alice"),
    ] {
        assert_eq!(world.ask(ask).refusal(), refused(403, "token-expired"));
    }
}
