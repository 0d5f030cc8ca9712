//! A prefix within another one has rules of its own: a token that was minted by the outer one's is
//! none there.

use serde_json::json;

use super::session_api::create;
use super::{World, get, refused};
use crate::testing::{config_with, test};

const OUTER: &str = "/vod/a/master.m3u8";

/// `/vod/gold/` within `/vod/`, of an application that plays once.
fn world(start: &'static str) -> World {
    World::with(move || {
        config_with(|json| {
            let paths = json["playback"].as_array_mut().unwrap();
            paths[0]["stream"] =
                json!([{"token": "path"}, {"token": {"cookie": "sg"}}, {"redirect": true}]);
            let mut inner = paths[0].clone();
            inner["match"]["prefix"] = "/vod/gold/".into();
            inner["application"] = "mobile".into();
            inner["start"] = start.into();
            paths.insert(0, inner);
        })
        .unwrap()
    })
}

/// What a manifest request is led to: the prefix, and the cookie.
fn led(world: &mut World, path: &str) -> (String, String) {
    let answer = world.ask(get(path).account("alice")).answer();
    assert_eq!(answer.status, 307, "{answer:?}");
    let prefix = answer.header("location").unwrap().strip_suffix(path);
    let cookie = answer.header("set-cookie").unwrap().split(';').next();
    (prefix.unwrap().to_owned(), cookie.unwrap().to_owned())
}

#[test]
fn a_token_of_the_outer_prefix_is_none_within_the_inner_one() {
    for start in ["implicit", "session_required"] {
        let mut world = world(start);
        let (prefix, cookie) = led(&mut world, OUTER);
        world.ask(get(format!("{prefix}/vod/a/1.m4s"))).served();
        for path in ["/vod/gold/1.m4s", "/vod/gold/a.m3u8"] {
            let refusal = world.ask(get(format!("{prefix}{path}"))).refusal();
            assert_eq!(refusal, refused(403, "token-invalid"), "{start} {path}");
        }
        // A cookie comes along unasked.
        let segment = get("/vod/gold/1.m4s").account("alice");
        let refusal = world.ask(segment.header("cookie", &cookie)).refusal();
        assert_eq!(refusal, refused(403, "no-stream"), "{start}");
        assert_eq!(world.streams("alice"), 1);
    }
}

#[test]
fn each_prefix_has_its_own_limit_and_what_it_minted_plays() {
    let mut world = world("implicit");
    let (first, _) = led(&mut world, "/vod/gold/a.m3u8");
    world.ask(get(format!("{first}/vod/gold/1.m4s"))).served();
    let (second, _) = led(&mut world, "/vod/gold/b.m3u8");
    world.ask(get(format!("{second}/vod/gold/1.m4s"))).served();
    // The latest wins.
    let refusal = world.ask(get(format!("{first}/vod/gold/2.m4s"))).refusal();
    assert_eq!(refusal, refused(403, "evicted"));
    let refusal = world.ask(get(format!("{second}/vod/a/1.m4s"))).refusal();
    assert_eq!(refusal, refused(403, "token-invalid"));
}

#[test]
fn a_token_of_the_session_api_is_good_for_both() {
    let mut world = world("session_required");
    let answer = world.ask(create("web")).answer();
    let body = super::json(&answer);
    let prefix = body["session"]["playbackPrefix"].as_str().unwrap();
    for path in ["/vod/gold/1.m4s", "/vod/a/1.m4s"] {
        world.ask(get(format!("{prefix}{path}"))).served();
    }
}
