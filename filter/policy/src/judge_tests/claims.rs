//! Limits that a viewer's own credential carries.

use streamgate_values::stream_key::StreamKey;

use super::{Account, account_under, conflict, distinct, evicted, per, plays, streams};
use crate::testing::{book, limit, test};
use crate::{Message, Mode, OnConflict, Policy, Rule, Unknown, Verdict};

const BOTH: [OnConflict; 2] = [OnConflict::DenyNew, OnConflict::StopOldest];

/// Goes by the claim `climit`.
fn by_claim(rule: Rule) -> Rule {
    Rule {
        max_claim: Some("climit".to_owned()),
        ..rule
    }
}

fn account(max: u32, on_conflict: OnConflict) -> Account {
    account_under(vec![by_claim(streams(max, on_conflict))])
}

/// A media request whose credential allows so many.
fn media(account: &mut Account, stream: StreamKey, climit: u32) -> Verdict {
    account.wants_to_play(stream, Unknown::Starts, |play| {
        play.limits.set("climit", climit);
        play.limits.set("unused", 0);
    })
}

fn start(account: &mut Account, climit: u32) -> (StreamKey, Verdict) {
    let stream = account.mint("app");
    (stream, media(account, stream, climit))
}

#[test]
fn the_claim_holds_instead_of_the_rules_own_limit() {
    for (max, climit) in [(1, 3), (3, 1), (2, 2), (5, 0)] {
        let mut account = account(max, OnConflict::DenyNew);
        for _ in 0..climit {
            plays(start(&mut account, climit).1);
        }
        let breaches = conflict(start(&mut account, climit).1);
        assert_eq!(breaches[0].threshold, climit, "{max} {climit}");
    }
}

#[test]
fn who_carries_no_claim_is_held_to_the_rules_own_limit() {
    let mut account = account(1, OnConflict::DenyNew);
    plays(start(&mut account, 3).1);
    assert_eq!(conflict(account.start("app").1)[0].threshold, 1);
    plays(start(&mut account, 3).1);
}

#[test]
fn a_rule_without_a_claim_goes_by_its_own_limit_only() {
    let mut account = account_under(vec![streams(1, OnConflict::DenyNew)]);
    plays(start(&mut account, 3).1);
    assert_eq!(conflict(start(&mut account, 3).1)[0].threshold, 1);
}

#[test]
fn what_is_on_record_holds_for_events_that_carry_none() {
    for on_conflict in BOTH {
        let mut account = account(1, on_conflict);
        let all = [(); 3].map(|()| start(&mut account, 3).0);
        for stream in all {
            plays(account.media(stream));
            plays(account.heartbeat(stream));
        }
        assert_eq!(account.live(), all, "{on_conflict:?}");
    }
}

#[test]
fn under_stop_oldest_a_newcomer_pushes_out_what_is_over_its_own_limit() {
    let mut account = account(1, OnConflict::StopOldest);
    let all = [(); 3].map(|()| start(&mut account, 3).0);
    let (newcomer, verdict) = start(&mut account, 2);
    assert_eq!(plays(verdict).evicted, 2);
    assert_eq!(account.live(), [all[2], newcomer]);
}

#[test]
fn another_limit_than_on_record_is_written_and_holds_from_then_on() {
    let mut account = account(1, OnConflict::DenyNew);
    let (stream, _) = start(&mut account, 3);
    let (other, _) = start(&mut account, 3);
    let again = |account: &mut Account, stream, climit| {
        let application = account.minted[&stream].clone();
        account.judgement(|book| {
            let mut play = crate::testing::play(book, &application, stream, Unknown::Starts);
            play.renew_below_ms = 0;
            play.limits.set("climit", climit);
            crate::Event::Play(play)
        })
    };
    let same = again(&mut account, stream, 3);
    // The unused claim is forgotten by nobody: what is not said stays.
    assert!(!same.changed);
    let raised = again(&mut account, stream, 4);
    assert!(raised.changed);
    let limits = &account.activity.stream(&stream).unwrap().limits;
    assert_eq!(limits.value("climit"), Some(4));
    assert_eq!(limits.value("unused"), Some(0));

    // A smaller package: the newer one of the two has to go.
    let lowered = again(&mut account, other, 1).verdict;
    assert_eq!(conflict(lowered)[0].threshold, 1);
    assert_eq!(account.live(), [stream]);
    assert_eq!(evicted(account.media(other)).threshold, 1);
}

#[test]
fn values_and_scopes_go_by_the_claim_too() {
    let mut account = account_under(vec![
        by_claim(distinct("deviceId", 1, OnConflict::DenyNew)),
        by_claim(per(&["channel"], streams(1, OnConflict::DenyNew))),
    ]);
    let start = |account: &mut Account, device, channel| {
        let stream = account.mint("app");
        account.wants_to_play(stream, Unknown::Starts, |play| {
            play.limits.set("climit", 2);
            super::set_all(play, &[("deviceId", device), ("channel", channel)]);
        })
    };
    plays(start(&mut account, "tv", "News"));
    plays(start(&mut account, "phone", "News"));
    plays(start(&mut account, "phone", "Sport"));
    assert_eq!(conflict(start(&mut account, "tablet", "Sport")).len(), 1);
    assert_eq!(conflict(start(&mut account, "tv", "News")).len(), 1);
}

#[test]
fn a_policy_that_only_watches_goes_by_the_claim_too() {
    let policy = Policy {
        mode: Mode::Monitor,
        rules: vec![by_claim(streams(1, OnConflict::DenyNew))],
        ..limit("P", 0, OnConflict::DenyNew)
    };
    let mut account = Account::new(book(vec![policy], &[("app", &["P"])]));
    for expected in [0, 0, 1] {
        assert_eq!(plays(start(&mut account, 2).1).monitored, expected);
    }
}

#[test]
fn the_message_tells_the_limit_that_was_applied() {
    let rule = Rule {
        message: Message::plain("at most {limit}"),
        ..by_claim(streams(5, OnConflict::DenyNew))
    };
    let mut account = account_under(vec![rule]);
    let breach = conflict(start(&mut account, 0).1).remove(0);
    let text = breach.message.render("", breach.threshold, "streamId", "");
    assert_eq!(text, "at most 0");
}

#[test]
fn a_book_says_which_claims_its_rules_go_by_each_once() {
    let account = account_under(vec![
        by_claim(streams(1, OnConflict::DenyNew)),
        streams(2, OnConflict::DenyNew),
        by_claim(distinct("deviceId", 1, OnConflict::DenyNew)),
    ]);
    assert_eq!(account.book.limit_claims(), ["climit"]);
}
