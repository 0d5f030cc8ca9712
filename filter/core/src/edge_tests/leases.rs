//! What a worker remembers lets through what it was remembered of, and nothing else.

use serde_json::{Value, json};
use streamgate_record::metric::Metric;
use streamgate_tokens::signed::PlaybackToken;
use streamgate_values::mac::count::counted;

use super::{Ask, World, get, refused};
use crate::config::Config;
use crate::testing::{TIMEOUT_MS, config, config_with, test};

fn with(change: impl Fn(&mut Value)) -> impl Fn() -> Config {
    move || config_with(&change).unwrap()
}

/// A playback token of an account, good wherever tokens are read.
fn token(world: &mut World, account: &str) -> String {
    let create = get(format!("/v2/sessions/acme/{account}?contentType=vod"))
        .method("POST")
        .application("web");
    let body = super::json(&world.ask(create).answer());
    let token = body["session"]["playbackToken"].as_str().unwrap();
    token.to_owned()
}

#[test]
fn a_worthless_cookie_that_players_share_does_not_make_them_one() {
    let cookie = json!({"token": {"cookie": "sg"}});
    let mut world = World::with(with(|json| {
        json["playback"][0]["subject"] = json!([cookie, {"header": "x-account-id"}]);
        json["playback"][0]["stream"] = json!([cookie, {"cmcd": "sid"}]);
    }));
    let segment = |n: u32, account: &str, sid: &str| -> Ask {
        get(format!("/vod/a/{n}.m4s?CMCD=sid%3D%22{sid}%22"))
            .account(account)
            .header("cookie", "sg=from-another-day")
    };
    for n in 0..3 {
        for (account, sid) in [("alice", "1"), ("alice", "2"), ("alice", "3"), ("bob", "1")] {
            world.ask(segment(n, account, sid)).served();
        }
        let fourth = world.ask(segment(n, "alice", "4"));
        assert_eq!(fourth.refusal(), refused(403, "limit-reached"));
    }
    assert_eq!([world.streams("alice"), world.streams("bob")], [3, 1]);
}

#[test]
fn nobody_names_a_lease_but_by_what_it_was_given_for() {
    let header = json!({"token": {"header": "x-token"}});
    let mut world = World::with(with(|json| {
        json["playback"][0]["subject"] = json!([header, {"header": "x-account-id"}]);
        json["playback"][0]["stream"] =
            json!([header, {"jwt_claim": "device_id"}, {"token": "path"}]);
    }));
    let by_claim = get("/vod/a/1.m4s")
        .account("alice")
        .claim("device_id", "tv");
    world.ask(by_claim.clone()).served();
    world.ask(by_claim).served();
    // Whoever holds a token can read the two keys in it.
    let config = config();
    let subject = config.hasher.subject("acme", "alice");
    let stream = config.hasher.external_stream(&subject, "jwt", b"tv");
    let stream = streamgate_values::stream_key::StreamKey::external(stream);
    let keys = [&subject.as_bytes()[..], stream.as_bytes()].concat();
    for name in [keys.clone(), [&b"\xff"[..], &keys].concat()] {
        let forged = get("/vod/a/2.m4s").header("x-token", name);
        assert_eq!(world.ask(forged).refusal(), refused(403, "token-invalid"));
    }
}

/// Streams named by a header and CMCD, or by two headers, next to tokens that nobody brings.
fn plainly_named(stream: Value) -> World {
    World::with(with(|json| {
        let token = |path_index: Value| json!({ "token": path_index });
        json["playback"][0]["subject"] = json!([
            token(json!("path")),
            token(json!({"query": "sg"})),
            {"header": "x-account-id"},
        ]);
        json["playback"][0]["stream"] = json!([token(json!("path")), stream]);
    }))
}

#[test]
fn who_is_named_by_values_as_they_stand_costs_no_signature_once_let_through() {
    let mut world = plainly_named(json!({"cmcd": "sid"}));
    let segment =
        |n: u32| get(format!("/vod/a/{n}.m4s?CMCD=br%3D{n}%2Csid%3D%221%22")).account("alice");
    world.ask(segment(1)).served();
    let signatures = counted(|| {
        world.ask(segment(2)).served();
    });
    assert_eq!(signatures, 0);
    world.tick();
    assert_eq!(world.host.count(Metric::FastPathPasses), 1);
}

#[test]
fn values_as_they_stand_are_told_apart_by_where_each_ends() {
    let mut world = plainly_named(json!({"header": "x-stream-id"}));
    let segment = |account: &str, stream: &str| {
        get("/vod/a/1.m4s")
            .account(account)
            .header("x-stream-id", stream)
    };
    for (account, stream) in [("a", "bc"), ("ab", "c"), ("abc", "d"), ("a", "bcd")] {
        for _ in 0..2 {
            world.ask(segment(account, stream)).served();
        }
    }
    assert_eq!(
        ["a", "ab", "abc"].map(|account| world.streams(account)),
        [2, 1, 1]
    );
}

#[test]
fn a_token_beside_a_name_that_is_let_through_has_to_be_good() {
    let mut world = plainly_named(json!({"cmcd": "sid"}));
    let segment =
        |more: &str| get(format!("/vod/a/1.m4s?CMCD=sid%3D%221%22{more}")).account("alice");
    world.ask(segment("")).served();
    world.ask(segment("")).served();
    let forged = world.ask(segment("&sg=forged"));
    assert_eq!(forged.refusal(), refused(403, "token-invalid"));
    let forged = world.ask(get("/~\u{fe}/vod/a/1.m4s?CMCD=sid%3D%221%22").account("alice"));
    assert_eq!(forged.refusal(), refused(403, "token-invalid"));
}

#[test]
fn a_stream_that_moves_to_another_protected_path_is_judged_anew_at_once() {
    let mut world = World::with(with(|json| {
        json["policies"][0]["rules"] = json!([{
            "name": "no-live", "max": 0, "when": {"contentType": "live"}, "on_conflict": "deny_new",
        }]);
        json["playback"][1]["attributes"] = json!({"contentType": {"value": "live"}});
    }));
    let token = token(&mut world, "alice");
    let segment = |path: &str| get(format!("/~{token}{path}"));
    world.ask(segment("/vod/a/1.m4s")).served();
    world.ask(segment("/vod/a/2.m4s")).served();
    let live = world.ask(segment("/live/a/1.m4s"));
    assert_eq!(live.refusal(), refused(410, "limit-reached"));
}

/// A second protected path, `/other/`, like `/vod/`, and a token good for `/vod/` only.
fn two_paths() -> (World, String) {
    let mut world = World::with(with(|json| {
        let mut other = json["playback"][0].clone();
        other["match"]["prefix"] = json!("/other/");
        json["playback"].as_array_mut().unwrap().push(other);
    }));
    let prefix = world.play("alice");
    (world, prefix)
}

#[test]
fn no_spelling_takes_a_token_to_another_protected_path() {
    let (mut world, prefix) = two_paths();
    for _ in 0..2 {
        for path in [
            "/vod/../other/a/1.m4s",
            "/vod/%2e%2e/other/a/1.m4s",
            "/vod/a/../../other/1.m4s",
            "/vod/..%2fother/1.m4s",
            "/vod\\..\\..\\other/1.m4s",
            "/vod/..;/other/1.m4s",
        ] {
            assert_eq!(
                world.ask(get(format!("{prefix}{path}"))).refusal(),
                refused(400, "none"),
                "{path}"
            );
        }
        for path in [
            "/other/a/1.m4s",
            "/Other/1.m4s",
            "//other/1.m4s",
            "/%6fther;/1.m4s",
        ] {
            assert_eq!(
                world.ask(get(format!("{prefix}{path}"))).refusal(),
                refused(403, "token-invalid"),
                "{path}"
            );
        }
        world.ask(get(format!("{prefix}/vod/a/x%20y.m4s"))).served();
    }
}

#[test]
fn a_token_for_one_film_is_good_for_no_other_whatever_the_spelling() {
    let mut world = World::new();
    let prefix = world.play("alice");
    let of = config();
    let whole = &prefix.as_bytes()[2..];
    let minted = PlaybackToken::read(&of.sessions.ring, whole, crate::testing::NOW).unwrap();
    let narrow = PlaybackToken {
        scope: "/vod/film%20a/".to_owned(),
        ..minted
    };
    let narrow = narrow.issue(&of.sessions.ring);
    for _ in 0..2 {
        for path in [
            "/vod/film%20a/1.m4s",
            "/vod//film%20a/2.m4s",
            "/vod/film%2520a;/1.m4s",
        ] {
            world.ask(get(format!("/~{narrow}{path}"))).served();
        }
        for path in [
            "/vod/b/1.m4s",
            "/vod/film/1.m4s",
            "/vod/FILM%20a/1.m4s",
            "/vod/film%20a%20b/1.m4s",
        ] {
            assert_eq!(
                world.ask(get(format!("/~{narrow}{path}"))).refusal(),
                refused(403, "token-invalid"),
                "{path}"
            );
        }
    }
}

#[test]
fn no_spelling_lets_a_lease_of_one_channel_through_to_another() {
    let mut world = World::with(with(|json| {
        json["playback"][0]["template"] = json!("/vod/{channel}/*");
        json["policies"][0]["rules"] = json!([{
            "name": "one-each", "max": 1, "per": ["channel"], "on_conflict": "deny_new",
        }]);
    }));
    let [news, _] = ["news", "sport"].map(|channel| {
        let manifest = format!("/vod/{channel}/m.m3u8");
        let answer = world.ask(get(&manifest).account("alice")).answer();
        let prefix = answer.header("location").unwrap().strip_suffix(&manifest);
        let prefix = prefix.unwrap().to_owned();
        for n in 0..2 {
            world
                .ask(get(format!("{prefix}/vod/{channel}/{n}.m4s")))
                .served();
        }
        prefix
    });
    for path in [
        "/vod//sport/2.m4s",
        "/vod/%73port/2.m4s",
        "/vod/sport;x/2.m4s",
    ] {
        let strays = get(format!("{news}{path}"));
        assert_eq!(world.ask(strays).refusal(), refused(403, "limit-reached"));
    }
    let strays = get(format!("{news}/vod/news/../sport/2.m4s"));
    assert_eq!(world.ask(strays).refusal(), refused(400, "none"));
}

/// A tick is when a worker looks at the clock; a lease that is fresh then needs no look
/// of its own, and one that is due is renewed from the next tick on.
#[test]
fn a_fresh_lease_asks_for_no_clock_and_a_due_one_is_renewed_after_the_next_tick() {
    let mut world = World::new();
    let prefix = world.play("alice");
    let segment = |n: u32| get(format!("{prefix}/vod/a/{n}.m4s"));
    world.ask(segment(2)).served();
    world.tick();
    let before = world.host.calls();
    world.ask(segment(3)).served();
    let after = world.host.calls();
    assert_eq!(after.clock_reads, before.clock_reads);
    assert_eq!(after.generation_reads, before.generation_reads);

    world.host.advance_ms(TIMEOUT_MS / 2);
    let renewals = |world: &World| world.host.count(Metric::LeaseRenewals);
    world.ask(segment(4)).served();
    assert_eq!(renewals(&world), 0);
    world.tick();
    world.ask(segment(5)).served();
    assert_eq!(renewals(&world), 1);
}
