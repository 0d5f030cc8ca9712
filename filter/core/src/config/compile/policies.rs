//! Policies, their rules, and the applications that list them.

use streamgate_policy::{
    Comparison, Condition, Count, Message, Policy, PolicyBook, Rule, Target, Test,
};
use streamgate_values::hash::HashSet;
use streamgate_values::limits::LIMITS_MAX;
use streamgate_values::sorted::sorted_by_key;

use super::super::limits::{MAX, MESSAGE_MAX};
use super::super::raw::{
    RawApplication, RawCount, RawMessage, RawOther, RawPolicy, RawRule, RawSameDevice, RawTest,
    RawValue, RawValues,
};
use super::check::{Check, field, item, quoted, shown};

/// What a viewer is told where the rule says nothing of its own.
const DEFAULT_MESSAGE: &str = "Too many streams on this account";

impl Check<'_> {
    pub(super) fn book(
        &mut self,
        policies: &[RawPolicy],
        applications: &[RawApplication],
        max_streams_per_subject: usize,
    ) -> PolicyBook {
        let mut book = PolicyBook::new(max_streams_per_subject);
        self.limit_claims(policies);
        let mut names = HashSet::default();
        for (at, policy) in policies.iter().enumerate() {
            let path = item("policies", at);
            self.name(&field(&path, "name"), &policy.name);
            self.unique(&field(&path, "name"), &policy.name, &mut names);
            let policy = self.policy(&path, policy);
            book.add_policy(policy);
        }
        if applications.is_empty() {
            self.wrong("applications", "none", "one application or more");
        }
        let mut seen = HashSet::default();
        for (at, application) in applications.iter().enumerate() {
            let path = item("applications", at);
            self.name(&field(&path, "id"), &application.id);
            self.unique(&field(&path, "id"), &application.id, &mut seen);
            if application.id.as_bytes().contains(&b':') {
                self.wrong(
                    &field(&path, "id"),
                    quoted(&application.id),
                    "an id without \":\" (it is an HTTP Basic user name)",
                );
            }
            let RawApplication {
                id, name, tenant, ..
            } = application;
            self.name(&field(&path, "tenant"), tenant);
            if let Some(name) = name {
                self.name(&field(&path, "name"), name);
            }
            let name = name.as_ref().unwrap_or(id);
            let mut listed = HashSet::default();
            for (at, policy) in application.policies.iter().enumerate() {
                let path = format!("{path}.policies[{at}]");
                self.unique(&path, policy, &mut listed);
                if !names.contains(policy.as_str()) {
                    let known = policies.iter().map(|policy| policy.name.as_str());
                    self.unknown(&path, policy, "the name of a policy", known);
                }
            }
            // What it does not know has just been told.
            let _ = book.add_application(id, name, tenant, &application.policies);
        }
        book
    }

    /// No more claims than a stream's record has room for.
    fn limit_claims(&mut self, policies: &[RawPolicy]) {
        let mut claims = HashSet::default();
        for (at, policy) in policies.iter().enumerate() {
            for (nth, rule) in policy.rules.iter().enumerate() {
                let Some(claim) = &rule.max_claim else {
                    continue;
                };
                let path = format!("policies[{at}].rules[{nth}].max_claim");
                self.name(&path, claim);
                if claims.insert(claim.as_str()) && claims.len() > LIMITS_MAX {
                    let allowed = format!("at most {LIMITS_MAX} different claims in all");
                    self.wrong(&path, quoted(claim), allowed);
                }
            }
        }
    }

    fn policy(&mut self, path: &str, raw: &RawPolicy) -> Policy {
        if raw.rules.is_empty() {
            self.wrong(&field(path, "rules"), "none", "one rule or more");
        }
        let mut seen = HashSet::default();
        let mut rules = Vec::with_capacity(raw.rules.len());
        for (at, rule) in raw.rules.iter().enumerate() {
            let path = format!("{path}.rules[{at}]");
            self.unique(&field(&path, "name"), &rule.name, &mut seen);
            rules.push(self.rule(&path, rule));
        }
        Policy {
            name: raw.name.clone(),
            mode: raw.mode,
            rules,
        }
    }

    fn rule(&mut self, path: &str, raw: &RawRule) -> Rule {
        self.name(&field(path, "name"), &raw.name);
        self.range(&field(path, "max"), raw.max, MAX, "streams");
        let count = match &raw.count {
            RawCount::Streams => Count::Streams,
            RawCount::Distinct(attribute) => {
                self.attribute(&field(path, "count.distinct"), attribute);
                Count::Distinct(attribute.clone())
            }
        };
        for (at, attribute) in raw.per.iter().enumerate() {
            self.attribute(&format!("{path}.per[{at}]"), attribute);
        }
        let conditions = raw.when.iter().map(|(attribute, test)| {
            self.attribute(&field(path, "when"), attribute);
            self.condition(&format!("{path}.when.{attribute}"), test);
            Condition {
                attribute: attribute.to_owned(),
                test: compiled_test(test),
            }
        });
        Rule {
            name: raw.name.clone(),
            max: raw.max,
            max_claim: raw.max_claim.clone(),
            per: raw.per.clone(),
            target: Target(conditions.collect()),
            on_conflict: raw.on_conflict,
            same_device_replaces: match raw.same_device {
                Some(RawSameDevice::Replace) => true,
                Some(RawSameDevice::Count) => false,
                None => count == Count::Streams,
            },
            count,
            message: self.message(&field(path, "message"), raw.message.as_ref(), MESSAGE_MAX),
            action: self.action(&field(path, "action"), raw.action.as_ref()),
        }
    }

    /// A condition that no stream meets, or every one, is none that somebody means: its rule would
    /// limit nobody, without a word.
    fn condition(&mut self, path: &str, test: &RawTest) {
        let values = match test {
            RawTest::Equals(value) | RawTest::Other(RawOther::Not(RawValues::One(value))) => {
                core::slice::from_ref(value)
            }
            RawTest::AnyOf(values) | RawTest::Other(RawOther::Not(RawValues::Several(values))) => {
                values
            }
            RawTest::Other(_) => return,
        };
        if values.is_empty() {
            self.wrong(path, "none", "one value or more");
        }
        if values.iter().any(|value| text(value).trim().is_empty()) {
            let allowed = "a value; of streams without one {present: false} holds";
            self.wrong(path, "an empty value", allowed);
        }
    }

    /// A text of at most `max` bytes in each language.
    pub(super) fn message(&mut self, path: &str, raw: Option<&RawMessage>, max: usize) -> Message {
        let texts = match raw {
            None => return Message::plain(DEFAULT_MESSAGE),
            Some(RawMessage::Text(text)) => {
                self.check_message(path, text, max);
                return Message::plain(text);
            }
            Some(RawMessage::ByLanguage(texts)) => texts,
        };
        for (tag, text) in texts.iter() {
            self.check_message(&field(path, tag), text, max);
        }
        self.by_language(path, texts.iter())
    }

    #[inline(never)]
    fn check_message(&mut self, path: &str, text: &str, max: usize) {
        let filled = Message::plain(text).render("", 0, "", "");
        if text.trim().is_empty() || text.len() > max || filled.contains('{') {
            let allowed = format!(
                "a text of 1 to {max} bytes, in braces only {{limit}}, {{attribute}} or {{device}}"
            );
            self.wrong(path, shown(path, text), allowed);
        }
    }

    pub(super) fn by_language<'t>(
        &mut self,
        path: &str,
        texts: impl Iterator<Item = (&'t str, &'t String)>,
    ) -> Message {
        // Whoever reads none of the languages is told in English, where there is one.
        let texts = sorted_by_key(texts, |(tag, _)| *tag != "en").into_iter();
        let texts = texts
            .map(|(tag, text)| (tag.to_owned(), text.clone()))
            .collect();
        Message::by_language(texts).unwrap_or_else(|| {
            self.wrong(path, "no language", "one text or more, by language tag");
            Message::plain(DEFAULT_MESSAGE)
        })
    }
}

fn compiled_test(raw: &RawTest) -> Test {
    let texts = |values: &[RawValue]| values.iter().map(text).collect();
    match raw {
        RawTest::Equals(value) => Test::AnyOf(vec![text(value)]),
        RawTest::AnyOf(values) => Test::AnyOf(texts(values)),
        RawTest::Other(other) => match other {
            RawOther::Not(RawValues::One(value)) => Test::NoneOf(vec![text(value)]),
            RawOther::Not(RawValues::Several(values)) => Test::NoneOf(texts(values)),
            RawOther::Present(wanted) => Test::Present(*wanted),
            RawOther::AtLeast(bound) => Test::Number(Comparison::AtLeast, *bound),
            RawOther::AtMost(bound) => Test::Number(Comparison::AtMost, *bound),
            RawOther::Above(bound) => Test::Number(Comparison::Above, *bound),
            RawOther::Below(bound) => Test::Number(Comparison::Below, *bound),
        },
    }
}

fn text(value: &RawValue) -> String {
    match value {
        RawValue::Text(text) | RawValue::Number(text) => text.clone(),
        RawValue::Truth(truth) => truth.to_string(),
    }
}
