//! A worker whose clock the store corrects.

use streamgate_policy::Verdict;
use streamgate_values::moment::Moment;

use super::{Worker, answer, done, subject};
use crate::own_time::learn;
use crate::ports::Clock;
use crate::testing::{NOW, test};

const OFF_MS: [i64; 6] = [-3_600_000, -600_000, -30_000, 30_000, 600_000, 3_600_000];

/// A worker of an edge whose machine's clock is off.
fn off_by(ms: i64) -> Worker {
    let worker = Worker::new();
    worker.host.set_machine_ahead(ms);
    learn(&worker.host);
    assert_eq!(worker.host.now(), NOW.shifted_ms(ms));
    worker
}

/// What time it truly is.
fn true_time(worker: &Worker) -> Moment {
    worker.host.steady()
}

#[test]
fn the_first_answer_of_any_shard_sets_the_time() {
    for off_ms in OFF_MS {
        let mut worker = off_by(off_ms);
        let call = worker.tick().pop().unwrap();
        let now = true_time(&worker);
        worker.hears_at(now, &call, Ok(&answer(&call, &[])));
        let wrong = worker.host.now().as_ms().abs_diff(now.as_ms());
        assert!(wrong <= 1, "{off_ms}: {wrong}");
    }
}

#[test]
fn of_several_shards_the_first_leads() {
    let mut worker = Worker::new();
    let calls = worker.tick();
    for (at, call) in calls.iter().enumerate() {
        let time = true_time(&worker).plus_ms(10_000 * at as u64);
        worker.hears_at(time, call, Ok(&answer(call, &[])));
    }
    assert_eq!(worker.host.now(), true_time(&worker));
}

#[test]
fn a_start_that_waits_while_the_time_is_set_is_judged_in_it_and_not_given_up() {
    for off_ms in OFF_MS {
        let mut worker = off_by(off_ms);
        let alice = subject(0, 1);
        worker.asks(alice, 7);
        let call = worker.call();
        let now = true_time(&worker);
        // The store knows no record, and says since when it remembers.
        let said = answer(&call, &[super::bulk(b"")]);
        worker.hears_at(now, &call, Ok(&said));
        worker.host.advance_ms(1);
        let call = worker.call();
        let said = answer(&call, &[done()]);
        worker.hears_at(true_time(&worker), &call, Ok(&said));
        let verdicts = worker.verdicts();
        assert!(
            matches!(verdicts[..], [(7, Ok(Verdict::Plays(_)))]),
            "{off_ms}: {verdicts:?}"
        );
        let now = true_time(&worker);
        let copy = crate::activity(&worker.host, &worker.records, &alice, now);
        let lives_ms = copy.streams[0].lapses_at.ms_since(now);
        assert!(
            lives_ms.abs_diff(super::TIMEOUT_MS) < 10,
            "{off_ms}: {lives_ms}"
        );
    }
}

#[test]
fn a_copy_is_not_taken_for_confirmed_because_the_time_was_set_back() {
    let mut worker = Worker::new();
    let alice = subject(0, 1);
    worker.plays(alice);
    let now = worker.host.now();
    assert!(worker.fleet.is_confirmed(&alice, now));
    assert!(
        !worker
            .fleet
            .is_confirmed(&alice, now.shifted_ms(-3_600_000))
    );
}
