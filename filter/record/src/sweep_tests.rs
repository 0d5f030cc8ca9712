//! What the sweep gives back, and what it leaves alone.

use core::num::NonZeroU32;

use streamgate_policy::activity::ENDED_KEPT_MS;
use streamgate_policy::{OnConflict, Refused, Verdict};

use super::sweep::{SWEEP_EVERY_MS, sweep};
use super::test_edge::{EMPTY_SLOT, TestEdge};
use super::watermarks::WATERMARK_KEPT_MS;
use crate::metric::Metric;
use crate::ports::{Clock, StoreKey};
use crate::testing::{TIMEOUT_MS, test};

fn edge(slots: u32) -> TestEdge {
    let mut edge = TestEdge::with_limit(2, OnConflict::StopOldest);
    edge.records.slots = NonZeroU32::new(slots).unwrap();
    edge
}

#[test]
fn a_subject_that_lapsed_leaves_no_bytes_behind() {
    let edge = edge(1);
    edge.starts(1);
    edge.host.advance_ms(TIMEOUT_MS);
    edge.sweep_once();
    assert_eq!(edge.stored(0).len(), EMPTY_SLOT);
    assert_eq!(edge.host.live(), 0);
    assert_eq!(edge.host.count(Metric::Lapses), 1);
}

#[test]
fn what_lives_is_left_as_it_is_and_not_even_written() {
    let edge = edge(1);
    let lapsing = edge.starts(1);
    edge.host.advance_ms(TIMEOUT_MS / 2);
    let staying = edge.starts(2);
    let before = edge.stored(0);
    edge.sweep_once();
    assert_eq!(edge.stored(0), before);
    assert_eq!(edge.live(1), [lapsing]);

    edge.host.advance_ms(TIMEOUT_MS / 2);
    edge.sweep_once();
    assert_eq!(edge.live(2), [staying]);
    assert_eq!(edge.on_record(), 1);
    edge.assert_gauge_is_true();

    let swaps = edge.host.calls().swaps;
    edge.sweep_once();
    assert_eq!(edge.host.calls().swaps, swaps + 1, "only the hand moves on");
}

#[test]
fn what_was_ended_is_remembered_through_sweeps_and_then_leaves_no_bytes() {
    let edge = edge(1);
    let victim = edge.starts(1);
    for _ in 0..2 {
        edge.starts(1);
    }
    let told = |edge: &TestEdge| edge.media(1, victim);
    edge.host.advance_ms(ENDED_KEPT_MS - SWEEP_EVERY_MS - 1);
    edge.sweep_once();
    assert_eq!(edge.on_record(), 0);
    assert!(matches!(told(&edge), Verdict::Refused(Refused::Evicted(_))));

    edge.sweep_once();
    assert_eq!(edge.stored(0).len(), EMPTY_SLOT + 14, "a watermark");
    assert_eq!(told(&edge), Verdict::Refused(Refused::Over));
    edge.host.advance_ms(WATERMARK_KEPT_MS);
    edge.sweep_once();
    assert_eq!(edge.stored(0).len(), EMPTY_SLOT);
    assert_eq!(told(&edge), Verdict::Refused(Refused::Over));
}

#[test]
fn a_round_frees_every_slot_however_many_there_are() {
    for slots in [1, 3, 599, 600, 601, 2_000] {
        let edge = edge(slots);
        let subjects = u8::try_from(slots.min(90)).unwrap();
        for of in 0..subjects {
            edge.starts(of);
        }
        let last = StoreKey::Slot(slots - 1);
        let first_slot = edge.stored(0);
        edge.host.plant(last, &first_slot);
        edge.host.advance_ms(TIMEOUT_MS);
        // A minute's worth.
        for _ in 0..60_000 / SWEEP_EVERY_MS {
            edge.sweep_once();
        }
        assert_eq!(edge.on_record(), 0, "{slots} slots");
        assert_eq!(edge.host.stored(last).unwrap().len(), EMPTY_SLOT);
    }
}

#[test]
fn rounds_follow_each_other() {
    let edge = edge(3);
    for round in 1..=4 {
        for of in 0..3 {
            edge.starts(of);
        }
        edge.host.advance_ms(TIMEOUT_MS);
        edge.sweep_all();
        assert_eq!(edge.host.count(Metric::Lapses), 3 * round);
        assert_eq!(edge.on_record(), 0);
    }
}

#[test]
fn two_workers_share_a_round_and_count_nothing_twice() {
    let edge = edge(4);
    for of in 0..4 {
        edge.starts(of);
    }
    edge.host.advance_ms(TIMEOUT_MS);
    for swept in 1..=4_u64 {
        // Both are called in the same moment; one of them has the turn.
        edge.sweep_once();
        sweep(&edge.host, &edge.records, edge.host.now());
        edge.host.advance_ms(SWEEP_EVERY_MS - 1);
        sweep(&edge.host, &edge.records, edge.host.now());
        edge.host.advance_ms(1);
        assert_eq!(edge.host.count(Metric::Lapses), swept);
        edge.assert_gauge_is_true();
    }
}

#[test]
fn who_loses_the_hand_to_another_worker_sweeps_nothing() {
    let edge = edge(1);
    edge.starts(1);
    edge.host.advance_ms(TIMEOUT_MS);
    edge.host.lose_next_swaps(1);
    edge.sweep_once();
    assert_eq!(edge.on_record(), 1);
    edge.sweep_once();
    assert_eq!(edge.on_record(), 0);
}

#[test]
fn a_slot_written_meanwhile_is_left_to_who_wrote_it() {
    let edge = edge(1);
    edge.starts(1);
    edge.host.advance_ms(TIMEOUT_MS);
    edge.host.lose_next_swap_at(StoreKey::Slot(0));
    edge.sweep_once();
    assert_eq!(edge.on_record(), 1);
    assert_eq!(edge.host.count(Metric::Lapses), 0);
    edge.assert_gauge_is_true();
    // The next round finds it.
    edge.sweep_once();
    assert_eq!(edge.on_record(), 0);
    edge.assert_gauge_is_true();
}

#[test]
fn a_hand_that_cannot_be_read_is_set_anew() {
    let edge = edge(1);
    edge.starts(1);
    edge.host.advance_ms(TIMEOUT_MS);
    edge.host.plant(StoreKey::Sweep, b"?");
    edge.sweep_once();
    assert_eq!(edge.on_record(), 0);
}

#[test]
fn no_call_sweeps_more_than_a_millisecond_s_work() {
    for (slots, expected) in [(65_536, 110), (1 << 20, 128)] {
        let edge = edge(slots);
        let before = edge.host.calls().loads;
        sweep(&edge.host, &edge.records, edge.host.now());
        // One load more is that of the sweep's hand.
        assert_eq!(edge.host.calls().loads - before, expected + 1);
    }
}

/// Sixteen accounts of a stream each in each of 220 slots of 65,536, all of which lapse at once.
fn crowd() -> TestEdge {
    let edge = edge(65_536);
    for of in 0..16 {
        edge.starts(of * 16);
    }
    let mut bytes = edge.stored(0)[..EMPTY_SLOT].to_vec();
    for of in 0..16 {
        bytes.extend(&edge.stored(of * 16)[EMPTY_SLOT..]);
    }
    for slot in 0..220 {
        edge.host.plant(StoreKey::Slot(slot), &bytes);
    }
    edge.host.advance_ms(TIMEOUT_MS);
    edge
}

#[test]
fn where_much_lapses_at_once_a_call_ends_early_and_the_next_goes_on_at_once() {
    let edge = crowd();
    let lapses = || edge.host.count(Metric::Lapses);
    let mut ticks = 0;
    while lapses() < 220 * 16 {
        let before = lapses();
        // Of other workers, each a millisecond later.
        edge.host.advance_ms(1);
        sweep(&edge.host, &edge.records, edge.host.now());
        let ended = lapses() - before;
        assert!((1..=512).contains(&ended), "{ended} in tick {ticks}");
        ticks += 1;
    }
    assert_eq!(
        ticks, 7,
        "no slot is passed over, and none waits for its turn"
    );
    for slot in 0..220 {
        assert_eq!(edge.stored(slot).len(), EMPTY_SLOT, "{slot}");
    }
}

#[test]
fn what_another_worker_tidied_is_work_too() {
    let edge = crowd();
    edge.host.advance_ms(SWEEP_EVERY_MS);
    edge.host.lose_next_swap_at(StoreKey::Slot(0));
    sweep(&edge.host, &edge.records, edge.host.now());
    assert_eq!(edge.host.count(Metric::Lapses), 31 * 16);
}
