//! What was ended on purpose stays ended.

use streamgate_values::stream_key::StreamKey;

use super::{Account, conflict, evicted, killed, over, plays};
use crate::activity::{ENDED_KEPT_MAX, ENDED_KEPT_MS};
use crate::testing::{TIMEOUT_MS, book, limit, test};
use crate::{OnConflict, Refused, Verdict};

fn account(on_conflict: OnConflict) -> Account {
    let applications: [(&str, &[&str]); 2] = [("app", &["P"]), ("free", &[])];
    Account::new(book(vec![limit("P", 1, on_conflict)], &applications))
}

fn stopped() -> (Account, StreamKey) {
    let mut account = account(OnConflict::DenyNew);
    let victim = account.starts("app");
    assert_eq!(account.stop(victim), Verdict::Stopped);
    (account, victim)
}

fn evicted_by_a_newcomer() -> (Account, StreamKey) {
    let mut account = account(OnConflict::StopOldest);
    let victim = account.starts("app");
    account.starts("app");
    (account, victim)
}

fn evicted_at_its_heartbeat() -> (Account, StreamKey) {
    let mut account = account(OnConflict::DenyNew);
    let victim = account.starts("app");
    let policies = vec![limit("P", 0, OnConflict::DenyNew)];
    account.book = book(policies, &[("app", &["P"]), ("free", &[])]);
    conflict(account.heartbeat(victim));
    account.book = self::account(OnConflict::DenyNew).book;
    (account, victim)
}

fn killed_by_a_viewer() -> (Account, StreamKey) {
    let mut account = account(OnConflict::DenyNew);
    let victim = account.starts("app");
    let code = victim.termination_code();
    plays(account.start_killing("app", &[&code]).1);
    (account, victim)
}

/// Every way to be ended, in the middle of which `then` happens.
fn however_it_ended(then: impl Fn(&mut Account, StreamKey)) {
    for ended in [
        stopped,
        evicted_by_a_newcomer,
        evicted_at_its_heartbeat,
        killed_by_a_viewer,
    ] {
        let (mut account, victim) = ended();
        then(&mut account, victim);
    }
}

#[track_caller]
fn is_refused(account: &mut Account, victim: StreamKey) {
    for verdict in [account.heartbeat(victim), account.media(victim)] {
        assert!(matches!(verdict, Verdict::Refused(_)), "{verdict:?}");
    }
    assert!(!account.live().contains(&victim));
}

#[test]
fn an_ended_stream_never_comes_back_however_long_it_waits() {
    however_it_ended(|account, victim| {
        let ended_at = account.now;
        for later in [
            0,
            1,
            TIMEOUT_MS,
            ENDED_KEPT_MS - 1,
            ENDED_KEPT_MS,
            ENDED_KEPT_MS + 1,
            ENDED_KEPT_MS * 1_000,
        ] {
            account.now = ended_at.plus_ms(later);
            is_refused(account, victim);
        }
    });
}

#[test]
fn an_ended_stream_never_comes_back_however_many_end_after_it() {
    however_it_ended(|account, victim| {
        for _ in 0..=ENDED_KEPT_MAX {
            let other = account.starts("free");
            assert_eq!(account.stop(other), Verdict::Stopped);
            is_refused(account, victim);
        }
        over(account.heartbeat(victim));
    });
}

#[test]
fn the_reason_is_told_as_long_as_it_is_remembered() {
    let told_to = |(mut account, victim): (Account, StreamKey)| {
        account.later(ENDED_KEPT_MS - 1);
        account.heartbeat(victim)
    };
    over(told_to(stopped()));
    evicted(told_to(evicted_by_a_newcomer()));
    evicted(told_to(evicted_at_its_heartbeat()));
    killed(told_to(killed_by_a_viewer()));
}

#[test]
fn an_ended_stream_cannot_be_stopped_again() {
    however_it_ended(|account, victim| {
        let before = account.activity.clone();
        let verdict = account.stop(victim);
        assert!(
            matches!(
                verdict,
                Verdict::Refused(Refused::Over | Refused::Killed(_))
            ),
            "{verdict:?}"
        );
        assert_eq!(account.activity, before);
    });
}

#[test]
fn nobody_is_banned_a_new_stream_is_judged_afresh() {
    let (mut account, victim) = evicted_by_a_newcomer();
    evicted(account.media(victim));
    let again = account.starts("app");
    assert_eq!(account.live(), [again]);

    let (mut account, _) = stopped();
    account.starts("app");
}

#[test]
fn an_ended_stream_with_an_id_from_outside_is_refused_as_long_as_that_is_remembered() {
    let mut account = account(OnConflict::StopOldest);
    let victim = StreamKey::external([7; 16]);
    account.minted.insert(victim, "app".to_owned());
    plays(account.media(victim));
    account.starts("app");
    account.later(ENDED_KEPT_MS - 1);
    evicted(account.media(victim));
}
