//! A counter of Envoy's, and what it was not told yet.

use std::cell::Cell;

use proxy_wasm::hostcalls;
use proxy_wasm::types::{MetricType, Status};

#[derive(Debug)]
pub(super) struct Counter {
    id: u32,
    held: Cell<u64>,
}

impl Counter {
    /// The counter or gauge with this name; one that exists already is found again.
    ///
    /// # Errors
    ///
    /// Envoy's status where it refuses to define one.
    pub(super) fn define(kind: MetricType, name: &str) -> Result<Self, Status> {
        Ok(Self {
            id: hostcalls::define_metric(kind, name)?,
            held: Cell::default(),
        })
    }

    /// Counts, and tells Envoy at once. Envoy refuses an increment of nothing.
    pub(super) fn add(&self, n: u64) {
        if n > 0 {
            let _ = hostcalls::increment_metric(self.id, i64::try_from(n).unwrap_or(i64::MAX));
        }
    }

    /// Counts, and tells Envoy at the next [`Counter::flush`].
    pub(super) fn hold(&self, n: u64) {
        self.held.set(self.held.get().saturating_add(n));
    }

    /// Tells Envoy what it was not told yet.
    pub(super) fn flush(&self) {
        self.add(self.held.take());
    }

    /// How far all workers have counted, as far as Envoy was told. `None` if Envoy does not know.
    pub(super) fn told(&self) -> Option<u64> {
        hostcalls::get_metric(self.id).ok()
    }

    /// How far that is with what this worker has not told.
    pub(super) fn counted(&self) -> u64 {
        let told = self.told().unwrap_or_default();
        told.saturating_add(self.held.get())
    }
}
