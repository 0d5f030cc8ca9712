//! What a token's request is redirected to.

use super::*;
use crate::edge_tests::lossy;
use crate::exchange::Answer;
use crate::testing::test;

/// The token says who watches; each playback gets an id by redirect.
pub(super) fn by_redirect() -> World {
    let path = json!({"token": "path"});
    World::with(carriers(
        json!([path, {"cat": "sub"}]),
        json!([path, {"redirect": true}, {"token": {"cookie": "sg"}}]),
    ))
}

/// The prefix that a redirect leads under.
fn minted(answer: &Answer) -> String {
    assert_eq!(answer.status, 307, "{answer:?}");
    let location = answer.header("location").unwrap();
    let end = location[1..].find('/').unwrap() + 1;
    location[..end].to_owned()
}

#[test]
fn a_redirect_from_a_restricted_token_leads_no_further_than_its_manifests_directory() {
    let manifest = |claims: Claims| get("/vod/a/hd/master.m3u8").cat(&claims.sign());
    let mut world = by_redirect();
    let wide = minted(&world.ask(manifest(alice())).answer());
    for path in ["/vod/a/hd/1.m4s", "/vod/b/1.m4s", "//vod/b/1.m4s"] {
        world.ask(get(format!("{wide}{path}"))).served();
    }

    for (label, value) in [GET_ONLY, BELOW_A] {
        let narrow = alice().claim(label, value);
        let narrow = minted(&world.ask(manifest(narrow)).answer());
        // The first of them starts the stream; then there is a lease.
        for _ in 0..2 {
            for path in ["/vod/a/hd/1.m4s", "/vod/a/hd/video/7.m4s", "/vod/a//hd/1"] {
                world.ask(get(format!("{narrow}{path}"))).served();
            }
            for path in [
                "/vod/a/1.m4s",
                "/vod/a/hdx/1.m4s",
                "/vod/b/1.m4s",
                "/vod/a//1.m4s",
                "/vod/a/%68dx/1.m4s",
                "/vod/a;/hd;/../1.m4s",
                "/vod/a/hd/..%2f1.m4s",
            ] {
                let climbs = path.contains("..");
                let refusal = world.ask(get(format!("{narrow}{path}"))).refusal();
                let expected = match climbs {
                    true => refused(400, "none"),
                    false => refused(403, "token-invalid"),
                };
                assert_eq!(refusal, expected, "{path}");
            }
        }
    }
}

#[test]
fn a_directory_is_the_same_however_it_is_spelled() {
    let mut world = by_redirect();
    let (label, value) = GET_ONLY;
    let token = alice().claim(label, value).sign();
    let manifest = get("/vod/%61%20b/master.m3u8?next=/vod/").cat(&token);
    let narrow = minted(&world.ask(manifest).answer());
    world.ask(get(format!("{narrow}/vod/a%20b/1.m4s"))).served();
    let elsewhere = get(format!("{narrow}/vod/a%20c/1.m4s"));
    assert_eq!(
        world.ask(elsewhere).refusal(),
        refused(403, "token-invalid")
    );
}

#[test]
fn a_redirect_ends_with_the_token_it_was_redirected_for() {
    let mut world = by_redirect();
    let manifest = |token: &str| get("/vod/a/master.m3u8").cat(token);
    let short = alice().sign();
    let answer = world.ask(manifest(&short)).answer();
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.contains("; Max-Age=3630; "), "{cookie}");
    let prefix = minted(&answer);
    let play = |world: &mut World, prefix: &str| {
        let ask = get(format!("{prefix}/vod/a/1.m4s"));
        world.ask(ask)
    };
    play(&mut world, &prefix).served();
    // In the leeway it still plays, and so does what it is redirected to.
    world.host.advance_ms(HOUR_MS + LEEWAY_MS - 1);
    play(&mut world, &prefix).served();
    let late = minted(&world.ask(manifest(&short)).answer());
    play(&mut world, &late).served();
    world.host.advance_ms(1);
    for prefix in [&prefix, &late] {
        let refusal = play(&mut world, prefix).refusal();
        assert_eq!(refusal, refused(403, "token-expired"));
    }

    // One that lives longer than playback tokens, and one that lives forever.
    for long in [
        Claims::of("bob").until(NOW.plus_ms(100 * HOUR_MS)),
        Claims::of("bob"),
    ] {
        let answer = world.ask(manifest(&long.sign())).answer();
        let cookie = answer.header("set-cookie").unwrap();
        assert!(cookie.contains("; Max-Age=43200; "), "{cookie}");
    }
}

#[test]
fn a_token_that_was_not_needed_narrows_and_shortens_nothing() {
    let path = json!({"token": "path"});
    let mut world = World::with(carriers(
        json!([path, {"header": "x-account-id"}, {"cat": "sub"}]),
        json!([path, {"redirect": true}]),
    ));
    let (label, value) = BELOW_A;
    let token = alice().claim(label, value).sign();
    let manifest = get("/vod/a/master.m3u8").account("bob").cat_cookie(&token);
    let prefix = minted(&world.ask(manifest).answer());
    world.host.advance_ms(2 * HOUR_MS);
    world.ask(get(format!("{prefix}/vod/b/1.m4s"))).served();
    assert_eq!((world.streams("bob"), world.streams("alice")), (1, 0));
}

#[test]
fn no_token_is_left_in_a_path_that_is_logged() {
    let mut world = by_redirect();
    let token = alice().sign();
    let logged = |world: &mut World, path: String| {
        let reply = world.ask(get(path)).reply();
        (reply.answer.status, lossy(&reply.logged_path.unwrap()))
    };
    for (path, status, expected) in [
        (
            format!("/vod/a/m.m3u8?x=1&CAT={token}"),
            307,
            "/vod/a/m.m3u8?x=1",
        ),
        (format!("/vod/a/1.m4s?CAT={token}"), 403, "/vod/a/1.m4s"),
        (format!("/vod/a/1.m4s?CAT={token}x"), 403, "/vod/a/1.m4s"),
    ] {
        assert_eq!(logged(&mut world, path), (status, expected.to_owned()));
    }
}
