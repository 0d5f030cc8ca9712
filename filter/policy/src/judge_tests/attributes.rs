//! Attributes that policies need, and attributes that may not change.

use streamgate_values::attributes::IMMUTABLE;
use streamgate_values::stream_key::StreamKey;

use super::{Account, account_under, distinct, per, plays, streams};
use crate::testing::test;
use crate::{Condition, OnConflict, Refused, Rule, Target, Test, Unknown, Verdict};

fn missing(names: &[&str]) -> Verdict {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    Verdict::Refused(Refused::MissingAttributes(names))
}

/// Needs a device, a channel and a kind; whether there is a zipcode is all the same.
fn account() -> Account {
    let kind = |test| Condition {
        attribute: "contentType".to_owned(),
        test,
    };
    let zipcode = Condition {
        attribute: "zipcode".to_owned(),
        test: Test::Present(false),
    };
    account_under(vec![
        distinct("deviceId", 5, OnConflict::DenyNew),
        per(&["channel", "deviceId"], streams(5, OnConflict::DenyNew)),
        Rule {
            target: Target(vec![kind(Test::AnyOf(Vec::new())), zipcode]),
            ..streams(5, OnConflict::DenyNew)
        },
    ])
}

const ALL: [(&str, &str); 3] = [
    ("deviceId", "tv"),
    ("channel", "News 1"),
    ("contentType", "live"),
];

/// A call of the session API, with these attributes.
fn call(
    account: &mut Account,
    stream: StreamKey,
    unknown: Unknown,
    attributes: &[(&str, &str)],
) -> Verdict {
    account.wants_to_play(stream, unknown, |play| {
        play.is_call = true;
        super::set_all(play, attributes);
    })
}

#[test]
fn a_book_says_what_its_rules_need_each_name_once() {
    let account = account();
    let application = account.book.application("app").unwrap();
    assert_eq!(
        account.book.needs(application),
        ["deviceId", "channel", "contentType"]
    );
}

#[test]
fn a_create_brings_what_is_needed_or_is_told_what_is_missing() {
    let mut account = account();
    let cases = [
        (&ALL[..0], vec!["deviceId", "channel", "contentType"]),
        (&ALL[..1], vec!["channel", "contentType"]),
        (&ALL[1..], vec!["deviceId"]),
    ];
    for (given, names) in cases {
        let stream = account.mint("app");
        let verdict = call(&mut account, stream, Unknown::IsNew, given);
        assert_eq!(verdict, missing(&names));
        assert_eq!(account.live(), []);
    }
    let stream = account.mint("app");
    plays(call(&mut account, stream, Unknown::IsNew, &ALL));
}

#[test]
fn a_heartbeat_need_not_say_again_what_is_known() {
    let mut account = account();
    let stream = account.mint("app");
    plays(call(&mut account, stream, Unknown::IsNew, &ALL));
    plays(call(&mut account, stream, Unknown::IsOver, &[]));
}

#[test]
fn a_heartbeat_that_leaves_something_missing_changes_nothing_and_the_next_one_mends_it() {
    let mut account = account();
    let stream = account.mint("app");
    // As of a player that is no client of the API; or before the rule was there.
    plays(account.media(stream));
    let before = account.activity.clone();
    let verdict = call(&mut account, stream, Unknown::IsOver, &ALL[..2]);
    assert_eq!(verdict, missing(&["contentType"]));
    assert_eq!(account.activity, before);
    plays(account.media(stream));
    plays(call(&mut account, stream, Unknown::IsOver, &ALL));
}

#[test]
fn media_requests_need_no_attributes() {
    let mut account = account();
    let stream = account.mint("app");
    plays(account.media(stream));
    plays(account.media(stream));
}

#[test]
fn an_immutable_attribute_keeps_its_first_value() {
    for name in IMMUTABLE {
        let mut account = account_under(vec![streams(5, OnConflict::DenyNew)]);
        let stream = account.starts("app");
        plays(account.heartbeat_with(stream, &[(name, "first")]));
        plays(account.heartbeat_with(stream, &[(name, "first"), ("bitrate", "1")]));
        let before = account.activity.clone();
        let verdict = account.heartbeat_with(stream, &[("bitrate", "2"), (name, "second")]);
        assert_eq!(
            verdict,
            Verdict::Refused(Refused::Immutable(name.to_owned()))
        );
        assert_eq!(account.activity, before);
        plays(account.heartbeat(stream));
    }
}

#[test]
fn another_stream_may_have_another_value() {
    let mut account = account_under(vec![streams(5, OnConflict::DenyNew)]);
    account.starts_with("app", &[("channel", "News 1")]);
    account.starts_with("app", &[("channel", "Sport")]);
}
