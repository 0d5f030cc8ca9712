//! Counters of policies and rules, each defined when it is first counted or asked for.

use std::cell::RefCell;

use proxy_wasm::types::MetricType;
use streamgate_record::rule_metric::RuleMetric;

use super::counter::Counter;

/// The counter of a policy or a rule.
#[derive(Debug)]
struct OfRule {
    metric: RuleMetric,
    policy: String,
    label: String,
    counter: Counter,
}

/// Those that were counted or asked for, in the order of what they count.
#[derive(Debug, Default)]
pub(super) struct ByRule(RefCell<Vec<OfRule>>);

impl ByRule {
    pub(super) fn add(&self, metric: RuleMetric, policy: &str, label: &str, n: u64) {
        self.look((metric, policy, label), |counter| counter.hold(n));
    }

    /// How far all workers have counted, as far as Envoy was told, and this one.
    pub(super) fn counted(&self, metric: RuleMetric, policy: &str, label: &str) -> u64 {
        self.look((metric, policy, label), Counter::counted)
            .unwrap_or_default()
    }

    /// Tells Envoy what was counted and not told.
    pub(super) fn flush(&self) {
        for of_rule in &*self.0.borrow() {
            of_rule.counter.flush();
        }
    }

    /// What `of` says of a counter; `None` if Envoy defines none.
    fn look<T>(
        &self,
        (metric, policy, label): (RuleMetric, &str, &str),
        of: impl FnOnce(&Counter) -> T,
    ) -> Option<T> {
        let mut counters = self.0.borrow_mut();
        let found = counters.binary_search_by(|known| {
            (known.metric, &*known.policy, &*known.label).cmp(&(metric, policy, label))
        });
        let at = match found {
            Ok(at) => at,
            Err(at) => {
                let name = metric.name(policy, label);
                let counter = OfRule {
                    metric,
                    policy: policy.to_owned(),
                    label: label.to_owned(),
                    counter: Counter::define(MetricType::Counter, &name).ok()?,
                };
                counters.insert(at, counter);
                at
            }
        };
        counters.get(at).map(|of_rule| of(&of_rule.counter))
    }
}
