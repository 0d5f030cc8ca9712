//! Where several rules want room at once, no more go than have to, in whatever order the rules
//! stand.

use streamgate_values::stream_key::StreamKey;

use super::{Account, account_under, distinct, evicted, named, plays, streams};
use crate::target::{Condition, Target, Test};
use crate::testing::{book, limit, test};
use crate::{OnConflict, Policy, Rule};

/// The rule, for streams on devices of this type alone.
fn on_type(device_type: &str, rule: Rule) -> Rule {
    Rule {
        target: Target(vec![Condition {
            attribute: "deviceType".to_owned(),
            test: Test::AnyOf(vec![device_type.to_owned()]),
        }]),
        ..rule
    }
}

fn two_streams() -> Rule {
    named("two-streams", streams(2, OnConflict::StopOldest))
}

fn one_on_mobile() -> Rule {
    let rule = on_type("mobile", streams(1, OnConflict::StopOldest));
    named("one-on-mobile", rule)
}

/// A television and two telephones start, one after the other.
fn starts_three(account: &mut Account) -> [StreamKey; 3] {
    ["tv", "mobile", "mobile"].map(|kind| account.starts_with("app", &[("deviceType", kind)]))
}

#[test]
fn a_telephone_that_gives_way_to_another_makes_room_for_the_household_too() {
    for reversed in [false, true] {
        let mut rules = vec![two_streams(), one_on_mobile()];
        if reversed {
            rules.reverse();
        }
        let mut account = account_under(rules);
        let [tv, first, second] = starts_three(&mut account);
        assert_eq!(account.live(), [tv, second]);
        assert_eq!(evicted(account.heartbeat(first)).policy, "P");
    }
}

#[test]
fn so_it_is_with_rules_of_several_policies_in_any_order() {
    let policy = |name: &str, rule: Rule| Policy {
        rules: vec![rule],
        ..limit(name, 0, OnConflict::DenyNew)
    };
    for listed in [["P", "Q"], ["Q", "P"]] {
        let policies = vec![policy("P", two_streams()), policy("Q", one_on_mobile())];
        let mut account = Account::new(book(policies, &[("app", &listed)]));
        let [tv, _, second] = starts_three(&mut account);
        assert_eq!(account.live(), [tv, second]);
    }
}

#[test]
fn a_device_that_gives_way_with_all_its_streams_makes_room_for_streams_too() {
    for reversed in [false, true] {
        let mut rules = vec![
            named("streams", streams(3, OnConflict::StopOldest)),
            named("devices", distinct("deviceId", 2, OnConflict::StopOldest)),
        ];
        if reversed {
            rules.reverse();
        }
        let mut account = account_under(rules);
        let on = |account: &mut Account, device: &str| {
            account.starts_with("app", &[("deviceId", device)])
        };
        let kept = [on(&mut account, "tv"), on(&mut account, "phone")];
        on(&mut account, "tv");
        // The television is the older device, and one of its streams the oldest of all.
        let tablet = on(&mut account, "tablet");
        assert_eq!(account.live(), [kept[1], tablet]);
    }
}

#[test]
fn where_nothing_serves_both_each_rule_takes_its_oldest() {
    let mut account = account_under(vec![
        named("on-tv", on_type("tv", streams(1, OnConflict::StopOldest))),
        two_streams(),
    ]);
    let [tv, first, second] =
        ["tv", "tablet", "tablet"].map(|kind| account.start_with("app", &[("deviceType", kind)]).0);
    assert_eq!(account.live(), [first, second]);
    let newest = account.starts_with("app", &[("deviceType", "tv")]);
    assert_eq!(account.live(), [second, newest]);
    evicted(account.heartbeat(tv));
    evicted(account.heartbeat(first));
}

#[test]
fn a_policy_that_only_watches_counts_what_is_left_once_all_room_is_made() {
    for listed in [["watched", "enforced"], ["enforced", "watched"]] {
        let watched = Policy {
            mode: crate::Mode::Monitor,
            ..limit("watched", 1, OnConflict::StopOldest)
        };
        let enforced = limit("enforced", 1, OnConflict::StopOldest);
        let mut account = Account::new(book(vec![watched, enforced], &[("app", &listed)]));
        account.starts("app");
        assert_eq!(plays(account.start("app").1).monitored, 0, "{listed:?}");
    }
}
