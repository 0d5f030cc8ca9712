//! One rule, its limit, and who gives way.

use streamgate_values::stream_key::StreamKey;

use super::{Account, conflict, evicted, keys, plays};
use crate::testing::{MAX_STREAMS_PER_SUBJECT, TIMEOUT_MS, book, limit, test};
use crate::{Message, OnConflict, Refused, Verdict};

fn account(max: u32, on_conflict: OnConflict) -> Account {
    Account::new(book(
        vec![limit("P", max, on_conflict)],
        &[("app", &["P"]), ("free", &[])],
    ))
}

fn starts(account: &mut Account, application: &str, how_many: usize) -> Vec<StreamKey> {
    (0..how_many).map(|_| account.starts(application)).collect()
}

#[test]
fn deny_new_refuses_the_newcomer_and_touches_nobody_else() {
    let mut account = account(3, OnConflict::DenyNew);
    let streams = starts(&mut account, "app", 3);
    let before = account.activity.clone();

    let (newcomer, verdict) = account.start("app");
    let breaches = conflict(verdict);
    assert_eq!(breaches.len(), 1);
    assert_eq!(breaches[0].threshold, 3);
    assert_eq!(breaches[0].message, Message::plain("P allows 3"));
    assert_eq!(keys(&breaches[0].conflicts), streams);
    assert_eq!(account.activity, before);
    // Its client, had it one, would be told that there is no such stream.
    super::over(account.heartbeat(newcomer));
    for stream in streams {
        plays(account.heartbeat(stream));
    }
}

#[test]
fn deny_new_has_room_again_once_a_stream_stops_or_lapses() {
    let mut account = account(2, OnConflict::DenyNew);
    let streams = starts(&mut account, "app", 2);
    assert_eq!(account.stop(streams[0]), Verdict::Stopped);
    let third = account.starts("app");
    conflict(account.start("app").1);

    account.later(TIMEOUT_MS - 5_000);
    plays(account.heartbeat(third));
    account.later(5_000);
    let fourth = account.starts("app");
    assert_eq!(account.live(), [third, fourth]);
}

#[test]
fn stop_oldest_lets_the_newcomer_play_and_the_oldest_lose() {
    let mut account = account(2, OnConflict::StopOldest);
    let streams = starts(&mut account, "app", 2);
    // Not the one heard of last, but the one started first.
    plays(account.heartbeat(streams[0]));

    let (newcomer, verdict) = account.start("app");
    assert_eq!(plays(verdict).evicted, 1);
    assert_eq!(account.live(), [streams[1], newcomer]);
    let newest = account.activity.stream(&newcomer).unwrap();
    assert_eq!(newest.superseded, [streams[0].termination_code()]);
    assert_eq!(evicted(account.heartbeat(streams[0])).threshold, 2);
    plays(account.heartbeat(streams[1]));
}

#[test]
fn a_limit_of_none_lets_nobody_play_whoever_would_give_way() {
    for on_conflict in [OnConflict::DenyNew, OnConflict::StopOldest] {
        let mut account = account(0, on_conflict);
        let (_, verdict) = account.start("app");
        assert_eq!(conflict(verdict)[0].threshold, 0);
        assert_eq!(account.live(), []);
    }
}

#[test]
fn a_sign_of_life_at_the_limit_is_no_conflict() {
    for on_conflict in [OnConflict::DenyNew, OnConflict::StopOldest] {
        let mut account = account(3, on_conflict);
        let streams = starts(&mut account, "app", 3);
        for stream in &streams {
            plays(account.heartbeat(*stream));
            plays(account.media(*stream));
        }
        assert_eq!(account.live(), streams);
    }
}

#[test]
fn an_implicit_start_meets_the_same_limit() {
    let mut account = account(1, OnConflict::DenyNew);
    let first = account.mint("app");
    assert!(plays(account.media(first)).started);
    assert!(!plays(account.media(first)).started);
    let second = account.mint("app");
    conflict(account.media(second));
    assert_eq!(account.live(), [first]);
}

#[test]
fn streams_that_started_in_the_same_moment_are_told_apart() {
    for on_conflict in [OnConflict::DenyNew, OnConflict::StopOldest] {
        let mut account = account(2, on_conflict);
        let streams = [account.mint("app"), account.mint("app")];
        for stream in streams {
            plays(account.media(stream));
        }
        account.book = self::account(1, on_conflict).book;
        let allowed = streams.map(|stream| matches!(account.media(stream), Verdict::Plays(_)));
        let expected = [
            on_conflict == OnConflict::DenyNew,
            on_conflict == OnConflict::StopOldest,
        ];
        assert_eq!(allowed, expected, "{on_conflict:?}");
    }
}

#[test]
fn a_subject_has_no_more_streams_than_the_edge_keeps_for_one() {
    let mut account = account(1, OnConflict::DenyNew);
    let streams = starts(&mut account, "free", MAX_STREAMS_PER_SUBJECT);
    let before = account.activity.clone();
    let (_, verdict) = account.start("free");
    assert_eq!(verdict, Verdict::Refused(Refused::SubjectFull));
    assert_eq!(account.activity, before);
    for stream in &streams {
        plays(account.heartbeat(*stream));
    }
    // The place of one that goes is free.
    let code = streams[0].termination_code();
    let (newest, verdict) = account.start_killing("free", &[&code]);
    assert_eq!(plays(verdict).killed, 1);
    assert_eq!(account.live().len(), MAX_STREAMS_PER_SUBJECT);
    assert_eq!(account.live().last(), Some(&newest));
}
