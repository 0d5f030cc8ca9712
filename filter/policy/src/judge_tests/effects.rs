//! What is told of ends, rules and levels, for whoever counts.

use std::sync::Arc;

use streamgate_values::stream_key::StreamKey;

use super::{Account, account_under, named, streams};
use crate::testing::{book, limit, play, test};
use crate::{
    Effects, Event, Judgement, Mode, OnConflict, Operation, Play, Policy, Refused, StreamEnd,
    Unknown, Verdict, WatchedRule,
};

fn watched(policy: &str, rule: &str) -> WatchedRule {
    WatchedRule {
        policy: policy.to_owned(),
        rule: rule.to_owned(),
    }
}

/// Another stream of `app` wants to start: what that leads to.
fn start(account: &mut Account) -> (StreamKey, Judgement) {
    let stream = account.mint("app");
    let start = |book: &_| Event::Play(play(book, "app", stream, Unknown::IsNew));
    (stream, account.judgement(start))
}

#[test]
fn each_eviction_names_its_rule_and_how_long_the_stream_had_played() {
    let mut account = account_under(vec![named("latest", streams(1, OnConflict::StopOldest))]);
    let (first, judgement) = start(&mut account);
    assert_eq!(judgement.effects, Effects::default());
    account.later(59_000);
    let (winner, judgement) = start(&mut account);
    let evicted = StreamEnd {
        stream: first,
        why: "evicted",
        policy: "P".to_owned(),
        rule: "latest".to_owned(),
        winner: Some(winner),
        application: "app".to_owned(),
        device: None,
        lasted_ms: 60_000,
    };
    assert_eq!(judgement.effects.ended, [evicted]);
    assert_eq!(judgement.effects.watched, []);
}

#[test]
fn a_refused_start_ends_nothing_by_any_rule() {
    let mut account = account_under(vec![streams(1, OnConflict::DenyNew)]);
    account.starts("app");
    assert_eq!(start(&mut account).1.effects, Effects::default());
}

/// Whoever looks for what ended a stream reads one word, and which stream plays in its place.
#[test]
fn what_ends_a_stream_is_told_in_a_word() {
    let mut account = account_under(vec![streams(9, OnConflict::DenyNew)]);
    let [killed, paused, stopped, other] = [(); 4].map(|()| account.starts("app"));
    let application = account.book.application("app").unwrap().clone();
    let winner = account.mint("app");
    let kill = |book: &_| {
        let play = play(book, "app", winner, Unknown::IsNew);
        let terminate = vec![killed.termination_code()];
        Event::Play(Play { terminate, ..play })
    };
    let told = |judgement: Judgement| -> Vec<(StreamKey, &str, Option<StreamKey>)> {
        let ended = judgement.effects.ended.iter();
        ended.map(|end| (end.stream, end.why, end.winner)).collect()
    };
    let by_kill = told(account.judgement(kill));
    assert_eq!(
        by_kill,
        [(killed, "stopped-from-another-device", Some(winner))]
    );
    let of = |stream| (stream, Arc::clone(&application));
    let (stream, application) = of(paused);
    let pause = Event::Release {
        stream,
        application,
    };
    assert_eq!(
        told(account.judgement(|_| pause)),
        [(paused, "paused", None)]
    );
    let (stream, application) = of(stopped);
    let stop = Event::Stop {
        stream,
        application,
    };
    assert_eq!(
        told(account.judgement(|_| stop)),
        [(stopped, "stopped", None)]
    );
    let stop = Event::Operate(Operation::Stop(other.termination_code()));
    let by_operator = [(other, "stopped-by-operator", None)];
    assert_eq!(told(account.judgement(|_| stop)), by_operator);
    account.later(10_000_000);
    let lapsed = account.activity.lapsed(account.now);
    let lapsed: Vec<_> = lapsed.iter().map(|end| (end.stream, end.why)).collect();
    assert_eq!(lapsed, [(winner, "lapsed")]);
}

/// As which of the account's streams one starts: counted for each policy that sees it, those
/// included that are evicted for it and without those that it replaces.
#[test]
fn a_start_has_its_level_in_each_policy() {
    let policies = vec![
        limit("two", 2, OnConflict::DenyNew),
        limit("latest", 1, OnConflict::StopOldest),
        Policy {
            mode: Mode::Monitor,
            ..limit("watches", 1, OnConflict::DenyNew)
        },
    ];
    let applications: [(&str, &[&str]); 2] = [
        ("app", &["two", "watches"]),
        ("other", &["latest", "watches"]),
    ];
    let mut account = Account::new(book(policies, &applications));
    let levels = |judgement: Judgement| -> Vec<(usize, usize)> {
        match judgement.verdict {
            Verdict::Plays(plays) => plays
                .levels
                .iter()
                .map(|one| (one.policy, one.at))
                .collect(),
            Verdict::Refused(Refused::Conflict(breaches)) => {
                breaches.iter().map(|breach| (99, breach.level)).collect()
            }
            other => panic!("{other:?}"),
        }
    };
    let mut start = |application: &str| {
        let stream = account.mint("app");
        let start = |book: &_| Event::Play(play(book, application, stream, Unknown::IsNew));
        (stream, levels(account.judgement(start)))
    };
    let (first, level) = start("app");
    assert_eq!(level, [(0, 1), (2, 1)]);
    assert_eq!(start("app").1, [(0, 2), (2, 2)]);
    assert_eq!(start("app").1, [(99, 3)], "refused as a third");
    assert_eq!(start("other").1, [(1, 1), (2, 3)]);
    assert_eq!(start("other").1, [(1, 2), (2, 4)], "one gives way");
    assert_eq!(start("other").1, [(1, 2), (2, 4)], "and again");
    let goes_on = |book: &_| Event::Play(play(book, "app", first, Unknown::IsOver));
    assert_eq!(levels(account.judgement(goes_on)), [], "it is no start");
}

/// An account counts once for each number of streams at once, however often it starts, for as long
/// as any of its streams plays.
#[test]
fn an_account_reaches_each_level_once_while_something_of_it_plays() {
    let two = limit("two", 2, OnConflict::StopOldest);
    let applications: [(&str, &[&str]); 1] = [("app", &["two"])];
    let mut account = Account::new(book(vec![two], &applications));
    let reached = |judgement: Judgement| match judgement.verdict {
        Verdict::Plays(plays) => {
            let levels = plays.levels.iter();
            let levels = levels.flat_map(|one| one.before + 1..=one.at);
            levels.collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let start = |account: &mut Account, device: &str| {
        let stream = account.mint("app");
        let start = |book: &_| {
            let mut play = play(book, "app", stream, Unknown::IsNew);
            play.attributes.set("deviceId", device);
            Event::Play(play)
        };
        let judgement = account.judgement(start);
        (stream, reached(judgement))
    };
    let stop = |account: &mut Account, stream| {
        let application = Arc::clone(account.book.application("app").unwrap());
        let stop = |_: &_| Event::Stop {
            stream,
            application,
        };
        let _ = account.judgement(stop);
    };
    let (_, first) = start(&mut account, "tv");
    assert_eq!(first, [1]);
    let (second, again) = start(&mut account, "tv");
    assert_eq!(again, [0; 0], "it replaces the first");
    for expected in [vec![2], vec![], vec![]] {
        let (phone, found) = start(&mut account, "phone");
        assert_eq!(found, expected);
        stop(&mut account, phone);
    }
    let _ = start(&mut account, "phone");
    let (third, found) = start(&mut account, "tablet");
    assert_eq!(found, [3], "for which the first gives way");
    assert_eq!(start(&mut account, "pc").1, [0; 0]);
    for stream in account.activity.streams.clone() {
        stop(&mut account, stream.key);
    }
    let _ = (second, third);
    let (_, anew) = start(&mut account, "tv");
    assert_eq!(anew, [1], "nothing played");
    assert_eq!(start(&mut account, "phone").1, [2]);
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
    let one = watched("watches", "one");
    let two = watched("watches", "two");
    let told = [vec![], vec![one.clone()], vec![one, two]];
    for told in told {
        let (_, judgement) = start(&mut account);
        assert_eq!(judgement.effects.watched, told);
        assert_eq!(judgement.effects.ended, []);
    }
}
