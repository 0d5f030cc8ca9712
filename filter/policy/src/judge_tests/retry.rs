//! When trying again may help.

use super::{account_under, conflict, named, streams};
use crate::testing::{TIMEOUT_MS, play, test};
use crate::{Condition, Test};
use crate::{Event, Judgement, OnConflict, Refused, Rule, Target, Unknown};

fn start(account: &mut super::Account, attributes: &[(&str, &str)]) -> Judgement {
    let stream = account.mint("app");
    account.judgement(|book| {
        let mut play = play(book, "app", stream, Unknown::IsNew);
        super::set_all(&mut play, attributes);
        Event::Play(play)
    })
}

#[test]
fn a_start_may_help_once_the_first_stream_in_the_way_has_lapsed() {
    let mut account = account_under(vec![streams(2, OnConflict::DenyNew)]);
    let first = account.starts("app");
    let second = account.starts("app");
    account.media(first);
    let earliest = account.activity.stream(&second).unwrap().lapses_at;
    let judgement = start(&mut account, &[]);
    assert_eq!(judgement.retry_at, Some(earliest));
    // The refusal alone says the same.
    let breaches = conflict(judgement.verdict);
    assert_eq!(breaches[0].room_at, Some(earliest));
    assert_eq!(Refused::Conflict(breaches).retry_at(), Some(earliest));
}

#[test]
fn of_several_rules_all_need_room() {
    let live = Condition {
        attribute: "contentType".to_owned(),
        test: Test::AnyOf(vec!["live".to_owned()]),
    };
    let mut account = account_under(vec![
        named("all", streams(2, OnConflict::DenyNew)),
        Rule {
            target: Target(vec![live]),
            ..named("live", streams(1, OnConflict::DenyNew))
        },
    ]);
    account.starts("app");
    let live = account.starts_with("app", &[("contentType", "live")]);
    let judgement = start(&mut account, &[("contentType", "live")]);
    let latest = account.activity.stream(&live).unwrap().lapses_at;
    assert_eq!(judgement.retry_at, Some(latest));
    assert_eq!(conflict(judgement.verdict).len(), 2);
}

#[test]
fn where_nothing_is_in_the_way_waiting_is_of_no_use() {
    let mut account = account_under(vec![
        named("none", streams(0, OnConflict::DenyNew)),
        named("one", streams(1, OnConflict::DenyNew)),
    ]);
    assert_eq!(start(&mut account, &[]).retry_at, None);
}

#[test]
fn a_call_too_many_may_be_made_again_when_it_counts() {
    let mut account = account_under(vec![streams(9, OnConflict::DenyNew)]);
    account.book.creates_per_minute = 1;
    let create = |account: &mut super::Account| {
        let stream = account.mint("app");
        account.judgement(|book| {
            let mut play = play(book, "app", stream, Unknown::IsNew);
            play.is_call = true;
            Event::Play(play)
        })
    };
    super::plays(create(&mut account).verdict);
    let until = create(&mut account).retry_at.unwrap();
    assert_eq!(until.as_ms() % 60_000, 0);
    assert!(until.ms_since(account.now) <= TIMEOUT_MS);
    // A new stream is minted a second later than the one before.
    account.later(until.ms_since(account.now) - 1_001);
    assert_eq!(create(&mut account).retry_at, Some(until));
    account.now = until;
    super::plays(create(&mut account).verdict);
}
