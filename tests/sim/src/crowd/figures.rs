//! What a crowd comes to.

use core::fmt;

use streamgate_record::metric::Metric;

use super::Options;
use super::site::Counted;
use crate::store::Asked;

/// What was counted while nothing but playing went on, over all edges and nodes.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// For how long was counted, in seconds.
    pub seconds: u64,
    /// Streams that played at the end.
    pub streams: u64,
    /// Requests that found their lease due, and starts.
    pub requests: u64,
    /// Requests that were turned away.
    pub refused: u64,
    /// Ticks of all workers.
    pub ticks: u64,
    /// Calls of all workers.
    pub calls: u64,
    /// The most calls of one worker from one tick to the next.
    pub most_calls_in_tick: u64,
    /// How many requests waited for so many round trips; the last for more.
    pub round_trips: [u64; 5],
    /// What the store was asked.
    pub asked: Asked,
    /// The filter's own counters, by [`Metric::index`].
    pub metrics: Vec<u64>,
    /// Records that the store held at the end.
    pub records: u64,
    /// Bytes of their values.
    pub record_bytes: u64,
    /// Bytes of shared data at all edges at the end.
    pub edge_bytes: u64,
}

impl Figures {
    pub(super) fn of(options: &Options) -> Self {
        Self {
            seconds: options.steady_s,
            metrics: vec![0; Metric::ALL.len()],
            ..Self::default()
        }
    }

    /// One of the filter's own counters.
    #[must_use]
    pub fn metric(&self, metric: Metric) -> u64 {
        self.metrics[metric.index()]
    }

    /// Calls of one worker from one tick to the next, on average.
    #[must_use]
    pub fn calls_a_tick(&self) -> f64 {
        ratio(self.calls, self.ticks)
    }

    pub(super) fn count(&mut self, counted: &Counted) {
        self.requests += counted.requests;
        self.refused += counted.refused;
        self.ticks += counted.ticks;
        self.calls += counted.calls;
        self.most_calls_in_tick = self.most_calls_in_tick.max(counted.most_calls_in_tick);
        for (sum, some) in self.round_trips.iter_mut().zip(counted.round_trips) {
            *sum += some;
        }
    }

    /// Adds what another part of the same crowd comes to.
    pub(super) fn add(&mut self, other: &Self) {
        self.streams += other.streams;
        self.count(&Counted {
            requests: other.requests,
            refused: other.refused,
            ticks: other.ticks,
            calls: other.calls,
            most_calls_in_tick: other.most_calls_in_tick,
            round_trips: other.round_trips,
        });
        self.asked.calls += other.asked.calls;
        self.asked.swaps += other.asked.swaps;
        self.asked.overtaken += other.asked.overtaken;
        self.asked.bytes_in += other.asked.bytes_in;
        self.asked.bytes_out += other.asked.bytes_out;
        for (sum, some) in self.metrics.iter_mut().zip(&other.metrics) {
            *sum += some;
        }
        self.records += other.records;
        self.record_bytes += other.record_bytes;
        self.edge_bytes += other.edge_bytes;
    }
}

/// A table, one figure a line.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let a_second = |count: u64| ratio(count, self.seconds);
        let refreshes = self.metric(Metric::FleetRefreshes);
        let waited: u64 = self.round_trips.iter().sum();
        let mut line =
            |name: &str, value: f64, digits: usize| writeln!(f, "  {name:<52}{value:>16.digits$}");
        line("streams that play", self.streams as f64, 0)?;
        line(
            "due requests at the doors, a second",
            a_second(self.requests),
            0,
        )?;
        line("  of these turned away", a_second(self.refused), 0)?;
        line(
            "refreshes told to the store, a second",
            a_second(refreshes),
            0,
        )?;
        line(
            "questions to the store, a second",
            a_second(self.metric(Metric::FleetQuestions)),
            0,
        )?;
        line(
            "conflicts, a second",
            a_second(self.metric(Metric::FleetConflicts)),
            0,
        )?;
        line(
            "news read, a second",
            a_second(self.metric(Metric::FleetEvictionsRead)),
            0,
        )?;
        line(
            "calls failed",
            self.metric(Metric::FleetCallsFailed) as f64,
            0,
        )?;
        line(
            "calls to the store, a second",
            a_second(self.asked.calls),
            0,
        )?;
        line(
            "  of one worker in 100 ms, on average",
            self.calls_a_tick(),
            2,
        )?;
        line(
            "  of one worker in 100 ms, at most",
            self.most_calls_in_tick as f64,
            0,
        )?;
        line(
            "subjects in a call",
            ratio(self.asked.swaps, self.asked.calls),
            1,
        )?;
        line(
            "MB to the store, a second",
            a_second(self.asked.bytes_in) / 1e6,
            1,
        )?;
        line(
            "MB from the store, a second",
            a_second(self.asked.bytes_out) / 1e6,
            1,
        )?;
        line(
            "bytes to the store for each subject",
            ratio(self.asked.bytes_in, self.asked.swaps),
            0,
        )?;
        line(
            "bytes from the store for each subject",
            ratio(self.asked.bytes_out, self.asked.swaps),
            0,
        )?;
        line(
            "starts and moves that waited, a second",
            a_second(waited),
            0,
        )?;
        for (trips, some) in self.round_trips.iter().enumerate().skip(1) {
            let name = match trips {
                4 => "  for more round trips, %".to_owned(),
                _ => format!("  for {trips} round trips, %"),
            };
            line(&name, 100.0 * ratio(*some, waited), 2)?;
        }
        line("records in the store", self.records as f64, 0)?;
        line(
            "bytes of a record",
            ratio(self.record_bytes, self.records),
            0,
        )?;
        line(
            "bytes of records for each stream",
            ratio(self.record_bytes, self.streams),
            0,
        )?;
        line(
            "bytes of shared data for each stream at an edge",
            ratio(self.edge_bytes, self.streams),
            0,
        )
    }
}

fn ratio(some: u64, of: u64) -> f64 {
    some as f64 / of.max(1) as f64
}
