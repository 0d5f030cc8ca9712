//! How an account stands by its rules, for whoever has to explain it.

use streamgate_values::attributes::Attributes;

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
    let mut scopes: Vec<(Vec<Option<&str>>, Vec<Option<&str>>)> = Vec::new();
    for stream in streams {
        let value = |name: &String| value_of(&stream.attributes, name);
        let scope: Vec<_> = rule.per.iter().map(value).collect();
        let at = scopes.iter().position(|(known, _)| *known == scope);
        let units = match at.and_then(|at| scopes.get_mut(at)) {
            Some((_, units)) => units,
            None => {
                scopes.push((scope, Vec::new()));
                let Some((_, units)) = scopes.last_mut() else {
                    continue;
                };
                units
            }
        };
        match &rule.count {
            Count::Streams => units.push(None),
            Count::Distinct(name) => {
                let unit = value(name);
                if !units.contains(&unit) {
                    units.push(unit);
                }
            }
        }
    }
    let counts = scopes.iter().map(|(_, units)| units.len());
    counts.max().unwrap_or(0)
}

fn value_of<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes.known(name)
}
