//! What a JWT says, and for how long.

use serde_json::{Value, json};

use super::{Ask, World, get, refused};
use crate::config::Config;
use crate::testing::{NOW, TIMEOUT_MS, config_with, test};

/// The account by JWT, each playback by redirect.
fn by_jwt() -> Config {
    with(json!({"jwt_claim": "sub"}), json!({"leeway": "5s"}))
}

fn with(subject: Value, jwt: Value) -> Config {
    config_with(|json| {
        json["jwt"] = jwt;
        json["policies"][0]["rules"][0]["max_claim"] = json!("climit");
        json["playback"][0]["subject"] = json!([{"token": "path"}, subject]);
        json["playback"][0]["stream"] =
            json!([{"token": "path"}, {"token": {"cookie": "sg"}}, {"redirect": true}]);
    })
    .unwrap()
}

fn seconds(after_ms: i64) -> [u8; 8] {
    ((NOW.as_ms() as i64 + after_ms) as f64 / 1000.0).to_le_bytes()
}

fn manifest() -> Ask {
    get("/vod/a/master.m3u8").claim("sub", "alice")
}

/// The prefix a manifest request is redirected to, and for how many seconds its cookie is good.
fn minted(world: &mut World, ask: Ask) -> (String, String) {
    let answer = world.ask(ask).answer();
    assert_eq!(answer.status, 307, "{answer:?}");
    let location = answer.header("location").unwrap();
    let prefix = location.strip_suffix("/vod/a/master.m3u8").unwrap();
    let cookie = answer.header("set-cookie").unwrap();
    let age = cookie.split("; ").find(|part| part.starts_with("Max-Age="));
    (prefix.to_owned(), age.unwrap().to_owned())
}

#[test]
fn what_is_minted_for_a_jwt_ends_with_it() {
    let mut world = World::with(by_jwt);
    let (prefix, age) = minted(&mut world, manifest().claim("exp", seconds(4_000)));
    assert_eq!(age, "Max-Age=9");
    let play = |world: &mut World, worker| {
        world.ask(get(format!("{prefix}/vod/a/1.m4s")).on_worker(worker))
    };
    for worker in [0, 1, 0, 1] {
        play(&mut world, worker).served();
    }
    world.host.advance_ms(8_999);
    world.tick();
    for worker in [0, 1] {
        play(&mut world, worker).served();
    }
    world.host.advance_ms(1);
    world.tick();
    for worker in [0, 1] {
        let refusal = play(&mut world, worker).refusal();
        assert_eq!(refusal, refused(403, "token-expired"));
    }
}

#[test]
fn an_end_may_be_written_in_many_ways_or_not_at_all() {
    let mut world = World::with(by_jwt);
    let text = (NOW.as_ms() / 1000 + 10).to_string();
    for (expiry, expected) in [
        (None, "Max-Age=43200"),
        (Some(seconds(10_000).to_vec()), "Max-Age=15"),
        (Some(seconds(10_500).to_vec()), "Max-Age=15"),
        (Some(text.into_bytes()), "Max-Age=15"),
        (Some(seconds(-1_000).to_vec()), "Max-Age=4"),
        (Some(1e12_f64.to_le_bytes().to_vec()), "Max-Age=43200"),
        (Some(1e300_f64.to_le_bytes().to_vec()), "Max-Age=43200"),
    ] {
        let ask = match &expiry {
            Some(expiry) => manifest().claim("exp", expiry),
            None => manifest(),
        };
        assert_eq!(minted(&mut world, ask).1, expected, "{expiry:?}");
    }
    for over in [
        seconds(-5_000).to_vec(),
        (-1e9_f64).to_le_bytes().to_vec(),
        f64::NAN.to_le_bytes().to_vec(),
        b"soon".to_vec(),
        vec![1],
    ] {
        let refusal = world.ask(manifest().claim("exp", &over)).refusal();
        assert_eq!(refusal, refused(403, "token-expired"), "{over:?}");
    }
}

#[test]
fn a_limit_by_claim_ends_with_its_jwt_too() {
    let by_header = || with(json!({"header": "x-account-id"}), json!({"leeway": "5s"}));
    let mut world = World::with(by_header);
    let ask = get("/vod/a/master.m3u8").account("alice");
    let with_limit = ask
        .clone()
        .claim("climit", b"9")
        .claim("exp", seconds(4_000));
    assert_eq!(minted(&mut world, with_limit).1, "Max-Age=9");
    // Of a JWT that nothing was taken from it is of no consequence.
    let without = ask.claim("exp", seconds(4_000));
    assert_eq!(minted(&mut world, without).1, "Max-Age=43200");
}

#[test]
fn no_lease_outlives_the_jwt_it_was_given_for() {
    let by_claims = || {
        config_with(|json| {
            json["jwt"] = json!({"leeway": "0s"});
            json["playback"][0]["subject"] = json!([{"jwt_claim": "sub"}]);
            json["playback"][0]["stream"] = json!([{"jwt_claim": "sid"}]);
        })
        .unwrap()
    };
    let mut world = World::with(by_claims);
    let segment = get("/vod/a/1.m4s")
        .claim("sub", "alice")
        .claim("sid", "one");
    let ask = |end_ms| segment.clone().claim("exp", seconds(end_ms));
    world.ask(ask(2_000)).served();
    world.ask(ask(2_000)).served();
    // Whether it is good is for who checked it to say: it is only asked for more often.
    world.host.advance_ms(2_000);
    world.tick();
    let before = world.host.calls().loads;
    world.ask(ask(2_000)).served();
    assert!(world.host.calls().loads > before);
    // A fresh one brings a lease again.
    let long = TIMEOUT_MS as i64 * 10;
    world.ask(ask(long)).served();
    world.ask(ask(long)).served();
    assert_eq!(world.streams("alice"), 1);
}

#[test]
fn a_claim_names_one_account_or_none() {
    let mut world = World::with(by_jwt);
    let of = |sub: &[u8]| get("/vod/a/master.m3u8").claim("sub", sub);
    let number = |sub: f64| of(&sub.to_le_bytes());
    for bad in [
        number(1_152_921_504_606_846_977.0),
        number(9_007_199_254_740_992.0),
        number(f64::NAN),
        of(&[b'a'; 257]),
        of(b"a\nb"),
        of(b"a\0"),
        of(&[0]),
        of(&[1]),
        of(b"\xff\xfe"),
        of(b"\x01\0\0\0\x01\0\0\0\x01\0\0\0a\0b\0"),
    ] {
        assert_eq!(world.ask(bad).refusal(), refused(400, "malformed"));
    }
    for good in [
        number(9_007_199_254_740_991.0),
        of(b"1152921504606846977"),
        of(&[b'a'; 256]),
        of("Zoë".as_bytes()),
    ] {
        minted(&mut world, good);
    }
    assert_eq!(world.ask(of(b"")).refusal(), refused(403, "no-subject"));
    // Likewise for the stream.
    let mut world = World::with(|| {
        config_with(|json| {
            json["playback"][0]["stream"] = json!([{"jwt_claim": "sid"}]);
        })
        .unwrap()
    });
    let segment = || get("/vod/a/1.m4s").account("alice");
    let bad = segment().claim("sid", [b'a'; 257]);
    assert_eq!(world.ask(bad).refusal(), refused(400, "malformed"));
    let bad = segment().claim("sid", 1e18_f64.to_le_bytes());
    assert_eq!(world.ask(bad).refusal(), refused(400, "malformed"));
    world.ask(segment().claim("sid", "one")).served();
}

#[test]
fn a_claim_within_a_claim_is_read_and_so_is_one_with_dots_in_its_name() {
    let by = |name: &str| World::with(|| with(json!({"jwt_claim": name}), json!({})));
    let manifest = || get("/vod/a/master.m3u8");
    let name = "https://example.com/account";
    for (name, claim) in [
        ("realm.account", "realm>account"),
        ("realm.account", "realm.account"),
        ("a.b.c", "a>b>c"),
        (name, name),
    ] {
        let mut world = by(name);
        minted(&mut world, manifest().claim(claim, "alice"));
    }
    // What stands there by that very name comes first.
    let mut world = by("realm.account");
    let both = manifest()
        .claim("realm>account", "bob")
        .claim("realm.account", "alice");
    let (prefix, _) = minted(&mut world, both);
    world.ask(get(format!("{prefix}/vod/a/1.m4s"))).served();
    assert_eq!((world.streams("alice"), world.streams("bob")), (1, 0));
    for (name, claim) in [
        ("realm.account", "account"),
        ("realm.account", "realm"),
        ("realm.", "realm>"),
        ("sub", "realm>sub"),
    ] {
        let refusal = by(name).ask(manifest().claim(claim, "alice")).refusal();
        assert_eq!(refusal, refused(403, "no-subject"), "{name}");
    }
    // A limit, too.
    let nested = || {
        config_with(|json| {
            json["policies"][0]["rules"][0]["max_claim"] = json!("plan.streams");
            json["playback"][0]["subject"] = json!([{"token": "path"}, {"jwt_claim": "sub"}]);
        })
        .unwrap()
    };
    let mut world = World::with(nested);
    let none = manifest().claim("sub", "alice").claim("plan>streams", b"0");
    assert_eq!(world.ask(none).refusal(), refused(403, "limit-reached"));
}
