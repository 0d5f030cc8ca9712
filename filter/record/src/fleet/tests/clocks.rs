//! A worker whose clock the store corrects.

use streamgate_policy::Verdict;
use streamgate_policy::activity::Activity;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::{Worker, another, answer, bulk, done, subject, swaps};
use crate::fleet::{Question, StoreCall, Ticket};
use crate::own_time::learn;
use crate::ports::Clock;
use crate::testing::{NOW, TIMEOUT_MS, stream, test};
use crate::{activity, copy};

const OFF_MS: [i64; 6] = [-3_600_000, -600_000, -30_000, 30_000, 600_000, 3_600_000];

/// A worker of an edge whose machine's clock is off.
fn off_by(ms: i64) -> Worker {
    let mut worker = Worker::new();
    worker.records.book.longest_timeout_ms = TIMEOUT_MS;
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
        let said = answer(&call, &[bulk(b"")]);
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
        let copy = activity(&worker.host, &worker.records, &alice, now);
        let lives_ms = copy.streams[0].lapses_at.ms_since(now);
        assert!(lives_ms.abs_diff(TIMEOUT_MS) < 10, "{off_ms}: {lives_ms}");
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

/// An edge that cannot reach its store has started a stream by its machine's clock.
fn starts_alone(worker: &mut Worker, of: SubjectKey) {
    let (now, start) = (worker.host.now(), worker.start());
    let recorded = crate::transact(&worker.host, &worker.records, &of, &start, now, now);
    assert!(recorded.unwrap().changed);
    worker.fleet.flush(of, false);
}

/// How long the streams live that the store is told of in a call.
fn told_to_live_ms(call: &StoreCall, now: Moment) -> Vec<u64> {
    let records = swaps(call).into_iter().map(|swap| swap[7].clone());
    let told = records.filter_map(|record| copy::activity_in(record.get(8..)?));
    let streams = told.flat_map(|told| told.streams);
    streams
        .map(|stream| stream.lapses_at.ms_since(now))
        .collect()
}

#[test]
fn what_was_recorded_before_the_store_was_heard_of_is_told_in_its_time() {
    for off_ms in [100_000, 600_000, 3_600_000] {
        for is_met_first in [false, true] {
            let mut worker = off_by(off_ms);
            let alice = subject(0, 1);
            if !is_met_first {
                starts_alone(&mut worker, alice);
            }
            let calls = worker.tick();
            if is_met_first {
                starts_alone(&mut worker, alice);
            }
            for call in &calls {
                let told = vec![bulk(b""); swaps(call).len()];
                worker.hears_at(true_time(&worker), call, Ok(&answer(call, &told)));
            }
            let told_ms = (0..10).find_map(|_| {
                let calls = worker.tick();
                let now = true_time(&worker);
                let told = calls.iter().map(|call| told_to_live_ms(call, now));
                told.flatten().next()
            });
            let told_ms = told_ms.expect("the store hears of it");
            let what = format!("{off_ms} {is_met_first}: {told_ms}");
            assert!(
                (TIMEOUT_MS - 2_000..=2 * TIMEOUT_MS).contains(&told_ms),
                "{what}"
            );
            let here = activity(&worker.host, &worker.records, &alice, worker.host.now());
            let lives_ms = here.streams[0].lapses_at.ms_since(worker.host.now());
            assert!(lives_ms <= 2 * TIMEOUT_MS, "{what}, here {lives_ms}");
        }
    }
}

/// The store's clock is set back, and this edge hears of an account whose streams it knows from before.
fn meets_in_a_time_set_back(record: impl Fn(Activity, Moment) -> Activity) -> (Worker, Activity) {
    let mut worker = off_by(0);
    let alice = subject(0, 1);
    for call in worker.tick() {
        worker.hears(&call, Ok(&answer(&call, &[])));
    }
    worker.plays(alice);
    let before = worker.host.now();
    let known = activity(&worker.host, &worker.records, &alice, before);
    worker
        .fleet
        .ask(alice, Some(Ticket(7)), Question::Look, worker.host.steady());
    let call = worker.call();
    let set_back = before.shifted_ms(-3_600_000);
    let said = answer(&call, &[another(&record(known, set_back))]);
    worker.hears_at(set_back, &call, Ok(&said));
    let now = worker.host.now();
    assert!(now < before);
    let both = activity(&worker.host, &worker.records, &alice, now);
    (worker, both)
}

#[test]
fn of_a_copy_of_another_time_the_store_knows_better_who_plays_and_until_when() {
    let (_, both) = meets_in_a_time_set_back(|mut known, now| {
        known.streams[0].lapses_at = now.plus_ms(7_000);
        known
    });
    assert_eq!(both.streams.len(), 1);
    let (_, both) = meets_in_a_time_set_back(|_, now| Activity {
        streams: vec![stream(9, now)],
        ..Activity::default()
    });
    assert_eq!(both.streams.len(), 1, "the other has lapsed there");
    assert!(both.streams[0].began_at < NOW);
}

#[test]
fn a_record_of_another_time_is_brought_back_where_it_is_met() {
    let (worker, both) = meets_in_a_time_set_back(|known, _| known);
    let lives_ms = both.streams[0].lapses_at.ms_since(worker.host.now());
    assert!(
        (TIMEOUT_MS - 2_000..=TIMEOUT_MS).contains(&lives_ms),
        "{lives_ms}"
    );
}
