//! What is told of rules, for whoever counts.

use super::{Account, account_under, named, streams};
use crate::testing::{book, limit, play, test};
use crate::{Effect, Event, Mode, OnConflict, Policy, Unknown};

fn effect(policy: &str, rule: &str, is_watched: bool) -> Effect {
    Effect {
        policy: policy.to_owned(),
        rule: rule.to_owned(),
        is_watched,
    }
}

/// Another stream of `app` wants to start: what that leads to, and for how many milliseconds the
/// streams had played that it ends.
fn start(account: &mut Account) -> (Vec<Effect>, Vec<u64>) {
    let stream = account.mint("app");
    let start = |book: &_| Event::Play(play(book, "app", stream, Unknown::IsNew));
    let effects = account.judgement(start).effects;
    (effects.by_rule, effects.lasted_ms)
}

#[test]
fn each_eviction_names_its_rule_and_how_long_the_stream_had_played() {
    let mut account = account_under(vec![named("latest", streams(1, OnConflict::StopOldest))]);
    assert_eq!(start(&mut account), (vec![], vec![]));
    account.later(59_000);
    let evicted = (vec![effect("P", "latest", false)], vec![60_000]);
    assert_eq!(start(&mut account), evicted);
}

#[test]
fn a_refused_start_ends_nothing_by_any_rule() {
    let mut account = account_under(vec![streams(1, OnConflict::DenyNew)]);
    account.starts("app");
    assert_eq!(start(&mut account), (vec![], vec![]));
}

#[test]
fn each_rule_that_is_only_watched_is_named() {
    let watches = Policy {
        mode: Mode::Monitor,
        rules: vec![
            named("one", streams(1, OnConflict::StopOldest)),
            named("two", streams(2, OnConflict::DenyNew)),
        ],
        ..limit("watches", 0, OnConflict::DenyNew)
    };
    let mut account = Account::new(book(vec![watches], &[("app", &["watches"])]));
    let one = effect("watches", "one", true);
    let two = effect("watches", "two", true);
    let told = [vec![], vec![one.clone()], vec![one, two]];
    for told in told {
        assert_eq!(start(&mut account), (told, vec![]));
    }
}
