//! A viewer chooses what to stop (`X-Terminate`).

use streamgate_values::stream_key::StreamKey;

use super::{Account, conflict, killed, plays};
use crate::activity::Terminator;
use crate::testing::{TIMEOUT_MS, book, limit, test};
use crate::{OnConflict, Unknown};

fn account(max: u32, on_conflict: OnConflict) -> Account {
    let applications: [(&str, &[&str]); 1] = [("app", &["P"])];
    Account::new(book(vec![limit("P", max, on_conflict)], &applications))
}

/// Two streams play, and no third may.
fn full() -> (Account, [StreamKey; 2]) {
    let mut account = account(2, OnConflict::DenyNew);
    let streams = [account.starts("app"), account.starts("app")];
    (account, streams)
}

#[test]
fn a_chosen_stream_makes_room_and_is_named() {
    let (mut account, [first, second]) = full();
    let code = first.termination_code();
    let (third, verdict) = account.start_killing("app", &[&code]);
    let plays = plays(verdict);
    assert_eq!((plays.killed, plays.evicted), (1, 0));
    assert_eq!(account.live(), [second, third]);
    let third = account.activity.stream(&third).unwrap();
    assert_eq!(third.superseded, [code]);
}

#[test]
fn the_killed_stream_is_told_what_was_started_in_its_place() {
    let (mut account, [first, _]) = full();
    let stream = account.mint("app");
    plays(account.wants_to_play(stream, Unknown::IsNew, |play| {
        play.terminate = vec![first.termination_code()];
        play.attributes.set("channel", "News 2");
        play.attributes.set("deviceName", "Kitchen");
    }));
    let by = Terminator {
        application: "app".to_owned(),
        started_at: account.now,
        channel: Some("News 2".to_owned()),
        device_name: Some("Kitchen".to_owned()),
        same_device: false,
    };
    account.later(10);
    assert_eq!(killed(account.heartbeat(first)), by);
    assert_eq!(killed(account.media(first)), by);
    assert_eq!(killed(account.stop(first)), by);
}

#[test]
fn nothing_is_killed_where_that_would_not_let_the_newcomer_play() {
    let (mut account, [first, second]) = full();
    account.book = self::account(1, OnConflict::DenyNew).book;
    let before = account.activity.clone();
    let (_, verdict) = account.start_killing("app", &[&first.termination_code()]);
    assert_eq!(super::keys(&conflict(verdict)[0].conflicts), [second]);
    assert_eq!(account.activity, before);
}

#[test]
fn void_codes_are_ignored() {
    let (mut account, [first, _]) = full();
    for void in ["", "00000000", "a1a1a1", "a1a1a1a1a1", " a1a1a1a1"] {
        let before = account.activity.clone();
        let (_, verdict) = account.start_killing("app", &[void]);
        conflict(verdict);
        assert_eq!(account.activity, before, "{void}");
    }
    // One void code does not spoil the good one beside it.
    let codes = ["00000000", &first.termination_code()];
    let (_, verdict) = account.start_killing("app", &codes);
    assert_eq!(plays(verdict).killed, 1);
}

#[test]
fn the_code_of_a_stream_that_is_gone_is_void() {
    let (mut account, [first, second]) = full();
    account.later(TIMEOUT_MS / 2);
    plays(account.heartbeat(second));
    account.later(TIMEOUT_MS / 2);
    let (third, verdict) = account.start_killing("app", &[&first.termination_code()]);
    assert_eq!(plays(verdict).killed, 0);
    assert_eq!(account.activity.stream(&third).unwrap().superseded, [""; 0]);
    assert_eq!(account.live(), [second, third]);
}

#[test]
fn several_streams_may_be_chosen() {
    let (mut account, streams) = full();
    let codes = streams.map(|stream| stream.termination_code());
    let (third, verdict) = account.start_killing("app", &[&codes[1], &codes[0]]);
    assert_eq!(plays(verdict).killed, 2);
    assert_eq!(account.live(), [third]);
    let mut superseded = account.activity.stream(&third).unwrap().superseded.clone();
    superseded.sort();
    assert_eq!(superseded, codes);
}

#[test]
fn codes_are_the_same_in_upper_and_lower_case() {
    let (mut account, [first, _]) = full();
    let code = first.termination_code().to_uppercase();
    assert_ne!(code, first.termination_code());
    assert_eq!(
        plays(account.start_killing("app", &[&code]).1).killed,
        1,
        "{code}"
    );
    killed(account.heartbeat(first));
}

#[test]
fn the_same_code_twice_kills_once() {
    let (mut account, [first, second]) = full();
    let code = first.termination_code();
    let (third, verdict) = account.start_killing("app", &[&code, &code.to_uppercase()]);
    assert_eq!(plays(verdict).killed, 1);
    assert_eq!(account.activity.stream(&third).unwrap().superseded, [code]);
    assert_eq!(account.live(), [second, third]);
}

#[test]
fn under_stop_oldest_the_viewers_choice_spares_the_oldest() {
    let mut account = account(2, OnConflict::StopOldest);
    let [first, second] = [account.starts("app"), account.starts("app")];
    let (third, verdict) = account.start_killing("app", &[&second.termination_code()]);
    let plays = plays(verdict);
    assert_eq!((plays.killed, plays.evicted), (1, 0));
    assert_eq!(account.live(), [first, third]);
}

#[test]
fn a_stream_cannot_kill_itself() {
    let (mut account, streams) = full();
    let own = streams[0].termination_code();
    let verdict = account.wants_to_play(streams[0], Unknown::IsOver, |play| {
        play.terminate = vec![own];
    });
    assert_eq!(plays(verdict).killed, 0);
    assert_eq!(account.live(), streams);
}
