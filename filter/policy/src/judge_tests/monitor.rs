//! Policies that only watch.

use super::{Account, conflict, distinct, named, plays, streams};
use crate::testing::{TIMEOUT_MS, book, limit, test};
use crate::{
    Condition, Mode, OnConflict, Policy, PolicyBook, Rule, Target, Test, Unknown, Verdict,
};

const BOTH: [OnConflict; 2] = [OnConflict::DenyNew, OnConflict::StopOldest];

/// `app` lists a policy that watches and one that acts, with nine streams.
fn watched(rules: Vec<Rule>, mode: Mode) -> PolicyBook {
    let policy = Policy {
        mode,
        rules,
        ..limit("watches", 0, OnConflict::DenyNew)
    };
    let acts = Policy {
        rules: vec![streams(9, OnConflict::DenyNew)],
        ..limit("acts", 0, OnConflict::DenyNew)
    };
    book(
        vec![policy, acts],
        &[("app", &["watches", "acts"]), ("acts", &["acts"])],
    )
}

fn account(rule: Rule) -> Account {
    Account::new(watched(vec![rule], Mode::Monitor))
}

#[test]
fn it_refuses_and_evicts_nobody_and_counts_each_breach() {
    for on_conflict in BOTH {
        let mut account = account(streams(2, on_conflict));
        let mut streams = vec![account.starts("app"), account.starts("app")];
        for _ in 0..3 {
            let (stream, verdict) = account.start("app");
            let plays = plays(verdict);
            assert_eq!((plays.monitored, plays.evicted, plays.killed), (1, 0, 0));
            streams.push(stream);
        }
        assert_eq!(account.live(), streams, "{on_conflict:?}");
        for stream in streams {
            plays(account.heartbeat(stream));
        }
    }
}

#[test]
fn what_stays_within_the_limit_is_not_counted() {
    for on_conflict in BOTH {
        let mut account = account(streams(2, on_conflict));
        for _ in 0..2 {
            let (stream, verdict) = account.start("app");
            assert_eq!(plays(verdict).monitored, 0);
            assert_eq!(plays(account.heartbeat(stream)).monitored, 0);
        }
    }
}

#[test]
fn every_rule_that_is_broken_counts() {
    let rules = vec![
        streams(1, OnConflict::DenyNew),
        distinct("deviceId", 1, OnConflict::StopOldest),
        streams(5, OnConflict::DenyNew),
    ];
    let mut account = Account::new(watched(rules, Mode::Monitor));
    account.starts_with("app", &[("deviceId", "tv")]);
    let (_, verdict) = account.start_with("app", &[("deviceId", "phone")]);
    assert_eq!(plays(verdict).monitored, 2);
}

#[test]
fn a_limit_of_none_lets_everybody_play() {
    for on_conflict in BOTH {
        let mut account = account(streams(0, on_conflict));
        let (_, verdict) = account.start("app");
        assert_eq!(plays(verdict).monitored, 1);
    }
}

#[test]
fn policies_that_act_do_so_beside_it() {
    let mut account = account(streams(1, OnConflict::StopOldest));
    for _ in 0..9 {
        account.starts("app");
    }
    let breaches = conflict(account.start("app").1);
    let names: Vec<_> = breaches.into_iter().map(|breach| breach.policy).collect();
    assert_eq!(names, ["acts"]);
    assert_eq!(account.live().len(), 9);
}

#[test]
fn an_attribute_that_only_it_needs_may_be_missing() {
    let mut account = account(distinct("deviceId", 1, OnConflict::DenyNew));
    let stream = account.mint("app");
    let verdict = account.wants_to_play(stream, Unknown::IsNew, |play| play.is_call = true);
    plays(verdict);
    let application = account.book.application("app").unwrap();
    // Applications are asked for it all the same: the limit is to be introduced.
    assert_eq!(account.book.needs(application), ["deviceId"]);
}

#[test]
fn once_it_acts_the_surplus_goes() {
    for (on_conflict, stays) in BOTH.into_iter().zip([0, 2]) {
        let mut account = account(streams(1, on_conflict));
        let streams = [(); 3].map(|()| account.starts("app"));
        account.book = watched(vec![self::streams(1, on_conflict)], Mode::Enforce);
        account.later(TIMEOUT_MS / 2);
        for (n, stream) in streams.into_iter().enumerate() {
            let allowed = matches!(account.heartbeat(stream), Verdict::Plays(_));
            assert_eq!(allowed, n == stays, "{on_conflict:?} {n}");
        }
    }
}

/// At most `max` streams, and a device replaces its own.
fn replacing(max: u32, on_conflict: OnConflict) -> Rule {
    Rule {
        same_device_replaces: true,
        ..streams(max, on_conflict)
    }
}

#[test]
fn what_a_device_would_replace_of_its_own_is_no_breach() {
    for on_conflict in BOTH {
        let mut account = account(replacing(1, on_conflict));
        let tv = [("deviceId", "tv")];
        let mut last = account.starts_with("app", &tv);
        for _ in 0..2 {
            let (stream, verdict) = account.start_with("app", &tv);
            assert_eq!(plays(verdict).monitored, 0, "{on_conflict:?}");
            last = stream;
        }
        // Nothing was replaced, so the earlier ones are still there.
        assert_eq!(account.live().len(), 3);
        assert_eq!(plays(account.heartbeat(last)).monitored, 0);
        // Of another device they count, but as the one stream that would be left.
        let (_, verdict) = account.start_with("app", &[("deviceId", "phone")]);
        assert_eq!(plays(verdict).monitored, 1);
    }
}

#[test]
fn earlier_streams_of_other_devices_count_as_those_that_would_be_left() {
    let mut account = account(replacing(2, OnConflict::DenyNew));
    let [tv, phone] = ["tv", "phone"].map(|device| [("deviceId", device)]);
    let first = account.starts_with("app", &tv);
    account.starts_with("app", &tv);
    let (stream, verdict) = account.start_with("app", &phone);
    assert_eq!(plays(verdict).monitored, 0);
    assert_eq!(plays(account.heartbeat(stream)).monitored, 0);
    // It would be gone; that is no breach of a limit.
    assert_eq!(plays(account.heartbeat(first)).monitored, 0);
}

#[test]
fn streams_of_a_device_count_where_the_watching_policy_would_not_replace_them() {
    let mut account = account(streams(1, OnConflict::DenyNew));
    let tv = [("deviceId", "tv")];
    account.starts_with("app", &tv);
    let (_, verdict) = account.start_with("app", &tv);
    assert_eq!(plays(verdict).monitored, 1);
}

#[test]
fn the_first_breach_of_a_start_is_told_with_the_streams_in_its_way_and_none_of_what_plays_on() {
    let is_live = Condition {
        attribute: "contentType".to_owned(),
        test: Test::AnyOf(vec!["live".to_owned()]),
    };
    let one_live = Rule {
        target: Target(vec![is_live]),
        ..streams(1, OnConflict::DenyNew)
    };
    let rules = vec![
        named("live", one_live),
        named("all", streams(2, OnConflict::DenyNew)),
    ];
    let mut account = Account::new(watched(rules, Mode::Monitor));
    let [live, film] = ["live", "film"].map(|kind| [("contentType", kind)]);
    let in_the_way = account.starts_with("app", &live);
    account.starts_with("app", &film);
    let (stream, verdict) = account.start_with("app", &live);
    let started = plays(verdict);
    assert_eq!(started.monitored, 2);
    let told = started.watched.unwrap();
    assert_eq!(told.rule, "live");
    let conflicts: Vec<_> = told.conflicts.iter().map(|stream| stream.key).collect();
    assert_eq!(conflicts, [in_the_way]);
    let goes_on = plays(account.heartbeat(stream));
    assert_eq!((goes_on.monitored, goes_on.watched), (2, None));
}

#[test]
fn a_stream_that_its_device_would_have_replaced_breaks_nothing_though_there_are_too_many() {
    for on_conflict in BOTH {
        let mut account = account(replacing(1, on_conflict));
        let [tv, phone] = ["tv", "phone"].map(|device| [("deviceId", device)]);
        let first = account.starts_with("app", &tv);
        account.starts_with("app", &phone);
        account.starts_with("app", &tv);
        let goes_on = plays(account.heartbeat(first));
        assert_eq!(goes_on.monitored, 0, "{on_conflict:?}");
    }
}
