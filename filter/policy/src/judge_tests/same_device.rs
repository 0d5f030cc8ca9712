//! The same device starts again: after a crash, a reload, or to watch something else.

use streamgate_values::stream_key::StreamKey;

use super::{Account, conflict, distinct, evicted, killed, named, per, plays, streams};
use crate::testing::{TIMEOUT_MS, book, limit, test};
use crate::{
    Condition, Mode, OnConflict, Policy, PolicyBook, Rule, Target, Test, Unknown, Verdict,
};

const BOTH: [OnConflict; 2] = [OnConflict::DenyNew, OnConflict::StopOldest];

fn replacing(rule: Rule) -> Rule {
    Rule {
        same_device_replaces: true,
        ..rule
    }
}

fn policy(name: &str, mode: Mode, rules: Vec<Rule>) -> Policy {
    Policy {
        mode,
        rules,
        ..limit(name, 0, OnConflict::DenyNew)
    }
}

/// `app` and `other` list the policy, `free` does not.
fn book_of(mode: Mode, rules: Vec<Rule>) -> PolicyBook {
    let applications: [(&str, &[&str]); 3] = [("app", &["P"]), ("other", &["P"]), ("free", &[])];
    book(vec![policy("P", mode, rules)], &applications)
}

fn account(rules: Vec<Rule>) -> Account {
    Account::new(book_of(Mode::Enforce, rules))
}

/// At most `max` streams, and a device replaces its own.
fn household(max: u32, on_conflict: OnConflict) -> Account {
    account(vec![replacing(streams(max, on_conflict))])
}

fn on(account: &mut Account, device: &str) -> (StreamKey, Verdict) {
    account.start_with("app", &[("deviceId", device)])
}

#[test]
fn of_three_devices_at_a_limit_of_three_any_may_start_again() {
    for on_conflict in BOTH {
        for again in 0..3 {
            let mut account = household(3, on_conflict);
            let devices = ["tv", "phone", "tablet"];
            let streams = devices.map(|device| on(&mut account, device).0);
            let (stream, verdict) = on(&mut account, devices[again]);
            let plays = plays(verdict);
            assert_eq!((plays.replaced, plays.evicted, plays.killed), (1, 0, 0));
            let mut expected = streams.to_vec();
            expected.remove(again);
            expected.push(stream);
            assert_eq!(account.live(), expected, "{on_conflict:?}");
            let superseded = &account.activity.stream(&stream).unwrap().superseded;
            assert_eq!(*superseded, [streams[again].termination_code()]);
        }
    }
}

#[test]
fn a_device_that_starts_elsewhere_replaces_also_where_there_is_room() {
    let mut account = household(3, OnConflict::DenyNew);
    let (news, _) = account.start_with("app", &[("deviceId", "tv"), ("channel", "News 1")]);
    let (sport, verdict) = account.start_with("app", &[("deviceId", "tv"), ("channel", "Sport")]);
    assert_eq!(plays(verdict).replaced, 1);
    assert_eq!(account.live(), [sport]);
    let by = killed(account.heartbeat(news));
    assert_eq!(by.channel.as_deref(), Some("Sport"));
    assert_eq!(by.started_at, sport.issued_at().unwrap());
    killed(account.media(news));
}

#[test]
fn other_devices_and_streams_of_unknown_devices_stay() {
    let mut account = household(9, OnConflict::DenyNew);
    let (tv, _) = on(&mut account, "tv");
    let (phone, _) = on(&mut account, "phone");
    let nameless = [account.starts("app"), account.starts("app")];
    assert_eq!(account.live(), [tv, phone, nameless[0], nameless[1]]);
}

#[test]
fn only_a_start_replaces_and_no_sign_of_life() {
    let mut account = household(3, OnConflict::DenyNew);
    let (tv, _) = on(&mut account, "tv");
    let late = account.starts("app");
    // It says only now which device it is on.
    let verdict = account.heartbeat_with(late, &[("deviceId", "tv")]);
    assert_eq!(plays(verdict).replaced, 0);
    plays(account.media(late));
    plays(account.heartbeat(tv));
    assert_eq!(account.live(), [tv, late]);
}

#[test]
fn a_stream_that_comes_back_after_a_restart_replaces_nobody() {
    let mut account = household(3, OnConflict::DenyNew);
    let (old, _) = on(&mut account, "tv");
    account.later(1_000);
    account.restart();
    let (new, _) = on(&mut account, "tv");
    let verdict = account.heartbeat_with(old, &[("deviceId", "tv")]);
    assert_eq!(plays(verdict).replaced, 0);
    assert_eq!(account.live(), [old, new]);
}

#[test]
fn an_implicit_start_replaces_as_well() {
    let mut account = household(3, OnConflict::DenyNew);
    let (first, _) = on(&mut account, "tv");
    let stream = account.mint("app");
    let verdict = account.wants_to_play(stream, Unknown::Starts, |play| {
        play.attributes.set("deviceId", "tv");
    });
    assert_eq!(plays(verdict).replaced, 1);
    killed(account.heartbeat(first));
}

#[test]
fn where_no_rule_says_so_both_count() {
    for on_conflict in BOTH {
        let mut account = account(vec![streams(2, on_conflict)]);
        let streams = [on(&mut account, "tv").0, on(&mut account, "tv").0];
        assert_eq!(account.live(), streams);
        let (third, verdict) = on(&mut account, "tv");
        if on_conflict == OnConflict::DenyNew {
            conflict(verdict);
        } else {
            assert_eq!(plays(verdict).evicted, 1);
            evicted(account.heartbeat(streams[0]));
            assert_eq!(account.live(), [streams[1], third]);
        }
    }
}

#[test]
fn one_rule_that_says_so_is_enough() {
    let mut account = account(vec![
        named("devices", distinct("deviceId", 1, OnConflict::DenyNew)),
        replacing(streams(5, OnConflict::DenyNew)),
    ]);
    on(&mut account, "tv");
    let (again, verdict) = on(&mut account, "tv");
    assert_eq!(plays(verdict).replaced, 1);
    assert_eq!(account.live(), [again]);
    conflict(on(&mut account, "phone").1);
}

#[test]
fn a_rule_replaces_no_stream_that_it_does_not_look_at() {
    let live = Target(vec![Condition {
        attribute: "contentType".to_owned(),
        test: Test::AnyOf(vec!["live".to_owned()]),
    }]);
    let mut account = account(vec![Rule {
        target: live,
        ..replacing(streams(1, OnConflict::DenyNew))
    }]);
    let tv = ("deviceId", "tv");
    let [live, vod] = ["live", "vod"].map(|kind| ("contentType", kind));
    let recording = account.starts_with("app", &[tv, vod]);
    let (first, verdict) = account.start_with("app", &[tv, live]);
    assert_eq!(plays(verdict).replaced, 0);
    let (second, verdict) = account.start_with("app", &[tv, live]);
    assert_eq!(plays(verdict).replaced, 1);
    let other = account.starts_with("app", &[tv, vod]);
    killed(account.heartbeat(first));
    assert_eq!(account.live(), [recording, second, other]);
}

#[test]
fn a_device_replaces_its_stream_also_in_another_scope() {
    let rule = replacing(per(&["channel"], streams(1, OnConflict::DenyNew)));
    let mut account = account(vec![rule]);
    let tv = ("deviceId", "tv");
    account.starts_with("app", &[tv, ("channel", "News 1")]);
    let (stream, verdict) = account.start_with("app", &[tv, ("channel", "Sport")]);
    assert_eq!(plays(verdict).replaced, 1);
    assert_eq!(account.live(), [stream]);
}

#[test]
fn streams_of_applications_that_share_the_policy_are_replaced_and_no_others() {
    let mut account = household(3, OnConflict::DenyNew);
    let tv = [("deviceId", "tv")];
    let free = account.starts_with("free", &tv);
    let other = account.starts_with("other", &tv);
    let (stream, verdict) = account.start_with("app", &tv);
    assert_eq!(plays(verdict).replaced, 1);
    assert_eq!(killed(account.heartbeat(other)).application, "app");
    let unlisted = account.starts_with("free", &tv);
    assert_eq!(account.live(), [free, stream, unlisted]);
}

#[test]
fn a_policy_that_only_watches_replaces_nobody() {
    let rules = vec![replacing(streams(9, OnConflict::DenyNew))];
    let mut account = Account::new(book_of(Mode::Monitor, rules));
    let streams = [on(&mut account, "tv").0, on(&mut account, "tv").0];
    assert_eq!(account.live(), streams);
}

#[test]
fn a_refused_start_replaces_nobody() {
    let full = named("full", streams(2, OnConflict::DenyNew));
    let policies = vec![
        policy(
            "P",
            Mode::Enforce,
            vec![replacing(streams(9, OnConflict::DenyNew))],
        ),
        policy("Q", Mode::Enforce, vec![full]),
    ];
    let applications: [(&str, &[&str]); 3] = [("app", &["P", "Q"]), ("p", &["P"]), ("q", &["Q"])];
    let mut account = Account::new(book(policies, &applications));
    let tv = [("deviceId", "tv")];
    let mine = account.starts_with("p", &tv);
    account.starts("q");
    account.starts("q");
    let before = account.activity.clone();
    assert_eq!(conflict(account.start_with("app", &tv).1)[0].policy, "Q");
    assert_eq!(account.activity, before);
    plays(account.heartbeat(mine));
}

#[test]
fn what_the_viewer_chose_to_stop_is_not_counted_as_replaced() {
    let mut account = household(2, OnConflict::DenyNew);
    let (tv, _) = on(&mut account, "tv");
    let (phone, _) = on(&mut account, "phone");
    let stream = account.mint("app");
    let verdict = account.wants_to_play(stream, Unknown::IsNew, |play| {
        play.attributes.set("deviceId", "tv");
        play.terminate = [tv, phone].map(|victim| victim.termination_code()).into();
    });
    let plays = plays(verdict);
    assert_eq!((plays.killed, plays.replaced), (2, 0));
    assert_eq!(account.live(), [stream]);
}

#[test]
fn a_paused_stream_that_starts_again_replaces_what_its_device_plays_since() {
    let mut account = household(3, OnConflict::DenyNew);
    let old = account.mint("app");
    let play = |account: &mut Account, stream| {
        account.wants_to_play(stream, Unknown::Starts, |play| {
            play.attributes.set("deviceId", "tv");
        })
    };
    plays(play(&mut account, old));
    account.later(TIMEOUT_MS);
    let (since, _) = on(&mut account, "tv");
    assert_eq!(plays(play(&mut account, old)).replaced, 1);
    killed(account.heartbeat(since));
    assert_eq!(account.live(), [old]);
}

#[test]
fn an_empty_device_id_names_no_device() {
    let mut account = household(3, OnConflict::DenyNew);
    let streams = [on(&mut account, "").0, on(&mut account, "").0];
    assert_eq!(account.live(), streams);
}

/// Its old session's heartbeat is told so, and that of no other.
#[test]
fn who_is_replaced_by_its_own_device_is_told_that_it_was_its_own() {
    let mut account = household(2, OnConflict::DenyNew);
    let (old, _) = on(&mut account, "tv");
    let (phone, _) = on(&mut account, "phone");
    plays(on(&mut account, "tv").1);
    assert!(killed(account.heartbeat(old)).same_device);
    assert!(killed(account.media(old)).same_device);
    let tablet = account.mint("app");
    plays(account.wants_to_play(tablet, Unknown::IsNew, |play| {
        play.terminate = vec![phone.termination_code()];
        play.attributes.set("deviceId", "tablet");
    }));
    assert!(!killed(account.heartbeat(phone)).same_device);
}
