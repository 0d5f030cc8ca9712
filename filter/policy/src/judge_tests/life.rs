//! Signs of life, and what silence means.

use streamgate_values::stream_key::StreamKey;

use super::{Account, conflict, over, plays};
use crate::activity::ENDED_KEPT_MS;
use crate::testing::{NOW, TIMEOUT_MS, book, limit, test};
use crate::{OnConflict, Refused, Unknown, Verdict};

fn account() -> Account {
    let policies = vec![limit("P", 1, OnConflict::DenyNew)];
    Account::new(book(policies, &[("app", &["P"]), ("other", &[])]))
}

#[test]
fn a_stream_lives_one_timeout_from_its_last_sign_of_life() {
    let mut account = account();
    let stream = account.starts("app");
    for _ in 0..3 {
        account.later(TIMEOUT_MS - 1);
        let plays = plays(account.heartbeat(stream));
        assert!(!plays.started);
        assert_eq!(plays.lapses_at, account.now.plus_ms(TIMEOUT_MS));
    }
    account.later(TIMEOUT_MS);
    assert_eq!(account.live(), []);
}

#[test]
fn a_stream_that_has_long_to_live_is_left_as_it_is() {
    let mut account = account();
    let stream = account.starts("app");
    let before = account.activity.clone();
    let half_due = |account: &mut Account| {
        account.wants_to_play(stream, Unknown::Starts, |play| {
            play.renew_below_ms = TIMEOUT_MS / 2;
        })
    };
    account.later(TIMEOUT_MS / 2);
    let lapses_at = plays(half_due(&mut account)).lapses_at;
    assert_eq!(account.activity, before);
    assert_eq!(lapses_at, account.now.plus_ms(TIMEOUT_MS / 2));

    account.later(1);
    let lapses_at = plays(half_due(&mut account)).lapses_at;
    assert_eq!(lapses_at, account.now.plus_ms(TIMEOUT_MS));
    assert_ne!(account.activity, before);
}

#[test]
fn a_write_that_is_made_anyway_renews_the_life_too() {
    let mut account = account();
    let stream = account.starts("app");
    account.later(10);
    let verdict = account.wants_to_play(stream, Unknown::Starts, |play| {
        play.renew_below_ms = 0;
        play.attributes.set("channel", "News 1");
    });
    assert_eq!(plays(verdict).lapses_at, account.now.plus_ms(TIMEOUT_MS));
}

#[test]
fn a_sign_of_life_never_shortens_a_life() {
    let mut account = account();
    let stream = account.starts("app");
    let lapses_at = account.now.plus_ms(TIMEOUT_MS);
    let verdict = account.wants_to_play(stream, Unknown::IsOver, |play| play.timeout_ms = 1);
    assert_eq!(plays(verdict).lapses_at, lapses_at);
}

#[test]
fn attributes_given_with_a_heartbeat_are_added() {
    let mut account = account();
    let stream = account.starts("app");
    for (name, value) in [("bitrate", "1"), ("deviceId", "d"), ("bitrate", "2")] {
        plays(account.wants_to_play(stream, Unknown::IsOver, |play| {
            play.renew_below_ms = 0;
            play.attributes.set(name, value);
        }));
    }
    let attributes = &account.activity.stream(&stream).unwrap().attributes;
    let found: Vec<_> = attributes.iter().collect();
    assert_eq!(found, [("bitrate", "2"), ("deviceId", "d")]);
}

#[test]
fn a_session_that_lapsed_is_over_for_heartbeats() {
    let mut account = account();
    let stream = account.starts("app");
    account.later(TIMEOUT_MS);
    over(account.heartbeat(stream));
    over(account.stop(stream));
    account.later(ENDED_KEPT_MS);
    over(account.heartbeat(stream));
}

#[test]
fn a_lapsed_stream_of_an_unmodified_player_may_start_again() {
    for silence in [TIMEOUT_MS, ENDED_KEPT_MS, 100 * ENDED_KEPT_MS] {
        let mut account = account();
        let external = StreamKey::external([7; 16]);
        account.minted.insert(external, "app".to_owned());
        for stream in [account.mint("app"), external] {
            plays(account.media(stream));
            account.later(silence);
            let plays = plays(account.media(stream));
            assert!(plays.started);
            let started_at = account.activity.stream(&stream).unwrap().started_at;
            assert_eq!(started_at, account.now);
            account.later(TIMEOUT_MS);
        }
    }
}

#[test]
fn a_lapsed_stream_that_starts_again_is_judged_afresh() {
    let mut account = account();
    let first = account.starts("app");
    account.later(TIMEOUT_MS);
    let second = account.starts("app");
    conflict(account.media(first));
    assert_eq!(account.stop(second), Verdict::Stopped);
    assert!(plays(account.media(first)).started);
}

#[test]
fn a_key_that_never_started_is_no_session() {
    let mut account = account();
    let stream = account.mint("app");
    over(account.heartbeat(stream));
    over(account.stop(stream));
    assert_eq!(account.now, NOW.plus_ms(1_000));
}

#[test]
fn a_live_stream_belongs_to_the_application_that_started_it() {
    let foreign = Verdict::Refused(Refused::Foreign);
    let mut account = account();
    let stream = account.starts("app");
    let before = account.activity.clone();
    assert_eq!(account.stop_as("other", stream), foreign);
    account.minted.insert(stream, "other".to_owned());
    assert_eq!(account.heartbeat(stream), foreign);
    assert_eq!(account.media(stream), foreign);
    assert_eq!(account.activity, before);
}

#[test]
fn what_its_player_has_buffered_is_kept_in_seconds_rounded_up() {
    let mut account = account();
    let stream = account.starts("app");
    for (buffer_ms, expected) in [
        (5_000, 5),
        (5_001, 6),
        (70_000_000, u16::MAX),
        (0, u16::MAX),
    ] {
        plays(account.wants_to_play(stream, Unknown::Starts, |play| play.buffer_ms = buffer_ms));
        assert_eq!(
            account.activity.streams[0].buffer_s, expected,
            "{buffer_ms}"
        );
    }
}

#[test]
fn those_that_go_for_it_are_named() {
    let mut account = Account::new(book(
        vec![limit("P", 2, OnConflict::StopOldest)],
        &[("app", &["P"])],
    ));
    let tv = [("deviceId", "tv")];
    let [replaced, evicted] = [account.starts_with("app", &tv), account.starts("app")];
    let verdict = account.start_with("app", &tv).1;
    assert_eq!(plays(verdict).ended, [replaced]);
    let verdict = account.start("app").1;
    assert_eq!(plays(verdict).ended, [evicted]);
    let code = account.activity.streams[0].key.termination_code();
    let chosen = account.activity.streams[0].key;
    let verdict = account.start_killing("app", &[code.as_str()]).1;
    assert_eq!(plays(verdict).ended, [chosen]);
}
