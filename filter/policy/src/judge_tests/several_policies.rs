//! A stream may play only if every policy of its application allows it.

use super::{Account, conflict, evicted, keys, plays};
use crate::testing::{book, limit, test};
use crate::{OnConflict, Policy};

fn one_keeps_two_deny() -> [Policy; 2] {
    [
        limit("oldest goes", 1, OnConflict::StopOldest),
        limit("newest denied", 2, OnConflict::DenyNew),
    ]
}

#[test]
fn all_policies_are_judged_before_anything_is_evicted_in_whatever_order_they_are_listed() {
    for listed in [
        ["oldest goes", "newest denied"],
        ["newest denied", "oldest goes"],
    ] {
        let applications: [(&str, &[&str]); 2] = [("both", &listed), ("one", &["newest denied"])];
        let mut account = Account::new(book(one_keeps_two_deny().into(), &applications));
        let streams = [account.starts("both"), account.starts("one")];
        let (_, verdict) = account.start("both");
        let breaches = conflict(verdict);
        assert_eq!(breaches.len(), 1);
        assert_eq!(breaches[0].policy, "newest denied");
        assert_eq!(account.live(), streams);
    }
}

#[test]
fn all_rules_of_one_policy_hold_before_anything_is_evicted() {
    for swapped in [false, true] {
        let [mut policy, other] = one_keeps_two_deny();
        policy.rules.extend(other.rules);
        policy.rules[1].name = "second".to_owned();
        policy.rules[1].max = 1;
        if swapped {
            policy.rules.reverse();
        }
        let mut account = Account::new(book(vec![policy], &[("app", &["oldest goes"])]));
        let first = account.starts("app");
        let (_, verdict) = account.start("app");
        let breaches = conflict(verdict);
        assert_eq!(breaches.len(), 1);
        assert_eq!(breaches[0].rule, "second");
        assert_eq!(account.live(), [first]);
    }
}

#[test]
fn every_policy_that_denies_is_named() {
    let policies = vec![
        limit("P", 1, OnConflict::DenyNew),
        limit("Q", 2, OnConflict::DenyNew),
        limit("R", 1, OnConflict::DenyNew),
    ];
    let mut account = Account::new(book(policies, &[("app", &["P", "Q", "R"])]));
    let first = account.starts("app");
    let breaches = conflict(account.start("app").1);
    let names: Vec<_> = breaches.iter().map(|found| found.policy.as_str()).collect();
    assert_eq!(names, ["P", "R"]);
    assert_eq!(keys(&breaches[1].conflicts), [first]);
}

#[test]
fn one_eviction_serves_every_policy_that_asks_for_it() {
    let policies = vec![
        limit("P", 2, OnConflict::StopOldest),
        limit("Q", 2, OnConflict::StopOldest),
    ];
    let mut account = Account::new(book(policies, &[("app", &["P", "Q"])]));
    let [first, second] = [account.starts("app"), account.starts("app")];
    let (third, verdict) = account.start("app");
    assert_eq!(plays(verdict).evicted, 1);
    assert_eq!(account.live(), [second, third]);
    assert_eq!(evicted(account.heartbeat(first)).policy, "P");
}

#[test]
fn each_policy_evicts_from_what_it_sees() {
    let policies = vec![
        limit("P", 1, OnConflict::StopOldest),
        limit("Q", 1, OnConflict::StopOldest),
    ];
    let applications: [(&str, &[&str]); 3] = [("p", &["P"]), ("q", &["Q"]), ("both", &["P", "Q"])];
    let mut account = Account::new(book(policies, &applications));
    let [of_p, of_q] = [account.starts("p"), account.starts("q")];
    let (newest, verdict) = account.start("both");
    assert_eq!(plays(verdict).evicted, 2);
    assert_eq!(account.live(), [newest]);
    assert_eq!(evicted(account.heartbeat(of_p)).policy, "P");
    assert_eq!(evicted(account.heartbeat(of_q)).policy, "Q");
}

#[test]
fn an_application_that_is_no_longer_configured_is_counted_by_no_policy() {
    let policies = || vec![limit("P", 1, OnConflict::DenyNew)];
    let applications: [(&str, &[&str]); 2] = [("gone", &["P"]), ("app", &["P"])];
    let mut account = Account::new(book(policies(), &applications));
    let orphan = account.starts("gone");
    conflict(account.start("app").1);

    account.book = book(policies(), &applications[1..]);
    let stream = account.starts("app");
    assert_eq!(account.live(), [orphan, stream]);
    let breaches = conflict(account.start("app").1);
    assert_eq!(keys(&breaches[0].conflicts), [stream]);
}

#[test]
fn an_application_without_policies_plays_as_it_likes() {
    let policies = vec![limit("P", 1, OnConflict::StopOldest)];
    let mut account = Account::new(book(policies, &[("free", &[]), ("app", &["P"])]));
    let mut streams = vec![account.starts("app")];
    streams.extend((0..5).map(|_| account.starts("free")));
    assert_eq!(account.live(), streams);
}
