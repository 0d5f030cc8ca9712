//! Whatever says who watches: each carrier, their order, and what is left of them when
//! a request goes on.

use serde_json::{Value, json};
use streamgate_record::metric::Metric;
use streamgate_values::head::Head;

use super::{Ask, World, get, refused};
use crate::config::Config;
use crate::exchange::Answer;
use crate::testing::{TIMEOUT_MS, config_with, test};

/// The tests' configuration with these carriers on `/vod/`.
fn carriers(subject: Value, stream: Value) -> impl Fn() -> Config {
    move || {
        config_with(|json| {
            json["playback"][0]["subject"] = subject.clone();
            json["playback"][0]["stream"] = stream.clone();
        })
        .unwrap()
    }
}

/// A playback token for `alice`, from the session API.
fn token(world: &mut World) -> String {
    let create = get("/v2/sessions/acme/alice")
        .method("POST")
        .application("web");
    let body = super::json(&world.ask(create).answer());
    let prefix = body["session"]["playbackPrefix"].as_str().unwrap();
    assert_eq!(body["session"]["playbackToken"], prefix[2..]);
    prefix[2..].to_owned()
}

fn segment(n: u32) -> Ask {
    get(format!("/vod/a/{n}.m4s"))
}

/// The token that a redirect leads to, and the path behind it.
fn minted(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 307, "{answer:?}");
    let location = answer.header("location").unwrap();
    let (token, path) = location[2..].split_once('/').unwrap();
    (token.to_owned(), format!("/{path}"))
}

#[test]
fn a_token_plays_from_query_cookie_and_header_and_none_of_them_reaches_the_origin() {
    let places = [
        json!({"token": {"query": "sg"}}),
        json!({"token": {"cookie": "sg"}}),
        json!({"token": {"header": "Authorization"}}),
    ];
    for path_index in places {
        let mut world = World::with(carriers(json!([path_index]), json!([path_index])));
        let token = token(&mut world);
        let with_token = |ask: Ask| match path_index["token"].as_object().unwrap().keys().next() {
            Some(kind) if kind == "query" => Ask {
                path: [&ask.path[..], b"?a=1&sg=", token.as_bytes()].concat(),
                ..ask
            },
            Some(kind) if kind == "cookie" => ask.header("cookie", format!("x=1; sg={token}")),
            _ => ask.header("authorization", format!("Bearer {token}")),
        };
        for n in 0..3 {
            let ask = with_token(segment(n)).header("referer", "https://x/y?sg=token");
            let reached = world.ask(ask).reached();
            assert!(!format!("{reached:?}").contains(&token), "{reached:?}");
            assert!(!reached.path.contains("sg="), "{reached:?}");
        }
        assert_eq!(world.streams("alice"), 1);
        // Once the lease is there, no record is looked at.
        world.tick();
        assert_eq!(world.host.count(Metric::FastPathPasses), 2, "{path_index}");
        assert_eq!(world.ask(segment(3)).refusal(), refused(403, "no-subject"));
    }
}

#[test]
fn the_first_carrier_that_yields_wins() {
    let subject = json!([{"header": "x-first"}, {"jwt_claim": "sub"}, {"header": "x-last"}]);
    let stream = json!([{"cmcd": "sid"}, {"jwt_claim": "sid"}, {"header": "x-stream-id"}]);
    let mut world = World::with(carriers(subject, stream));
    let all = segment(1)
        .header("x-last", "carol")
        .claim("sub", "bob")
        .claim("sid", "s")
        .header("x-stream-id", "s");
    let first = all.clone().header("x-first", "alice");
    world.ask(first).served();
    world.ask(all).served();
    let last = segment(1)
        .header("x-last", "carol")
        .header("x-stream-id", "s");
    world.ask(last).served();
    for account in ["alice", "bob", "carol"] {
        assert_eq!(world.streams(account), 1, "{account}");
    }
}

#[test]
fn a_jwt_says_subject_and_stream_and_an_unchecked_one_says_nothing() {
    let mut world = World::with(carriers(
        json!([{"jwt_claim": "sub"}]),
        json!([{"jwt_claim": "device_id"}]),
    ));
    for (n, device) in [(1, "tv"), (2, "phone"), (3, "tv")] {
        let ask = segment(n).claim("sub", "alice").claim("device_id", device);
        world.ask(ask).served();
    }
    assert_eq!(world.streams("alice"), 2);
    let unchecked = segment(1).header("authorization", "Bearer e30.e30.");
    assert_eq!(world.ask(unchecked).refusal(), refused(403, "no-subject"));
    let no_text = segment(1)
        .claim("sub", b"\xff\xfe")
        .claim("device_id", "tv");
    assert_eq!(world.ask(no_text).refusal(), refused(400, "malformed"));
}

#[test]
fn address_and_agent_tell_clients_apart_whatever_their_ports() {
    let mut world = World::with(carriers(
        json!([{"header": "x-account-id"}]),
        json!([{"client": "address_and_agent"}]),
    ));
    let from = |address: &str, agent: &str| {
        let ask = segment(1).account("alice").header("user-agent", agent);
        ask.header("(client address)", address)
    };
    world.ask(from("10.0.0.1:1000", "tv")).served();
    world.ask(from("10.0.0.1:2000", "tv")).served();
    assert_eq!(world.streams("alice"), 1);
    world.ask(from("10.0.0.1:1000", "phone")).served();
    world.ask(from("[2001:db8::1]:1000", "tv")).served();
    assert_eq!(world.streams("alice"), 3);
}

#[test]
fn two_viewers_of_one_segment_ask_the_origin_for_the_same() {
    let mut world = World::new();
    let paths = [("alice", "1"), ("bob", "2")].map(|(account, sid)| {
        let path = format!("/vod/a/1.m4s?CMCD=bl%3D1%2Csid%3D%22{sid}%22&v=3");
        world.ask(get(path).account(account)).served()
    });
    assert_eq!(paths, ["/vod/a/1.m4s?v=3", "/vod/a/1.m4s?v=3"]);
}

/// Cookie before or after the redirect, as an operator may list them.
fn with_cookie(cookie_first: bool) -> impl Fn() -> Config {
    let path = json!({"token": "path"});
    let cookie = json!({"token": {"cookie": "sg"}});
    let redirect = json!({"redirect": true});
    let stream = if cookie_first {
        json!([path, cookie, redirect])
    } else {
        json!([path, redirect, cookie])
    };
    carriers(json!([path, cookie, {"header": "x-account-id"}]), stream)
}

fn set_cookies(answer: &Answer) -> impl Iterator<Item = &String> {
    let named = answer
        .headers
        .iter()
        .filter(|(name, _)| *name == "set-cookie");
    named.map(|(_, value)| value)
}

#[test]
fn a_redirect_sets_a_cookie_for_players_that_do_not_carry_its_path_on() {
    let mut world = World::with(with_cookie(false));
    let manifest = get("/vod/a/manifest.mpd").account("alice");
    let answer = world.ask(manifest.clone()).answer();
    let (token, path) = minted(&answer);
    assert_eq!(path, "/vod/a/manifest.mpd");
    let cookies: Vec<_> = set_cookies(&answer).cloned().collect();
    // Once more under the path it leads to, for a player that takes its cookies from there.
    let expected = [format!("/~{token}"), "/vod/".to_owned()]
        .map(|path| format!("sg={token}; Path={path}; Max-Age=43200; HttpOnly; SameSite=Lax"));
    assert_eq!(cookies, expected);
    let by_cookie = |n| segment(n).header("cookie", format!("sg={token}"));
    for n in 0..3 {
        let reached = world.ask(by_cookie(n)).reached();
        assert_eq!(reached.headers.header("cookie"), None);
    }
    assert_eq!(world.streams("alice"), 1);
    // The same under the path it leads to, which another connection may use.
    world
        .ask(get(format!("/~{token}/vod/a/9.m4s")).on_worker(1))
        .served();
    assert_eq!(world.streams("alice"), 1);

    let secure = manifest.clone().header(":scheme", "https");
    let answer = world.ask(secure).answer();
    let ends: Vec<_> = set_cookies(&answer)
        .map(|cookie| cookie.ends_with("; SameSite=None; Secure"))
        .collect();
    assert_eq!(ends, [true, true]);
}

#[test]
fn a_browser_is_given_no_cookie_so_each_of_its_tabs_is_a_stream() {
    let mut world = World::with(with_cookie(true));
    for _ in 0..2 {
        let manifest = get("/vod/a/manifest.mpd")
            .account("alice")
            .header("sec-fetch-mode", "cors");
        let answer = world.ask(manifest).answer();
        let (token, _) = minted(&answer);
        assert_eq!(answer.header("set-cookie"), None);
        world.ask(get(format!("/~{token}/vod/a/1.m4s"))).served();
    }
    assert_eq!(world.streams("alice"), 2);
}

#[test]
fn with_a_cookie_listed_last_each_manifest_begins_a_playback_and_first_none_does() {
    for (cookie_first, expected) in [(false, 307), (true, 200)] {
        let mut world = World::with(with_cookie(cookie_first));
        let manifest = get("/vod/a/manifest.mpd").account("alice");
        let (token, _) = minted(&world.ask(manifest.clone()).answer());
        let again = manifest.header("cookie", format!("sg={token}"));
        match world.ask(again) {
            super::Outcome::Served(_) => assert_eq!(expected, 200),
            super::Outcome::Answered(reply) => assert_eq!(reply.answer.status, expected),
        }
    }
}

#[test]
fn an_old_cookie_refuses_nobody_who_is_known_otherwise() {
    let mut world = World::with(with_cookie(true));
    let manifest = get("/vod/a/manifest.mpd").account("alice");
    let (token, _) = minted(&world.ask(manifest.clone()).answer());
    world.host.advance_ms(43_200_000);
    let again = manifest.header("cookie", format!("sg={token}"));
    assert_eq!(world.ask(again).answer().status, 307);
    let alone = segment(1).header("cookie", format!("sg={token}"));
    assert_eq!(world.ask(alone).refusal(), refused(403, "token-expired"));
    let forged = segment(1).header("cookie", "sg=forged");
    assert_eq!(world.ask(forged).refusal(), refused(403, "token-invalid"));
}

#[test]
fn a_minted_token_is_good_under_its_own_prefix_only() {
    let mut world = World::with(|| {
        config_with(|json| {
            let mut other = json["playback"][0].clone();
            other["match"]["prefix"] = json!("/other/");
            json["playback"].as_array_mut().unwrap().push(other);
        })
        .unwrap()
    });
    let prefix = world.play("alice");
    // Also while this worker holds a lease for the very token.
    for _ in 0..2 {
        let elsewhere = get(format!("{prefix}/other/a/1.m4s"));
        assert_eq!(
            world.ask(elsewhere).refusal(),
            refused(403, "token-invalid")
        );
        world.ask(get(format!("{prefix}/vod/a/2.m4s"))).served();
        world.ask(get(format!("{prefix}//vod/a/2.m4s"))).served();
    }
    // An app is told no path, so its token is good wherever tokens are read.
    let token = token(&mut world);
    for path_index in ["vod", "other"] {
        world
            .ask(get(format!("/~{token}/{path_index}/a/1.m4s")))
            .served();
    }
}

#[test]
fn referer_goes_where_tokens_are_and_stays_elsewhere() {
    let mut world = World::new();
    let prefix = world.play("alice");
    let from = format!("https://edge.example{prefix}/vod/a/");
    let referer = |world: &mut World, ask: Ask| {
        let reached = world.ask(ask.header("referer", &from)).reached();
        reached.headers.header("referer")
    };
    for ask in [
        get(format!("{prefix}/vod/a/2.m4s")),
        segment(1).account("bob").header("x-stream-id", "s"),
    ] {
        assert_eq!(referer(&mut world, ask), None);
    }
    let by_headers = carriers(
        json!([{"header": "x-account-id"}]),
        json!([{"header": "x-stream-id"}]),
    );
    let mut world = World::with(by_headers);
    let ask = segment(1).account("bob").header("x-stream-id", "s");
    assert!(referer(&mut world, ask).is_some());
}

#[test]
fn a_token_in_the_query_gives_way_to_the_one_it_is_redirected_to() {
    let mut world = World::with(carriers(
        json!([{"token": "path"}, {"token": {"query": "sg"}}]),
        json!([{"token": "path"}, {"redirect": true}]),
    ));
    let token = token(&mut world);
    let manifest = get(format!("/vod/a/m.m3u8?x=1&sg={token}&y"));
    let (fresh, path) = minted(&world.ask(manifest).answer());
    assert_ne!(fresh, token);
    assert_eq!(path, "/vod/a/m.m3u8?x=1&y");
}

#[test]
fn an_id_that_names_a_device_is_not_banned_by_an_eviction() {
    let mut world = World::with(|| {
        config_with(|json| {
            json["playback"][0]["application"] = json!("mobile");
            json["playback"][0]["subject"] = json!([{"header": "x-account-id"}]);
            json["playback"][0]["stream"] = json!([{"jwt_claim": "device_id"}]);
        })
        .unwrap()
    });
    let on = |n, device: &str| segment(n).account("alice").claim("device_id", device);
    world.ask(on(1, "tv")).served();
    world.host.advance_ms(1);
    world.ask(on(1, "phone")).served();
    // While it may still be the player that was thrown out, it is told so.
    let answer = world.ask(on(2, "tv")).answer();
    assert_eq!(answer.header("x-streamgate-reason"), Some("evicted"));
    assert_eq!(
        answer.header("retry-after"),
        Some((TIMEOUT_MS / 1000).to_string().as_str())
    );
    world.host.advance_ms(TIMEOUT_MS);
    world.tick();
    world.ask(on(3, "tv")).served();
    assert_eq!(world.running("mobile", "alice").len(), 1);
}

#[test]
fn a_token_leads_to_what_is_left_out_below_its_prefix_and_nowhere_else() {
    let mut world = World::with(|| {
        config_with(|json| {
            json["playback"][0]["match"]["exclude"] = json!(["/vod/ads/**"]);
            json["playback"][1]["subject"] = json!([{"header": "x-account-id"}]);
            json["playback"][1]["stream"] = json!([{"cmcd": "sid"}]);
        })
        .unwrap()
    });
    let prefix = world.play("alice");
    let status = |world: &mut World, path: &str| match world.ask(get(path)) {
        super::Outcome::Served(reached) => (200, reached.path),
        super::Outcome::Answered(reply) => (reply.answer.status, String::new()),
    };
    let ads = (200, "/vod/ads/1.ts".to_owned());
    assert_eq!(status(&mut world, "/vod/ads/1.ts"), ads);
    assert_eq!(status(&mut world, &format!("{prefix}/vod/ads/1.ts")), ads);
    let refused = |status| (status, String::new());
    assert_eq!(status(&mut world, "/~forged/vod/ads/1.ts"), refused(403));
    // One path takes no tokens, the other is nobody's.
    for path in ["/live/a/1.ts", "/account/bill"] {
        for front in ["/~forged", &prefix] {
            let asked = format!("{front}{path}");
            assert_eq!(status(&mut world, &asked), refused(400), "{asked}");
        }
    }
    assert_eq!(world.streams("alice"), 1);
}
