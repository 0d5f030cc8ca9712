//! Counts of the process, until Envoy is told them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use streamgate_policy::Policy;
use streamgate_record::metric::{LIVE_STREAMS, Metric};
use streamgate_record::rule_metric::{LEVEL_MAX, RuleMetric, level_label};

use crate::envoy::{Configuration, Gauges, MetricId};

const COUNTERS: usize = Metric::ALL.len();

/// What was counted.
#[derive(Debug)]
pub(crate) struct Meters {
    /// What Envoy was not told yet, in the order of [`Metric::ALL`].
    untold: [AtomicU64; COUNTERS],
    bumps: AtomicU64,
    live_streams: AtomicI64,
    /// What was counted for policies and rules, by Envoy's names: all of it, and what Envoy was not
    /// told yet.
    by_rule: Mutex<BTreeMap<String, [u64; 2]>>,
    is_dirty: AtomicBool,
}

/// The counts of all configurations of the process, one after the other or beside each other.
pub(crate) static METERS: Meters = Meters {
    untold: [const { AtomicU64::new(0) }; COUNTERS],
    bumps: AtomicU64::new(1),
    live_streams: AtomicI64::new(0),
    by_rule: Mutex::new(BTreeMap::new()),
    is_dirty: AtomicBool::new(false),
};

impl Meters {
    pub(crate) fn add(&self, metric: Metric, n: u64) {
        if n == 0 {
            return;
        }
        if let Some(untold) = self.untold.get(metric.index()) {
            untold.fetch_add(n, Ordering::Relaxed);
        }
        if metric == Metric::GenerationBumps {
            self.bumps.fetch_add(n, Ordering::AcqRel);
        }
        self.is_dirty.store(true, Ordering::Release);
    }

    /// Adds one to the counter of a policy or a rule. Nobody counts so on the fast path.
    pub(crate) fn add_for(&self, metric: RuleMetric, policy: &str, label: &str) {
        let name = metric.name(policy, label);
        let mut by_rule = self.by_rule.lock().unwrap_or_else(PoisonError::into_inner);
        for n in by_rule.entry(name).or_default() {
            *n = n.saturating_add(1);
        }
        drop(by_rule);
        self.is_dirty.store(true, Ordering::Release);
    }

    /// How far that has counted.
    pub(crate) fn counted_for(&self, metric: RuleMetric, policy: &str, label: &str) -> u64 {
        let by_rule = self.by_rule.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = by_rule.get(&metric.name(policy, label));
        counted.map_or(0, |[all, _]| *all)
    }

    pub(crate) fn bumps(&self) -> u64 {
        self.bumps.load(Ordering::Acquire)
    }

    pub(crate) fn add_live(&self, change: i64) {
        self.live_streams.fetch_add(change, Ordering::Relaxed);
        self.is_dirty.store(true, Ordering::Release);
    }
}

/// Envoy's names for the metrics, under one configuration.
#[derive(Debug)]
pub(crate) struct Told {
    counters: Vec<MetricId>,
    /// Of each policy and rule of the configuration, by name.
    by_rule: BTreeMap<String, MetricId>,
    live_streams: MetricId,
}

impl Told {
    /// Defines the metrics; `None` if Envoy refuses one.
    pub(crate) fn define(configuration: Configuration, policies: &[Policy]) -> Option<Self> {
        // As in the Wasm filter, so that a metric is of the same kind for both.
        let is_gauge = |metric: &Metric| *metric == Metric::GenerationBumps;
        let define = |metric: &Metric| configuration.define(is_gauge(metric), metric.name());
        let counters = Metric::ALL.iter().map(define);
        let by_rule = names(policies).map(|name| {
            let id = configuration.define(false, &name)?;
            Some((name, id))
        });
        Some(Self {
            counters: counters.collect::<Option<_>>()?,
            by_rule: by_rule.collect::<Option<_>>()?,
            live_streams: configuration.define(true, LIVE_STREAMS)?,
        })
    }

    /// Tells Envoy what was counted since it was last told, if something was.
    pub(crate) fn flush(&self, meters: &Meters, to: &impl Gauges) {
        if !meters.is_dirty.load(Ordering::Relaxed)
            || !meters.is_dirty.swap(false, Ordering::Acquire)
        {
            return;
        }
        for (untold, metric) in meters.untold.iter().zip(&self.counters) {
            if untold.load(Ordering::Relaxed) > 0 {
                to.add(*metric, untold.swap(0, Ordering::Relaxed));
            }
        }
        let by_rule = meters.by_rule.lock();
        for (name, [_, untold]) in by_rule.unwrap_or_else(PoisonError::into_inner).iter_mut() {
            // What a configuration before this one counted at its end may be of a rule that is gone.
            let n = core::mem::take(untold);
            if n > 0
                && let Some(id) = self.by_rule.get(name)
            {
                to.add(*id, n);
            }
        }
        let live = meters.live_streams.load(Ordering::Relaxed);
        to.set(self.live_streams, u64::try_from(live).unwrap_or(0));
    }
}

/// Envoy's names for all that may be counted for these policies.
fn names(policies: &[Policy]) -> impl Iterator<Item = String> {
    policies.iter().flat_map(|policy| {
        let of_rules = policy.rules.iter().flat_map(|rule| {
            let counted = [
                RuleMetric::Refusals,
                RuleMetric::Evictions,
                RuleMetric::MonitoredBreaches,
            ];
            counted.map(|metric| metric.name(&policy.name, &rule.name))
        });
        let of_levels = (1..=LEVEL_MAX).flat_map(|level| {
            let counted = [RuleMetric::PolicyStarts, RuleMetric::PolicyRefusedStarts];
            counted.map(|metric| metric.name(&policy.name, &level_label(level)))
        });
        of_levels.chain(of_rules)
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[derive(Default)]
    struct Seen(RefCell<Vec<u64>>);

    impl Gauges for Seen {
        fn add(&self, _: MetricId, n: u64) {
            self.0.borrow_mut().push(n);
        }
        fn set(&self, _: MetricId, to: u64) {
            self.0.borrow_mut().push(to);
        }
    }

    #[test]
    fn what_was_counted_is_told_once() {
        let meters = Meters {
            untold: [const { AtomicU64::new(0) }; COUNTERS],
            bumps: AtomicU64::new(1),
            live_streams: AtomicI64::new(0),
            by_rule: Mutex::default(),
            is_dirty: AtomicBool::new(false),
        };
        let told = Told {
            counters: vec![MetricId::Counter(0); COUNTERS],
            by_rule: BTreeMap::from([(RuleMetric::Refusals.name("p", "r"), MetricId::Counter(1))]),
            live_streams: MetricId::Gauge(0),
        };
        let seen = Seen::default();
        told.flush(&meters, &seen);
        meters.add(Metric::Starts, 2);
        meters.add(Metric::Starts, 3);
        meters.add(Metric::Stops, 0);
        meters.add_live(4);
        told.flush(&meters, &seen);
        told.flush(&meters, &seen);
        meters.add_live(-9);
        told.flush(&meters, &seen);
        for rule in ["r", "gone", "r", "r"] {
            meters.add_for(RuleMetric::Refusals, "p", rule);
        }
        told.flush(&meters, &seen);
        told.flush(&meters, &seen);
        assert_eq!(*seen.0.borrow(), [5, 4, 0, 3, 0]);
        let counted = |rule| meters.counted_for(RuleMetric::Refusals, "p", rule);
        assert_eq!(["r", "gone", "other"].map(counted), [3, 1, 0]);
        assert_eq!(meters.bumps(), 1);
    }
}
