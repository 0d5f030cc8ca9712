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
    // On a busy machine a call of the edge's own may find the store mute first, and then the start
    // does not wait.
    let mut has_waited = false;
    for _ in 0..5 {
        link.fails(Fault::Mute);
        scope(|threads| {
            let start = threads.spawn(|| edge.app("demo-tv").create("bob").send());
            eventually("the start waits, or is over", || {
                has_waited |= edge.metric("fleet.waiting") == 1;
                has_waited || start.is_finished()
            });
        });
        if has_waited {
            break;
        }
        link.recovers();
        eventually("all is well after that", || {
            let _ = edge.app("demo-tv").create("dave").send();
            shown() == (0, 0)
        });
    }
    assert!(has_waited, "no start waits for a store that is mute");
    eventually("a shard is down, and nobody waits any more", || {
        let (down, waiting) = shown();
        down > 0 && waiting == 0
    });
    link.recovers();
    eventually("all is well again", || {
        let _ = edge.app("demo-tv").create("carol").send();
        shown() == (0, 0)
    });
}
