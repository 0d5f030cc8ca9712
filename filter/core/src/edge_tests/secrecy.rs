//! No token reaches the origin or a log, whatever becomes of the request it came with.

use serde_json::{Value, json};
use streamgate_values::head::Head;

use super::{Ask, Outcome, World, get, refused};
use crate::config::Config;
use crate::exchange::Reply;
use crate::testing::{config_with, test};

/// `/vod/` with tokens in the path and in `place`, and the redirect.
fn with(path_index: Value) -> impl Fn() -> Config {
    move || {
        config_with(|json| {
            let path = json!({"token": "path"});
            let vod = &mut json["playback"][0];
            vod["subject"] = json!([path, {"token": path_index}, {"header": "x-account-id"}]);
            vod["stream"] = json!([path, {"redirect": true}, {"token": path_index}]);
        })
        .unwrap()
    }
}

fn by_query() -> impl Fn() -> Config {
    with(json!({"query": "sg"}))
}

/// What an access log that tells paths would hold of it.
fn logged(reply: &Reply) -> String {
    super::lossy(reply.logged_path.as_ref().unwrap())
}

#[test]
fn a_refused_query_token_stands_in_no_log() {
    let mut world = World::with(by_query());
    let prefix = world.play("alice");
    let token = &prefix[2..];
    world.host.advance_ms(43_200_000);
    for (query, reason) in [
        (format!("sg={token}"), "token-expired"),
        (format!("s%67={token}"), "token-expired"),
        (format!("x=1&sg={token}x&y=2"), "token-invalid"),
    ] {
        let ask = get(format!("/vod/a/1.m4s?{query}"));
        let reply = world.ask(ask).reply();
        assert_eq!(
            reply.answer.header("x-streamgate-reason"),
            Some(reason),
            "{query}"
        );
        assert!(!logged(&reply).contains(token), "{}", logged(&reply));
        assert!(!format!("{:?}", reply.answer).contains(token));
    }
}

#[test]
fn a_token_that_a_redirect_replaces_stands_in_no_log() {
    let mut world = World::with(by_query());
    let prefix = world.play("alice");
    let manifest = format!("/vod/a/m.m3u8?v=1&sg={}", &prefix[2..]);
    let reply = world.ask(get(manifest)).reply();
    assert_eq!(reply.answer.status, 307);
    assert_eq!(logged(&reply), "/vod/a/m.m3u8?v=1");
}

#[test]
fn a_parameter_is_the_same_however_its_name_is_written() {
    let mut world = World::with(by_query());
    let prefix = world.play("alice");
    let path = format!("/vod/a/2.m4s?%73g={}&%43MCD=bl%3D1&v=1", &prefix[2..]);
    let served = world.ask(get(path)).served();
    assert!(!served.contains(&prefix[2..]), "{served}");
    let cmcd = get("/vod/a/1.m4s?%43MCD=sid%3D%221%22").account("bob");
    assert_eq!(World::new().ask(cmcd).served(), "/vod/a/1.m4s");
}

#[test]
fn a_bearer_is_one_in_any_case() {
    let mut world = World::with(with(json!({"header": "authorization"})));
    let prefix = world.play("alice");
    for scheme in ["Bearer ", "bearer ", "BEARER  ", ""] {
        let value = format!("{scheme}{}", &prefix[2..]);
        let ask = get("/vod/a/2.m4s").header("authorization", value);
        world.ask(ask).served();
    }
}

fn referer(world: &mut World, ask: Ask) -> Option<String> {
    let Outcome::Served(reached) = world.ask(ask) else {
        panic!("not served");
    };
    let referer = reached.headers.header("referer");
    referer.map(|value| super::lossy(&value))
}

#[test]
fn a_referer_with_a_token_goes_from_open_paths_and_any_other_stays() {
    let mut world = World::with(by_query());
    let from = |referer: &str| get("/open/logo.png").header("referer", referer);
    for told in [
        "https://edge.example/~token/vod/a/index.html",
        "https://edge.example/vod/a/index.html?x=1&sg=token",
        "https://edge.example/vod/a/index.html?s%67=token",
        "/~token/vod/a/index.html",
    ] {
        assert_eq!(referer(&mut world, from(told)), None, "{told}");
    }
    for harmless in [
        "https://www.example/watch?v=sg",
        "https://www.example/a/~b",
        "https://www.example",
        "",
        "sg=token",
    ] {
        let kept = referer(&mut world, from(harmless));
        assert_eq!(kept.as_deref(), Some(harmless));
    }
}

#[test]
fn a_forged_token_tells_no_more_than_that_it_is_none() {
    let mut world = World::with(by_query());
    let forged = get("/vod/a/1.m4s?sg=forged").account("alice");
    assert_eq!(world.ask(forged).refusal(), refused(403, "token-invalid"));
}

/// The routes take it off what goes on, and nothing is asked of the filter. What the filter answers goes to no
/// origin, only to the access log, and there it is taken off by the filter as ever.
#[test]
fn a_referer_that_is_the_routes_is_left_alone() {
    let mut world = World::with(|| {
        let by_route = |json: &mut serde_json::Value| json["referer"] = "route".into();
        config_with(by_route).unwrap()
    });
    let prefix = world.play("alice");
    let page = format!("https://edge.example{prefix}/vod/a/");
    for path in [format!("{prefix}/vod/a/2.m4s"), "/open/logo.png".to_owned()] {
        let ask = get(path).header("referer", &page);
        assert_eq!(referer(&mut world, ask), Some(page.clone()));
    }
    let refusal = world.ask(get("/vod/a/2.m4s")).reply();
    assert!(refusal.logged_path.is_some());
}
