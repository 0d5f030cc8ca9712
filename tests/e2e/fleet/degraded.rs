//! What an edge shows of a store that does not answer.

use std::thread::scope;

use streamgate_tests::{Fault, FaultyLink, Fleet, Settings, Valkey, eventually};

use super::sharing;

#[test]
fn shards_that_do_not_answer_and_starts_that_wait_are_shown_and_no_longer_than_that() {
    let valkey = Valkey::start();
    let link = FaultyLink::to(valkey.port);
    let settings: Settings = sharing(&[link.port]).with("/fleet/wait", "5s");
    let fleet = Fleet::start(&settings, 1);
    let edge = &fleet[0];
    let _ = edge.app("demo-tv").start("alice");
    let shown = || {
        (
            edge.metric("fleet.shards_down"),
            edge.metric("fleet.waiting"),
        )
    };
    eventually("all is well", || shown() == (0, 0));
    link.fails(Fault::Mute);
    scope(|threads| {
        let _ = threads.spawn(|| edge.app("demo-tv").create("bob").send());
        eventually("a start waits", || edge.metric("fleet.waiting") == 1);
    });
    eventually("a shard is down, and nobody waits any more", || {
        shown() == (1, 0)
    });
    link.recovers();
    eventually("all is well again", || {
        let _ = edge.app("demo-tv").create("carol").send();
        shown() == (0, 0)
    });
}
