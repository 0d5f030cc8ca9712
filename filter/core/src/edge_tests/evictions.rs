//! How soon a worker obeys an eviction that another has decided: at its next tick, however idle or busy it is.

use super::{World, get, json, refused};
use crate::testing::test;

/// A stream of an account whose latest stream wins; its playback prefix.
fn latest(world: &mut World, worker: usize) -> String {
    world.host.advance_ms(1);
    let create = get("/v2/sessions/acme/alice").method("POST");
    let create = create.application("mobile").on_worker(worker);
    let answer = world.ask(create).answer();
    let prefix = json(&answer)["session"]["playbackPrefix"]
        .as_str()
        .map(str::to_owned);
    prefix.unwrap()
}

/// A stream that plays on both workers, each of which holds a lease for it.
fn playing_on_both(world: &mut World) -> String {
    let prefix = latest(world, 0);
    for (worker, n) in [(0, 1), (1, 2), (0, 3), (1, 4)] {
        let segment = get(format!("{prefix}/vod/a/{n}.m4s"));
        world.ask(segment.on_worker(worker)).served();
    }
    prefix
}

#[test]
fn a_worker_obeys_its_own_evictions_at_once_and_those_of_others_at_its_tick() {
    let mut world = World::new();
    world.tick();
    let victim = playing_on_both(&mut world);
    let segment = |worker| get(format!("{victim}/vod/a/5.m4s")).on_worker(worker);
    latest(&mut world, 1);
    let own = world.ask(segment(1)).refusal();
    assert_eq!(own, refused(403, "evicted"));
    // Within the tick that it has not had yet, the other goes by what it knows.
    let before = world.host.calls();
    world.ask(segment(0)).served();
    assert_eq!(world.host.calls(), before, "and asks for nothing");
    world.tick();
    let told = world.ask(segment(0)).refusal();
    assert_eq!(told, refused(403, "evicted"));
}

/// A turn of a busy worker's event loop may take longer than a tick.
#[test]
fn a_worker_whose_ticks_do_not_come_obeys_after_a_number_of_segments() {
    let mut world = World::new();
    world.tick();
    let victim = playing_on_both(&mut world);
    latest(&mut world, 1);
    let mut passed = 0;
    let told = loop {
        match world.ask(get(format!("{victim}/vod/a/5.m4s"))) {
            super::Outcome::Served(_) => passed += 1,
            told => break told.refusal(),
        }
    };
    assert_eq!(told, refused(403, "evicted"));
    assert!(passed <= 1_024, "{passed}");
}

/// What was ended before a worker took its lease, and what it never heard of, is no matter.
#[test]
fn a_worker_that_has_not_ticked_yet_misses_nothing() {
    let mut world = World::new();
    let victim = playing_on_both(&mut world);
    latest(&mut world, 1);
    world.tick();
    for worker in [0, 1] {
        let segment = get(format!("{victim}/vod/a/5.m4s")).on_worker(worker);
        assert_eq!(world.ask(segment).refusal(), refused(403, "evicted"));
    }
}
