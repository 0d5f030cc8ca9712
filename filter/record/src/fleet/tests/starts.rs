//! What one call asks of the store, and who is answered with what.

use core::mem;

use streamgate_policy::activity::ENDED_KEPT_MAX;

use super::*;
use crate::testing::test;

#[test]
fn a_start_takes_one_call_where_the_shard_is_known() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.asks(alice, 7);
    let call = worker.call();
    assert_eq!(call.shard, "shard-1");
    assert_eq!(call.timeout_ms, 500);
    let [swap] = &swaps(&call)[..] else {
        panic!("one subject: {call:?}");
    };
    let tag = swap[4].strip_suffix(b"e:1").expect("the shard's beginning");
    assert!(tag.starts_with(b"sg5:{") && tag.ends_with(b"}"), "{tag:?}");
    assert_eq!(swap[3], [tag, alice.as_bytes().as_slice()].concat());
    assert_eq!(swap[6], SINCE.to_bytes(), "nothing is on record there");
    assert_eq!(worker.live(&alice), 0, "it is not decided yet");
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    assert!(matches!(
        worker.verdicts()[..],
        [(7, Ok(Verdict::Plays(_)))]
    ));
    assert_eq!(worker.live(&alice), 1);
    assert_eq!(worker.host.count(Metric::Starts), 1);
}

#[test]
fn a_start_at_a_shard_never_heard_of_is_judged_again_once_it_is_known_since_when_it_remembers() {
    let mut worker = Worker::new();
    worker.asks(subject(1, 1), 7);
    let first = worker.call();
    assert_eq!(swaps(&first)[0][6], b"");
    let said = answer(&first, &[bulk(b"")]);
    worker.hears(&first, Ok(&said));
    assert!(worker.verdicts().is_empty());
    let second = worker.call();
    assert_eq!(swaps(&second)[0][6], SINCE.to_bytes());
    let said = answer(&second, &[done()]);
    worker.hears(&second, Ok(&said));
    assert!(matches!(
        worker.verdicts()[..],
        [(7, Ok(Verdict::Plays(_)))]
    ));
}

#[test]
fn a_start_is_judged_by_what_another_edge_has_recorded() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.asks(alice, 7);
    let call = worker.call();
    let full = Activity {
        streams: (1..4).map(|n| stream(n, NOW)).collect(),
        ..Activity::default()
    };
    let said = answer(&call, &[another(&full)]);
    worker.hears(&call, Ok(&said));
    assert_eq!(worker.live(&alice), 3, "this edge knows them now");
    // The refusal is true only if the record is still that one.
    let check = worker.call();
    let swap = &swaps(&check)[0];
    assert_eq!((&swap[6][..], &swap[7][..]), (&b"elsewher"[..], &b""[..]));
    let said = answer(&check, &[done()]);
    worker.hears(&check, Ok(&said));
    let verdicts = worker.verdicts();
    let [(7, Ok(Verdict::Refused(Refused::Conflict(breaches))))] = &verdicts[..] else {
        panic!("{verdicts:?}");
    };
    assert_eq!(breaches[0].conflicts.len(), 3);
}

/// Calls count on record where no stream is live or remembered: there is nothing to copy.
#[test]
fn a_record_without_streams_is_written_over_at_the_second_try() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.asks(alice, 7);
    let call = worker.call();
    let nobody = Activity {
        watermark: NOW,
        ..Activity::default()
    };
    let said = answer(&call, &[another(&nobody)]);
    worker.hears(&call, Ok(&said));
    let again = worker.call();
    let swap = &swaps(&again)[0];
    assert_eq!(swap[6], b"elsewher");
    let written = copy::activity_in(&swap[7][8..]).unwrap();
    assert_eq!((written.streams.len(), written.watermark), (1, NOW));
    let said = answer(&again, &[done()]);
    worker.hears(&again, Ok(&said));
    assert!(matches!(
        worker.verdicts()[..],
        [(7, Ok(Verdict::Plays(_)))]
    ));
}

/// No bump follows for it: no worker has ever seen it live.
#[test]
fn a_stream_that_loses_its_place_in_the_write_it_starts_with_is_asked_about_again() {
    let mut worker = Worker::with(settings(), 1, OnConflict::StopOldest);
    worker.gets_acquainted();
    worker.asks(subject(1, 1), 1);
    worker.asks(subject(1, 1), 2);
    let call = worker.call();
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    assert_eq!(worker.may_hold_leases(), [false, true]);
}

/// One worker's start is recorded; another worker of the edge has heard of it and gone on to
/// evict that stream before the first one reads its answer. No bump follows after that.
#[test]
fn a_stream_that_another_worker_has_ended_since_it_was_recorded_is_asked_about_again() {
    for newcomers in [1, ENDED_KEPT_MAX as u32 + 1] {
        let mut worker = Worker::with(settings(), 1, OnConflict::StopOldest);
        worker.gets_acquainted();
        let mut other = Fleet::new(settings());
        let alice = subject(1, 1);
        worker.asks(alice, 1);
        let first = worker.call();
        let recorded = bulk(&swaps(&first)[0][7]);

        mem::swap(&mut worker.fleet, &mut other);
        worker.host.advance_ms(1);
        (0..newcomers).for_each(|newcomer| worker.asks(alice, 100 + newcomer));
        for told in [recorded, done()] {
            let call = worker.call();
            let said = answer(&call, &[told]);
            worker.hears(&call, Ok(&said));
        }
        assert_eq!(worker.fleet.settled().len(), newcomers as usize);

        mem::swap(&mut worker.fleet, &mut other);
        let said = answer(&first, &[done()]);
        worker.hears(&first, Ok(&said));
        assert_eq!(worker.may_hold_leases(), [false], "{newcomers}");
        assert_eq!(worker.live(&alice), 1, "{newcomers}");
    }
}

#[test]
fn starts_of_one_account_go_into_one_write_in_their_order() {
    let mut worker = Worker::acquainted();
    for ticket in 0..5 {
        worker.asks(subject(1, 1), ticket);
    }
    let call = worker.call();
    assert_eq!(swaps(&call).len(), 1);
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    let verdicts = worker.verdicts();
    let plays = |verdict: &Result<Verdict, _>| matches!(verdict, Ok(Verdict::Plays(_)));
    let told: Vec<_> = verdicts
        .iter()
        .map(|(n, verdict)| (*n, plays(verdict)))
        .collect();
    assert_eq!(
        told,
        [(0, true), (1, true), (2, true), (3, false), (4, false)]
    );
}

#[test]
fn what_comes_up_while_a_call_is_under_way_goes_with_the_next() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 1);
    let first = worker.call();
    worker.asks(subject(1, 1), 2);
    worker.asks(subject(1, 2), 3);
    assert!(worker.calls().is_empty());
    // Another shard does not wait for this one.
    worker.asks(subject(2, 3), 4);
    assert_eq!(worker.call().shard, "shard-2");
    let said = answer(&first, &[done()]);
    worker.hears(&first, Ok(&said));
    assert_eq!(swaps(&worker.call()).len(), 2);
}

#[test]
fn whoever_is_gone_is_told_nothing_and_what_was_sent_stands() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 1);
    let call = worker.call();
    worker.asks(subject(1, 2), 2);
    worker.fleet.forget(Ticket(1));
    worker.fleet.forget(Ticket(2));
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    assert!(worker.verdicts().is_empty());
    assert_eq!(worker.live(&subject(1, 1)), 1);
    assert!(worker.calls().is_empty(), "nobody asked for the other one");
}

#[test]
fn the_store_is_told_first_who_calls_and_nothing_shows_the_password() {
    let credentials = StoreCredentials {
        user: Some("edge".to_owned()),
        password: "open sesame".to_owned(),
    };
    assert!(!format!("{credentials:?}").contains("sesame"));
    let settings = Settings {
        credentials: Some(credentials),
        ..settings()
    };
    let mut worker = Worker::with(settings, 3, OnConflict::DenyNew);
    for call in worker.tick() {
        let said = [b"+OK\r\n".to_vec(), answer(&call, &[])].concat();
        worker.hears(&call, Ok(&said));
    }
    worker.asks(subject(1, 1), 1);
    let call = worker.call();
    assert_eq!(commands(&call)[0], [&b"AUTH"[..], b"edge", b"open sesame"]);
    worker.hears(&call, Ok(b"-WRONGPASS invalid username-password pair\r\n"));
    assert_eq!(worker.verdicts(), [(1, Err(Unavailable::Fleet))]);
    assert_eq!(worker.host.count(Metric::FleetErrorsAuth), 1);
}
