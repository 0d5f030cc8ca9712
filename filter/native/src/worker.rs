//! What hooks on one worker and the ticker share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use streamgate_core::config::{self, Config};
use streamgate_core::edge::Edge;

use crate::confined::Confined;
use crate::desk::Desk;
use crate::envoy::{self, ConfigScheduler, Gauges, LogLevel};
use crate::host::Process;
use crate::meters::{METERS, MetricIds};

/// What all workers under one configuration share.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) process: Process,
    pub(crate) metric_ids: MetricIds,
    /// How often the ticker has ticked.
    pub(crate) ticks: AtomicU32,
    /// Has the main thread tell Envoy what was counted, and call the store.
    pub(crate) main: ConfigScheduler,
    /// The configuration as Envoy handed it over. Each worker compiles it: there is nothing in
    /// it that two threads may use at a time.
    pub(crate) text: Vec<u8>,
}

impl Common {
    fn edge(&self) -> Option<Edge> {
        let config = load(&self.text).ok()?;
        Some(Edge::new(config, &self.process))
    }
}

/// Reads a configuration, with secrets from the environment of Envoy's process.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn load(text: &[u8]) -> Result<Config, config::ConfigError> {
    config::load(text, &|name| std::env::var(name).ok())
}

/// One worker's edge, for whoever comes to it.
#[derive(Debug)]
pub(crate) struct Worker {
    desk: Confined<Desk>,
    pub(crate) common: Arc<Common>,
    /// The main thread is to call the store for it, and knows.
    wants_calls: AtomicBool,
}

impl Worker {
    /// A worker's edge; `None` if its configuration is not good any more.
    pub(crate) fn new(common: &Arc<Common>) -> Option<Self> {
        Some(Self {
            desk: Confined::of(|| common.edge().map(Desk::new))?,
            common: Arc::clone(common),
            wants_calls: AtomicBool::new(false),
        })
    }

    /// Does something at the worker's desk, and before that what is due. Nothing of it may have
    /// Envoy call a hook.
    pub(crate) fn at_desk<R: Send>(&self, act: impl FnOnce(&mut Desk, &Process) -> R + Send) -> R {
        let (common, process) = (&*self.common, &self.common.process);
        let mend = |desk: &mut Desk| {
            if let Some(edge) = common.edge() {
                desk.replace_edge(edge);
            }
        };
        let (result, wants_calls) = self.desk.with(mend, |desk| {
            desk.tick(process, common.ticks.load(Ordering::Relaxed));
            let result = act(desk, process);
            (result, desk.wants_calls())
        });
        if wants_calls && !self.wants_calls.swap(true, Ordering::AcqRel) {
            common.main.commit();
        }
        result
    }

    /// How often the ticker has ticked.
    pub(crate) fn ticks(&self) -> u32 {
        self.common.ticks.load(Ordering::Relaxed)
    }

    /// Whether the store is to be called; it is not said twice.
    pub(crate) fn take_wish(&self) -> bool {
        self.wants_calls.swap(false, Ordering::AcqRel)
    }

    /// Tells Envoy what was counted.
    pub(crate) fn flush(&self, to: &impl Gauges) {
        self.common.metric_ids.flush(&METERS, to);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        for line in self.at_desk(Desk::end) {
            envoy::log(LogLevel::Info, &line);
        }
    }
}
