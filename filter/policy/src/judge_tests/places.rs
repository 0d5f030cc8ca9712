//! How many play of how many, as an application is told.

use super::{Account, account_under, distinct, named, per, plays, streams};
use crate::activity::Activity;
use crate::testing::{book, limit, test};
use crate::{Condition, Mode, OnConflict, Places, Policy, Rule, Target, Test, Unknown};
use streamgate_values::stream_key::StreamKey;

fn when(attribute: &str, value: &str, rule: Rule) -> Rule {
    Rule {
        target: Target(vec![Condition {
            attribute: attribute.to_owned(),
            test: Test::AnyOf(vec![value.to_owned()]),
        }]),
        ..rule
    }
}

/// A new stream with these attributes is created through the session API.
#[track_caller]
fn create(account: &mut Account, attributes: &[(&str, &str)]) -> (StreamKey, Option<(u32, u32)>) {
    create_with_claim(account, attributes, None)
}

#[track_caller]
fn create_with_claim(
    account: &mut Account,
    attributes: &[(&str, &str)],
    claim: Option<u32>,
) -> (StreamKey, Option<(u32, u32)>) {
    let stream = account.mint("app");
    let verdict = account.wants_to_play(stream, Unknown::IsNew, |play| {
        play.is_call = true;
        super::set_all(play, attributes);
        if let Some(claim) = claim {
            play.limits.set("climit", claim);
        }
    });
    (stream, pair(plays(verdict).places))
}

fn heartbeat(account: &mut Account, stream: StreamKey) -> Option<(u32, u32)> {
    pair(plays(account.heartbeat(stream)).places)
}

fn pair(places: Option<Places>) -> Option<(u32, u32)> {
    places.map(|places| (places.active, places.max))
}

#[test]
fn create_and_heartbeat_count_this_stream_and_the_others() {
    let mut account = account_under(vec![streams(3, OnConflict::DenyNew)]);
    let (first, places) = create(&mut account, &[]);
    assert_eq!(places, Some((1, 3)));
    let (second, places) = create(&mut account, &[]);
    assert_eq!(places, Some((2, 3)));
    assert_eq!(heartbeat(&mut account, first), Some((2, 3)));
    plays_on_after_stop(&mut account, second, first);
}

#[track_caller]
fn plays_on_after_stop(account: &mut Account, stopped: StreamKey, other: StreamKey) {
    let _ = account.stop(stopped);
    assert_eq!(heartbeat(account, other), Some((1, 3)));
}

#[test]
fn those_that_go_for_it_no_longer_count() {
    let mut account = account_under(vec![streams(2, OnConflict::StopOldest)]);
    create(&mut account, &[]);
    create(&mut account, &[]);
    assert_eq!(create(&mut account, &[]).1, Some((2, 2)));

    let mut account = account_under(vec![streams(3, OnConflict::DenyNew)]);
    create(&mut account, &[]);
    let (_, verdict) = account.start_killing("app", &["a1a1a1a1"]);
    plays(verdict);
    assert_eq!(create(&mut account, &[]).1, Some((2, 3)));

    let replacing = Rule {
        same_device_replaces: true,
        ..streams(3, OnConflict::DenyNew)
    };
    let mut account = account_under(vec![replacing]);
    create(&mut account, &[("deviceId", "1")]);
    assert_eq!(create(&mut account, &[("deviceId", "1")]).1, Some((1, 3)));
}

#[test]
fn the_tightest_rule_that_looks_at_it_counts() {
    let live = when("contentType", "live", streams(2, OnConflict::DenyNew));
    let rules = vec![
        streams(5, OnConflict::DenyNew),
        named("live", live),
        named("devices", distinct("deviceId", 1, OnConflict::DenyNew)),
    ];
    let mut account = account_under(rules);
    let film = [("contentType", "vod"), ("deviceId", "1")];
    let live = [("contentType", "live"), ("deviceId", "1")];
    let (film, places) = create(&mut account, &film);
    assert_eq!(places, Some((1, 5)));
    // One of two live streams, though two of five streams: one place is left.
    assert_eq!(create(&mut account, &live).1, Some((1, 2)));
    assert_eq!(heartbeat(&mut account, film), Some((2, 5)));
}

#[test]
fn a_scope_counts_its_own() {
    let mut account = account_under(vec![per(&["channel"], streams(2, OnConflict::DenyNew))]);
    let (news, _) = create(&mut account, &[("channel", "News")]);
    assert_eq!(
        create(&mut account, &[("channel", "Sport")]).1,
        Some((1, 2))
    );
    assert_eq!(create(&mut account, &[("channel", "News")]).1, Some((2, 2)));
    assert_eq!(heartbeat(&mut account, news), Some((2, 2)));
}

#[test]
fn a_claim_says_how_many() {
    let rule = Rule {
        max_claim: Some("climit".to_owned()),
        ..streams(3, OnConflict::DenyNew)
    };
    let mut account = account_under(vec![rule]);
    let (_, places) = create_with_claim(&mut account, &[], Some(7));
    assert_eq!(places, Some((1, 7)));
    assert_eq!(create(&mut account, &[]).1, Some((2, 3)));
}

#[test]
fn without_a_rule_that_counts_streams_and_acts_nothing_is_said() {
    let rules = vec![distinct("deviceId", 3, OnConflict::DenyNew)];
    let mut account = account_under(rules);
    assert_eq!(create(&mut account, &[("deviceId", "1")]).1, None);

    let monitored = Policy {
        mode: Mode::Monitor,
        ..limit("P", 3, OnConflict::DenyNew)
    };
    let mut account = Account::new(book(vec![monitored], &[("app", &["P"])]));
    assert_eq!(create(&mut account, &[]).1, None);
}

#[test]
fn streams_of_other_policies_do_not_count_and_segments_are_not_told() {
    let policies = vec![
        limit("P", 3, OnConflict::DenyNew),
        limit("Q", 3, OnConflict::DenyNew),
    ];
    let mut account = Account::new(book(policies, &[("app", &["P"]), ("other", &["Q"])]));
    account.starts("other");
    let (stream, places) = create(&mut account, &[]);
    assert_eq!(places, Some((1, 3)));
    assert_eq!(plays(account.media(stream)).places, None);
}

#[test]
fn after_a_limit_was_lowered_there_can_be_more_than_it_allows() {
    let mut account = account_under(vec![streams(3, OnConflict::DenyNew)]);
    let (first, _) = create(&mut account, &[]);
    create(&mut account, &[]);
    create(&mut account, &[]);
    let activity: Activity = account.activity.clone();
    let mut lowered = account_under(vec![streams(2, OnConflict::DenyNew)]);
    lowered.activity = activity;
    lowered.now = account.now;
    lowered.minted = account.minted.clone();
    assert_eq!(heartbeat(&mut lowered, first), Some((3, 2)));
}
