//! What [`transact()`](super::transact()) promises, whatever the store does to it.

use streamgate_policy::activity::{Activity, ENDED_KEPT_MS};
use streamgate_policy::{Count, Event, OnConflict, Policy, Refused, Rule, Unknown, Verdict};
use streamgate_values::stream_key::StreamKey;

use super::slot::Slot;
use super::test_edge::{EMPTY_SLOT, TestEdge, subject};
use super::watermarks::WATERMARK_KEPT_MS;
use super::{Basis, Decided, Unavailable};
use crate::metric::Metric;
use crate::ports::{Clock, Store, StoreKey};
use crate::testing::{NOW, TIMEOUT_MS, book, limit, play, test};

fn deny_new(max: u32) -> TestEdge {
    TestEdge::with_limit(max, OnConflict::DenyNew)
}

#[track_caller]
fn assert_conflict(verdict: &Verdict) {
    assert!(
        matches!(verdict, Verdict::Refused(Refused::Conflict(_))),
        "{verdict:?}"
    );
}

#[test]
fn what_is_decided_is_on_record() {
    let edge = deny_new(2);
    let [first, second] = [edge.starts(1), edge.starts(1)];
    assert_conflict(&edge.start(1).1.unwrap());
    assert_eq!(edge.live(1), [first, second]);
    assert_eq!(edge.stop(1, first), Verdict::Stopped);
    assert_eq!(edge.live(1), [second]);
    assert_eq!(edge.host.count(Metric::Starts), 2);
    assert_eq!(edge.host.count(Metric::Stops), 1);
    edge.assert_gauge_is_true();
}

#[test]
fn subjects_in_one_slot_do_not_limit_each_other() {
    let edge = deny_new(1);
    let streams = [1, 2, 3].map(|of| edge.starts(of));
    for (of, stream) in (1..).zip(streams) {
        assert_eq!(edge.live(of), [stream]);
        assert_conflict(&edge.start(of).1.unwrap());
    }
}

#[test]
fn a_request_costs_one_read_and_a_write_only_if_something_changed() {
    let edge = deny_new(1);
    let cost = |action: &dyn Fn()| {
        let before = edge.host.calls();
        action();
        let after = edge.host.calls();
        let bumps = after.bumps - before.bumps;
        assert!(after.generation_reads - before.generation_reads <= 1);
        let (loads, swaps) = (after.loads - before.loads, after.swaps - before.swaps);
        // Each bump is logged: one read, one write.
        ([loads - bumps, swaps - bumps], bumps)
    };
    let stream = edge.mint();
    let plays = |renew_below_ms| {
        let mut play = play(&edge.records.book, "app", stream, Unknown::Starts);
        play.renew_below_ms = renew_below_ms;
        let decided = edge.decide(1, &Event::Play(play)).unwrap();
        assert!(matches!(decided.verdict, Verdict::Plays(_)));
    };
    assert_eq!(
        cost(&|| plays(0)),
        ([2, 2], 0),
        "a start, and the number of streams, looked at and changed"
    );
    assert_eq!(cost(&|| plays(0)), ([1, 0], 0), "a sign of life, not due");
    assert_eq!(
        cost(&|| plays(u64::MAX)),
        ([1, 1], 0),
        "a sign of life, due"
    );
    let refused = || assert_conflict(&edge.start(1).1.unwrap());
    assert_eq!(cost(&refused), ([1, 0], 0), "a refused start");
    let stop = || assert_eq!(edge.stop(1, stream), Verdict::Stopped);
    assert_eq!(
        cost(&stop),
        ([2, 2], 1),
        "a stop, and the number of streams"
    );
    let over = || {
        let _ = edge.media(1, stream);
    };
    assert_eq!(cost(&over), ([1, 0], 0), "what is over");
}

#[test]
fn lost_writes_are_tried_again_and_counted() {
    let edge = deny_new(2);
    edge.host.lose_next_swaps(5);
    let stream = edge.starts(1);
    assert_eq!(edge.live(1), [stream]);
    assert_eq!(edge.host.count(Metric::CasRetries), 5);
    assert_eq!(edge.host.count(Metric::CasGiveUps), 0);
    assert_eq!(edge.host.count(Metric::Starts), 1);
    edge.assert_gauge_is_true();
}

#[test]
fn who_is_overtaken_too_often_is_turned_away_and_nothing_has_happened() {
    let edge = TestEdge::with_limit(1, OnConflict::StopOldest);
    let playing = edge.starts(1);
    let before = edge.stored(0);
    let calls = edge.host.calls();

    edge.host.lose_next_swaps(u32::MAX);
    let (_, outcome) = edge.start(1);
    assert_eq!(outcome, Err(Unavailable::Contention));
    let tries = edge.host.calls().swaps - calls.swaps;
    assert!((2..=1_000).contains(&tries), "{tries}");
    assert_eq!(edge.host.count(Metric::CasRetries), u64::from(tries));
    assert_eq!(edge.host.count(Metric::CasGiveUps), 1);
    assert_eq!(edge.host.count(Metric::Evictions), 0);
    assert_eq!(edge.host.calls().bumps, calls.bumps);
    assert_eq!(edge.stored(0), before);
    assert_eq!(edge.live(1), [playing]);
    edge.assert_gauge_is_true();

    edge.host.lose_next_swaps(tries - 1);
    edge.starts(1);
}

#[test]
fn a_write_the_store_refuses_has_changed_nothing() {
    let edge = TestEdge::with_limit(1, OnConflict::StopOldest);
    let playing = edge.starts(1);
    let before = edge.stored(0);
    edge.host.fail_swaps(true);
    assert_eq!(edge.start(1).1, Err(Unavailable::Store));
    assert_eq!(edge.host.count(Metric::StoreFailures), 1);
    assert_eq!(edge.host.count(Metric::Starts), 1);
    assert_eq!(edge.host.calls().bumps, 0);
    assert_eq!(edge.stored(0), before);
    assert_eq!(edge.live(1), [playing]);
    edge.assert_gauge_is_true();

    // Whoever has a lease plays on.
    let mut play = play(&edge.records.book, "app", playing, Unknown::Starts);
    play.renew_below_ms = TIMEOUT_MS / 2;
    let decided = edge.decide(1, &Event::Play(play)).unwrap();
    assert!(matches!(decided.verdict, Verdict::Plays(_)));

    edge.host.fail_swaps(false);
    edge.starts(1);
}

#[test]
fn an_edge_with_all_the_streams_it_may_have_starts_no_more() {
    let mut edge = deny_new(2);
    edge.records.max_streams = 3;
    let streams = [1, 2, 3].map(|of| edge.starts(of));
    let before = edge.stored(0);

    let newcomer = edge.event(edge.mint(), Unknown::IsNew);
    assert_eq!(edge.decide(4, &newcomer), Err(Unavailable::Full));
    assert_eq!(edge.consult(4, &newcomer), Err(Unavailable::Full));
    assert_eq!(edge.stored(0), before);
    edge.assert_gauge_is_true();

    // Live streams play on, and a place that is free can be had.
    assert!(matches!(edge.media(1, streams[0]), Verdict::Plays(_)));
    assert_eq!(edge.stop(2, streams[1]), Verdict::Stopped);
    assert!(edge.decide(4, &newcomer).is_ok());
    edge.assert_gauge_is_true();
}

#[test]
fn a_start_that_takes_the_place_of_another_needs_no_room_in_a_full_edge() {
    let mut edge = TestEdge::with_limit(1, OnConflict::StopOldest);
    edge.records.max_streams = 2;
    let streams = [1, 2].map(|of| edge.starts(of));
    let successor = edge.event(edge.mint(), Unknown::IsNew);
    for decided in [edge.consult(1, &successor), edge.decide(1, &successor)] {
        assert!(matches!(decided.unwrap().verdict, Verdict::Plays(_)));
    }
    assert!(matches!(edge.heartbeat(1, streams[0]), Verdict::Refused(_)));
    assert_eq!(edge.on_record(), 2);
    edge.assert_gauge_is_true();
}

#[test]
fn lapsed_streams_take_no_place_in_a_full_edge_once_they_are_swept() {
    let mut edge = deny_new(2);
    edge.records.max_streams = 3;
    for of in [1, 2, 3] {
        edge.starts(of);
    }
    edge.host.advance_ms(TIMEOUT_MS);
    edge.sweep_all();
    edge.starts(4);
    edge.assert_gauge_is_true();
}

#[test]
fn the_gauge_is_true_after_every_step_of_a_varied_day() {
    let edge = TestEdge::with_limit(2, OnConflict::StopOldest);
    let check = |streams: usize| {
        edge.assert_gauge_is_true();
        assert_eq!(edge.on_record(), streams);
    };
    let first = edge.starts(1);
    check(1);
    edge.starts(1);
    check(2);
    edge.starts(2);
    check(3);
    let third = edge.starts(1);
    check(3);
    let _ = edge.heartbeat(1, first);
    check(3);
    assert_eq!(edge.stop(1, third), Verdict::Stopped);
    check(2);
    edge.host.advance_ms(TIMEOUT_MS);
    check(2);
    // Whoever writes to the slot finds the lapsed ones, its own and its neighbours'.
    edge.starts(1);
    check(1);
    assert_eq!(edge.host.count(Metric::Lapses), 2);
    assert_eq!(edge.host.count(Metric::Evictions), 1);
}

#[test]
fn a_generation_rings_exactly_when_a_stream_was_ended() {
    let mut edge = TestEdge::with_limit(2, OnConflict::StopOldest);
    let bumps = |edge: &TestEdge| edge.host.calls().bumps;
    let [first, second] = [edge.starts(1), edge.starts(1)];
    assert!(matches!(edge.media(1, first), Verdict::Plays(_)));
    assert_eq!(bumps(&edge), 0, "starts and signs of life");

    let third = edge.starts(1);
    assert_eq!(bumps(&edge), 1, "an eviction");
    let _ = edge.media(1, first);
    assert_eq!(bumps(&edge), 1, "a victim's request");

    let mut fourth = play(&edge.records.book, "app", edge.mint(), Unknown::IsNew);
    fourth.terminate = vec![second.termination_code(), third.termination_code()];
    let fourth = (fourth.stream, edge.decide(1, &Event::Play(fourth)).unwrap()).0;
    assert_eq!(bumps(&edge), 2, "two kills at once");

    edge.host.lose_next_swaps(3);
    assert_eq!(edge.stop(1, fourth), Verdict::Stopped);
    assert_eq!(bumps(&edge), 3, "a stop that was tried four times");
    let _ = edge.stop(1, fourth);
    assert_eq!(bumps(&edge), 3, "a stop of what is over");

    let fifth = edge.starts(1);
    edge.records.book = deny_new(0).records.book;
    assert_conflict(&edge.start(1).1.unwrap());
    assert_eq!(bumps(&edge), 3, "a refused start");
    assert_conflict(&edge.heartbeat(1, fifth));
    assert_eq!(bumps(&edge), 4, "a live stream that may not go on");

    edge.records.book = deny_new(1).records.book;
    edge.starts(1);
    edge.host.advance_ms(TIMEOUT_MS);
    edge.sweep_all();
    assert_eq!(bumps(&edge), 4, "a lapse");
}

#[test]
fn the_generation_told_is_the_one_before_so_nothing_that_follows_is_missed() {
    let edge = TestEdge::with_limit(1, OnConflict::StopOldest);
    let stream = edge.starts(1);
    let told = |stream| {
        let event = edge.event(stream, Unknown::Starts);
        edge.decide(1, &event).unwrap().basis.unwrap().generation
    };
    let group = edge.records.group_of(&subject(1));
    let first = told(stream);
    assert_eq!(first, edge.host.generation(group));

    let second = told(edge.mint());
    assert_eq!(first, second, "as it was before the eviction");
    assert_ne!(second, edge.host.generation(group), "and it has rung since");
    assert_eq!(told(stream), edge.host.generation(group));
}

#[test]
fn consulting_says_what_would_be_decided_and_writes_nothing() {
    for on_conflict in [OnConflict::DenyNew, OnConflict::StopOldest] {
        let edge = TestEdge::with_limit(1, on_conflict);
        let stream = edge.mint();
        let application = edge.records.book.application("app").unwrap();
        let events = [
            edge.event(stream, Unknown::Starts),
            edge.event(stream, Unknown::IsOver),
            edge.event(edge.mint(), Unknown::IsNew),
            edge.event(stream, Unknown::IsOver),
            Event::Stop {
                stream,
                application: application.clone(),
            },
            edge.event(stream, Unknown::Starts),
        ];
        for event in &events {
            let before = (edge.host.calls(), edge.stored(0), edge.host.live());
            let consulted = edge.consult(1, event).unwrap();
            let after = edge.host.calls();
            assert_eq!(after.swaps, before.0.swaps);
            assert_eq!(after.bumps, before.0.bumps);
            assert_eq!((edge.stored(0), edge.host.live()), (before.1, before.2));
            let decided = edge.decide(1, event).unwrap();
            let written = edge.host.calls().swaps > after.swaps;
            let expected = Decided {
                basis: decided.basis.map(|basis| Basis {
                    pending: written,
                    ..basis
                }),
                ..decided
            };
            assert_eq!(consulted, expected, "{event:?}");
        }
    }
}

#[test]
fn a_slot_that_cannot_be_read_is_taken_as_absent_and_counted() {
    let written = deny_new(1);
    written.starts(1);
    let good = written.stored(0);
    let another_version = [&[good[0] + 1], &good[1..]].concat();
    let cut = good[..good.len() - 1].to_vec();
    let mut damaged_record = good.clone();
    // The number of streams, behind what every slot begins with, subject, time and length.
    damaged_record[EMPTY_SLOT + 16 + 6 + 1] = 0x7f;

    for bytes in [another_version, cut, damaged_record, vec![0xff; 100]] {
        let edge = deny_new(1);
        edge.host.plant(StoreKey::Slot(0), &bytes);
        assert_eq!(edge.live(1), []);
        assert!(edge.host.count(Metric::CorruptSlots) > 0);
        let stream = edge.starts(1);
        assert_eq!(edge.live(1), [stream]);
        assert_conflict(&edge.start(1).1.unwrap());

        let counted = edge.host.count(Metric::CorruptSlots);
        edge.sweep_all();
        assert_eq!(edge.live(1), [stream]);
        assert_eq!(edge.host.count(Metric::CorruptSlots), counted);
    }
}

#[test]
fn what_never_was_written_is_not_called_corrupt() {
    let edge = deny_new(1);
    assert_eq!(edge.live(1), []);
    edge.host.lose_next_swaps(1);
    edge.starts(1);
    assert_eq!(edge.host.count(Metric::CorruptSlots), 0);
}

#[test]
fn a_damaged_neighbour_harms_nobody_and_goes_when_its_time_has_come() {
    let edge = deny_new(1);
    edge.starts(1);
    let mut bytes = edge.stored(0);
    bytes[EMPTY_SLOT + 16 + 6 + 1] = 0x7f;
    edge.host.plant(StoreKey::Slot(0), &bytes);
    let neighbour = edge.starts(2);
    assert_eq!(edge.live(2), [neighbour]);
    edge.host.advance_ms(TIMEOUT_MS - 1);
    assert!(matches!(edge.media(2, neighbour), Verdict::Plays(_)));
    edge.host.advance_ms(1);
    assert!(matches!(edge.media(2, neighbour), Verdict::Plays(_)));
    let bytes = edge.stored(0);
    let subjects: Vec<_> = Slot::parse(&bytes).unwrap().subjects().collect();
    assert_eq!(subjects, [subject(2)]);
}

#[test]
fn what_was_ended_stays_ended_after_its_slot_has_forgotten_it() {
    let edge = deny_new(1);
    let victim = edge.starts(1);
    assert_eq!(edge.stop(1, victim), Verdict::Stopped);
    let over = Verdict::Refused(Refused::Over);
    for wait in [ENDED_KEPT_MS - 1, 1, 1, TIMEOUT_MS] {
        edge.host.advance_ms(wait);
        edge.starts(2);
        assert_eq!(edge.media(1, victim), over);
        assert_eq!(edge.heartbeat(1, victim), over);
        edge.host.advance_ms(TIMEOUT_MS);
    }
    let bytes = edge.stored(0);
    let slot = Slot::parse(&bytes).unwrap();
    let watermark = Activity {
        watermark: victim.issued_at().unwrap(),
        ..Activity::default()
    };
    assert_eq!(slot.activity(&subject(1)), Some(watermark));
    // A day later it is held against all accounts of the slot.
    edge.host.advance_ms(WATERMARK_KEPT_MS);
    edge.sweep_all();
    assert_eq!(edge.media(1, victim), over);
    assert_eq!(edge.stored(0).len(), EMPTY_SLOT);
    let bytes = edge.stored(0);
    assert_eq!(
        Some(Slot::parse(&bytes).unwrap().watermark),
        victim.issued_at()
    );
}

#[test]
fn streams_come_back_after_a_restart_and_the_gauge_with_them() {
    let mut edge = deny_new(1);
    let stream = edge.starts(1);
    edge.host.advance_ms(1_000);
    edge.restart();
    assert_eq!(edge.host.live(), 0);
    let early = edge.host.now();
    assert!(matches!(edge.heartbeat(1, stream), Verdict::Plays(plays) if plays.started));
    edge.assert_gauge_is_true();
    assert_eq!(edge.live(1), [stream]);

    edge.host.set_now(early.plus_ms(TIMEOUT_MS + 1));
    assert_eq!(
        edge.heartbeat(1, stream),
        Verdict::Refused(Refused::Over),
        "began at {NOW:?}"
    );
}

#[test]
fn a_policy_sees_only_streams_of_applications_that_list_it() {
    let applications: [(&str, &[&str]); 2] = [("app", &["P"]), ("free", &[])];
    let policies = vec![limit("P", 1, OnConflict::DenyNew)];
    let edge = TestEdge::new(1, book(policies, &applications));
    for _ in 0..3 {
        let free = play(&edge.records.book, "free", edge.mint(), Unknown::IsNew);
        assert!(edge.decide(1, &Event::Play(free)).is_ok());
    }
    edge.starts(1);
    assert_conflict(&edge.start(1).1.unwrap());
}

#[test]
fn every_stream_that_loses_its_place_is_counted_as_evicted() {
    let devices = |max| {
        let policy = limit("P", max, OnConflict::StopOldest);
        let rule = Rule {
            count: Count::Distinct("deviceId".to_owned()),
            same_device_replaces: false,
            ..policy.rules[0].clone()
        };
        let policy = Policy {
            rules: vec![rule],
            ..policy
        };
        book(vec![policy], &[("app", &["P"])])
    };
    let mut edge = TestEdge::new(1, devices(2));
    let start = |edge: &TestEdge, device| {
        edge.host.advance_ms(1);
        let mut play = play(&edge.records.book, "app", edge.mint(), Unknown::IsNew);
        play.attributes.set("deviceId", device);
        let stream = play.stream;
        let verdict = edge.decide(1, &Event::Play(play)).unwrap().verdict;
        assert!(matches!(verdict, Verdict::Plays(_)), "{verdict:?}");
        stream
    };
    let first = ["tv", "tv", "tv"].map(|device| start(&edge, device))[0];
    start(&edge, "phone");
    edge.records.book = devices(1);
    // It goes, and with it what its device plays besides.
    assert_conflict(&edge.media(1, first));
    assert_eq!(edge.live(1).len(), 1);
    assert_eq!(edge.host.count(Metric::Evictions), 3);
    start(&edge, "tablet");
    assert_eq!(edge.host.count(Metric::Evictions), 4);
    edge.assert_gauge_is_true();
}

fn release(edge: &TestEdge, of: u8, stream: StreamKey) -> Verdict {
    let application = edge.records.book.application("app").unwrap();
    let event = Event::Release {
        stream,
        application: application.clone(),
    };
    edge.decide(of, &event).unwrap().verdict
}

#[test]
fn a_release_frees_the_place_rings_and_is_counted_as_what_it_is() {
    let edge = deny_new(1);
    let paused = edge.starts(1);
    let event = || edge.event(paused, Unknown::Starts);
    assert_eq!(release(&edge, 1, paused), Verdict::Stopped);
    assert_eq!(edge.host.calls().bumps, 1);
    assert_eq!(edge.host.count(Metric::Releases), 1);
    assert_eq!(edge.host.count(Metric::Stops), 0);
    assert_eq!(edge.live(1), []);
    edge.assert_gauge_is_true();

    let calls = edge.host.calls();
    assert_eq!(release(&edge, 1, paused), Verdict::Refused(Refused::Over));
    assert_eq!(edge.host.calls().swaps, calls.swaps);
    assert_eq!(edge.host.count(Metric::Releases), 1);

    assert!(matches!(
        edge.decide(1, &event()).unwrap().verdict,
        Verdict::Plays(plays) if plays.started
    ));
    edge.assert_gauge_is_true();
    assert_eq!(edge.host.count(Metric::Starts), 2);
}

#[test]
fn a_released_stream_comes_back_though_its_neighbours_ends_were_forgotten() {
    let edge = deny_new(1);
    let paused = edge.starts(1);
    let watermark = edge.starts(2);
    edge.stop(2, watermark);
    // Each of them watches for longer than ends are remembered.
    for _ in 0..=ENDED_KEPT_MS / TIMEOUT_MS {
        edge.host.advance_ms(TIMEOUT_MS - 1);
        assert!(matches!(edge.media(1, paused), Verdict::Plays(_)));
    }
    edge.host.advance_ms(TIMEOUT_MS - 1);
    assert_eq!(release(&edge, 1, paused), Verdict::Stopped);
    let bytes = edge.stored(0);
    let slot = Slot::parse(&bytes).unwrap();
    assert!(paused.issued_at().unwrap() <= slot.activity(&subject(2)).unwrap().watermark);
    edge.host.advance_ms(ENDED_KEPT_MS - 1);
    assert!(matches!(edge.media(1, paused), Verdict::Plays(plays) if plays.started));
}

#[test]
fn a_pause_that_is_forgotten_moves_no_watermark() {
    let edge = deny_new(1);
    let paused = edge.starts(1);
    release(&edge, 1, paused);
    edge.host.advance_ms(ENDED_KEPT_MS);
    edge.sweep_all();
    assert_eq!(edge.stored(0).len(), EMPTY_SLOT);
    assert_eq!(Slot::parse(&edge.stored(0)).unwrap().watermark.as_ms(), 0);
    // Nothing holds it back, then, but nothing is known of it either.
    assert!(matches!(edge.media(1, paused), Verdict::Plays(_)));
    // Nor do pauses that a slot has no more room for.
    for of in 0..20 {
        edge.host.advance_ms(1);
        let stream = edge.starts(10 + of);
        release(&edge, 10 + of, stream);
    }
    assert_eq!(Slot::parse(&edge.stored(0)).unwrap().watermark.as_ms(), 0);
}

#[test]
fn writes_that_went_through_are_counted_and_no_others() {
    let edge = deny_new(2);
    edge.host.lose_next_swaps(2);
    let stream = edge.starts(1);
    assert_eq!(edge.host.count(Metric::RecordWrites), 1);
    edge.media(1, stream);
    assert_eq!(edge.host.count(Metric::RecordWrites), 2);
    let _ = edge.consult(1, &edge.event(stream, Unknown::Starts));
    edge.host.fail_swaps(true);
    let _ = edge.start(1);
    edge.host.fail_swaps(false);
    assert_eq!(edge.host.count(Metric::RecordWrites), 2);
    edge.stop(1, stream);
    assert_eq!(edge.host.count(Metric::RecordWrites), 3);
}

#[test]
fn who_is_refused_is_told_when_trying_again_may_help() {
    let edge = deny_new(1);
    edge.starts(1);
    let newcomer = edge.event(edge.mint(), Unknown::Starts);
    let lapses_at = Some(NOW.plus_ms(TIMEOUT_MS));
    assert_eq!(edge.decide(1, &newcomer).unwrap().retry_at, lapses_at);
    assert_eq!(edge.consult(1, &newcomer).unwrap().retry_at, lapses_at);
    assert_eq!(edge.decide(2, &newcomer).unwrap().retry_at, None);
}
