//! How an account stands by its rules, for whoever has to explain it.

use std::sync::Arc;

use streamgate_values::sorted::sorted_by;

use crate::activity::{Activity, Stream};
use crate::book::{Application, Policy, PolicyBook};
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

/// The most streams that are looked at for all rules together: a millisecond's work.
const LOOKS_MAX: usize = 512;

/// How the rules of these policies stand, by their places in the book: the first `most` of them, or
/// as many as can be counted at once where the account has hundreds of streams.
pub fn stands<'a>(
    book: &'a PolicyBook,
    policies: &[usize],
    activity: &Activity,
    most: usize,
) -> Vec<Stand<'a>> {
    let streams = activity.streams.iter();
    let streams: Vec<(&Stream, Option<&Application>)> = streams
        .map(|stream| {
            let application = book.application(&stream.application);
            (stream, application.map(Arc::as_ref))
        })
        .collect();
    let can = LOOKS_MAX.checked_div(streams.len()).unwrap_or(most);
    let policies = policies.iter().copied();
    let policies = policies.filter_map(|index| Some((index, book.policy(index)?)));
    let rules = policies
        .flat_map(|(index, policy)| policy.rules.iter().map(move |rule| (index, policy, rule)));
    let rules = rules.take(can.max(1).min(most));
    let stand = |(index, policy, rule): (usize, &'a Policy, &'a Rule)| {
        let seen = streams.iter().filter(|(_, application)| {
            application.is_some_and(|application| application.lists(index))
        });
        let seen = seen.map(|(stream, _)| *stream);
        let counted: Vec<&Stream> = seen
            .filter(|stream| rule.target.matches(&stream.attributes))
            .collect();
        let allowance = activity.allowance();
        let limits = counted.iter().map(|stream| &stream.limits);
        let limit = limits
            .map(|limits| rule.max_for(limits, allowance))
            .max()
            .unwrap_or_else(|| rule.max_for(&<_>::default(), allowance));
        Stand {
            policy,
            rule,
            limit: (limit != u32::MAX).then_some(limit),
            count: fullest(rule, &counted),
        }
    };
    rules.map(stand).collect()
}

/// How many the rule counts in the scope that has most.
fn fullest(rule: &Rule, streams: &[&Stream]) -> usize {
    let distinct = match &rule.count {
        Count::Streams if rule.per.is_empty() => return streams.len(),
        Count::Streams => None,
        Count::Distinct(name) => Some(name),
    };
    // In order, all of a scope stand together, and in it all of a value.
    let known = streams.iter().map(|stream| {
        let scope = rule.per.iter().map(|name| stream.attributes.known(name));
        let value = distinct.and_then(|name| stream.attributes.known(name));
        (scope.collect::<Vec<_>>(), value)
    });
    let known = sorted_by(known, Ord::cmp);
    let (mut most, mut count) = (0_usize, 0_usize);
    let before = core::iter::once(None).chain(known.iter().map(Some));
    for ((scope, value), before) in known.iter().zip(before) {
        let of_scope = before.filter(|(before, _)| before == scope);
        count = match of_scope {
            Some((_, before)) if distinct.is_some() && before == value => count,
            Some(_) => count.saturating_add(1),
            None => 1,
        };
        most = most.max(count);
    }
    most
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::testing::{NOW, book, limit, stream, test};
    use crate::{Allowance, Exception, OnConflict};

    /// An account of streams `0..n`, each with its channel and its device where it has them.
    fn account(attributes: impl Fn(u8) -> [Option<u8>; 2], n: u8) -> Activity {
        let mut activity = Activity::default();
        for number in 0..n {
            let mut stream = stream(number, NOW);
            for (name, value) in ["channel", "deviceId"].into_iter().zip(attributes(number)) {
                if let Some(value) = value {
                    stream.attributes.set(name, format!("{name}-{value}"));
                }
            }
            activity.streams.push(stream);
        }
        activity
    }

    fn policy(name: &str, rules: &[(&[&str], Option<&str>)]) -> Policy {
        let mut policy = limit(name, 3, OnConflict::DenyNew);
        let rule = policy.rules.remove(0);
        policy.rules = rules
            .iter()
            .map(|(per, distinct)| Rule {
                per: per.iter().map(|&name| name.to_owned()).collect(),
                count: distinct.map_or(Count::Streams, |name| Count::Distinct(name.to_owned())),
                ..rule.clone()
            })
            .collect();
        policy
    }

    #[test]
    fn the_fullest_scope_is_what_counting_one_by_one_finds() {
        let of = |n: u8| {
            let [channel, device] = [n.wrapping_mul(7) % 5, n.wrapping_mul(11) % 9];
            [
                Some(channel).filter(|it| *it > 0),
                Some(device).filter(|it| *it > 1),
            ]
        };
        let activity = account(of, 100);
        let rules: [(&[&str], Option<&str>); 4] = [
            (&[], None),
            (&[], Some("deviceId")),
            (&["channel"], None),
            (&["channel"], Some("deviceId")),
        ];
        let book = book(vec![policy("P", &rules)], &[("app1", &["P"])]);
        let stood = stands(&book, &[0], &activity, 9);
        let mut by_channel: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for n in 0..100 {
            let [channel, device] = of(n);
            by_channel.entry(channel).or_default().push(device);
        }
        let devices: BTreeSet<_> = by_channel.values().flatten().collect();
        let most = |count: fn(&Vec<Option<u8>>) -> usize| by_channel.values().map(count).max();
        let distinct = |devices: &Vec<Option<u8>>| devices.iter().collect::<BTreeSet<_>>().len();
        let expected = [
            100,
            devices.len(),
            most(Vec::len).unwrap(),
            most(distinct).unwrap(),
        ];
        let counted: Vec<usize> = stood.iter().map(|stand| stand.count).collect();
        assert_eq!(counted, expected);
    }

    /// One answer is a bounded piece of work, whatever the configuration and the account.
    #[test]
    fn so_many_rules_are_told_as_can_be_counted_at_once() {
        let rules: Vec<(&[&str], Option<&str>)> = vec![(&[], None); 100];
        let many: Vec<Policy> = (0..50).map(|n| policy(&format!("P{n}"), &rules)).collect();
        let book = book(many, &[("app1", &["P0"])]);
        let places: Vec<usize> = (0..50).collect();
        let of = |streams: u8| stands(&book, &places, &account(|_| [None; 2], streams), 64).len();
        assert_eq!(of(0), 64);
        assert_eq!(of(8), 64);
        assert_eq!(of(250), 2);
        let none = stands(&book, &[1, 77], &account(|_| [None; 2], 3), 64);
        assert_eq!((none.len(), none[0].count), (64, 0));
    }

    #[test]
    fn a_limit_is_told_where_there_is_one() {
        let book = book(vec![policy("P", &[(&[], None)])], &[("app1", &["P"])]);
        let mut activity = account(|_| [None; 2], 2);
        let limit = |activity: &Activity| stands(&book, &[0], activity, 9)[0].limit;
        assert_eq!(limit(&activity), Some(3));
        activity.exception = Some(Exception {
            allowance: Allowance::Unlimited,
            set_at: NOW,
            until: NOW.plus_ms(60_000),
            reason: String::new(),
        });
        assert_eq!(limit(&activity), None);
    }
}
