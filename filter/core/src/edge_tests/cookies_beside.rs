//! An old cookie beside the one that plays, in either order.

use serde_json::json;

use super::{Ask, Outcome, World, get, refused};
use crate::config::Config;
use crate::testing::{config_with, test};

/// The stream by path token or cookie, for an application whose latest stream wins.
fn latest_wins() -> Config {
    let mut config = config_with(|json| {
        let own =
            json!([{"token": "path"}, {"header": "x-account-id"}, {"token": {"cookie": "sg"}}]);
        json["playback"][0]["subject"] = own;
        json["playback"][0]["stream"] =
            json!([{"token": "path"}, {"token": {"cookie": "sg"}}, {"redirect": true}]);
    })
    .unwrap();
    config.playback[0].application = "mobile".to_owned();
    config
}

fn manifest() -> Ask {
    get("/vod/a/master.m3u8").account("alice")
}

fn segment(cookies: &[&String]) -> Ask {
    let cookies: Vec<_> = cookies.iter().map(|token| format!("sg={token}")).collect();
    get("/vod/a/1.m4s").header("cookie", cookies.join("; "))
}

fn minted(outcome: Outcome) -> String {
    let answer = outcome.answer();
    assert_eq!(answer.status, 307, "{answer:?}");
    let location = answer.header("location").unwrap();
    location[2..].split_once('/').unwrap().0.to_owned()
}

/// Tokens of `alice`, each of which has played; all but the last were evicted.
fn played(world: &mut World, number: usize) -> Vec<String> {
    let mut play = |_| {
        world.host.advance_ms(1_000);
        let token = minted(world.ask(manifest()));
        world.ask(get(format!("/~{token}/vod/a/1.m4s"))).served();
        token
    };
    (0..number).map(&mut play).collect()
}

#[test]
fn the_cookie_that_plays_is_taken_wherever_it_stands() {
    let mut world = World::with(latest_wins);
    let tokens = played(&mut world, 3);
    let [old, older, now] = [&tokens[1], &tokens[0], &tokens[2]];
    let forged = "forged".to_owned();
    for _ in 0..2 {
        for cookies in [
            &[old, now][..],
            &[now, old],
            &[old, older, now],
            &[old, &forged, now, older],
            &[&forged, old, now],
            &[old, old, now],
        ] {
            for worker in [0, 1, 0] {
                // What was just answered to the old one alone is no answer to both.
                let alone = segment(&[old]).on_worker(worker);
                assert_eq!(world.ask(alone).refusal(), refused(403, "evicted"));
                world.ask(segment(cookies).on_worker(worker)).served();
            }
        }
        world.host.advance_ms(1_000);
    }
    // A manifest is part of the playback, too, rather than the beginning of another one.
    let both = format!("sg={old}; sg={now}");
    world.ask(manifest().header("cookie", both)).served();
}

#[test]
fn where_none_plays_there_is_one_refusal() {
    let mut world = World::with(latest_wins);
    let tokens = played(&mut world, 3);
    let both = || segment(&[&tokens[0], &tokens[1]]);
    for _ in 0..3 {
        assert_eq!(world.ask(both()).refusal(), refused(403, "evicted"));
    }
    let cookies = format!("sg={}; sg={}", tokens[0], tokens[1]);
    minted(world.ask(manifest().header("cookie", cookies)));
}

/// Whoever has lost a place does not start again by a cookie from before, whose stream just lapsed.
#[test]
fn an_older_cookie_is_no_way_back() {
    let mut world = World::with(latest_wins);
    let lapsed = played(&mut world, 1).remove(0);
    world.host.advance_ms(200_000);
    world.tick();
    let lost = played(&mut world, 1).remove(0);
    world.host.advance_ms(1_000);
    let latest = played(&mut world, 1).remove(0);
    let asked = world.ask(segment(&[&lost, &lapsed])).refusal();
    assert_eq!(asked, refused(403, "evicted"));
    world.ask(segment(&[&latest])).served();
}

#[test]
fn nobody_plays_by_the_cookie_of_another_account() {
    let mut world = World::with(latest_wins);
    let tokens = played(&mut world, 2);
    let bobs = minted(world.ask(get("/vod/a/master.m3u8").account("bob")));
    let asked = || segment(&[&tokens[0], &bobs]);
    for ask in [asked(), asked().account("alice")] {
        assert_eq!(world.ask(ask).refusal(), refused(403, "evicted"));
    }
}

#[test]
fn as_many_are_tried_as_are_looked_at() {
    let mut world = World::with(latest_wins);
    let tokens = played(&mut world, 9);
    let (now, old) = tokens.split_last().unwrap();
    let behind = |number: usize| segment(&old.iter().take(number).chain([now]).collect::<Vec<_>>());
    world.ask(behind(7)).served();
    assert_eq!(world.ask(behind(8)).refusal(), refused(403, "evicted"));
}
