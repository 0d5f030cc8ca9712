//! Rules that count per value of scope attributes.

use super::{account_under, conflict, distinct, evicted, keys, named, per, plays, streams};
use crate::OnConflict;
use crate::testing::test;

const FEED: (&str, &str) = ("channel", "News 1");
const SPORT: (&str, &str) = ("channel", "Sport");
const TV: (&str, &str) = ("deviceType", "tv");
const PHONE: (&str, &str) = ("deviceType", "phone");

#[test]
fn streams_are_counted_per_channel() {
    let mut account = account_under(vec![per(&["channel"], streams(2, OnConflict::DenyNew))]);
    let news = [
        account.starts_with("app", &[FEED]),
        account.starts_with("app", &[FEED]),
    ];
    let sport = account.starts_with("app", &[SPORT]);
    let breaches = conflict(account.start_with("app", &[FEED]).1);
    assert_eq!(breaches[0].scope, ["channel"]);
    assert_eq!(keys(&breaches[0].conflicts), news);
    let sport_too = account.starts_with("app", &[SPORT]);
    assert_eq!(account.live(), [news[0], news[1], sport, sport_too]);
}

#[test]
fn the_oldest_goes_within_its_scope_only() {
    let mut account = account_under(vec![per(&["channel"], streams(1, OnConflict::StopOldest))]);
    let sport = account.starts_with("app", &[SPORT]);
    let news = account.starts_with("app", &[FEED]);
    let (newest, verdict) = account.start_with("app", &[FEED]);
    assert_eq!(plays(verdict).evicted, 1);
    assert_eq!(account.live(), [sport, newest]);
    assert_eq!(evicted(account.heartbeat(news)).scope, ["channel"]);
}

#[test]
fn streams_without_a_scope_attribute_are_counted_together() {
    let mut account = account_under(vec![per(&["channel"], streams(1, OnConflict::DenyNew))]);
    account.starts("app");
    account.starts_with("app", &[FEED]);
    conflict(account.start("app").1);
}

#[test]
fn of_two_scope_attributes_both_must_agree() {
    let rule = per(&["channel", "deviceType"], streams(1, OnConflict::DenyNew));
    let mut account = account_under(vec![rule]);
    for attributes in [[FEED, TV], [FEED, PHONE], [SPORT, TV], [SPORT, PHONE]] {
        account.starts_with("app", &attributes);
    }
    for attributes in [[FEED, TV], [PHONE, SPORT]] {
        let breaches = conflict(account.start_with("app", &attributes).1);
        assert_eq!(breaches[0].conflicts.len(), 1);
        assert_eq!(breaches[0].scope, ["channel", "deviceType"]);
    }
}

#[test]
fn two_rules_with_scopes_of_their_own_both_hold() {
    let rules = vec![
        named(
            "channel",
            per(&["channel"], streams(2, OnConflict::DenyNew)),
        ),
        named(
            "type",
            per(&["deviceType"], streams(1, OnConflict::StopOldest)),
        ),
    ];
    let mut account = account_under(rules);
    let tv = account.starts_with("app", &[FEED, TV]);
    let phone = account.starts_with("app", &[FEED, PHONE]);
    // The channel is full; that the TV would give way does not help.
    let breaches = conflict(account.start_with("app", &[FEED, TV]).1);
    assert_eq!(breaches[0].rule, "channel");
    assert_eq!(account.live(), [tv, phone]);
    let sport = account.starts_with("app", &[SPORT, TV]);
    assert_eq!(evicted(account.heartbeat(tv)).rule, "type");
    assert_eq!(account.live(), [phone, sport]);
}

#[test]
fn values_are_counted_per_scope() {
    let rule = per(&["deviceType"], distinct("zipcode", 1, OnConflict::DenyNew));
    let mut account = account_under(vec![rule]);
    let home = ("zipcode", "1010");
    let away = ("zipcode", "8020");
    account.starts_with("app", &[TV, home]);
    account.starts_with("app", &[TV, home]);
    account.starts_with("app", &[PHONE, away]);
    conflict(account.start_with("app", &[TV, away]).1);
    conflict(account.start_with("app", &[PHONE, home]).1);
}
