//! `Retry-After`: whoever waits for that long is let in where nobody else came first, and
//! whoever comes a second earlier is not.

use serde_json::json;

use super::session_api::{create, created, heartbeat};
use super::{Ask, World, get};
use crate::config::Config;
use crate::exchange::Answer;
use crate::testing::{config_with, test};

/// How many seconds an answer says; nothing but a whole number of one or more.
#[track_caller]
fn seconds(answer: &Answer) -> u64 {
    let text = answer.header("retry-after").expect("a time");
    let seconds: u64 = text.parse().expect("whole seconds");
    assert_eq!((seconds.to_string().as_str(), seconds > 0), (text, true));
    seconds
}

/// Refused with this status until the time that the answer says, and then no longer.
#[track_caller]
fn holds(world: &mut World, status: u16, ask: impl Fn() -> Ask) {
    let answer = world.ask(ask()).answer();
    assert_eq!(answer.status, status, "{answer:?}");
    let seconds = seconds(&answer);
    world.host.advance_ms((seconds - 1) * 1000);
    assert_eq!(world.ask(ask()).answer().status, status, "a second early");
    world.host.advance_ms(1000);
    let again = world.ask(ask()).answer().status;
    assert!([202, 307].contains(&again), "in time: {again}");
}

fn few_calls() -> Config {
    config_with(|json| {
        json["sessions"]["calls_per_minute"] = json!(1);
        json["sessions"]["creates_per_minute"] = json!(4);
        json["playback"][0]["refuse"] = json!({"status": 409});
    })
    .unwrap()
}

/// The moments of streams and calls lie between whole seconds.
fn world() -> World {
    let world = World::with(few_calls);
    world.host.advance_ms(10_001);
    world
}

fn three_play(world: &mut World) {
    for _ in 0..3 {
        created(world, create("web"));
        world.host.advance_ms(7_333);
    }
}

#[test]
fn a_create_that_finds_no_room_is_told_when_there_may_be_some() {
    let mut world = world();
    three_play(&mut world);
    holds(&mut world, 409, || create("web"));
}

#[test]
fn a_player_that_finds_no_room_is_told_the_same_where_refusals_are_409() {
    let mut world = world();
    three_play(&mut world);
    holds(&mut world, 409, || {
        get("/vod/a/master.m3u8").account("alice")
    });
}

#[test]
fn a_create_too_many_is_told_when_one_counts_again() {
    let mut world = world();
    for _ in 0..4 {
        let url = created(&mut world, create("web"));
        let stop = get(&url).method("DELETE").application("web");
        assert_eq!(world.ask(stop).answer().status, 202);
        world.host.advance_ms(7);
    }
    holds(&mut world, 429, || create("web"));
}

#[test]
fn a_heartbeat_too_many_is_told_when_one_counts_again() {
    let mut world = world();
    let url = created(&mut world, create("web"));
    assert_eq!(heartbeat(&mut world, "web", &url).status, 202);
    world.host.advance_ms(3);
    holds(&mut world, 429, || {
        get(&url).method("POST").application("web")
    });
}

#[test]
fn at_the_last_moment_it_is_one_second() {
    let mut world = World::with(few_calls);
    let url = created(&mut world, create("web"));
    world.host.advance_ms(59_999);
    assert_eq!(heartbeat(&mut world, "web", &url).status, 202);
    let answer = heartbeat(&mut world, "web", &url);
    assert_eq!((answer.status, seconds(&answer)), (429, 1));
}

#[test]
fn a_full_edge_says_when_a_place_may_be_free() {
    let mut world =
        World::with(|| config_with(|json| json["state"]["max_streams"] = json!(1)).unwrap());
    created(&mut world, create("web"));
    let bob = || {
        let mut ask = create("web");
        ask.path = b"/v2/sessions/acme/bob".to_vec();
        ask
    };
    let answer = world.ask(bob()).answer();
    assert_eq!(answer.status, 503);
    world.host.advance_ms(seconds(&answer) * 1000);
    // The sweep has come round, as it does all the time.
    for _ in 0..16 {
        world.tick();
        world.host.advance_ms(100);
    }
    created(&mut world, bob());
}

#[test]
fn where_waiting_is_of_no_use_no_time_is_promised() {
    let mut world = World::with(|| {
        config_with(|json| json["policies"][0]["rules"][0]["max"] = json!(0)).unwrap()
    });
    let answer = world.ask(create("web")).answer();
    assert_eq!((answer.status, answer.header("retry-after")), (409, None));
    let mut world = World::new();
    let url = created(&mut world, create("mobile"));
    created(&mut world, create("mobile"));
    // It was evicted: the app has to create a new one, at once if it likes to.
    let answer = heartbeat(&mut world, "mobile", &url);
    assert_eq!((answer.status, answer.header("retry-after")), (409, None));
}
