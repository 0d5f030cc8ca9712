//! Counts of the process, until Envoy is told them.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use streamgate_record::metric::{LIVE_STREAMS, Metric};

use crate::envoy::{Configuration, Gauges, MetricId};

const COUNTERS: usize = Metric::ALL.len();

/// What was counted.
#[derive(Debug)]
pub(crate) struct Meters {
    /// What Envoy was not told yet, in the order of [`Metric::ALL`].
    untold: [AtomicU64; COUNTERS],
    bumps: AtomicU64,
    live_streams: AtomicI64,
    is_dirty: AtomicBool,
}

/// The counts of all configurations of the process, one after the other or beside each other.
pub(crate) static METERS: Meters = Meters {
    untold: [const { AtomicU64::new(0) }; COUNTERS],
    bumps: AtomicU64::new(1),
    live_streams: AtomicI64::new(0),
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
    live_streams: MetricId,
}

impl Told {
    /// Defines the metrics; `None` if Envoy refuses one.
    pub(crate) fn define(configuration: Configuration) -> Option<Self> {
        // As in the Wasm filter, so that a metric is of the same kind for both.
        let is_gauge = |metric: &Metric| *metric == Metric::GenerationBumps;
        let define = |metric: &Metric| configuration.define(is_gauge(metric), metric.name());
        let counters = Metric::ALL.iter().map(define);
        Some(Self {
            counters: counters.collect::<Option<_>>()?,
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
        let live = meters.live_streams.load(Ordering::Relaxed);
        to.set(self.live_streams, u64::try_from(live).unwrap_or(0));
    }
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
            is_dirty: AtomicBool::new(false),
        };
        let told = Told {
            counters: vec![MetricId::Counter(0); COUNTERS],
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
        assert_eq!(*seen.0.borrow(), [5, 4, 0]);
        assert_eq!(meters.bumps(), 1);
    }
}
