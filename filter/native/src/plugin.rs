//! One configuration in force: its workers, its ticker, its calls to the fleet's store.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hashbrown::HashMap;
use streamgate_record::fleet::{CallFailure, CallId, REPLY_MAX, StoreCall};

use crate::desk::Desk;
use crate::envoy::{self, Configuration, LogLevel};
use crate::health::Health;
use crate::host::Process;
use crate::meters::{METERS, MetricIds};
use crate::panics::guarded;
use crate::store::StoreTable;
use crate::worker::{Common, Worker, load};

/// A configuration in force.
#[derive(Debug)]
pub(crate) struct Plugin {
    /// By the numbers Envoy gives its workers.
    workers: Arc<[Arc<Worker>]>,
    common: Arc<Common>,
    /// Envoy's name for the store's nodes; empty at an edge that is alone.
    cluster: String,
    /// The calls under way, by Envoy's numbers: which worker made each.
    calls: Mutex<HashMap<u64, (usize, CallId)>>,
    health: Health,
    /// The tick at which the health was last shown.
    looked_at: AtomicU32,
    ticker: Option<Ticker>,
}

impl Plugin {
    /// Takes a configuration; `None` if it is refused, and Envoy's log says why.
    pub(crate) fn new(configuration: Configuration, name: &str, text: &[u8]) -> Option<Self> {
        match Self::try_new(configuration, name, text) {
            Ok(plugin) => Some(plugin),
            Err(problem) => {
                let line = format!("streamgate: configuration refused: {problem}");
                envoy::log(LogLevel::Error, &line);
                None
            }
        }
    }

    fn try_new(configuration: Configuration, name: &str, text: &[u8]) -> Result<Self, String> {
        let config = load(text).map_err(|problem| problem.to_string())?;
        let line = format!(
            "streamgate {}: {} protected paths",
            env!("CARGO_PKG_VERSION"),
            config.playback.len()
        );
        let metric_ids = MetricIds::define(configuration, config.records.book.policies())
            .ok_or("Envoy defines no metrics for it")?;
        let cluster = config.fleet.map(|fleet| fleet.cluster).unwrap_or_default();
        let main = configuration.scheduler();
        let common = Arc::new(Common {
            process: Process {
                table: StoreTable::named(name),
            },
            metric_ids,
            ticks: AtomicU32::new(0),
            main: main.ok_or("Envoy gives no scheduler for it")?,
            text: text.to_vec(),
        });
        let workers = (0..envoy::workers().max(1)).map(|_| Worker::new(&common).map(Arc::new));
        let workers: Option<Arc<[_]>> = workers.collect();
        let workers = workers.ok_or("it was good, and is not any more")?;
        let ticker = match envoy::only_validates() {
            true => None,
            false => {
                let ticker = Ticker::start(&common, &workers);
                Some(ticker.map_err(|error| format!("there is no thread for it: {error}"))?)
            }
        };
        envoy::log(LogLevel::Info, &line);
        if !cluster.is_empty() {
            let line = format!(
                "streamgate: if cluster {cluster} has several nodes, it needs a hash_policy of its own for \
                 :authority (docs/native.md)"
            );
            envoy::log(LogLevel::Info, &line);
        }
        Ok(Self {
            workers,
            common,
            health: Health::at(&cluster),
            cluster,
            calls: Mutex::default(),
            looked_at: AtomicU32::new(0),
            ticker,
        })
    }

    /// The worker of this number; the last for numbers beyond, of which Envoy's main thread has one.
    pub(crate) fn worker(&self, index: usize) -> Option<&Arc<Worker>> {
        self.workers.get(index).or_else(|| self.workers.last())
    }

    /// On the main thread: tells Envoy what was counted, and calls the store for whoever wants
    /// it.
    pub(crate) fn on_scheduled(&self, configuration: Configuration) {
        self.common.metric_ids.flush(&METERS, &configuration);
        let ticks = self.common.ticks.load(Ordering::Relaxed);
        if self.looked_at.swap(ticks, Ordering::Relaxed) != ticks {
            self.common.metric_ids.flush_all(&METERS, &configuration);
            self.log_ends();
            self.health
                .show(&self.common, &self.workers, &configuration);
        }
        if self.cluster.is_empty() {
            return;
        }
        for (index, worker) in self.workers.iter().enumerate() {
            if worker.take_wish() {
                for call in worker.at_desk(Desk::take_calls) {
                    self.call(configuration, index, &call);
                }
            }
        }
    }

    /// Logs which streams have ended.
    fn log_ends(&self) {
        for worker in &*self.workers {
            for line in worker.at_desk(|desk, _| desk.take_ends()) {
                envoy::log(LogLevel::Info, &line);
            }
        }
    }

    fn call(&self, configuration: Configuration, index: usize, call: &StoreCall) {
        let id = configuration.call(&self.cluster, &call.shard, &call.payload, call.timeout_ms);
        match id {
            Some(id) => {
                let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
                calls.insert(id, (index, call.id));
            }
            None => self.settle(index, call.id, None),
        }
    }

    /// On the main thread: a call has ended. `reply` is what the store said, if it did.
    pub(crate) fn on_reply(&self, id: u64, reply: Option<Vec<u8>>) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let call = calls.remove(&id);
        drop(calls);
        if let Some((index, call)) = call {
            self.settle(index, call, reply.filter(|reply| reply.len() <= REPLY_MAX));
        }
    }

    fn settle(&self, index: usize, call: CallId, reply: Option<Vec<u8>>) {
        let Some(worker) = self.workers.get(index) else {
            return;
        };
        worker.at_desk(|desk, process| {
            let reply = reply.as_deref().ok_or(CallFailure);
            desk.on_store_reply(process, call, reply);
        });
    }
}

/// A thread that comes to each worker's desk as often as there is something to do, whether the
/// worker has requests or not: Envoy gives a module no timer on its workers.
#[derive(Debug)]
struct Ticker {
    thread: Option<JoinHandle<()>>,
    /// Ends the thread when it is dropped.
    stop: Option<Sender<()>>,
}

impl Ticker {
    fn start(common: &Arc<Common>, workers: &Arc<[Arc<Worker>]>) -> io::Result<Self> {
        let (common, workers) = (Arc::clone(common), Arc::clone(workers));
        let every = workers
            .first()
            .map(|one| one.at_desk(|desk, _| desk.tick_ms()));
        let every = Duration::from_millis(every.unwrap_or(1_000));
        let (stop, stopped) = mpsc::channel();
        let tick = move || {
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                common.ticks.fetch_add(1, Ordering::Relaxed);
                for worker in &*workers {
                    // What is due is done before anything else.
                    let _ = guarded(|| worker.at_desk(|_, _| ()));
                }
                common.main.commit();
            }
        };
        let thread = thread::Builder::new().name("streamgate".to_owned());
        Ok(Self {
            thread: Some(thread.spawn(tick)?),
            stop: Some(stop),
        })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It catches its panics.
            let _ = thread.join();
        }
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        // Nobody ticks any more when the workers go.
        drop(self.ticker.take());
    }
}
