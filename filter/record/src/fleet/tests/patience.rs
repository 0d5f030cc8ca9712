//! What is an outage, and what merely looks like one.

use super::*;
use crate::testing::test;

/// The bound in these tests, in ticks.
const BOUND_TICKS: usize = 20;

impl Worker {
    /// Every call fails at once for so many ticks.
    fn finds_no_node_for(&mut self, ticks: usize) {
        for _ in 0..ticks {
            let mut calls = self.calls();
            calls.extend(self.tick());
            for call in calls {
                self.hears(&call, Err(CallFailure));
            }
        }
    }
}

#[test]
fn a_start_waits_for_a_shard_that_was_never_met_and_longer_than_for_others() {
    let mut worker = Worker::new();
    worker.asks(subject(1, 1), 7);
    worker.finds_no_node_for(10);
    assert!(worker.verdicts().is_empty(), "twice as long as starts wait");
    assert_eq!(worker.fleet.shards_down(), 0);
    // The shard greets, and may then be asked whether the start may be.
    let calls = worker.tick();
    let call = calls.iter().find(|call| call.shard == "shard-1").unwrap();
    let said = answer(call, &[bulk(b"")]);
    worker.hears(call, Ok(&said));
    let _ = worker.tick();
    assert!(
        worker.verdicts().is_empty(),
        "its wait begins with the greeting"
    );
}

#[test]
fn a_shard_that_is_not_met_within_the_bound_is_out() {
    let mut worker = Worker::new();
    worker.asks(subject(1, 1), 7);
    worker.finds_no_node_for(BOUND_TICKS - 1);
    worker.asks(subject(1, 2), 8);
    assert!(worker.verdicts().is_empty());
    worker.finds_no_node_for(2);
    let mut told = worker.verdicts();
    told.sort_by_key(|(ticket, _)| *ticket);
    let unanswered = [(7, Err(Unavailable::Fleet)), (8, Err(Unavailable::Fleet))];
    assert_eq!(told, unanswered);
    assert!(!worker.fleet.is_up(&subject(1, 1)));
    assert_eq!(worker.fleet.shards_down(), 8, "nobody need have asked");
}

/// A store that is frozen fails no call at once.
#[test]
fn a_shard_that_stays_silent_is_waited_for_until_the_bound_and_no_longer() {
    let mut worker = Worker::new();
    worker.asks(subject(1, 1), 7);
    let _never_answered = worker.call();
    for _ in 1..BOUND_TICKS {
        let _ = worker.tick();
        assert!(worker.verdicts().is_empty());
    }
    let _ = worker.tick();
    assert_eq!(worker.verdicts(), [(7, Err(Unavailable::Fleet))]);
}

#[test]
fn a_clock_that_is_set_back_does_not_stretch_the_bound_by_as_much() {
    let mut worker = Worker::new();
    worker.host.advance_ms(3_600_000);
    let _ = worker.tick();
    worker.host.set_now(NOW);
    worker.asks(subject(1, 1), 7);
    worker.finds_no_node_for(BOUND_TICKS + 2);
    assert_eq!(worker.verdicts(), [(7, Err(Unavailable::Fleet))]);
}

#[test]
fn a_call_whose_connection_broke_is_made_once_more() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 7);
    for ticket in 7..12 {
        let first = worker.call();
        worker.hears(&first, Err(CallFailure));
        assert!(worker.verdicts().is_empty());
        let second = worker.call();
        let said = answer(&second, &[done()]);
        worker.hears(&second, Ok(&said));
        let verdicts = worker.verdicts();
        assert_eq!(verdicts[0].0, ticket);
        assert!(verdicts[0].1.is_ok());
        worker.asks(subject(1, 1), ticket + 1);
    }
}

#[test]
fn a_call_that_took_as_long_as_starts_may_wait_is_not_made_again() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 7);
    let call = worker.call();
    for _ in 0..4 {
        let _ = worker.tick();
    }
    worker.host.advance_ms(TICK_MS - 1);
    worker.hears(&call, Err(CallFailure));
    assert_eq!(worker.verdicts(), [(7, Err(Unavailable::Fleet))]);
    assert!(!worker.fleet.is_up(&subject(1, 1)));
}

/// The proxy's timer and the answer are there at the same moment, and the timer goes first.
#[test]
fn a_starved_worker_makes_a_call_that_took_too_long_once_more() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 7);
    for is_first in [true, false] {
        let call = worker.call();
        worker.host.advance_ms(600);
        worker.hears(&call, Err(CallFailure));
        assert_eq!(worker.verdicts().is_empty(), is_first);
        assert_eq!(worker.fleet.is_up(&subject(1, 1)), is_first);
    }
}

#[test]
fn a_tick_that_comes_late_gives_up_nobody_whose_answer_may_be_there() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 7);
    let call = worker.call();
    worker.host.advance_ms(700);
    let _ = worker.tick();
    assert!(worker.verdicts().is_empty());
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    assert!(matches!(
        worker.verdicts()[..],
        [(7, Ok(Verdict::Plays(_)))]
    ));
    // Once only: a worker that is always late gives up all the same.
    let _ = worker.tick();
    worker.asks(subject(1, 1), 8);
    let _never_answered = worker.call();
    worker.host.advance_ms(700);
    let _ = worker.tick();
    assert!(worker.verdicts().is_empty());
    worker.host.advance_ms(700);
    let _ = worker.tick();
    assert_eq!(worker.verdicts(), [(8, Err(Unavailable::Fleet))]);
}
