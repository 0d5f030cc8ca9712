//! A token belongs to its subject: nobody lends a place, a limit or a stream.

use serde_json::{Value, json};
use streamgate_values::head::Head;

use super::{Ask, Outcome, World, get, refused};
use crate::config::Config;
use crate::testing::{config_with, test};

/// The account by path token or JWT, the stream by path token, cookie or redirect; one stream
/// to an account whose JWT says nothing else.
fn lending() -> Config {
    with(
        json!([{"token": "path"}, {"jwt_claim": "sub"}]),
        json!([{"token": "path"}, {"token": {"cookie": "sg"}}, {"redirect": true}]),
    )
}

fn with(subject: Value, stream: Value) -> Config {
    config_with(|json| {
        let rule = &mut json["policies"][0]["rules"][0];
        rule["max"] = json!(1);
        rule["max_claim"] = json!("climit");
        json["playback"][0]["subject"] = subject;
        json["playback"][0]["stream"] = stream;
    })
    .unwrap()
}

/// The token of a playback that `ask` begins.
fn minted(world: &mut World, ask: Ask) -> String {
    let answer = world.ask(ask).answer();
    assert_eq!(answer.status, 307, "{answer:?}");
    let location = answer.header("location").unwrap();
    location[2..].split_once('/').unwrap().0.to_owned()
}

fn manifest() -> Ask {
    get("/vod/a/master.m3u8")
}

fn segment(n: usize) -> Ask {
    get(format!("/vod/a/{n}.m4s"))
}

fn cookie(ask: Ask, token: &str) -> Ask {
    ask.header("cookie", format!("sg={token}"))
}

#[test]
fn cookies_of_another_account_are_worth_nothing() {
    let mut world = World::with(lending);
    let rich = |ask: Ask| ask.claim("sub", "alice").claim("climit", b"10");
    let poor = |ask: Ask| ask.claim("sub", "bob");
    let tokens: Vec<_> = (0..5)
        .map(|_| minted(&mut world, rich(manifest())))
        .collect();
    for (n, token) in tokens.iter().enumerate() {
        // The first names the stream no more than the second, which finds alice's lease.
        world.ask(cookie(rich(segment(n)), token)).served();
        for _ in 0..2 {
            let refusal = world.ask(cookie(poor(segment(n)), token)).refusal();
            assert_eq!(refusal, refused(403, "no-stream"));
        }
    }
    assert_eq!((world.streams("alice"), world.streams("bob")), (5, 0));
    // Under one's own limit one begins anew, whatever comes along.
    let own = minted(&mut world, cookie(poor(manifest()), &tokens[0]));
    world.ask(cookie(poor(segment(1)), &own)).served();
    // Of two cookies the own one counts, in either order.
    for cookies in [
        format!("sg={}; sg={own}", tokens[1]),
        format!("sg={own}; sg={}", tokens[1]),
    ] {
        let reached = world
            .ask(poor(segment(2)).header("cookie", cookies))
            .reached();
        assert_eq!(reached.headers.header("cookie"), None);
    }
    assert_eq!((world.streams("alice"), world.streams("bob")), (5, 1));
    let refusal = world.ask(poor(manifest())).refusal();
    assert_eq!(refusal, refused(403, "limit-reached"));
}

#[test]
fn a_token_shown_beside_another_account_is_refused() {
    let places = [
        json!({"token": "path"}),
        json!({"token": {"query": "sg"}}),
        json!({"token": {"header": "x-token"}}),
    ];
    let own = [
        json!({"jwt_claim": "sub"}),
        json!({"header": "x-account-id"}),
    ];
    for (path_index, own) in places
        .iter()
        .flat_map(|path_index| own.iter().map(move |own| (path_index, own)))
    {
        for subject in [
            json!([path_index, own]),
            json!([own, path_index]),
            json!([own]),
        ] {
            let stream = json!([path_index, {"cmcd": "sid"}]);
            let mut world = World::with(|| with(subject.clone(), stream.clone()));
            let create = get("/v2/sessions/acme/alice")
                .method("POST")
                .application("web");
            let body = super::json(&world.ask(create).answer());
            let token = body["session"]["playbackToken"].as_str().unwrap();
            let show = |account: &str, n: usize| {
                let path = format!("/vod/a/{n}.m4s");
                let ask = match path_index["token"].as_str() {
                    Some(_) => get(format!("/~{token}{path}")),
                    None if path_index["token"]["query"].is_string() => {
                        get(format!("{path}?sg={token}"))
                    }
                    None => get(path).header("x-token", token),
                };
                match own["header"].as_str() {
                    Some(_) => ask.account(account),
                    None => ask.claim("sub", account),
                }
            };
            let refusal = world.ask(show("bob", 1)).refusal();
            assert_eq!(refusal, refused(403, "foreign-token"), "{subject}");
            world.ask(show("alice", 2)).served();
            // On another worker, and when the lease is due, it is looked at again.
            let refusal = world.ask(show("bob", 3).on_worker(1)).refusal();
            assert_eq!(refusal, refused(403, "foreign-token"), "{subject}");
            world.host.advance_ms(40_000);
            world.tick();
            let refusal = world.ask(show("bob", 4)).refusal();
            assert_eq!(refusal, refused(403, "foreign-token"), "{subject}");
            world.ask(show("alice", 5)).served();
            assert_eq!((world.streams("alice"), world.streams("bob")), (1, 0));
        }
    }
}

#[test]
fn a_token_in_front_of_the_path_is_not_led_astray_by_a_cookie_of_another_account() {
    // Whoever is logged in at the same device left it.
    let cookie_first = || {
        with(
            json!([{"token": {"cookie": "sg"}}, {"token": "path"}, {"header": "x-account-id"}]),
            json!([{"token": {"cookie": "sg"}}, {"token": "path"}, {"redirect": true}]),
        )
    };
    let mut world = World::with(cookie_first);
    let [alice, bob] =
        ["alice", "bob"].map(|account| minted(&mut world, manifest().account(account)));
    for _ in 0..2 {
        let ask = get(format!("/~{alice}/vod/a/1.m4s"));
        world.ask(cookie(ask, &bob)).served();
    }
    assert_eq!((world.streams("alice"), world.streams("bob")), (1, 0));
    // Two that are shown must be one account's.
    let two = || {
        with(
            json!([{"token": "path"}, {"token": {"query": "sg"}}, {"header": "x-account-id"}]),
            json!([{"token": {"query": "sg"}}, {"token": "path"}, {"redirect": true}]),
        )
    };
    let mut world = World::with(two);
    let [alice, bob] =
        ["alice", "bob"].map(|account| minted(&mut world, manifest().account(account)));
    let both = get(format!("/~{alice}/vod/a/1.m4s?sg={bob}"));
    assert_eq!(world.ask(both).refusal(), refused(403, "foreign-token"));
}

#[test]
fn a_leading_cookie_is_held_against_the_account_with_each_request() {
    let leading = || {
        with(
            json!([{"token": {"cookie": "sg"}}, {"jwt_claim": "sub"}]),
            json!([{"token": {"cookie": "sg"}}, {"token": "path"}, {"redirect": true}]),
        )
    };
    let mut world = World::with(leading);
    let token = minted(&mut world, manifest().claim("sub", "alice"));
    for _ in 0..2 {
        let ask = cookie(segment(1).claim("sub", "alice"), &token);
        world.ask(ask).served();
        let ask = cookie(segment(1).claim("sub", "bob"), &token);
        assert_eq!(world.ask(ask).refusal(), refused(403, "no-stream"));
        // With nothing beside it, it is what says who watches.
        world.ask(cookie(segment(1), &token)).served();
    }
    assert_eq!((world.streams("alice"), world.streams("bob")), (1, 0));
}

#[test]
fn an_id_of_a_clients_choosing_is_a_stream_of_its_own_account() {
    let streams = [
        json!({"cmcd": "sid"}),
        json!({"header": "x-stream-id"}),
        json!({"jwt_claim": "sid"}),
        json!({"client": "address_and_agent"}),
    ];
    for stream in streams {
        let config = || with(json!([{"header": "x-account-id"}]), json!([stream]));
        let mut world = World::with(config);
        let ask = |account: &str, n: usize| {
            let ask = get(format!("/vod/a/{n}.m4s?CMCD=sid%3D%22one%22"));
            ask.account(account)
                .header("x-stream-id", "one")
                .claim("sid", "one")
                .header("(client address)", "10.0.0.1:1")
        };
        for account in ["alice", "bob", "alice", "bob"] {
            world.ask(ask(account, 1)).served();
        }
        assert_eq!(
            (world.streams("alice"), world.streams("bob")),
            (1, 1),
            "{stream}"
        );
        match world.ask(ask("carol", 2)) {
            Outcome::Served(_) => assert_eq!(world.streams("carol"), 1),
            Outcome::Answered(reply) => panic!("{reply:?}"),
        }
    }
}
