//! Counts of the process, until Envoy is told them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use streamgate_policy::Policy;
use streamgate_record::metric::{
    CLOCK_DIFFERENCE_MS, LIVE_STREAMS, Metric, SHARDS_DOWN, STREAM_SECONDS, WAITING,
};
use streamgate_record::rule_metric::{LEVEL_MAX, RuleMetric, level_label};

use crate::envoy::{Configuration, Gauges, MetricId, MetricKind};
use crate::seldom::Seldom;

const COUNTERS: usize = Metric::ALL.len();

/// A bit for each counter, and one for the streams that live.
const LIVE_BIT: u64 = 1 << 63;
const _: () = assert!(COUNTERS < 63, "there are bits for so many");

/// What was counted.
#[derive(Debug)]
pub(crate) struct Meters {
    /// What Envoy was not told yet, in the order of [`Metric::ALL`].
    untold: [AtomicU64; COUNTERS],
    bumps: AtomicU64,
    live_streams: AtomicI64,
    /// Requests that wait for the fleets' stores.
    waiting: AtomicI64,
    /// By how much the machine's clock differs from own time.
    clock_difference_ms: AtomicU64,
    /// What nobody counts on the fast path.
    seldom: Mutex<Seldom>,
    /// What Envoy is to be told at once, by bits: of counters those that are counted above, and
    /// whether other streams live.
    dirty: AtomicU64,
}

/// The counts of all configurations of the process, one after the other or beside each other.
pub(crate) static METERS: Meters = Meters::new();

impl Meters {
    const fn new() -> Self {
        Self {
            untold: [const { AtomicU64::new(0) }; COUNTERS],
            bumps: AtomicU64::new(1),
            live_streams: AtomicI64::new(0),
            waiting: AtomicI64::new(0),
            clock_difference_ms: AtomicU64::new(0),
            seldom: Mutex::new(Seldom::new()),
            dirty: AtomicU64::new(0),
        }
    }

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
        if !metric.is_told_at_ticks() {
            self.dirty.fetch_or(1 << metric.index(), Ordering::Release);
        }
    }

    /// Adds to the counter of a policy or a rule.
    pub(crate) fn add_for(&self, metric: RuleMetric, policy: &str, label: &str, n: u64) {
        self.seldom().add_for(metric, policy, label, n);
    }

    /// How far that has counted for each level of a policy.
    pub(crate) fn counted_levels(&self, metric: RuleMetric, policy: &str) -> [u64; LEVEL_MAX] {
        let seldom = self.seldom();
        core::array::from_fn(|below| {
            let label = level_label(below.saturating_add(1));
            seldom.counted_for(metric, policy, &label)
        })
    }

    /// A stream has ended that was on record for so long.
    pub(crate) fn add_lasted(&self, ms: u64) {
        self.seldom().lasted_s.push(ms.div_ceil(1_000));
    }

    fn seldom(&self) -> MutexGuard<'_, Seldom> {
        self.seldom.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn bumps(&self) -> u64 {
        self.bumps.load(Ordering::Acquire)
    }

    pub(crate) fn add_live(&self, change: i64) {
        self.live_streams.fetch_add(change, Ordering::Relaxed);
        self.dirty.fetch_or(LIVE_BIT, Ordering::Release);
    }

    /// Under a configuration `now` requests wait for the store, and no longer `before`.
    pub(crate) fn change_waiting(&self, before: usize, now: usize) {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let change = number(now).saturating_sub(number(before));
        self.waiting.fetch_add(change, Ordering::Relaxed);
    }

    pub(crate) fn set_clock_difference(&self, ms: u64) {
        self.clock_difference_ms.store(ms, Ordering::Relaxed);
    }
}

/// Envoy's names for the metrics, under one configuration.
#[derive(Debug)]
pub(crate) struct MetricIds {
    counters: Vec<MetricId>,
    /// Of each policy and rule of the configuration, by name.
    by_rule: BTreeMap<String, MetricId>,
    stream_seconds: MetricId,
    live_streams: MetricId,
    shards_down: MetricId,
    waiting: MetricId,
    clock_difference: MetricId,
}

impl MetricIds {
    /// Defines the metrics; `None` if Envoy refuses one.
    pub(crate) fn define(configuration: Configuration, policies: &[Policy]) -> Option<Self> {
        let kind = |metric: &Metric| match metric {
            // As in the Wasm filter, so that a metric is of the same kind for both.
            Metric::GenerationBumps => MetricKind::Gauge,
            _ => MetricKind::Counter,
        };
        let define = |metric: &Metric| configuration.define(kind(metric), metric.name());
        let counters = Metric::ALL.iter().map(define);
        let by_rule = rule_counters(policies).map(|name| {
            let id = configuration.define(MetricKind::Counter, &name)?;
            Some((name, id))
        });
        let gauge = |name| configuration.define(MetricKind::Gauge, name);
        Some(Self {
            counters: counters.collect::<Option<_>>()?,
            by_rule: by_rule.collect::<Option<_>>()?,
            stream_seconds: configuration.define(MetricKind::Histogram, STREAM_SECONDS)?,
            live_streams: gauge(LIVE_STREAMS)?,
            shards_down: gauge(SHARDS_DOWN)?,
            waiting: gauge(WAITING)?,
            clock_difference: gauge(CLOCK_DIFFERENCE_MS)?,
        })
    }

    /// Tells Envoy what was counted since it was last told and is to be there when the viewer has the answer,
    /// if something was.
    pub(crate) fn flush(&self, meters: &Meters, to: &impl Gauges) {
        if meters.dirty.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut dirty = meters.dirty.swap(0, Ordering::Acquire);
        if dirty & LIVE_BIT != 0 {
            self.show_live(meters, to);
            dirty &= !LIVE_BIT;
        }
        while dirty != 0 {
            let index = dirty.trailing_zeros() as usize;
            self.flush_counter(meters, index, to);
            dirty &= dirty.wrapping_sub(1);
        }
    }

    fn flush_counter(&self, meters: &Meters, index: usize, to: &impl Gauges) {
        if let (Some(untold), Some(metric)) = (meters.untold.get(index), self.counters.get(index))
            && untold.load(Ordering::Relaxed) > 0
        {
            to.add(*metric, untold.swap(0, Ordering::Relaxed));
        }
    }

    /// Tells Envoy all that was counted since it was last told. To be called once a tick.
    pub(crate) fn flush_all(&self, meters: &Meters, to: &impl Gauges) {
        for index in 0..COUNTERS {
            self.flush_counter(meters, index, to);
        }
        // Envoy is told with the lock held: no hook comes of a count.
        let mut seldom = meters.seldom();
        seldom.flush(|name, untold| {
            // Another configuration's are left to that; nobody's, of a rule that is gone, stay.
            let id = self.by_rule.get(name);
            id.map(|id| to.add(*id, untold))
        });
        for seconds in seldom.lasted_s.drain(..) {
            to.add(self.stream_seconds, seconds);
        }
    }

    fn show_live(&self, meters: &Meters, to: &impl Gauges) {
        let live = meters.live_streams.load(Ordering::Relaxed);
        to.set(self.live_streams, u64::try_from(live).unwrap_or(0));
    }

    /// Shows what is looked at once a tick.
    pub(crate) fn show(&self, meters: &Meters, to: &impl Gauges) {
        let waiting = meters.waiting.load(Ordering::Relaxed);
        to.set(self.waiting, u64::try_from(waiting).unwrap_or(0));
        let clock_difference_ms = meters.clock_difference_ms.load(Ordering::Relaxed);
        to.set(self.clock_difference, clock_difference_ms);
        // Of two workers that showed it at once, the last may have been the one that looked first.
        self.show_live(meters, to);
    }

    /// Shows how many shards of the store do not answer.
    pub(crate) fn show_shards_down(&self, down: usize, to: &impl Gauges) {
        to.set(self.shards_down, u64::try_from(down).unwrap_or(u64::MAX));
    }
}

/// The names of all that may be counted for these policies.
fn rule_counters(policies: &[Policy]) -> impl Iterator<Item = String> {
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
            let counted = [
                RuleMetric::PolicyStarts,
                RuleMetric::PolicyAccounts,
                RuleMetric::PolicyRefusedAccounts,
            ];
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
    struct Seen(RefCell<Vec<(MetricId, u64)>>);

    impl Gauges for Seen {
        fn add(&self, metric: MetricId, n: u64) {
            self.0.borrow_mut().push((metric, n));
        }
        fn set(&self, metric: MetricId, to: u64) {
            self.0.borrow_mut().push((metric, to));
        }
    }

    const COUNTER: MetricId = MetricId::Counter(0);
    const OF_RULE: MetricId = MetricId::Counter(1);
    const SECONDS: MetricId = MetricId::Histogram(0);
    const LIVE: MetricId = MetricId::Gauge(0);
    const DOWN: MetricId = MetricId::Gauge(1);
    const WAITS: MetricId = MetricId::Gauge(2);
    const CLOCK: MetricId = MetricId::Gauge(3);

    fn ids() -> MetricIds {
        MetricIds {
            counters: vec![COUNTER; COUNTERS],
            by_rule: BTreeMap::from([(RuleMetric::Refusals.name("p", "r"), OF_RULE)]),
            stream_seconds: SECONDS,
            live_streams: LIVE,
            shards_down: DOWN,
            waiting: WAITS,
            clock_difference: CLOCK,
        }
    }

    #[test]
    fn what_was_counted_is_told_once() {
        let (meters, ids, seen) = (Meters::new(), ids(), Seen::default());
        let flushed = || {
            ids.flush(&meters, &seen);
            seen.0.take()
        };
        let ticked = || {
            ids.flush_all(&meters, &seen);
            seen.0.take()
        };
        meters.add(Metric::Starts, 2);
        meters.add(Metric::Starts, 3);
        meters.add(Metric::Stops, 0);
        meters.add_live(4);
        assert_eq!(flushed(), [(LIVE, 4), (COUNTER, 5)]);
        assert_eq!(flushed(), []);
        meters.add_live(-9);
        assert_eq!(flushed(), [(LIVE, 0)]);
        // Nobody waits for these.
        for metric in Metric::ALL.into_iter().filter(|one| one.is_told_at_ticks()) {
            meters.add(metric, 7);
            assert_eq!(flushed(), [], "{metric:?}");
            assert_eq!(ticked(), [(COUNTER, 7)], "{metric:?}");
            assert_eq!(ticked(), []);
        }
        for _ in 0..2 {
            for rule in ["r", "gone", "r", "r"] {
                meters.add_for(RuleMetric::Refusals, "p", rule, 1);
            }
            assert_eq!(flushed(), []);
            assert_eq!(ticked(), [(OF_RULE, 3)]);
        }
        for ms in [0, 1, 1_000, 61_001] {
            meters.add_lasted(ms);
        }
        let seconds = [0, 1, 1, 62].map(|seconds| (SECONDS, seconds));
        assert_eq!(flushed(), []);
        assert_eq!(ticked(), seconds);
        assert_eq!(ticked(), []);
        let counted = |rule| meters.seldom().counted_for(RuleMetric::Refusals, "p", rule);
        assert_eq!(["r", "gone", "other"].map(counted), [6, 2, 0]);
        meters.add_for(RuleMetric::PolicyAccounts, "p", "2", 7);
        let levels = meters.counted_levels(RuleMetric::PolicyAccounts, "p");
        assert_eq!(levels[..3], [0, 7, 0]);
        assert_eq!(meters.bumps(), 1);
    }

    /// Two listeners with policies of their own, of which the other one has traffic last.
    #[test]
    fn the_last_counts_of_another_configuration_are_told_at_its_next_tick() {
        let (meters, ids, seen) = (Meters::new(), ids(), Seen::default());
        let other = MetricIds {
            by_rule: BTreeMap::from([(RuleMetric::Refusals.name("q", "r"), MetricId::Counter(2))]),
            ..self::ids()
        };
        meters.add_for(RuleMetric::Refusals, "q", "r", 3);
        meters.add_for(RuleMetric::Refusals, "gone", "r", 1);
        ids.flush_all(&meters, &seen);
        ids.show(&meters, &seen);
        assert!(
            !seen
                .0
                .take()
                .iter()
                .any(|(id, _)| *id == MetricId::Counter(2))
        );
        for told in [vec![(MetricId::Counter(2), 3)], vec![]] {
            other.flush_all(&meters, &seen);
            let counted = seen.0.take().into_iter();
            let counted = counted.filter(|(id, _)| matches!(id, MetricId::Counter(_)));
            assert_eq!(counted.collect::<Vec<_>>(), told);
        }
    }

    #[test]
    fn gauges_are_shown_whether_they_have_changed_or_not() {
        let (meters, ids, seen) = (Meters::new(), ids(), Seen::default());
        let shown = |live, waiting, clock| [(WAITS, waiting), (CLOCK, clock), (LIVE, live)];
        ids.show(&meters, &seen);
        assert_eq!(seen.0.take(), shown(0, 0, 0));
        // Two configurations beside each other, one of which goes.
        meters.change_waiting(0, 5);
        meters.change_waiting(0, 2);
        meters.set_clock_difference(70_000);
        meters.change_waiting(5, 0);
        meters.add_live(3);
        for _ in 0..2 {
            ids.show(&meters, &seen);
            assert_eq!(seen.0.take(), shown(3, 2, 70_000));
        }
        ids.show_shards_down(8, &seen);
        assert_eq!(seen.0.take(), [(DOWN, 8)]);
    }
}
