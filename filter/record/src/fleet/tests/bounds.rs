//! What a worker keeps for a store that does not answer has an end.

use super::*;
use crate::fleet::SUBJECTS_MAX;
use crate::fleet::call::SUBJECTS_A_CALL;
use crate::testing::test;

/// One of very many subjects, on any shard.
fn one_of_many(n: u32) -> SubjectKey {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    bytes[4..8].copy_from_slice(&n.to_be_bytes());
    SubjectKey::from_bytes(bytes)
}

impl Worker {
    /// How many subjects there are in all queues.
    #[track_caller]
    fn queued(&self) -> usize {
        let queues = self.fleet.shards.iter().map(|shard| &shard.queue);
        let queues: Vec<_> = queues.collect();
        for queue in &queues {
            assert_eq!(queue.in_line(), queue.len(), "each stands in line once");
        }
        queues.iter().map(|queue| queue.len()).sum()
    }
}

#[test]
fn a_queue_ends_however_many_start_and_stop_in_an_outage() {
    let mut worker = Worker::new();
    let calls = worker.tick();
    assert_eq!(calls.len(), SHARDS as usize);
    for n in 0..120_000 {
        worker.fleet.flush(one_of_many(n), false);
        worker.fleet.flush(one_of_many(n), true);
        if n % 10_000 == 0 {
            assert!(worker.queued() <= SUBJECTS_MAX);
        }
    }
    assert_eq!(worker.queued(), SUBJECTS_MAX);
    for call in calls {
        worker.hears(&call, Err(CallFailure));
    }
    assert!(worker.queued() <= SUBJECTS_MAX + SHARDS as usize * SUBJECTS_A_CALL);
    assert!(worker.fleet.urgent.len() <= SHARDS as usize);
    assert!(worker.fleet.in_flight.len() <= SHARDS as usize);
    assert!(worker.fleet.settled.is_empty());
}

#[test]
fn calls_that_are_never_answered_leave_nothing_behind() {
    let mut worker = Worker::new();
    for n in 0..1_000 {
        worker.fleet.flush(one_of_many(n), true);
        let _ = worker.tick();
        assert!(worker.fleet.in_flight.len() <= SHARDS as usize);
    }
}

#[test]
fn a_subject_stands_in_line_once_whatever_is_said_of_it() {
    let mut worker = Worker::new();
    let alice = subject(3, 7);
    for ticket in 0..100 {
        worker.fleet.flush(alice, false);
        worker.fleet.flush(alice, true);
        worker.asks(alice, ticket);
        assert_eq!(worker.queued(), 1);
        worker.fleet.forget(Ticket(ticket));
        assert_eq!(worker.queued(), 1);
    }
    for _ in 0..100 {
        let now = worker.host.now();
        worker.fleet.ask(alice, None, Question::Look, now);
    }
    let shard = &mut worker.fleet.shards[3];
    let (_, item) = shard.queue.take().unwrap();
    assert_eq!(item.asks.len(), 16);
    // Called and put back, again and again.
    for _ in 0..100 {
        shard.queue.put_back(alice, item.clone());
        shard.queue.flush(alice, true);
        let _ = shard.queue.take();
    }
    assert_eq!(worker.queued(), 0);
}

#[test]
fn a_sign_of_life_makes_room_for_what_is_urgent() {
    let mut worker = Worker::new();
    for n in 0..SUBJECTS_MAX as u32 {
        worker.fleet.flush(one_of_many(n), false);
    }
    // No room for another one of its kind.
    let late = one_of_many(1_000_000);
    worker.fleet.flush(late, false);
    let at = worker.fleet.shard_of(&late);
    assert!(!worker.fleet.shards[at].queue.has(&late));
    worker.fleet.flush(late, true);
    assert!(worker.fleet.shards[at].queue.has(&late));
    assert_eq!(worker.queued(), SUBJECTS_MAX);
    // One that is there already becomes urgent.
    worker.fleet.flush(one_of_many(8), true);
    assert_eq!(worker.queued(), SUBJECTS_MAX);
}

#[test]
fn a_question_that_finds_no_room_is_answered_at_once_as_in_an_outage() {
    let mut worker = Worker::new();
    let share = SUBJECTS_MAX as u32 / SHARDS;
    let alice = |n: u32| {
        let mut bytes = *subject(3, 0).as_bytes();
        bytes[8..12].copy_from_slice(&n.to_be_bytes());
        SubjectKey::from_bytes(bytes)
    };
    for n in 0..share {
        worker.asks(alice(n), n);
    }
    assert_eq!(worker.verdicts(), []);
    worker.asks(alice(share), share);
    // About one that is asked about already, there is no limit but that of waiting requests.
    worker.asks(alice(0), share + 1);
    assert!(worker.fleet.has_calls());
    assert_eq!(worker.verdicts(), [(share, Err(Unavailable::Fleet))]);
    assert_eq!(worker.queued(), share as usize);
}

#[test]
fn what_was_kept_is_told_when_the_store_is_back() {
    let mut worker = Worker::acquainted();
    let subjects: Vec<_> = (0..20).map(|n| subject(3, n + 1)).collect();
    for of in &subjects {
        worker.plays(*of);
    }
    for of in &subjects {
        worker.lives_on(*of);
    }
    for _ in 0..20 {
        for call in worker.tick() {
            worker.hears(&call, Err(CallFailure));
        }
    }
    assert_eq!(worker.queued(), subjects.len());
    let mut told = 0;
    for _ in 0..200 {
        for call in worker.tick() {
            let swaps = swaps(&call);
            told += swaps.len();
            let said = answer(&call, &swaps.iter().map(|_| done()).collect::<Vec<_>>());
            worker.hears(&call, Ok(&said));
        }
    }
    assert_eq!(told, subjects.len());
    assert_eq!(worker.queued(), 0);
}

#[test]
fn no_more_of_an_answer_is_looked_at_than_four_megabytes() {
    assert_eq!(crate::fleet::REPLY_MAX, 4 * 1_024 * 1_024);
}
