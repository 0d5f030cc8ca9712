//! What a limit of so many streams would mean: how many were wanted at once.

use serde_json::{Value, json};
use streamgate_record::fleet::Ticket;

use super::{World, get, json as body_of};
use crate::edge::Edge;
use crate::step::Step;
use crate::testing::{Headers, as_door, config_with, test};

const KEY: &str = "an operator's key of some length";

fn says(world: &World, path: &str) -> Value {
    let config = config_with(|json| as_door(json, json!({"keys": [KEY]})));
    let mut door = Edge::new(config.unwrap(), &world.host);
    let bearer = format!("Bearer {KEY}");
    let head = Headers::new(&[(":method", "GET"), ("authorization", &bearer)]);
    match door.on_request(&world.host, Ticket(9), &head, path.as_bytes(), true) {
        Step::Reply(reply) => body_of(&reply.answer),
        other => panic!("{other:?}"),
    }
}

/// How many accounts reached each level in the household's policy, up to the fourth.
fn household(world: &World) -> (Vec<u64>, Vec<u64>) {
    let levels = says(world, "/streamgate/v1/levels");
    let policies = levels["policies"].as_array().unwrap().iter();
    let mut named = policies.filter(|one| one["policy"] == "household");
    let policy = named.next().unwrap();
    assert_eq!(policy["mode"], "enforce");
    let numbers = |name: &str| {
        let all = policy[name].as_array().unwrap();
        assert_eq!(all.len(), 16, "{levels}");
        assert!(all[4..].iter().all(|n| n == 0), "{levels}");
        all[..4].iter().map(|n| n.as_u64().unwrap()).collect()
    };
    (numbers("attempted"), numbers("admitted"))
}

#[test]
fn each_account_counts_once_for_each_level_that_it_wanted_and_got() {
    let mut world = World::new();
    assert_eq!(household(&world), (vec![0; 4], vec![0; 4]));
    for account in ["alice", "bob"] {
        world.play(account);
        world.play(account);
    }
    let prefix = world.play("alice");
    // A sign of life is no start, and a manifest that would be let in neither.
    world.host.advance_ms(70_000);
    let _ = world.ask(get(format!("{prefix}/vod/a/2.m4s"))).served();
    let _ = world
        .ask(get("/vod/a/master.m3u8").account("carol"))
        .answer();
    assert_eq!(household(&world), (vec![2, 2, 1, 0], vec![2, 2, 1, 0]));
    // Whoever changes films starts again, and has reached no more by it.
    for _ in 0..3 {
        world.host.advance_ms(85_000);
        let _ = world.ask(get(format!("{prefix}/vod/a/3.m4s"))).served();
        world.play("alice");
    }
    assert_eq!(household(&world), (vec![2, 2, 1, 0], vec![2, 2, 1, 0]));
}

/// Whoever is refused presses play again, and players try by themselves.
#[test]
fn one_who_goes_on_trying_counts_once_an_hour() {
    let mut world = World::new();
    for _ in 0..3 {
        world.play("alice");
        world.play("bob");
    }
    let tries = |world: &mut World, account: &str| {
        world.host.advance_ms(1_100);
        let manifest = get("/vod/a/master.m3u8").account(account);
        assert_eq!(world.ask(manifest).answer().status, 403);
    };
    for _ in 0..20 {
        tries(&mut world, "alice");
    }
    assert_eq!(household(&world), (vec![2, 2, 2, 1], vec![2, 2, 2, 0]));
    tries(&mut world, "bob");
    // By the session API, too.
    let create = get("/v2/sessions/acme/bob").method("POST");
    let refused = world.ask(create.application("web")).answer();
    assert_eq!(refused.status, 409);
    assert_eq!(household(&world), (vec![2, 2, 2, 2], vec![2, 2, 2, 0]));
    for account in ["alice", "bob", "alice"] {
        tries(&mut world, account);
    }
    assert_eq!(household(&world), (vec![2, 2, 2, 2], vec![2, 2, 2, 0]));
}

#[test]
fn an_answer_lists_a_few_policies_and_says_how_many_pages_there_are() {
    let world = World::new();
    let first = says(&world, "/streamgate/v1/levels");
    let listed = first["policies"].as_array().unwrap().len();
    assert!((1..=8).contains(&listed), "{first}");
    assert_eq!(first["page"], 1);
    for page in ["2", "99999999999999999999", "18446744073709551615"] {
        let answer = says(&world, &format!("/streamgate/v1/levels?page={page}"));
        assert!(answer["policies"].is_array(), "{page}: {answer}");
    }
    let none = says(&world, "/streamgate/v1/levels?page=3");
    assert_eq!(none["policies"], json!([]));
}
