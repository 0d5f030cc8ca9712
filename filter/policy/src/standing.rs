//! How an account stands by its rules, for whoever has to explain it.

use crate::activity::{Activity, Stream};
use crate::book::{Policy, PolicyBook};
use crate::rule::{Count, Rule};

/// How one rule stands for an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Stand<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The rule of it.
    pub rule: &'a Rule,
    /// The most it allows now, by the account's exception and its streams' own limits; `None`
    /// for no limit.
    pub limit: Option<u32>,
    /// How many it counts now; with a scope, for the values of it that have most.
    pub count: usize,
}

/// How the rules of these policies stand, by their places in the book.
pub fn stands<'a>(book: &'a PolicyBook, policies: &[usize], activity: &Activity) -> Vec<Stand<'a>> {
    let mut stands = Vec::new();
    for index in policies {
        let Some(policy) = book.policy(*index) else {
            continue;
        };
        let seen = activity.streams.iter();
        let seen: Vec<&Stream> = seen
            .filter(|stream| book.sees(*index, &stream.application))
            .collect();
        for rule in &policy.rules {
            let counted = seen.iter().copied();
            let counted: Vec<&Stream> = counted
                .filter(|stream| rule.target.matches(&stream.attributes))
                .collect();
            let allowance = activity.allowance();
            let limits = counted.iter().map(|stream| &stream.limits);
            let limit = limits
                .map(|limits| rule.max_for(limits, allowance))
                .max()
                .unwrap_or_else(|| rule.max_for(&<_>::default(), allowance));
            stands.push(Stand {
                policy,
                rule,
                limit: (limit != u32::MAX).then_some(limit),
                count: fullest(rule, &counted),
            });
        }
    }
    stands
}

/// How many the rule counts in the scope that has most.
fn fullest(rule: &Rule, streams: &[&Stream]) -> usize {
    let scope_of = |stream: &Stream| -> Vec<Option<String>> {
        let values = rule.per.iter();
        let values = values.map(|name| stream.attributes.known(name));
        values.map(|value| value.map(str::to_owned)).collect()
    };
    let count_in = |scope: &[Option<String>]| {
        let inside = streams.iter().filter(|stream| scope_of(stream) == scope);
        let Count::Distinct(name) = &rule.count else {
            return inside.count();
        };
        let mut values: Vec<Option<&str>> = Vec::new();
        for stream in inside {
            let value = stream.attributes.known(name);
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values.len()
    };
    let mut scopes: Vec<Vec<Option<String>>> = Vec::new();
    for stream in streams {
        let scope = scope_of(stream);
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes
        .iter()
        .map(|scope| count_in(scope))
        .max()
        .unwrap_or(0)
}
