//! What a book says of its policies and applications.

use streamgate_values::attributes::Attributes;

use crate::activity::Activity;
use crate::testing::{NOW, TIMEOUT_MS, book, limit, stream, test};
use crate::{Action, Condition, Count, Message, Mode, OnConflict, Policy, Target, Test};

fn in_languages(tags: &[&str]) -> Message {
    let texts = tags
        .iter()
        .map(|tag| ((*tag).to_owned(), format!("in {tag}")));
    Message::by_language(texts.collect()).unwrap()
}

/// A policy that tells viewers this, and offers them that.
fn telling(message: Message, action: Option<Action>) -> Policy {
    let mut policy = limit("P", 1, OnConflict::DenyNew);
    policy.rules[0].message = message;
    policy.rules[0].action = action;
    policy
}

#[test]
fn languages_are_asked_for_where_there_is_more_than_one_to_choose_from() {
    let plain = || Message::plain("text");
    let one = || in_languages(&["en"]);
    let two = || in_languages(&["en", "de"]);
    for (message, action, expected) in [
        (plain(), None, false),
        (one(), None, false),
        (two(), None, true),
        (plain(), Some([plain(), plain()]), false),
        (one(), Some([one(), one()]), false),
        (plain(), Some([two(), plain()]), true),
        (plain(), Some([plain(), two()]), true),
        (two(), Some([plain(), plain()]), true),
    ] {
        let action = action.map(|[label, url]| Action { label, url });
        let shown = format!("{message:?} {action:?}");
        let telling = telling(message, action);
        let languages = || {
            let other = limit("Q", 1, OnConflict::DenyNew);
            [
                vec![telling.clone()],
                vec![telling.clone(), other.clone()],
                vec![other, telling.clone()],
            ]
        };
        for policies in languages() {
            assert_eq!(book(policies, &[]).has_languages(), expected, "{shown}");
        }
    }
}

#[test]
fn an_application_is_shown_its_own_its_tenants_and_those_of_a_shared_policy() {
    let policies = ["P", "Q", "R"].map(|name| limit(name, 1, OnConflict::DenyNew));
    let mut book = book(policies.to_vec(), &[]);
    for (id, tenant, policies) in [
        ("one", "first", vec!["P"]),
        ("neighbour", "first", vec!["Q"]),
        ("sharing", "second", vec!["R", "P"]),
        ("stranger", "second", vec!["R"]),
        ("free", "third", vec![]),
        ("free too", "third", vec![]),
    ] {
        let policies: Vec<_> = policies.into_iter().map(str::to_owned).collect();
        book.add_application(id, id, tenant, &policies).unwrap();
    }
    let all = [
        "one",
        "neighbour",
        "sharing",
        "stranger",
        "free",
        "free too",
        "unknown",
    ];
    for (id, expected) in [
        ("one", vec!["one", "neighbour", "sharing"]),
        ("neighbour", vec!["one", "neighbour"]),
        ("sharing", vec!["one", "sharing", "stranger"]),
        ("stranger", vec!["sharing", "stranger"]),
        ("free", vec!["free", "free too"]),
    ] {
        let application = book.application(id).unwrap();
        let shown = all
            .into_iter()
            .filter(|other| book.shows(application, other));
        assert_eq!(shown.collect::<Vec<_>>(), expected, "{id}");
    }
}

#[test]
fn policies_stand_in_the_order_of_the_configuration() {
    let policies = ["Q", "P"].map(|name| limit(name, 1, OnConflict::DenyNew));
    let book = book(policies.to_vec(), &[]);
    assert_eq!(book.policies(), policies);
    assert_eq!(book.policy_count(), 2);
}

/// A policy that counts the values of this attribute.
fn counting(attribute: &str, mode: Mode) -> Policy {
    let mut policy = limit(attribute, 1, OnConflict::DenyNew);
    policy.mode = mode;
    policy.rules[0].count = Count::Distinct(attribute.to_owned());
    policy
}

#[test]
fn what_a_stream_lacks_is_named_whichever_of_its_attributes_is_there() {
    use Mode::{Enforce, Monitor};
    let policies = [
        ("a", Enforce),
        ("b", Enforce),
        ("c", Monitor),
        ("d", Enforce),
    ];
    let policies = policies.map(|(attribute, mode)| counting(attribute, mode));
    let book = book(
        policies.to_vec(),
        &[("app", &["a", "b", "c"]), ("other", &["d"])],
    );
    for (has, lacks, other_lacks) in [
        (vec![], vec!["a", "b"], vec!["d"]),
        (vec!["a"], vec!["b"], vec!["d"]),
        (vec!["b"], vec!["a"], vec!["d"]),
        (vec!["c", "d"], vec!["a", "b"], vec![]),
        (vec!["a", "b"], vec![], vec!["d"]),
        (vec!["a", "b", "d"], vec![], vec![]),
    ] {
        let mut attributes = Attributes::default();
        for name in &has {
            attributes.set(*name, "value");
        }
        let missing = |id: &str| book.missing(book.application(id).unwrap(), &attributes);
        assert_eq!(missing("app"), lacks, "{has:?}");
        assert_eq!(missing("other"), other_lacks, "{has:?}");
    }
}

#[test]
fn an_activity_lives_until_its_last_stream_has_lapsed() {
    let mut activity = Activity::default();
    assert_eq!(activity.live_until(), None);
    for later_ms in [5, 9, 7] {
        let started = NOW.plus_ms(later_ms);
        activity.streams.push(stream(later_ms as u8, started));
    }
    assert_eq!(activity.live_until(), Some(NOW.plus_ms(9 + TIMEOUT_MS)));
}

#[test]
fn a_rule_for_other_streams_asks_nothing_of_this_one() {
    let is_live = Condition {
        attribute: "contentType".to_owned(),
        test: Test::AnyOf(vec!["live".to_owned()]),
    };
    let mut channels = counting("channel", Mode::Enforce);
    channels.rules[0].target = Target(vec![is_live]);
    let book = book(vec![channels], &[("app", &["channel"])]);
    let application = book.application("app").unwrap();
    for (kind, lacks) in [("live", vec!["channel"]), ("vod", vec![])] {
        let mut attributes = Attributes::default();
        attributes.set("contentType", kind);
        assert_eq!(book.missing(application, &attributes), lacks, "{kind}");
    }
}
