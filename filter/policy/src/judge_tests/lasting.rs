//! An eviction lasts for ids from outside, too, however many streams end after it.

use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::{Account, account_under, from_outside, plays, streams};
use crate::activity::{ENDED_KEPT_MAX, ENDED_KEPT_MS};
use crate::faded::FADED_KEPT_MAX;
use crate::testing::{TIMEOUT_MS, play, test};
use crate::{Event, Judgement, OnConflict, Unknown, Verdict};

const KEPT: u8 = (ENDED_KEPT_MAX + FADED_KEPT_MAX) as u8;

/// The television's player has an id from outside.
const TV: u8 = 1;

fn account() -> (Account, StreamKey) {
    let mut account = account_under(vec![streams(1, OnConflict::StopOldest)]);
    let tv = from_outside(&mut account, TV);
    plays(account.media(tv));
    (account, tv)
}

/// A telephone starts, with an id from outside of its own.
fn phone(account: &mut Account, n: u8) -> StreamKey {
    account.later(1_000);
    let phone = from_outside(account, 100 + n);
    plays(account.media(phone));
    phone
}

fn asks(account: &mut Account, stream: StreamKey, recurring: bool) -> Judgement {
    account.judgement(|book| {
        let mut play = play(book, "app", stream, Unknown::Starts);
        play.recurring = recurring;
        Event::Play(play)
    })
}

#[track_caller]
fn is_refused(account: &mut Account, stream: StreamKey) {
    let verdict = asks(account, stream, false).verdict;
    assert!(matches!(verdict, Verdict::Refused(_)), "{verdict:?}");
}

#[test]
fn who_was_evicted_stays_so_however_many_come_after() {
    let (mut account, tv) = account();
    let mut last = tv;
    for n in 0..KEPT {
        last = phone(&mut account, n);
        is_refused(&mut account, tv);
        assert_eq!(account.live(), [last]);
    }
    // It starts anew, under another id.
    let anew = from_outside(&mut account, 99);
    plays(account.media(anew));
    is_refused(&mut account, last);
}

#[test]
fn who_goes_on_to_ask_is_not_the_one_forgotten() {
    let (mut account, tv) = account();
    let mut silent = Vec::new();
    for round in 0..8 {
        for n in 0..16 {
            silent.push(phone(&mut account, (round * 16 + n) % 155));
        }
        account.later(TIMEOUT_MS / 3);
        // The phone that plays last has not lapsed.
        is_refused(&mut account, tv);
    }
    assert!(account.activity.faded.len() <= FADED_KEPT_MAX);
    assert!(account.activity.ended.len() <= ENDED_KEPT_MAX);
    // Beyond the bound the silent ones are forgotten, those who came first.
    plays(account.media(silent[0]));
}

#[test]
fn asking_on_is_written_no_more_often_than_a_stream_is_renewed() {
    for phones in [1, 20] {
        let (mut account, tv) = account();
        for n in 0..phones {
            phone(&mut account, n);
        }
        account.later(TIMEOUT_MS / 3);
        let mut changed = 0;
        for _ in 0..TIMEOUT_MS / 1_000 {
            changed += u32::from(asks(&mut account, tv, false).changed);
            account.later(1_000);
        }
        assert_eq!(changed, 3, "{phones}");
    }
}

#[test]
fn an_hour_after_it_asked_last_it_is_forgotten() {
    let (mut account, tv) = account();
    for n in 0..20 {
        phone(&mut account, n);
    }
    assert!(account.activity.end_of(&tv).is_none());
    account.later(ENDED_KEPT_MS - 60_000);
    is_refused(&mut account, tv);
    account.later(ENDED_KEPT_MS - 1);
    is_refused(&mut account, tv);
    account.later(ENDED_KEPT_MS);
    plays(account.media(tv));
}

#[test]
fn an_id_that_names_a_device_is_let_in_after_a_timeout() {
    let (mut account, tv) = account();
    for n in 0..20 {
        phone(&mut account, n);
    }
    let faded = account.activity.faded_end_of(&tv).unwrap();
    let until = faded.at.plus_ms(TIMEOUT_MS);
    account.now = Moment::from_ms(until.as_ms() - 1);
    let judgement = asks(&mut account, tv, true);
    assert!(matches!(judgement.verdict, Verdict::Refused(_)));
    assert_eq!(
        (judgement.changed, judgement.retry_at),
        (false, Some(until))
    );
    account.now = until;
    plays(asks(&mut account, tv, true).verdict);
    assert_eq!(account.activity.faded_end_of(&tv), None);
    // And goes on.
    account.later(1_000);
    plays(asks(&mut account, tv, true).verdict);
}

#[test]
fn a_pause_fades_into_nothing() {
    let mut account = account_under(vec![streams(100, OnConflict::DenyNew)]);
    for n in 0..=KEPT {
        let paused = from_outside(&mut account, n);
        plays(account.media(paused));
        assert_eq!(account.release(paused), Verdict::Stopped);
    }
    assert_eq!(account.activity.faded, []);
}
