//! Rules that count distinct values: devices, places.

use streamgate_values::stream_key::StreamKey;

use super::{
    Account, account_under, book_of, conflict, distinct, evicted, keys, per, plays, streams,
};
use crate::testing::{TIMEOUT_MS, test};
use crate::{OnConflict, Unknown, Verdict};

const BOTH: [OnConflict; 2] = [OnConflict::DenyNew, OnConflict::StopOldest];

/// An account with at most so many devices.
fn devices(max: u32, on_conflict: OnConflict) -> Account {
    account_under(vec![distinct("deviceId", max, on_conflict)])
}

fn on(account: &mut Account, device: &str) -> StreamKey {
    account.starts_with("app", &[("deviceId", device)])
}

#[test]
fn under_stop_oldest_a_third_device_pushes_out_all_streams_of_the_first() {
    let mut account = devices(2, OnConflict::StopOldest);
    let first = [on(&mut account, "tv"), on(&mut account, "tv")];
    let second = on(&mut account, "phone");
    let late = on(&mut account, "tv");
    let (third, verdict) = account.start_with("app", &[("deviceId", "tablet")]);
    assert_eq!(plays(verdict).evicted, 3);
    assert_eq!(account.live(), [second, third]);
    for stream in [first[0], first[1], late] {
        let breach = evicted(account.heartbeat(stream));
        assert_eq!(breach.attribute.as_deref(), Some("deviceId"));
        assert_eq!(breach.threshold, 2);
    }
}

#[test]
fn a_device_is_as_old_as_its_oldest_stream_that_still_plays() {
    let mut account = devices(2, OnConflict::StopOldest);
    let tv = on(&mut account, "tv");
    let phone = on(&mut account, "phone");
    let tv_again = on(&mut account, "tv");
    assert_eq!(account.stop(tv), Verdict::Stopped);
    let tablet = on(&mut account, "tablet");
    assert_eq!(account.live(), [tv_again, tablet]);
    evicted(account.heartbeat(phone));
}

#[test]
fn under_deny_new_the_streams_of_all_devices_are_in_the_way_of_one_more() {
    let mut account = devices(2, OnConflict::DenyNew);
    let streams = [
        on(&mut account, "tv"),
        on(&mut account, "phone"),
        on(&mut account, "tv"),
    ];
    let before = account.activity.clone();
    let (_, verdict) = account.start_with("app", &[("deviceId", "tablet")]);
    let breaches = conflict(verdict);
    assert_eq!(breaches[0].attribute.as_deref(), Some("deviceId"));
    assert_eq!(keys(&breaches[0].conflicts), streams);
    assert_eq!(account.activity, before);
    // Only once the last stream of a device is gone there is room for another one.
    assert_eq!(account.stop(streams[0]), Verdict::Stopped);
    conflict(account.start_with("app", &[("deviceId", "tablet")]).1);
    assert_eq!(account.stop(streams[2]), Verdict::Stopped);
    on(&mut account, "tablet");
}

#[test]
fn streams_of_a_value_that_plays_already_join_it_without_counting() {
    for on_conflict in BOTH {
        let mut account = devices(2, on_conflict);
        let streams: Vec<_> = ["tv", "phone", "tv", "phone", "tv"]
            .map(|device| on(&mut account, device))
            .into();
        assert_eq!(account.live(), streams, "{on_conflict:?}");
        for stream in streams {
            plays(account.heartbeat(stream));
        }
    }
}

#[test]
fn streams_that_lack_the_attribute_share_one_value() {
    for on_conflict in BOTH {
        let mut account = devices(2, on_conflict);
        let nameless = [account.starts("app"), account.starts("app")];
        let tv = on(&mut account, "tv");
        let (third, verdict) = account.start_with("app", &[("deviceId", "phone")]);
        if on_conflict == OnConflict::DenyNew {
            let conflicts = &conflict(verdict)[0].conflicts;
            assert_eq!(keys(conflicts), [nameless[0], nameless[1], tv]);
        } else {
            assert_eq!(plays(verdict).evicted, 2);
            assert_eq!(account.live(), [tv, third]);
        }
    }
}

#[test]
fn a_value_is_case_sensitive_and_an_empty_one_is_the_same_as_none() {
    let mut account = account_under(vec![distinct("zipcode", 3, OnConflict::DenyNew)]);
    for zipcode in ["sw1a", "SW1A", ""] {
        account.starts_with("app", &[("zipcode", zipcode)]);
    }
    account.starts_with("app", &[]);
    conflict(account.start_with("app", &[("zipcode", "e1")]).1);
}

#[test]
fn an_account_of_several_applications_is_counted_together() {
    let mut account = devices(1, OnConflict::DenyNew);
    on(&mut account, "tv");
    account.starts_with("other", &[("deviceId", "tv")]);
    conflict(account.start_with("other", &[("deviceId", "phone")]).1);
}

#[test]
fn several_rules_of_one_policy_all_hold() {
    let rules = vec![
        distinct("deviceId", 2, OnConflict::DenyNew),
        streams(3, OnConflict::StopOldest),
    ];
    let mut account = account_under(rules);
    let [first, second] = [on(&mut account, "tv"), on(&mut account, "phone")];
    conflict(account.start_with("app", &[("deviceId", "tablet")]).1);
    assert_eq!(account.live(), [first, second]);
    let third = on(&mut account, "phone");
    let fourth = on(&mut account, "tv");
    assert_eq!(account.live(), [second, third, fourth]);
}

#[test]
fn a_rule_evicts_no_second_device_where_another_rules_eviction_is_enough() {
    let streams_first = vec![
        streams(2, OnConflict::StopOldest),
        distinct("deviceId", 2, OnConflict::StopOldest),
    ];
    let devices_first = streams_first.iter().rev().cloned().collect();
    for rules in [streams_first, devices_first] {
        let mut account = account_under(rules);
        on(&mut account, "tv");
        let phone = on(&mut account, "phone");
        let (newest, verdict) = account.start_with("app", &[("deviceId", "tablet")]);
        assert_eq!(plays(verdict).evicted, 1);
        assert_eq!(account.live(), [phone, newest]);
    }
}

/// Two streams on each of three devices; then the limit falls to `max` devices.
fn lowered_to(max: u32, on_conflict: OnConflict) -> (Account, Vec<StreamKey>) {
    let mut account = devices(3, on_conflict);
    let streams = ["a", "b", "c", "c", "b", "a"].map(|device| on(&mut account, device));
    account.book = book_of(vec![distinct("deviceId", max, on_conflict)]);
    (account, streams.into())
}

#[test]
fn a_lowered_limit_takes_the_surplus_devices_whole_in_whatever_order_they_ask() {
    for (on_conflict, staying) in [
        (OnConflict::DenyNew, [[0, 5], [1, 4]]),
        (OnConflict::StopOldest, [[1, 4], [2, 3]]),
    ] {
        for rotation in 0..6 {
            let (mut account, streams) = lowered_to(2, on_conflict);
            for n in 0..6 {
                let n = (n + rotation) % 6;
                let verdict = account.heartbeat(streams[n]);
                let allowed = matches!(verdict, Verdict::Plays(_));
                assert_eq!(allowed, staying.concat().contains(&n), "{rotation} {n}");
            }
            let mut expected = staying.concat();
            expected.sort_unstable();
            let expected: Vec<_> = expected.into_iter().map(|n| streams[n]).collect();
            assert_eq!(account.live(), expected, "{on_conflict:?} {rotation}");
        }
    }
}

#[test]
fn a_start_after_the_limit_was_lowered_meets_the_new_one() {
    let (mut account, streams) = lowered_to(1, OnConflict::DenyNew);
    conflict(account.start_with("app", &[("deviceId", "d")]).1);
    // Also on a device that itself is one too many.
    conflict(account.start_with("app", &[("deviceId", "c")]).1);
    assert_eq!(account.live(), streams);
    on(&mut account, "a");

    let (mut account, streams) = lowered_to(2, OnConflict::StopOldest);
    let (newest, verdict) = account.start_with("app", &[("deviceId", "d")]);
    assert_eq!(plays(verdict).evicted, 4);
    assert_eq!(account.live(), [streams[2], streams[3], newest]);
}

#[test]
fn a_refused_start_on_a_device_that_is_one_too_many_touches_nobody() {
    let (mut account, streams) = lowered_to(2, OnConflict::StopOldest);
    let before = account.activity.clone();
    let breaches = conflict(account.start_with("app", &[("deviceId", "a")]).1);
    assert_eq!(keys(&breaches[0].conflicts), streams[1..5]);
    assert_eq!(account.activity, before);
}

#[test]
fn after_a_restart_no_more_devices_come_back_than_may() {
    for on_conflict in BOTH {
        let mut account = devices(2, on_conflict);
        let old = [on(&mut account, "tv"), on(&mut account, "phone")];
        account.later(1_000);
        account.restart();
        on(&mut account, "tablet");
        let back = |account: &mut Account, stream, device| {
            account.wants_to_play(stream, Unknown::IsOver, |play| {
                play.attributes.set("deviceId", device);
            })
        };
        plays(back(&mut account, old[1], "phone"));
        conflict(back(&mut account, old[0], "tv"));
        account.later(TIMEOUT_MS / 2);
        // A stream of a device that plays comes back beside it.
        plays(back(&mut account, old[0], "phone"));
    }
}

#[test]
fn an_empty_device_id_counts_as_an_unknown_one() {
    let mut account = account_under(vec![distinct("deviceId", 1, OnConflict::DenyNew)]);
    let unknown = account.starts("app");
    let empty = account.starts_with("app", &[("deviceId", "")]);
    assert_eq!(account.live(), [unknown, empty]);

    let mut account = account_under(vec![per(&["deviceId"], streams(2, OnConflict::DenyNew))]);
    account.starts("app");
    account.starts_with("app", &[("deviceId", "")]);
    conflict(account.start("app").1);
    account.starts_with("app", &[("deviceId", "tv")]);
}
