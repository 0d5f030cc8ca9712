//! Rules that look at some streams only.

use super::{Account, account_under, conflict, distinct, keys, named, over, plays, streams};
use crate::testing::test;
use crate::{Comparison, Condition, OnConflict, Rule, Target, Test, Verdict};

const LIVE: (&str, &str) = ("contentType", "live");
const EVENT: (&str, &str) = ("contentType", "event");
const VOD: (&str, &str) = ("contentType", "vod");

fn condition(attribute: &str, test: Test) -> Condition {
    Condition {
        attribute: attribute.to_owned(),
        test,
    }
}

fn any_of(values: &[&str]) -> Test {
    Test::AnyOf(values.iter().map(|&value| value.to_owned()).collect())
}

fn none_of(values: &[&str]) -> Test {
    Test::NoneOf(values.iter().map(|&value| value.to_owned()).collect())
}

fn when(conditions: Vec<Condition>, rule: Rule) -> Rule {
    Rule {
        target: Target(conditions),
        ..rule
    }
}

fn one_live_stream(on_conflict: OnConflict) -> Account {
    let live = vec![condition("contentType", any_of(&["live"]))];
    account_under(vec![when(live, streams(1, on_conflict))])
}

#[test]
fn only_streams_that_match_are_counted_and_in_the_way() {
    let mut account = one_live_stream(OnConflict::DenyNew);
    let vod = account.starts_with("app", &[VOD]);
    let live = account.starts_with("app", &[LIVE]);
    let breaches = conflict(account.start_with("app", &[LIVE]).1);
    assert_eq!(keys(&breaches[0].conflicts), [live]);
    assert_eq!(account.live(), [vod, live]);
}

#[test]
fn a_rule_says_nothing_to_a_newcomer_that_does_not_match() {
    for on_conflict in [OnConflict::DenyNew, OnConflict::StopOldest] {
        let mut account = one_live_stream(on_conflict);
        let first = account.starts_with("app", &[LIVE]);
        let others = [VOD, EVENT].map(|kind| account.starts_with("app", &[kind]));
        let nameless = account.starts("app");
        let expected = [first, others[0], others[1], nameless];
        assert_eq!(account.live(), expected, "{on_conflict:?}");
    }
}

#[test]
fn the_oldest_that_matches_goes_and_no_older_one_that_does_not() {
    let mut account = one_live_stream(OnConflict::StopOldest);
    let vod = account.starts_with("app", &[VOD]);
    account.starts_with("app", &[LIVE]);
    let (newest, verdict) = account.start_with("app", &[LIVE]);
    assert_eq!(plays(verdict).evicted, 1);
    assert_eq!(account.live(), [vod, newest]);
}

#[test]
fn a_limit_of_none_forbids_what_matches() {
    let far = vec![condition(
        "bitrate",
        Test::Number(Comparison::Above, 8000.0),
    )];
    let mut account = account_under(vec![when(far, streams(0, OnConflict::StopOldest))]);
    conflict(account.start_with("app", &[("bitrate", "8000.5")]).1);
    account.starts_with("app", &[("bitrate", "8000")]);
    account.starts_with("app", &[("bitrate", "fast")]);
    account.starts("app");
}

#[test]
fn each_kind_of_condition_chooses_its_streams() {
    let number = |comparison| Test::Number(comparison, 30.0);
    let cases: [(Test, &[&str], &[&str]); 9] = [
        (any_of(&["a"]), &["a"], &["b", "A", "-"]),
        (any_of(&["a", "b"]), &["a", "b"], &["c", "-"]),
        (none_of(&["a", "b"]), &["c", "", "-"], &["a", "b"]),
        (Test::Present(true), &["a"], &["-", "", " "]),
        (Test::Present(false), &["-", "", " "], &["a"]),
        (number(Comparison::AtLeast), &["30", "31"], &["29", "-"]),
        (number(Comparison::AtMost), &["30", "-5"], &["30.1", "a"]),
        (number(Comparison::Above), &["30.1"], &["30", "", "-"]),
        (number(Comparison::Below), &["29"], &["30", "NaN", "-"]),
    ];
    for (test, matching, other) in cases {
        let shown = format!("{test:?}");
        let none = when(vec![condition("x", test)], streams(0, OnConflict::DenyNew));
        let mut account = account_under(vec![none]);
        let mut starts = |value: &str| {
            let attributes = [("x", value)];
            let given = if value == "-" { &[] } else { &attributes[..] };
            matches!(account.start_with("app", given).1, Verdict::Plays(_))
        };
        for value in matching {
            assert!(!starts(value), "{shown} {value:?}");
        }
        for value in other {
            assert!(starts(value), "{shown} {value:?}");
        }
    }
}

#[test]
fn all_conditions_of_a_target_must_hold() {
    let away_and_live = vec![
        condition("contentType", any_of(&["live"])),
        condition("hba", none_of(&["true"])),
    ];
    let mut account = account_under(vec![when(away_and_live, streams(1, OnConflict::DenyNew))]);
    let home = ("hba", "true");
    let away = ("hba", "false");
    account.starts_with("app", &[LIVE, away]);
    account.starts_with("app", &[LIVE, home]);
    account.starts_with("app", &[VOD, away]);
    conflict(account.start_with("app", &[LIVE, away]).1);
}

#[test]
fn rules_with_targets_of_their_own_in_one_policy_all_hold() {
    let of = |kind: &str| vec![condition("contentType", any_of(&[kind]))];
    let rules = vec![
        named(
            "live",
            when(of("live"), distinct("deviceId", 1, OnConflict::DenyNew)),
        ),
        named("vod", when(of("vod"), streams(2, OnConflict::DenyNew))),
        named("all", streams(3, OnConflict::DenyNew)),
    ];
    let mut account = account_under(rules);
    let refused_by = |account: &mut Account, attributes: &[(&str, &str)]| {
        let breaches = conflict(account.start_with("app", attributes).1);
        let names = breaches.into_iter().map(|breach| breach.rule);
        names.collect::<Vec<_>>()
    };
    account.starts_with("app", &[LIVE, ("deviceId", "tv")]);
    assert_eq!(
        refused_by(&mut account, &[LIVE, ("deviceId", "phone")]),
        ["live"]
    );
    account.starts_with("app", &[VOD]);
    account.starts_with("app", &[VOD]);
    assert_eq!(refused_by(&mut account, &[VOD]), ["vod", "all"]);
    assert_eq!(refused_by(&mut account, &[EVENT]), ["all"]);
}

#[test]
fn a_stream_out_of_sight_holds_no_place_when_the_limit_is_lowered() {
    let mut account = one_live_stream(OnConflict::StopOldest);
    let vod = account.starts_with("app", &[VOD]);
    let live = account.starts_with("app", &[LIVE]);
    account.book = {
        let live = vec![condition("contentType", any_of(&["live"]))];
        super::book_of(vec![when(live, streams(0, OnConflict::StopOldest))])
    };
    conflict(account.heartbeat(live));
    plays(account.heartbeat(vod));
    assert_eq!(account.stop(vod), Verdict::Stopped);
    over(account.heartbeat(vod));
}
