//! What is counted where streams begin and end, and what Envoy is told at ticks.

use streamgate_record::rule_metric::RuleMetric;

/// Counts of policies and rules, and how long streams lasted.
#[derive(Debug)]
pub(crate) struct Seldom {
    /// In the order of what they are for: few, and looked for more often than there is a new one.
    by_rule: Vec<OfRule>,
    /// For how many seconds streams were on record that have ended.
    pub(crate) lasted_s: Vec<u64>,
    /// Where the next flush begins.
    next: usize,
}

/// How many counters Envoy is told at once: under 5,000 policies all of them would hold up a worker.
const TOLD_MAX: usize = 256;

/// The counter of a policy or a rule.
#[derive(Debug)]
struct OfRule {
    metric: RuleMetric,
    policy: String,
    label: String,
    /// All of it.
    all: u64,
    /// What Envoy was not told yet.
    untold: u64,
}

impl Seldom {
    pub(crate) const fn new() -> Self {
        Self {
            by_rule: Vec::new(),
            lasted_s: Vec::new(),
            next: 0,
        }
    }

    /// Where a counter is, or has to go.
    fn position(&self, metric: RuleMetric, policy: &str, label: &str) -> Result<usize, usize> {
        self.by_rule.binary_search_by(|known| {
            (known.metric, &*known.policy, &*known.label).cmp(&(metric, policy, label))
        })
    }

    /// Adds to a counter.
    pub(crate) fn add_for(&mut self, metric: RuleMetric, policy: &str, label: &str, n: u64) {
        if n == 0 {
            return;
        }
        match self.position(metric, policy, label) {
            Ok(at) => {
                if let Some(known) = self.by_rule.get_mut(at) {
                    known.all = known.all.saturating_add(n);
                    known.untold = known.untold.saturating_add(n);
                }
            }
            Err(at) => {
                let first = OfRule {
                    metric,
                    policy: policy.to_owned(),
                    label: label.to_owned(),
                    all: n,
                    untold: n,
                };
                self.by_rule.insert(at, first);
            }
        }
    }

    /// How far a counter has counted.
    pub(crate) fn counted_for(&self, metric: RuleMetric, policy: &str, label: &str) -> u64 {
        let at = self.position(metric, policy, label).ok();
        let known = at.and_then(|at| self.by_rule.get(at));
        known.map_or(0, |known| known.all)
    }

    /// Tells what was counted and not told, by Envoy's names, so many at once and the next time the
    /// next ones; `tell` says whether it was taken.
    pub(crate) fn flush(&mut self, tell: impl Fn(&str, u64) -> Option<()>) {
        let from = core::mem::take(&mut self.next).min(self.by_rule.len());
        let (before, after) = self.by_rule.split_at_mut(from);
        let after = (from..).zip(after);
        let untold = after.chain((0..).zip(before));
        let untold = untold.filter(|(_, known)| known.untold > 0);
        for (at, known) in untold.take(TOLD_MAX) {
            let name = known.metric.name(&known.policy, &known.label);
            if tell(&name, known.untold).is_some() {
                known.untold = 0;
            }
            self.next = at.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Of counters whose rule is gone Envoy takes nothing: they stay, and hold up nobody else's.
    #[test]
    fn so_many_are_told_at_once_and_the_others_after_them() {
        let mut seldom = Seldom::new();
        for n in 0..1_000 {
            seldom.add_for(RuleMetric::Refusals, &format!("policy-{n:04}"), "r", 1);
            seldom.add_for(RuleMetric::Refusals, &format!("policy-{n:04}"), "gone", 1);
        }
        let told = RefCell::new(Vec::new());
        for flushed in 1..=9 {
            let tried = RefCell::new(0);
            seldom.flush(|name, n| {
                *tried.borrow_mut() += 1;
                let is_there = !name.ends_with(".gone");
                is_there.then(|| told.borrow_mut().push((name.to_owned(), n)))
            });
            let tried = tried.into_inner();
            assert!((1..=TOLD_MAX).contains(&tried), "{flushed}: {tried}");
        }
        let mut told = told.into_inner();
        assert_eq!(told.len(), 1_000);
        told.sort();
        told.dedup();
        assert_eq!(told.len(), 1_000);
        assert!(told.iter().all(|(_, n)| *n == 1));
    }
}
