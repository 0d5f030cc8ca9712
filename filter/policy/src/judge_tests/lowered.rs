//! A configuration update lowers a limit: exactly the surplus loses its place, in
//! whatever order the streams give their next sign of life.

use streamgate_values::stream_key::StreamKey;

use super::{Account, conflict, evicted, plays};
use crate::testing::{book, limit, test};
use crate::{OnConflict, PolicyBook, Verdict};

fn book_of(max: u32, on_conflict: OnConflict) -> PolicyBook {
    let applications: [(&str, &[&str]); 2] = [("app", &["P"]), ("free", &[])];
    book(vec![limit("P", max, on_conflict)], &applications)
}

/// Four streams play; then the limit is lowered.
fn lowered_to(max: u32, on_conflict: OnConflict) -> (Account, [StreamKey; 4]) {
    let mut account = Account::new(book_of(4, on_conflict));
    let streams = [(); 4].map(|()| account.starts("app"));
    account.book = book_of(max, on_conflict);
    (account, streams)
}

/// Every order of four.
fn orders() -> impl Iterator<Item = [usize; 4]> {
    (0..256_usize)
        .map(|n| [n & 3, n >> 2 & 3, n >> 4 & 3, n >> 6])
        .filter(|order| (0..4).all(|n| order.contains(&n)))
}

fn only_the_surplus_goes(max: usize, on_conflict: OnConflict, stays: impl Fn(usize) -> bool) {
    assert_eq!(orders().count(), 24);
    for order in orders() {
        let (mut account, streams) = lowered_to(u32::try_from(max).unwrap(), on_conflict);
        for n in order {
            let verdict = account.heartbeat(streams[n]);
            if stays(n) {
                plays(verdict);
            } else {
                assert_eq!(conflict(verdict)[0].policy, "P", "{n} of {order:?}");
                evicted(account.media(streams[n]));
            }
        }
        let expected: Vec<_> = (0..4).filter(|n| stays(*n)).map(|n| streams[n]).collect();
        assert_eq!(account.live(), expected, "{order:?}");
    }
}

#[test]
fn under_deny_new_the_newest_streams_go_and_nobody_else() {
    for max in 0..4 {
        only_the_surplus_goes(max, OnConflict::DenyNew, |n| n < max);
    }
}

#[test]
fn under_stop_oldest_the_oldest_streams_go_and_nobody_else() {
    for max in 0..4 {
        only_the_surplus_goes(max, OnConflict::StopOldest, |n| n >= 4 - max);
    }
}

#[test]
fn a_start_after_the_limit_was_lowered_meets_the_new_one() {
    let (mut account, streams) = lowered_to(2, OnConflict::DenyNew);
    assert_eq!(conflict(account.start("app").1)[0].threshold, 2);
    assert_eq!(account.live(), streams);

    let (mut account, streams) = lowered_to(2, OnConflict::StopOldest);
    let (newest, verdict) = account.start("app");
    assert_eq!(plays(verdict).evicted, 3);
    assert_eq!(account.live(), [streams[3], newest]);
}

#[test]
fn a_raised_limit_brings_nobody_back_and_makes_room() {
    let (mut account, streams) = lowered_to(3, OnConflict::DenyNew);
    conflict(account.heartbeat(streams[3]));
    account.book = book_of(4, OnConflict::DenyNew);
    evicted(account.heartbeat(streams[3]));
    account.starts("app");
    assert_eq!(account.live().len(), 4);
}

#[test]
fn who_is_turned_off_is_told_afterwards_what_the_rule_says_by_then() {
    let (mut account, streams) = lowered_to(1, OnConflict::StopOldest);
    conflict(account.heartbeat(streams[0]));
    account.book = book_of(2, OnConflict::StopOldest);
    assert_eq!(evicted(account.heartbeat(streams[0])).threshold, 2);

    account.book = book(Vec::new(), &[("app", &[])]);
    super::over(account.heartbeat(streams[0]));
}

#[test]
fn streams_that_no_policy_counts_stay_when_limits_fall() {
    let (mut account, _) = lowered_to(0, OnConflict::StopOldest);
    let free = account.starts("free");
    assert!(matches!(account.heartbeat(free), Verdict::Plays(_)));
}
