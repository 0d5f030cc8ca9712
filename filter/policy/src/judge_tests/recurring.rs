//! Ids that name a device rather than a playback: nobody is banned by one.

use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::{Account, account_under, conflict, from_outside, over, plays, streams};
use crate::testing::{TIMEOUT_MS, test};
use crate::{Event, Judgement, OnConflict, Refused, Unknown, Verdict};

fn media(account: &mut Account, stream: StreamKey) -> Judgement {
    account.judgement(|book| {
        let mut play = crate::testing::play(book, "app", stream, Unknown::Starts);
        play.recurring = true;
        Event::Play(play)
    })
}

/// The stream of a device that was ended, and what its next request is told.
type Tombstone = (Account, StreamKey, fn(&Refused) -> bool);

fn with_stream(on_conflict: OnConflict) -> (Account, StreamKey) {
    let mut account = account_under(vec![streams(1, on_conflict)]);
    let device = from_outside(&mut account, 7);
    plays(media(&mut account, device).verdict);
    account.later(1_000);
    (account, device)
}

fn evicted() -> Tombstone {
    let (mut account, device) = with_stream(OnConflict::StopOldest);
    account.starts("app");
    (account, device, |refused| {
        matches!(refused, Refused::Evicted(_))
    })
}

fn stopped() -> Tombstone {
    let (mut account, device) = with_stream(OnConflict::DenyNew);
    assert_eq!(account.stop(device), Verdict::Stopped);
    (account, device, |refused| matches!(refused, Refused::Over))
}

fn killed() -> Tombstone {
    let (mut account, device) = with_stream(OnConflict::DenyNew);
    let code = device.termination_code();
    let (by, verdict) = account.start_killing("app", &[&code]);
    plays(verdict);
    account.stop(by);
    (account, device, |refused| {
        matches!(refused, Refused::Killed(_))
    })
}

#[track_caller]
fn assert_held_until(judgement: &Judgement, until: Moment, told: fn(&Refused) -> bool) {
    match &judgement.verdict {
        Verdict::Refused(refused) if told(refused) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(judgement.retry_at, Some(until));
    assert!(!judgement.changed);
}

#[test]
fn the_end_is_held_against_it_for_one_timeout_and_asking_makes_that_no_longer() {
    for ended in [evicted, stopped, killed] {
        let (mut account, device, told) = ended();
        let until = account.now.plus_ms(TIMEOUT_MS);
        for wait in [0, TIMEOUT_MS / 2, TIMEOUT_MS / 2 - 1] {
            account.later(wait);
            assert_held_until(&media(&mut account, device), until, told);
        }
        account.later(1);
        assert!(plays(media(&mut account, device).verdict).started);
        assert!(account.activity.end_of(&device).is_none());
        // As any other stream from then on.
        account.later(TIMEOUT_MS - 1);
        assert!(!plays(media(&mut account, device).verdict).started);
    }
}

#[test]
fn it_is_judged_afresh_then() {
    let (mut account, device, _) = stopped();
    account.later(TIMEOUT_MS);
    let other = account.starts("app");
    conflict(media(&mut account, device).verdict);
    assert_eq!(account.live(), [other]);
}

#[test]
fn an_id_of_a_playback_stays_ended_and_is_told_of_no_time_to_try_again() {
    for ended in [evicted, stopped, killed] {
        let (mut account, device, told) = ended();
        account.later(2 * TIMEOUT_MS);
        let judgement = account.judgement(|book| {
            Event::Play(crate::testing::play(book, "app", device, Unknown::Starts))
        });
        assert!(matches!(&judgement.verdict, Verdict::Refused(refused) if told(refused)));
        assert_eq!(judgement.retry_at, None);
    }
}

#[test]
fn where_a_session_is_required_it_takes_one() {
    let (mut account, device, _) = stopped();
    account.later(TIMEOUT_MS);
    over(account.wants_to_play(device, Unknown::IsOver, |play| play.recurring = true));
}

#[test]
fn who_loses_its_place_now_is_told_how_long_that_is_held_against_it() {
    let mut account = account_under(vec![streams(2, OnConflict::DenyNew)]);
    account.starts("app");
    account.later(1_000);
    let device = from_outside(&mut account, 7);
    plays(media(&mut account, device).verdict);
    account.book = super::book_of(vec![streams(1, OnConflict::DenyNew)]);
    let judgement = media(&mut account, device);
    conflict(judgement.verdict);
    assert_eq!(judgement.retry_at, Some(account.now.plus_ms(TIMEOUT_MS)));
}

#[test]
fn an_end_of_a_time_that_was_set_back_by_a_timeout_holds_nobody_up() {
    let (account, device, _) = stopped();
    for (back_ms, is_held) in [(TIMEOUT_MS - 1, true), (TIMEOUT_MS, false)] {
        let mut account = Account {
            activity: account.activity.clone(),
            now: Moment::from_ms(account.now.as_ms() - back_ms),
            ..account_under(vec![streams(1, OnConflict::DenyNew)])
        };
        account.book.longest_timeout_ms = TIMEOUT_MS;
        let verdict = media(&mut account, device).verdict;
        assert_eq!(
            verdict == Verdict::Refused(Refused::Over),
            is_held,
            "{back_ms}"
        );
    }
}

#[test]
fn who_has_not_begun_may_try_again_when_the_first_in_its_way_may_be_gone() {
    let mut account = account_under(vec![streams(1, OnConflict::DenyNew)]);
    account.starts("app");
    let room_at = account.now.plus_ms(TIMEOUT_MS);
    account.later(10_000);
    let device = from_outside(&mut account, 7);
    let judgement = media(&mut account, device);
    assert_eq!(judgement.retry_at, Some(room_at));
    // Nothing has to be written: no call was counted, and nobody was ended.
    assert!(!judgement.changed);
}
