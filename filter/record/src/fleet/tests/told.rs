//! What a worker says of its fleet.

use super::*;
use crate::fleet::CONFIRMED_MS;
use crate::testing::test;

#[test]
fn each_shard_is_told_with_whether_it_answers_and_since_when_it_remembers() {
    let mut worker = Worker::new();
    let unknown: Vec<_> = worker.fleet.shards().collect();
    assert_eq!(unknown, [(true, None); SHARDS as usize]);
    assert_eq!(worker.fleet.memory_since(&subject(1, 1)), None);
    worker.gets_acquainted();
    let known: Vec<_> = worker.fleet.shards().collect();
    assert_eq!(known, [(true, Some(SINCE)); SHARDS as usize]);
    assert_eq!(worker.fleet.memory_since(&subject(1, 1)), Some(SINCE));
    worker.asks(subject(1, 1), 1);
    for _ in 0..2 {
        let call = worker.call();
        worker.hears(&call, Err(CallFailure));
    }
    let answers: Vec<bool> = worker.fleet.shards().map(|(answers, _)| answers).collect();
    assert_eq!(answers.iter().filter(|answers| !**answers).count(), 1);
    assert!(!answers[1]);
    assert_eq!(worker.fleet.shards_down(), 1);
}

#[test]
fn there_is_something_to_call_for_while_somebody_asks_or_is_to_be_told() {
    let mut worker = Worker::acquainted();
    assert!(!worker.fleet.has_calls());
    worker.asks(subject(1, 1), 1);
    assert!(worker.fleet.has_calls());
    let call = worker.call();
    assert!(!worker.fleet.has_calls());
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    assert!(worker.fleet.has_calls());
    assert_eq!(worker.verdicts().len(), 1);
    assert!(!worker.fleet.has_calls());
}

#[test]
fn who_is_gone_is_told_nothing_and_others_are() {
    let mut worker = Worker::acquainted();
    for ticket in [1, 2] {
        worker.asks(subject(1, 1), ticket);
    }
    let call = worker.call();
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    worker.fleet.forget(Ticket(1));
    let told: Vec<u32> = worker
        .verdicts()
        .iter()
        .map(|(ticket, _)| *ticket)
        .collect();
    assert_eq!(told, [2]);
}

#[test]
fn a_copy_is_taken_for_up_to_date_for_two_seconds() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.plays(alice);
    let now = worker.host.now();
    let is_confirmed = |ms| worker.fleet.is_confirmed(&alice, now.plus_ms(ms));
    assert!(is_confirmed(0));
    assert!(is_confirmed(CONFIRMED_MS - 1));
    assert!(!is_confirmed(CONFIRMED_MS));
}

#[test]
fn how_others_lay_accounts_out_is_told_where_it_is_not_as_here() {
    let settings = Settings {
        layout: Some("shards=8".to_owned()),
        ..settings()
    };
    for (found, expected) in [("shards=8", None), ("shards=4", Some("shards=4"))] {
        let mut worker = Worker::with(settings.clone(), 3, OnConflict::DenyNew);
        assert_eq!(worker.fleet.other_layout(), None);
        for call in worker.tick() {
            let said = answer(&call, &[bulk(found.as_bytes())]);
            worker.hears(&call, Ok(&said));
        }
        assert_eq!(worker.fleet.other_layout(), expected);
    }
}
