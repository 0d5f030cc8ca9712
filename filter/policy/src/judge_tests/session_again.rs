//! A session that is created again, or comes back after a restart, finds its player: by an id that names the
//! device, or by what is said of the device.

use streamgate_values::stream_key::StreamKey;

use super::session_player::{PHONE, TV, account, created, creates};
use super::{Account, evicted, from_outside, killed, named, over, plays, set_all, streams};
use crate::session_player::SessionPlayer;
use crate::testing::{TIMEOUT_MS, test};
use crate::{OnConflict, Unknown, Verdict};

/// A segment of a player whose id names its device.
fn device_media(account: &mut Account, device: StreamKey, attributes: &[(&str, &str)]) -> Verdict {
    account.wants_to_play(device, Unknown::Starts, |play| {
        play.recurring = true;
        set_all(play, attributes);
    })
}

/// One session after the other, whatever became of the one before, and the device's player with each.
#[test]
fn the_latest_session_of_a_device_has_its_player() {
    for player_first in [false, true] {
        for ends in ["replaced", "stopped", "evicted", "lapsed"] {
            let mut account = account(2, OnConflict::StopOldest);
            let device = from_outside(&mut account, 7);
            let mut session = if player_first {
                plays(device_media(&mut account, device, TV));
                plays(creates(&mut account, TV).1);
                device
            } else {
                created(&mut account, TV)
            };
            for _ in 0..3 {
                assert!(!plays(device_media(&mut account, device, TV)).started);
                match ends {
                    "stopped" => assert_eq!(account.stop(session), Verdict::Stopped),
                    "evicted" => {
                        for _ in 0..2 {
                            account.start("app");
                        }
                        evicted(account.heartbeat(session));
                    }
                    "lapsed" => account.later(TIMEOUT_MS),
                    _ => {}
                }
                let before = core::mem::replace(&mut session, created(&mut account, TV));
                let media = plays(device_media(&mut account, device, TV));
                assert!(!media.started, "{player_first} {ends}");
                assert!(account.live().contains(&session));
                assert!(!account.live().contains(&before));
                assert!(account.live().len() <= 2);
                plays(account.heartbeat(session));
                let told = account.heartbeat(before);
                match ends {
                    "replaced" => assert!(killed(told).same_device),
                    // The device's id is its player's from then on.
                    "lapsed" if before == device => {}
                    _ => assert!(matches!(told, Verdict::Refused(_)), "{ends}: {told:?}"),
                }
                // What is left of an app that crashed stops nothing.
                if before != device || ends != "lapsed" {
                    assert_ne!(account.stop(before), Verdict::Stopped, "{ends}");
                }
                plays(device_media(&mut account, device, TV));
                plays(account.heartbeat(session));
            }
        }
    }
}

#[test]
fn a_device_without_a_new_session_is_refused_as_before() {
    let mut account = account(2, OnConflict::DenyNew);
    let device = from_outside(&mut account, 7);
    let session = created(&mut account, TV);
    plays(device_media(&mut account, device, TV));
    assert_eq!(account.stop(session), Verdict::Stopped);
    created(&mut account, PHONE);
    over(device_media(&mut account, device, TV));
    // A create that may not be changes nothing.
    created(&mut account, &[]);
    assert!(matches!(creates(&mut account, TV).1, Verdict::Refused(_)));
    over(device_media(&mut account, device, TV));
}

/// Where no rule has a device replace its own, both sessions go on, and the player is the first one's for as long
/// as that lives.
#[test]
fn a_device_that_may_have_several_keeps_its_player_where_it_is() {
    let mut account = account(5, OnConflict::DenyNew);
    account.book = super::book_of(vec![named("places", streams(5, OnConflict::DenyNew))]);
    account.book.sessions_have_players = true;
    let device = from_outside(&mut account, 7);
    let first = created(&mut account, TV);
    plays(device_media(&mut account, device, TV));
    let second = created(&mut account, TV);
    for _ in 0..2 {
        assert!(!plays(device_media(&mut account, device, TV)).started);
        assert_eq!(account.live(), [first, second]);
    }
    let first = account.activity.stream(&first).unwrap();
    assert_eq!(first.player, SessionPlayer::Known(device));
    // Of two that await one, the latest gets it.
    let mut account = super::session_player::account(5, OnConflict::DenyNew);
    account.book = super::book_of(vec![named("places", streams(5, OnConflict::DenyNew))]);
    account.book.sessions_have_players = true;
    let [_, second] = [(); 2].map(|()| created(&mut account, TV));
    let player = from_outside(&mut account, 8);
    plays(account.media_with(player, TV));
    let second = account.activity.stream(&second).unwrap();
    assert_eq!(second.player, SessionPlayer::Known(player));
}

/// Envoy restarts while one plays. Its player is redirected, or has an id from outside, or one of its device.
#[test]
fn a_session_and_its_player_are_one_stream_after_a_restart() {
    for recurring in [false, true] {
        for minted in [false, true] {
            for heartbeat_first in [false, true] {
                for told in [&[][..], TV] {
                    let mut account = account(1, OnConflict::DenyNew);
                    let session = created(&mut account, TV);
                    let player = match minted {
                        true => account.mint("app"),
                        false => from_outside(&mut account, 7),
                    };
                    let media = |account: &mut Account| match recurring {
                        true => device_media(account, player, TV),
                        false => account.media_with(player, TV),
                    };
                    plays(media(&mut account));
                    account.later(5_000);
                    account.restart();
                    account.later(1_000);
                    let mut session = session;
                    if heartbeat_first {
                        plays(account.heartbeat_with(session, told));
                        account.later(1_000);
                        assert!(!plays(media(&mut account)).started);
                    } else {
                        assert!(plays(media(&mut account)).started);
                        account.later(1_000);
                        // The app creates it again, at once and without a word to the viewer.
                        over(account.heartbeat_with(session, told));
                        let taken = plays(creates(&mut account, TV).1).taken;
                        assert_eq!(taken, Some(player));
                        session = player;
                    }
                    for _ in 0..3 {
                        account.later(TIMEOUT_MS - 1);
                        plays(account.heartbeat(session));
                        account.later(TIMEOUT_MS - 1);
                        plays(media(&mut account));
                        assert_eq!(account.live(), [session]);
                    }
                    assert_eq!(account.stop(session), Verdict::Stopped);
                    over(media(&mut account));
                }
            }
        }
    }
}

/// Two devices, both of which come back: each session has the player that began after it.
#[test]
fn sessions_of_several_devices_find_their_players_after_a_restart() {
    for apps_first in [false, true] {
        let mut account = account(2, OnConflict::DenyNew);
        let [tv, tv_player, phone, phone_player] = core::array::from_fn(|n| match n {
            0 => created(&mut account, TV),
            2 => created(&mut account, PHONE),
            _ => account.mint("app"),
        });
        plays(account.media_with(tv_player, TV));
        plays(account.media_with(phone_player, PHONE));
        account.later(5_000);
        account.restart();
        plays(account.heartbeat(tv));
        if apps_first {
            plays(account.heartbeat(phone));
        }
        assert!(!plays(account.media_with(tv_player, TV)).started);
        if !apps_first {
            plays(account.heartbeat(phone));
        }
        assert!(!plays(account.media_with(phone_player, PHONE)).started);
        assert_eq!(account.live(), [tv, phone]);
        let of = |session| account.activity.stream(session).unwrap().player;
        assert_eq!(of(&tv), SessionPlayer::Known(tv_player));
        assert_eq!(of(&phone), SessionPlayer::Known(phone_player));
    }
}

/// What has not come back, or says no device, or is another application's, takes up nothing.
#[test]
fn a_session_of_no_device_that_is_new_has_no_player() {
    let mut account = account(5, OnConflict::DenyNew);
    let session = created(&mut account, &[]);
    let player = from_outside(&mut account, 7);
    assert!(plays(account.media_with(player, TV)).started);
    account.later(1_000);
    account.restart();
    // Of another application.
    account.minted.insert(player, "other".to_owned());
    plays(account.media_with(player, TV));
    plays(account.heartbeat(session));
    let second = from_outside(&mut account, 8);
    assert!(plays(account.media_with(second, &[])).started);
    assert_eq!(account.live().len(), 3);
    // Where apps are given a prefix, sessions come back as they were.
    let mut account = super::session_player::account(5, OnConflict::DenyNew);
    account.book.sessions_have_players = false;
    let session = created(&mut account, TV);
    account.later(1_000);
    account.restart();
    let player = from_outside(&mut account, 7);
    plays(account.media_with(player, PHONE));
    plays(account.heartbeat(session));
}
