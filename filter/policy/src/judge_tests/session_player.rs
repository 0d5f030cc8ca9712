//! A session whose app was given nothing to play by, and the player on its device, are one stream.

use streamgate_values::stream_key::StreamKey;

use super::{
    Account, account_under, evicted, from_outside, killed, named, over, plays, set_all, streams,
};
use crate::session_player::SessionPlayer;
use crate::testing::{TIMEOUT_MS, test};
use crate::{OnConflict, Rule, Unknown, Verdict};

pub(super) const TV: &[(&str, &str)] = &[("deviceId", "tv")];
pub(super) const PHONE: &[(&str, &str)] = &[("deviceId", "phone")];

/// A device that starts again replaces what it played.
pub(super) fn account(max: u32, on_conflict: OnConflict) -> Account {
    let rule = Rule {
        same_device_replaces: true,
        ..streams(max, on_conflict)
    };
    let mut account = account_under(vec![named("places", rule)]);
    account.book.sessions_have_players = true;
    account
}

/// A create call.
pub(super) fn creates(account: &mut Account, device: &[(&str, &str)]) -> (StreamKey, Verdict) {
    let session = account.mint("app");
    let verdict = account.wants_to_play(session, Unknown::IsNew, |play| {
        play.is_call = true;
        set_all(play, device);
    });
    (session, verdict)
}

#[track_caller]
pub(super) fn created(account: &mut Account, device: &[(&str, &str)]) -> StreamKey {
    let (session, verdict) = creates(account, device);
    plays(verdict);
    session
}

/// The keys of a player that is redirected, and of one that has an id of its own.
pub(super) fn players(account: &mut Account) -> [StreamKey; 2] {
    [account.mint("app"), from_outside(account, 7)]
}

#[test]
fn a_session_and_the_player_of_its_device_are_one_stream_that_either_keeps_alive() {
    for which in [0, 1] {
        let mut account = account(1, OnConflict::DenyNew);
        let session = created(&mut account, TV);
        let player = players(&mut account)[which];
        assert!(!plays(account.media_with(player, TV)).started);
        assert_eq!(account.live(), [session]);
        for _ in 0..4 {
            account.later(TIMEOUT_MS / 2);
            plays(account.media_with(player, TV));
            account.later(TIMEOUT_MS / 2);
            plays(account.heartbeat(session));
        }
        for _ in 0..4 {
            account.later(TIMEOUT_MS - 1);
            plays(account.media_with(player, TV));
        }
        assert_eq!(account.live(), [session]);
        account.later(TIMEOUT_MS);
        assert_eq!(account.live(), []);
    }
}

#[test]
fn they_end_together_and_neither_comes_back() {
    for which in [0, 1] {
        // Evicted.
        let mut account = account(1, OnConflict::StopOldest);
        let session = created(&mut account, TV);
        let player = players(&mut account)[which];
        plays(account.media_with(player, TV));
        let other = created(&mut account, PHONE);
        assert_eq!(account.live(), [other]);
        evicted(account.media_with(player, TV));
        evicted(account.heartbeat(session));
        for _ in 0..20 {
            let again = created(&mut account, PHONE);
            assert_eq!(account.live(), [again]);
        }
        for verdict in [account.media_with(player, TV), account.heartbeat(session)] {
            assert!(matches!(verdict, Verdict::Refused(_)), "{verdict:?}");
        }
        // Begun anew, it is judged afresh.
        let anew = created(&mut account, TV);
        let next = from_outside(&mut account, 8);
        plays(account.media_with(next, TV));
        assert_eq!(account.live(), [anew]);
    }
    for stops_player in [false, true] {
        let mut account = account(1, OnConflict::DenyNew);
        let session = created(&mut account, TV);
        let player = from_outside(&mut account, 7);
        plays(account.media_with(player, TV));
        let stopped = if stops_player { player } else { session };
        assert_eq!(account.stop(stopped), Verdict::Stopped);
        over(account.media_with(player, TV));
        over(account.heartbeat(session));
        assert_eq!(account.live(), []);
    }
}

#[test]
fn a_device_that_starts_again_replaces_both() {
    let mut account = account(2, OnConflict::DenyNew);
    let session = created(&mut account, TV);
    let player = from_outside(&mut account, 7);
    plays(account.media_with(player, TV));
    let again = created(&mut account, TV);
    assert_eq!(account.live(), [again]);
    assert!(killed(account.media_with(player, TV)).same_device);
    assert!(killed(account.heartbeat(session)).same_device);
    // Its player, too, is a new one.
    let next = from_outside(&mut account, 8);
    plays(account.media_with(next, TV));
    assert_eq!(account.live(), [again]);
}

#[test]
fn a_paused_player_comes_back_as_its_session() {
    let mut account = account(1, OnConflict::DenyNew);
    let session = created(&mut account, TV);
    let player = from_outside(&mut account, 7);
    plays(account.media_with(player, TV));
    assert_eq!(account.release(player), Verdict::Stopped);
    assert_eq!(account.live(), []);
    plays(account.media_with(player, TV));
    assert_eq!(account.live(), [session]);
    plays(account.heartbeat(session));
    plays(account.media_with(player, TV));
    assert_eq!(account.live(), [session]);
}

#[test]
fn who_is_on_another_device_or_on_none_or_another_application_is_another_stream() {
    for (application, device) in [("app", PHONE), ("app", &[][..]), ("other", TV)] {
        let mut account = account(5, OnConflict::DenyNew);
        let session = created(&mut account, TV);
        let player = StreamKey::external([7; 16]);
        account.minted.insert(player, application.to_owned());
        assert!(plays(account.media_with(player, device)).started);
        assert_ne!(account.live(), [session]);
    }
    // One session has one player.
    let mut account = account(5, OnConflict::DenyNew);
    let session = created(&mut account, TV);
    let [first, second] = [7, 8].map(|n| from_outside(&mut account, n));
    assert!(!plays(account.media_with(first, TV)).started);
    assert!(plays(account.media_with(second, TV)).started);
    assert_eq!(account.live(), [second]);
    assert!(killed(account.heartbeat(session)).same_device);
}

#[test]
fn where_apps_are_given_a_prefix_nothing_is_taken_up() {
    let mut account = account(5, OnConflict::DenyNew);
    account.book.sessions_have_players = false;
    let session = created(&mut account, TV);
    assert_eq!(account.activity.streams[0].player, SessionPlayer::None);
    let player = from_outside(&mut account, 7);
    assert!(plays(account.media_with(player, TV)).started);
    assert!(killed(account.heartbeat(session)).same_device);
}

/// A limit that was lowered, and a session that would not stay: its player has changed nothing.
#[test]
fn a_player_that_is_refused_is_refused_as_its_session_is() {
    let mut account = account(2, OnConflict::DenyNew);
    let [first, second] = [PHONE, TV].map(|device| created(&mut account, device));
    account.book = {
        let mut book = super::book_of(vec![named("places", streams(1, OnConflict::DenyNew))]);
        book.sessions_have_players = true;
        book
    };
    let player = from_outside(&mut account, 7);
    super::conflict(account.media_with(player, TV));
    assert_eq!(account.live(), [first]);
    evicted(account.media_with(player, TV));
    evicted(account.heartbeat(second));
}

#[test]
fn a_player_that_may_not_begin_without_a_session_is_taken_for_none() {
    let mut account = account(1, OnConflict::DenyNew);
    let session = created(&mut account, TV);
    for player in players(&mut account) {
        over(account.wants_to_play(player, Unknown::IsOver, |play| set_all(play, TV)));
    }
    let stream = account.activity.stream(&session).unwrap();
    assert_eq!(stream.player, SessionPlayer::Awaited);
}
