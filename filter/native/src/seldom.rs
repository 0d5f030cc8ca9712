//! What is counted where streams begin and end, and what Envoy is told at ticks.

use streamgate_record::rule_metric::RuleMetric;

/// Counts of policies and rules, and how long streams lasted.
#[derive(Debug)]
pub(crate) struct Seldom {
    /// In the order of what they are for: few, and looked for more often than there is a new one.
    by_rule: Vec<OfRule>,
    /// For how many seconds streams were on record that have ended.
    pub(crate) lasted_s: Vec<u64>,
}

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

    /// Tells what was counted and not told, by Envoy's names; `tell` says whether it was taken.
    pub(crate) fn flush(&mut self, tell: impl Fn(&str, u64) -> Option<()>) {
        for known in self.by_rule.iter_mut().filter(|known| known.untold > 0) {
            let name = known.metric.name(&known.policy, &known.label);
            if tell(&name, known.untold).is_some() {
                known.untold = 0;
            }
        }
    }
}
