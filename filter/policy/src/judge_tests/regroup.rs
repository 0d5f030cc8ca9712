//! A live stream says with a heartbeat that it belongs elsewhere: to another scope,
//! value or target. There it is a newcomer, however long it has played.

use streamgate_values::stream_key::StreamKey;

use super::{Account, account_under, conflict, distinct, evicted, per, plays, streams};
use crate::testing::test;
use crate::{Condition, OnConflict, Rule, Target, Test};

const TV: [(&str, &str); 1] = [("deviceType", "tv")];
const PHONE: [(&str, &str); 1] = [("deviceType", "phone")];

/// One stream per type of device; the older one is on the phone.
fn one_per_type(on_conflict: OnConflict) -> (Account, [StreamKey; 2]) {
    let rule = per(&["deviceType"], streams(1, on_conflict));
    let mut account = account_under(vec![rule]);
    let mover = account.starts_with("app", &PHONE);
    let innocent = account.starts_with("app", &TV);
    (account, [mover, innocent])
}

#[test]
fn under_deny_new_who_comes_over_is_refused_and_the_one_already_there_plays_on() {
    let (mut account, [mover, innocent]) = one_per_type(OnConflict::DenyNew);
    let breaches = conflict(account.heartbeat_with(mover, &TV));
    assert_eq!(super::keys(&breaches[0].conflicts), [innocent]);
    plays(account.heartbeat(innocent));
    assert_eq!(account.live(), [innocent]);
    evicted(account.heartbeat(mover));
}

#[test]
fn under_stop_oldest_the_one_already_there_goes() {
    let (mut account, [mover, innocent]) = one_per_type(OnConflict::StopOldest);
    assert_eq!(plays(account.heartbeat_with(mover, &TV)).evicted, 1);
    evicted(account.heartbeat(innocent));
    plays(account.heartbeat(mover));
    assert_eq!(account.live(), [mover]);
}

#[test]
fn the_place_it_left_is_free() {
    for on_conflict in [OnConflict::DenyNew, OnConflict::StopOldest] {
        let (mut account, [mover, innocent]) = one_per_type(on_conflict);
        plays(account.heartbeat_with(mover, &[("deviceType", "tablet")]));
        let (phone, verdict) = account.start_with("app", &PHONE);
        assert_eq!(plays(verdict).evicted, 0);
        assert_eq!(account.live(), [mover, innocent, phone]);
    }
}

#[test]
fn a_refused_change_does_not_let_it_stay_where_it_was() {
    let (mut account, [mover, _]) = one_per_type(OnConflict::DenyNew);
    conflict(account.heartbeat_with(mover, &TV));
    account.starts_with("app", &PHONE);
    evicted(account.heartbeat_with(mover, &PHONE));
}

#[test]
fn the_same_value_again_is_no_change() {
    for on_conflict in [OnConflict::DenyNew, OnConflict::StopOldest] {
        let (mut account, [mover, innocent]) = one_per_type(on_conflict);
        plays(account.heartbeat_with(mover, &PHONE));
        plays(account.heartbeat_with(innocent, &TV));
        assert_eq!(account.live(), [mover, innocent]);
    }
}

#[test]
fn a_stream_that_changes_its_value_is_a_new_value_there() {
    for on_conflict in [OnConflict::DenyNew, OnConflict::StopOldest] {
        let mut account = account_under(vec![distinct("deviceId", 2, on_conflict)]);
        let on =
            |account: &mut Account, device| account.starts_with("app", &[("deviceId", device)]);
        let mover = on(&mut account, "a");
        let stays = on(&mut account, "a");
        let other = on(&mut account, "b");
        // To one that plays already: no more values than before.
        plays(account.heartbeat_with(mover, &[("deviceId", "b")]));
        assert_eq!(account.live(), [mover, stays, other]);
        // To a third one.
        let verdict = account.heartbeat_with(mover, &[("deviceId", "c")]);
        if on_conflict == OnConflict::DenyNew {
            conflict(verdict);
            assert_eq!(account.live(), [stays, other]);
        } else {
            assert_eq!(plays(verdict).evicted, 1);
            evicted(account.heartbeat(stays));
            assert_eq!(account.live(), [mover, other]);
        }
    }
}

#[test]
fn a_stream_that_comes_into_sight_of_a_rule_is_a_newcomer_to_it() {
    for on_conflict in [OnConflict::DenyNew, OnConflict::StopOldest] {
        let live = Condition {
            attribute: "contentType".to_owned(),
            test: Test::AnyOf(vec!["live".to_owned()]),
        };
        let mut account = account_under(vec![Rule {
            target: Target(vec![live]),
            ..streams(1, on_conflict)
        }]);
        let kind = |kind| [("contentType", kind)];
        let mover = account.starts_with("app", &kind("vod"));
        let innocent = account.starts_with("app", &kind("live"));
        let verdict = account.heartbeat_with(mover, &kind("live"));
        if on_conflict == OnConflict::DenyNew {
            conflict(verdict);
            assert_eq!(account.live(), [innocent]);
        } else {
            plays(verdict);
            assert_eq!(account.live(), [mover]);
        }
    }
}

#[test]
fn to_rules_it_does_not_leave_it_is_as_old_as_ever() {
    let mut account = account_under(vec![
        streams(2, OnConflict::StopOldest),
        per(&["deviceType"], streams(2, OnConflict::DenyNew)),
    ]);
    let mover = account.starts_with("app", &PHONE);
    let other = account.starts_with("app", &TV);
    plays(account.heartbeat_with(mover, &TV));
    let third = account.starts_with("app", &PHONE);
    evicted(account.heartbeat(mover));
    assert_eq!(account.live(), [other, third]);
}
