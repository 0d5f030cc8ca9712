//! The five worked cases of the contract's section 3: one story, each from the state
//! the one before left.

use streamgate_values::stream_key::StreamKey;

use super::{Account, conflict, evicted, keys, plays};
use crate::testing::{book, limit, test};
use crate::{OnConflict, Verdict};

/// What happens in the story: these applications start a stream, one after the other.
const STARTS: [&str; 6] = ["app1", "app1", "app2", "app3", "app2", "app1"];

struct Story {
    account: Account,
    /// The streams so far, `s[1]` being the contract's s1.
    s: Vec<StreamKey>,
    /// What the last one was told.
    last: Verdict,
}

/// The story up to the start of stream `until`.
fn story(until: usize) -> Story {
    let policies = vec![
        limit("P1", 1, OnConflict::StopOldest),
        limit("P2", 2, OnConflict::DenyNew),
    ];
    let applications: [(&str, &[&str]); 3] = [
        ("app1", &["P1"]),
        ("app2", &["P1", "P2"]),
        ("app3", &["P2"]),
    ];
    let mut account = Account::new(book(policies, &applications));
    let mut s = vec![StreamKey::from_bytes([0; 16])];
    let mut last = Verdict::Stopped;
    for application in STARTS.iter().take(until) {
        let stream;
        (stream, last) = account.start(application);
        s.push(stream);
    }
    Story { account, s, last }
}

#[test]
fn worked_case_1_a_second_stream_of_app1_takes_the_place_of_the_first() {
    let Story {
        mut account,
        s,
        last,
    } = story(2);
    assert_eq!(plays(last).evicted, 1);
    assert_eq!(account.live(), [s[2]]);
    for verdict in [account.heartbeat(s[1]), account.media(s[1])] {
        let breach = evicted(verdict);
        assert_eq!(
            (breach.policy.as_str(), breach.rule.as_str()),
            ("P1", "limit")
        );
        assert_eq!(breach.threshold, 1);
        assert_eq!(keys(&breach.conflicts), [s[2]]);
    }
    plays(account.heartbeat(s[2]));
}

#[test]
fn worked_case_2_an_application_of_another_tenant_evicts_across_the_border() {
    let Story {
        mut account,
        s,
        last,
    } = story(3);
    let tenant = |id| account.book.application(id).unwrap().tenant.clone();
    assert_ne!(tenant("app1"), tenant("app2"));
    assert_eq!(plays(last).evicted, 1);
    assert_eq!(evicted(account.heartbeat(s[2])).policy, "P1");
    assert_eq!(account.live(), [s[3]]);
}

#[test]
fn worked_case_3_a_policy_does_not_see_streams_of_applications_that_do_not_list_it() {
    let Story {
        mut account,
        s,
        last,
    } = story(4);
    assert_eq!(plays(last).evicted, 0);
    plays(account.heartbeat(s[3]));
    plays(account.heartbeat(s[4]));
    assert_eq!(account.live(), [s[3], s[4]]);
}

#[test]
fn worked_case_4_where_one_policy_denies_another_evicts_nobody() {
    let Story {
        mut account,
        s,
        last,
    } = story(5);
    let breaches = conflict(last);
    assert_eq!(breaches.len(), 1);
    assert_eq!(breaches[0].policy, "P2");
    assert_eq!(breaches[0].threshold, 2);
    assert_eq!(keys(&breaches[0].conflicts), [s[3], s[4]]);
    assert_eq!(account.live(), [s[3], s[4]]);
    plays(account.heartbeat(s[3]));
    plays(account.heartbeat(s[4]));
}

#[test]
fn worked_case_5_only_the_policies_of_the_starting_application_apply() {
    let Story {
        mut account,
        s,
        last,
    } = story(6);
    assert_eq!(plays(last).evicted, 1);
    assert_eq!(evicted(account.heartbeat(s[3])).policy, "P1");
    plays(account.heartbeat(s[4]));
    assert_eq!(account.live(), [s[4], s[6]]);
}
