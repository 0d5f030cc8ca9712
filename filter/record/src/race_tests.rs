//! Workers race for one subject: limits hold exactly.

use std::sync::Barrier;
use std::thread;

use streamgate_policy::{OnConflict, Refused, Verdict};

use super::sweep::{SWEEP_EVERY_MS, sweep};
use super::test_edge::TestEdge;
use crate::metric::Metric;
use crate::ports::Clock;
use crate::testing::TIMEOUT_MS;

const SUBJECTS: u8 = 50;
const WORKERS: usize = 8;
const STARTS_EACH: usize = 8;

/// Runs `work` in every worker at once; what each of them returned.
fn race<T: Send>(work: impl Fn() -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(WORKERS);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    work()
                })
            })
            .collect();
        let done = workers.into_iter().map(|worker| worker.join().unwrap());
        done.collect()
    })
}

/// The verdicts of all starts that the workers make for one subject at once.
fn race_to_start(edge: &TestEdge, of: u8) -> Vec<Verdict> {
    let start = || edge.start(of).1.unwrap();
    let verdicts = race(|| [(); STARTS_EACH].map(|()| start()));
    verdicts.into_iter().flatten().collect()
}

#[test]
fn of_64_starts_at_once_deny_new_admits_exactly_as_many_as_may_play() {
    let mut edge = TestEdge::with_limit(3, OnConflict::DenyNew);
    edge.records.max_streams = 1_000;
    for of in 0..SUBJECTS {
        let verdicts = race_to_start(&edge, of);
        assert_eq!(verdicts.len(), 64);
        let admitted = |verdict: &&Verdict| matches!(verdict, Verdict::Plays(_));
        let refused = |verdict: &&Verdict| {
            matches!(verdict, Verdict::Refused(Refused::Conflict(breaches))
                if breaches[0].conflicts.len() == 3)
        };
        assert_eq!(verdicts.iter().filter(admitted).count(), 3);
        assert_eq!(verdicts.iter().filter(refused).count(), 61);
        assert_eq!(edge.live(of).len(), 3);
    }
    assert_eq!(edge.on_record(), 3 * usize::from(SUBJECTS));
    edge.assert_gauge_is_true();
}

#[test]
fn of_64_starts_at_once_stop_oldest_leaves_exactly_as_many_as_may_play() {
    let mut edge = TestEdge::with_limit(1, OnConflict::StopOldest);
    edge.records.max_streams = 1_000;
    for of in 0..SUBJECTS {
        let verdicts = race_to_start(&edge, of);
        assert!(
            verdicts
                .iter()
                .all(|verdict| matches!(verdict, Verdict::Plays(_)))
        );
        assert_eq!(edge.live(of).len(), 1);
    }
    let subjects = u64::from(SUBJECTS);
    assert_eq!(edge.host.count(Metric::Starts), 64 * subjects);
    assert_eq!(edge.host.count(Metric::Evictions), 63 * subjects);
    assert_eq!(u64::from(edge.host.calls().bumps), 63 * subjects);
    assert_eq!(edge.host.live(), subjects);
    edge.assert_gauge_is_true();
}

#[test]
fn workers_that_start_stop_and_sweep_at_once_lose_count_of_nothing() {
    let mut edge = TestEdge::with_limit(2, OnConflict::StopOldest);
    edge.records.max_streams = 1_000;
    for of in 0..SUBJECTS {
        race(|| {
            for _ in 0..STARTS_EACH {
                let (stream, verdict) = edge.start(of);
                assert!(matches!(verdict, Ok(Verdict::Plays(_))));
                sweep(&edge.host, &edge.records, edge.host.now());
                let _ = edge.heartbeat(of, stream);
                let _ = edge.stop(of, stream);
                edge.host.advance_ms(SWEEP_EVERY_MS / 4);
            }
        });
        assert_eq!(edge.live(of), []);
    }
    let ended = edge.host.count(Metric::Stops)
        + edge.host.count(Metric::Evictions)
        + edge.host.count(Metric::Lapses);
    assert_eq!(edge.host.count(Metric::Starts), ended);
    assert_eq!(edge.host.live(), 0);
    edge.assert_gauge_is_true();
}

#[test]
fn workers_that_start_and_sweep_while_streams_lapse_lose_count_of_nothing() {
    let mut edge = TestEdge::with_limit(2, OnConflict::DenyNew);
    edge.records.max_streams = 1_000;
    for of in 0..SUBJECTS {
        race(|| {
            for neighbour in 0..4 {
                let _ = edge.start(of + 50 * neighbour);
                edge.host.advance_ms(TIMEOUT_MS / 8);
                sweep(&edge.host, &edge.records, edge.host.now());
            }
        });
        edge.assert_gauge_is_true();
    }
    let lapsed = edge.host.count(Metric::Lapses);
    assert_eq!(edge.host.count(Metric::Starts), lapsed + edge.host.live());
}

#[test]
fn workers_that_sweep_at_once_count_every_lapse_once() {
    let mut edge = TestEdge::with_limit(2, OnConflict::DenyNew);
    edge.records.slots = core::num::NonZeroU32::new(10).unwrap();
    for of in 0..SUBJECTS {
        edge.starts(of);
        edge.starts(of);
    }
    edge.host.advance_ms(TIMEOUT_MS);
    for _ in 0..10 {
        edge.host.advance_ms(SWEEP_EVERY_MS);
        race(|| sweep(&edge.host, &edge.records, edge.host.now()));
    }
    assert_eq!(edge.on_record(), 0);
    assert_eq!(edge.host.live(), 0);
    assert_eq!(edge.host.count(Metric::Lapses), 100);
}
