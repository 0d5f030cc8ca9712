//! The counters of policies and rules: they are made with the first that is counted of each.

use std::cell::RefCell;

use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;
use streamgate_record::rule_metric::RuleMetric;

/// The counters that were made, in the order of what they count, each with Envoy's id.
#[derive(Debug, Default)]
pub(super) struct ByRule(RefCell<Vec<(RuleMetric, String, String, u32)>>);

impl ByRule {
    /// Adds one.
    pub(super) fn add(&self, metric: RuleMetric, policy: &str, label: &str) {
        if let Some(id) = self.id(metric, policy, label) {
            let _ = hostcalls::increment_metric(id, 1);
        }
    }

    /// How far one has counted, at all workers; 0 if Envoy does not keep it.
    pub(super) fn counted(&self, metric: RuleMetric, policy: &str, label: &str) -> u64 {
        let id = self.id(metric, policy, label);
        let counted = id.and_then(|id| hostcalls::get_metric(id).ok());
        counted.unwrap_or_default()
    }

    /// Envoy's id for a counter; `None` if Envoy makes none.
    fn id(&self, metric: RuleMetric, policy: &str, label: &str) -> Option<u32> {
        let mut made = self.0.borrow_mut();
        let found = made.binary_search_by(|(known, of, by, _)| {
            (*known, &**of, &**by).cmp(&(metric, policy, label))
        });
        match found {
            Ok(at) => made.get(at).map(|(.., id)| *id),
            Err(at) => {
                let name = metric.name(policy, label);
                let id = hostcalls::define_metric(MetricType::Counter, &name).ok()?;
                made.insert(at, (metric, policy.to_owned(), label.to_owned(), id));
                Some(id)
            }
        }
    }
}
