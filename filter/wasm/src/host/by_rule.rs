//! Counters of policies and rules, defined when something is first counted.

use std::cell::{Cell, RefCell};

use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;
use streamgate_record::rule_metric::RuleMetric;

use super::increment;

/// What was counted for a policy or a rule.
#[derive(Debug)]
struct Counter {
    metric: RuleMetric,
    policy: String,
    label: String,
    /// Envoy's id of it.
    id: u32,
    /// How much of it Envoy was not told yet.
    held: Cell<u64>,
}

/// Those for which something was counted, in the order of what they count.
#[derive(Debug, Default)]
pub(super) struct ByRule(RefCell<Vec<Counter>>);

impl ByRule {
    pub(super) fn add(&self, metric: RuleMetric, policy: &str, label: &str) {
        self.look((metric, policy, label), |counter| {
            counter.held.set(counter.held.get().saturating_add(1));
        });
    }

    /// How far all workers have counted, as far as Envoy was told, and this one.
    pub(super) fn counted(&self, metric: RuleMetric, policy: &str, label: &str) -> u64 {
        let counted = |counter: &Counter| {
            let told = hostcalls::get_metric(counter.id).unwrap_or_default();
            told.saturating_add(counter.held.get())
        };
        self.look((metric, policy, label), counted)
            .unwrap_or_default()
    }

    /// Tells Envoy what was counted and not told.
    pub(super) fn flush(&self) {
        for counter in &*self.0.borrow() {
            increment(counter.id, counter.held.take());
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
                let counter = Counter {
                    metric,
                    policy: policy.to_owned(),
                    label: label.to_owned(),
                    id: hostcalls::define_metric(MetricType::Counter, &name).ok()?,
                    held: Cell::default(),
                };
                counters.insert(at, counter);
                at
            }
        };
        counters.get(at).map(of)
    }
}
