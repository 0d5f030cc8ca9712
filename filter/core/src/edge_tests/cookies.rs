//! Tokens in cookies and queries as real clients send them.

use serde_json::json;
use streamgate_values::head::Head;

use super::{Ask, Outcome, World, get, refused};
use crate::config::Config;
use crate::testing::{TIMEOUT_MS, config_with, test};

/// The stream by path token, cookie, query or redirect; the account by these or by header.
fn carriers() -> Config {
    let path = json!({"token": "path"});
    let cookie = json!({"token": {"cookie": "sg"}});
    let query = json!({"token": {"query": "sg"}});
    config_with(|json| {
        json["playback"][0]["subject"] = json!([path, {"header": "x-account-id"}, query, cookie]);
        json["playback"][0]["stream"] = json!([path, query, cookie, {"redirect": true}]);
    })
    .unwrap()
}

/// The same for an application whose latest stream wins.
fn latest_wins() -> Config {
    let mut config = carriers();
    config.playback[0].application = "mobile".to_owned();
    config
}

fn manifest() -> Ask {
    get("/vod/a/master.m3u8").account("alice")
}

fn segment() -> Ask {
    get("/vod/a/1.m4s")
}

fn minted(outcome: Outcome) -> String {
    let answer = outcome.answer();
    assert_eq!(answer.status, 307, "{answer:?}");
    let location = answer.header("location").unwrap();
    location[2..].split_once('/').unwrap().0.to_owned()
}

/// A token of `alice` that is good, and one that is over.
fn tokens(world: &mut World) -> [String; 2] {
    let old = minted(world.ask(manifest()));
    world.host.advance_ms(43_200_000);
    [minted(world.ask(manifest())), old]
}

#[test]
fn a_cookie_plays_however_a_client_writes_it_and_the_others_go_on_as_they_are() {
    let mut world = World::with(carriers);
    let [good, old] = tokens(&mut world);
    for (cookies, rest) in [
        (format!("sg={good}"), None),
        (format!(r#"$Version="1"; sg="{good}"; $Path="/vod/""#), None),
        (
            format!(r#"$Version="1"; a="1"; $Path="/"; sg="{good}"; $Path="/vod/""#),
            Some(r#"$Version="1"; a="1"; $Path="/""#),
        ),
        (
            format!(r#"$Version=1, sg={good}, a="b, c""#),
            Some(r#"$Version=1, a="b, c""#),
        ),
        (format!(r#"a="b;  c";sg="{good}""#), Some(r#"a="b;  c""#)),
        (format!("sg={old}; sg={good}"), None),
        (format!("sg={good}; sg={old}"), None),
        (
            format!("sg=; sg=forged; x=%22; sg={good}; y"),
            Some("x=%22; y"),
        ),
        (format!(" sg = {good} ;b=2 "), Some("b=2 ")),
        (
            format!("sg={}", good.replace('_', "%5F").replace('-', "%2d")),
            None,
        ),
    ] {
        for worker in [0, 1, 0] {
            let ask = segment().header("cookie", &cookies).on_worker(worker);
            let reached = world.ask(ask).reached();
            let left = reached.headers.header("cookie");
            assert_eq!(left.as_deref(), rest.map(str::as_bytes), "{cookies}");
        }
    }
    assert_eq!(world.streams("alice"), 1);
    let others = r#"a="b;  c";  d={"e":1,"f":"sg"},g; xsg=1"#;
    let ask = get(format!("/~{good}/vod/a/1.m4s")).header("cookie", others);
    let reached = world.ask(ask).reached();
    assert_eq!(reached.headers.headers("cookie"), [others.as_bytes()]);
}

#[test]
fn several_lines_of_cookies_are_one() {
    let mut world = World::with(carriers);
    let [good, old] = tokens(&mut world);
    let own = format!("sg={good}");
    let stale = format!("b=2; sg={old}");
    for lines in [
        [&own, "a=1", "b=2"],
        ["a=1", &own, "b=2"],
        ["a=1", "b=2", &own],
        [&own, "a=1", &stale],
        ["a=1", &stale, &own],
    ] {
        let ask = lines
            .iter()
            .fold(segment(), |ask, line| ask.header("cookie", line));
        let reached = world.ask(ask).reached();
        assert_eq!(
            reached.headers.headers("cookie"),
            [b"a=1; b=2"],
            "{lines:?}"
        );
    }
    // None of them is touched that holds nothing of ours.
    let ask = get(format!("/~{good}/vod/a/1.m4s"));
    let ask = ask.header("cookie", "a=1").header("cookie", "b=2");
    let reached = world.ask(ask).reached();
    assert_eq!(reached.headers.headers("cookie"), [b"a=1", b"b=2"]);
}

#[test]
fn only_so_many_of_one_name_are_tried() {
    let mut world = World::with(carriers);
    let [good, _] = tokens(&mut world);
    let behind = |n| format!("{}sg={good}", "sg=x; ".repeat(n));
    world.ask(segment().header("cookie", behind(7))).served();
    let many = segment().header("cookie", behind(8));
    assert_eq!(world.ask(many).refusal(), refused(403, "token-invalid"));
    let many = format!("/vod/a/1.m4s?{}sg={good}", "sg=x&".repeat(8));
    assert_eq!(
        world.ask(get(many)).refusal(),
        refused(403, "token-invalid")
    );
}

#[test]
fn no_text_before_a_good_token_gets_to_play_by_its_lease() {
    let leading = || {
        config_with(|json| {
            let cookie = json!([{"token": {"cookie": "sg"}}]);
            json["playback"][0]["subject"] = cookie.clone();
            json["playback"][0]["stream"] = cookie;
        })
        .unwrap()
    };
    let mut world = World::with(leading);
    let create = get("/v2/sessions/acme/alice")
        .method("POST")
        .application("web");
    let body = super::json(&world.ask(create).answer());
    let token = body["session"]["playbackToken"].as_str().unwrap();
    for _ in 0..3 {
        let both = segment().header("cookie", format!("sg=forged; sg={token}"));
        world.ask(both).served();
        let alone = segment().header("cookie", "sg=forged");
        assert_eq!(world.ask(alone).refusal(), refused(403, "token-invalid"));
    }
}

#[test]
fn a_token_in_a_query_is_decoded_and_the_good_one_of_several_counts() {
    let mut world = World::with(carriers);
    let [good, old] = tokens(&mut world);
    let encoded = good.replace('_', "%5F").replace('-', "%2D");
    assert_ne!(encoded, good);
    for query in [
        format!("sg={encoded}"),
        format!("%73%67={encoded}"),
        format!("sg=&sg={good}"),
        format!("sg={old}&v=1&sg={good}"),
        format!("sg=forged&sg={encoded}&v=1"),
        format!("sg={good}&sg={old}"),
        format!("sg&sg={good}"),
    ] {
        for worker in [0, 1, 0] {
            let ask = get(format!("/vod/a/1.m4s?{query}")).on_worker(worker);
            let path = world.ask(ask).served();
            assert!(
                ["/vod/a/1.m4s", "/vod/a/1.m4s?v=1"].contains(&&*path),
                "{path}"
            );
        }
    }
    assert_eq!(world.streams("alice"), 1);
    for (query, reason) in [
        ("sg=".to_owned(), "token-invalid"),
        (format!("sg=&sg={old}"), "token-invalid"),
        (format!("sg={old}&sg=x"), "token-expired"),
    ] {
        let refusal = world.ask(get(format!("/vod/a/1.m4s?{query}"))).refusal();
        assert_eq!(refusal, refused(403, reason), "{query}");
    }
}

#[test]
fn a_player_that_was_evicted_begins_anew_whatever_its_cookie_says() {
    let mut world = World::with(latest_wins);
    let first = minted(world.ask(manifest()));
    let with_cookie = |ask: Ask| ask.header("cookie", format!("sg={first}"));
    world.ask(with_cookie(segment())).served();
    // While it plays, a manifest is part of the same playback.
    world.ask(with_cookie(manifest())).served();
    world.host.advance_ms(1_000);
    let second = minted(world.ask(manifest()));
    world.ask(get(format!("/~{second}/vod/a/1.m4s"))).served();
    for worker in [0, 1] {
        let refusal = world
            .ask(with_cookie(segment()).on_worker(worker))
            .refusal();
        assert_eq!(refusal, refused(403, "evicted"));
    }
    // Nobody plays any more.
    world.host.advance_ms(2 * TIMEOUT_MS);
    let third = minted(world.ask(with_cookie(manifest())));
    for cookies in [
        format!("sg={first}; sg={third}"),
        format!("sg={third}; sg={first}"),
    ] {
        let by_third = segment().header("cookie", cookies);
        world.ask(by_third).served();
    }
    // A segment is not begun anew, nor a manifest in front of whose path the token stands.
    let refusal = world.ask(with_cookie(segment())).refusal();
    assert_eq!(refusal, refused(403, "evicted"));
    let refusal = world
        .ask(get(format!("/~{first}/vod/a/master.m3u8")))
        .refusal();
    assert_eq!(refusal, refused(403, "evicted"));
}

#[test]
fn a_cookie_that_says_who_watches_still_does_when_its_stream_is_over() {
    let mut world = World::with(latest_wins);
    let first = minted(world.ask(manifest()));
    let alone = |path: &str| get(path).header("cookie", format!("sg={first}"));
    world.ask(alone("/vod/a/1.m4s")).served();
    world.host.advance_ms(1_000);
    let second = minted(world.ask(manifest()));
    world.ask(get(format!("/~{second}/vod/a/1.m4s"))).served();
    let anew = minted(world.ask(alone("/vod/a/master.m3u8")));
    assert_ne!(anew, first);
    let again = world.ask(alone("/vod/a/master.m3u8").method("HEAD"));
    minted(again);
}

#[test]
fn beginning_anew_is_judged_like_any_beginning() {
    let full = || {
        config_with(|json| {
            json["policies"][0]["rules"][0]["max"] = json!(1);
            json["playback"][0]["stream"] =
                json!([{"token": "path"}, {"token": {"cookie": "sg"}}, {"redirect": true}]);
        })
        .unwrap()
    };
    let mut world = World::with(full);
    let first = minted(world.ask(manifest()));
    let with_cookie = || manifest().header("cookie", format!("sg={first}"));
    let second = minted(world.ask(manifest()));
    world.ask(get(format!("/~{second}/vod/a/1.m4s"))).served();
    assert_eq!(
        world.ask(with_cookie()).refusal(),
        refused(403, "limit-reached")
    );
    world.host.advance_ms(TIMEOUT_MS);
    // The cookie's stream has never played: it may.
    world.ask(with_cookie()).served();
}

#[test]
fn a_stale_cookie_listed_before_a_token_elsewhere_is_let_lie() {
    let mut world = World::with(|| {
        let cookie = json!({"token": {"cookie": "sg"}});
        let others = [
            json!({"token": {"query": "t"}}),
            json!({"token": {"header": "x-token"}}),
            json!({"token": "path"}),
        ];
        let places: Vec<_> = core::iter::once(cookie).chain(others).collect();
        config_with(|json| {
            json["playback"][0]["subject"] = json!(places);
            json["playback"][0]["stream"] = json!(places);
        })
        .unwrap()
    });
    let create = get("/v2/sessions/acme/alice")
        .method("POST")
        .application("web");
    let body = super::json(&world.ask(create).answer());
    let token = body["session"]["playbackToken"].as_str().unwrap();
    for cookie in ["forged", ""] {
        for ask in [
            get(format!("/vod/a/1.m4s?t={token}")),
            segment().header("x-token", token),
            get(format!("/~{token}/vod/a/1.m4s")),
        ] {
            world
                .ask(ask.header("cookie", format!("sg={cookie}")))
                .served();
        }
        let alone = segment().header("cookie", format!("sg={cookie}"));
        assert_eq!(world.ask(alone).refusal(), refused(403, "token-invalid"));
    }
    assert_eq!(world.streams("alice"), 1);
}
