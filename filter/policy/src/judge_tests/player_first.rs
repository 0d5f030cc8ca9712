//! A player that begins before its app creates the session: one stream, not two.

use streamgate_values::stream_key::StreamKey;

use super::session_player::{PHONE, TV, account, created, creates, players};
use super::{Account, conflict, evicted, from_outside, killed, over, plays};
use crate::activity::EndReason;
use crate::session_player::SessionPlayer;
use crate::testing::{TIMEOUT_MS, test};
use crate::{OnConflict, Refused, Verdict};

/// A player begins on the television, and then its app creates the session.
fn begun(account: &mut Account, which: usize) -> StreamKey {
    let player = players(account)[which];
    assert!(plays(account.media_with(player, TV)).started);
    let (_, verdict) = creates(account, TV);
    let plays = plays(verdict);
    assert_eq!((plays.taken, plays.started), (Some(player), false));
    assert_eq!(plays.replaced, 0);
    player
}

#[test]
fn a_session_is_its_players_stream_where_that_was_there_first() {
    for which in [0, 1] {
        for max in [1, 3] {
            let mut account = account(max, OnConflict::DenyNew);
            let started_at = account.now;
            let stream = begun(&mut account, which);
            assert_eq!(account.live(), [stream]);
            assert!(account.activity.streams[0].started_at <= started_at.plus_ms(2_000));
            // Either keeps it alive.
            for _ in 0..3 {
                account.later(TIMEOUT_MS - 1);
                plays(account.media_with(stream, TV));
                account.later(TIMEOUT_MS - 1);
                plays(account.heartbeat(stream));
            }
            assert_eq!(account.live(), [stream]);
            account.later(TIMEOUT_MS);
            assert_eq!(account.live(), []);
        }
    }
}

#[test]
fn they_end_together() {
    for which in [0, 1] {
        let mut account = account(1, OnConflict::DenyNew);
        let stream = begun(&mut account, which);
        assert_eq!(account.stop(stream), Verdict::Stopped);
        over(account.media_with(stream, TV));
        over(account.heartbeat(stream));
        let ends = account.activity.ended.iter();
        assert_eq!(ends.map(|end| end.key).collect::<Vec<_>>(), [stream]);

        let mut account = super::session_player::account(1, OnConflict::StopOldest);
        let stream = begun(&mut account, which);
        let other = created(&mut account, PHONE);
        assert_eq!(account.live(), [other]);
        evicted(account.media_with(stream, TV));
        evicted(account.heartbeat(stream));
    }
}

/// A crash, and the app creates before its new player begins, or after.
#[test]
fn a_second_session_of_the_device_is_another_playback() {
    for player_first in [false, true] {
        let mut account = account(2, OnConflict::DenyNew);
        let first = begun(&mut account, 1);
        let next = from_outside(&mut account, 8);
        let second = if player_first {
            assert!(plays(account.media_with(next, TV)).started);
            let (_, verdict) = creates(&mut account, TV);
            assert_eq!(plays(verdict).taken, Some(next));
            next
        } else {
            let session = created(&mut account, TV);
            assert!(!plays(account.media_with(next, TV)).started);
            session
        };
        assert_eq!(account.live(), [second]);
        assert!(killed(account.heartbeat(first)).same_device);
        plays(account.heartbeat(second));
        plays(account.media_with(next, TV));
        assert_eq!(account.live(), [second]);
    }
}

#[test]
fn a_stream_of_another_device_application_or_kind_is_left_alone() {
    for (application, device) in [("app", PHONE), ("app", &[][..]), ("other", TV)] {
        let mut account = account(5, OnConflict::DenyNew);
        let player = StreamKey::external([7; 16]);
        account.minted.insert(player, application.to_owned());
        plays(account.media_with(player, device));
        let (session, verdict) = creates(&mut account, TV);
        let plays = plays(verdict);
        assert_eq!((plays.taken, plays.started), (None, true));
        assert!(account.live().contains(&session), "{application}");
    }
    // An app that says no device takes no stream up.
    let mut one = account(5, OnConflict::DenyNew);
    let player = from_outside(&mut one, 7);
    plays(one.media_with(player, &[]));
    let (_, verdict) = creates(&mut one, &[]);
    assert_eq!(plays(verdict).taken, None);
    assert_eq!(one.live().len(), 2);
    // Where apps are given a prefix, a device that starts again replaces what it played.
    let mut one = account(5, OnConflict::DenyNew);
    one.book.sessions_have_players = false;
    let player = from_outside(&mut one, 7);
    plays(one.media_with(player, TV));
    let (session, verdict) = creates(&mut one, TV);
    assert_eq!(plays(verdict).taken, None);
    assert_eq!(one.live(), [session]);
}

/// Of two on one device, where no rule has it replace its own.
#[test]
fn of_several_players_the_latest_is_the_sessions() {
    let mut account = account(5, OnConflict::DenyNew);
    account.book = super::book_of(vec![super::named(
        "places",
        super::streams(5, OnConflict::DenyNew),
    )]);
    account.book.sessions_have_players = true;
    let [first, second] = [8, 7].map(|n| {
        account.later(1);
        let player = from_outside(&mut account, n);
        plays(account.media_with(player, TV));
        player
    });
    let (_, verdict) = creates(&mut account, TV);
    assert_eq!(plays(verdict).taken, Some(second));
    let (_, verdict) = creates(&mut account, TV);
    assert_eq!(plays(verdict).taken, Some(first));
    let (_, verdict) = creates(&mut account, TV);
    assert_eq!(plays(verdict).taken, None);
}

/// What the app says holds beside what the player was asked for, and is not held against it.
#[test]
fn a_create_may_say_other_than_its_player_and_counts_as_a_create() {
    let mut account = account(5, OnConflict::DenyNew);
    account.book.creates_per_minute = 2;
    account.book.calls_per_minute = 1;
    let player = from_outside(&mut account, 7);
    let film = &[("deviceId", "tv"), ("assetId", "seg")][..];
    plays(account.media_with(player, film));
    let (_, verdict) = creates(&mut account, &[("deviceId", "tv"), ("assetId", "film")]);
    assert_eq!(plays(verdict).taken, Some(player));
    plays(account.heartbeat(player));
    plays(created_verdict(&mut account));
    let refused = created_verdict(&mut account);
    assert!(
        matches!(refused, Verdict::Refused(Refused::Throttled { .. })),
        "{refused:?}"
    );
}

fn created_verdict(account: &mut Account) -> Verdict {
    creates(account, PHONE).1
}

/// A create that may not be leaves a player alone that may play, and ends one with it that may not.
#[test]
fn a_create_that_is_refused_leaves_the_player_as_it_was() {
    let mut account = account(5, OnConflict::DenyNew);
    let player = from_outside(&mut account, 7);
    plays(account.media_with(player, TV));
    account.book.creates_per_minute = 0;
    let (_, verdict) = creates(&mut account, TV);
    assert!(matches!(verdict, Verdict::Refused(_)), "{verdict:?}");
    assert_eq!(account.activity.streams[0].player, SessionPlayer::None);
    plays(account.media_with(player, TV));

    let mut account = super::session_player::account(2, OnConflict::DenyNew);
    let phone = created(&mut account, PHONE);
    let player = from_outside(&mut account, 7);
    plays(account.media_with(player, TV));
    let mut book = super::book_of(vec![super::named(
        "places",
        super::streams(1, OnConflict::DenyNew),
    )]);
    book.sessions_have_players = true;
    account.book = book;
    let (_, verdict) = creates(&mut account, TV);
    conflict(verdict);
    assert_eq!(account.live(), [phone]);
    evicted(account.media_with(player, TV));
    assert!(matches!(
        account.activity.end_of(&player).unwrap().why,
        EndReason::Evicted { .. }
    ));
}
