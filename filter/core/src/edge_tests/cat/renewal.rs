//! Tokens that ask to be renewed.

use super::redirect::by_redirect;
use super::*;
use crate::edge_tests::Reached;
use crate::testing::test;

fn renewed(reached: Reached) -> Option<(String, String)> {
    reached.renewed
}

/// `catr` of a kind, for five minutes more.
fn renewable(kind: u8) -> Claims {
    let value = [&[0xa2, 0, kind][..], b"\x01\x19\x01\x2c"].concat();
    alice().id("one").claim(323, &value)
}

const AUTOMATIC: u8 = 0;
const BY_COOKIE: u8 = 1;
const BY_HEADER: u8 = 2;
const BY_REDIRECT: u8 = 3;

#[test]
fn a_token_is_renewed_exactly_when_it_is_due_and_plays_on_as_the_same_stream() {
    let mut world = by_token();
    let token = renewable(BY_COOKIE).sign();
    let ask = || segment().cat_cookie(&token);
    let at = |world: &World, ms: u64| world.host.set_now(NOW.plus_ms(ms));
    for ms in [0, 0, HOUR_MS - 60_001] {
        at(&world, ms);
        assert_eq!(renewed(world.ask(ask()).reached()), None);
    }
    // Also where a lease lets it pass, and on a worker that has not seen it.
    at(&world, HOUR_MS - 60_000);
    for worker in [0, 0, 1] {
        let (name, value) = renewed(world.ask(ask().on_worker(worker)).reached()).unwrap();
        assert_eq!(name, "set-cookie");
        assert!(value.starts_with("CTA-Common-Access-Token="), "{value}");
    }
    at(&world, HOUR_MS - 1);
    let (_, cookie) = renewed(world.ask(ask()).reached()).unwrap();
    at(&world, HOUR_MS);
    assert_eq!(renewed(world.ask(ask()).reached()), None);
    at(&world, HOUR_MS + LEEWAY_MS);
    let over = world.ask(ask()).answer();
    assert_eq!(over.header("set-cookie"), None);
    assert_eq!(over.status, 403);

    let reached = world.ask(segment().header("cookie", cookie)).reached();
    assert_eq!(renewed(reached), None);
    assert_eq!(world.streams("alice"), 1);
}

#[test]
fn a_renewed_token_travels_as_it_asks_to() {
    let mut world = by_token();
    world.host.advance_ms(HOUR_MS - 1_000);
    let cookie = Some("set-cookie");
    let header = Some(NAME);
    for (kind, by_header, by_cookie, by_query) in [
        (AUTOMATIC, header, cookie, None),
        (BY_COOKIE, cookie, cookie, cookie),
        (BY_HEADER, header, header, header),
        (BY_REDIRECT, None, None, None),
    ] {
        let token = renewable(kind).sign();
        let in_query = get(format!("/vod/a/1.m4s?CAT={token}"));
        for (ask, expected) in [
            (segment().cat(&token), by_header),
            (segment().cat_cookie(&token), by_cookie),
            (in_query, by_query),
        ] {
            let renewed = renewed(world.ask(ask).reached());
            let name = renewed.as_ref().map(|(name, _)| name.as_str());
            assert_eq!(name, expected, "{kind}");
        }
    }
}

#[test]
fn a_redirect_brings_the_renewed_token_as_well() {
    let mut world = by_redirect();
    let token = renewable(BY_HEADER).sign();
    let manifest = || get("/vod/a/master.m3u8").cat(&token);
    let answer = world.ask(manifest()).answer();
    assert_eq!((answer.status, answer.header(NAME)), (307, None));
    world.host.advance_ms(HOUR_MS - 1_000);
    let answer = world.ask(manifest()).answer();
    let renewed = answer.header(NAME).unwrap();
    world.host.advance_ms(2 * LEEWAY_MS);
    let again = get("/vod/a/master.m3u8").cat(renewed);
    assert_eq!(world.ask(again).answer().status, 307);
    assert_eq!(world.ask(manifest()).answer().status, 403);
}
