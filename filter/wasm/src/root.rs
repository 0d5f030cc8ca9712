//! The life of one worker's edge: configuration, ticks, the store's answers.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use log::{error, info};
use proxy_wasm::traits::{Context, RootContext};
use streamgate_core::config;
use streamgate_core::edge::Edge;

use crate::host::{self, Envoy};
use crate::requests::with_requests;
use crate::worker::{Waker, Worker};

/// The plugin's root context; empty until configured.
pub(crate) struct Root {
    id: u32,
    worker: Option<Rc<Worker>>,
}

impl Root {
    pub(crate) fn new(id: u32) -> Self {
        with_requests(|requests| requests.add_root(id));
        Self { id, worker: None }
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        with_requests(|requests| requests.remove_root(self.id));
    }
}

impl Context for Root {
    fn on_http_call_response(
        &mut self,
        token: u32,
        headers: usize,
        body_size: usize,
        _trailers: usize,
    ) {
        if let Some(worker) = &self.worker {
            worker.on_reply(token, headers, body_size);
        }
    }
}

impl RootContext for Root {
    /// Refusing makes Envoy keep the configuration it has. Also runs in a canary on
    /// Envoy's main thread, so nothing is written to the shared data here.
    fn on_configure(&mut self, _size: usize) -> bool {
        let json = self.get_plugin_configuration().unwrap_or_default();
        let config = match config::load(&json, &host::environment) {
            Ok(config) => config,
            Err(problem) => {
                error!("streamgate: configuration refused: {problem}");
                return false;
            }
        };
        let envoy = match Envoy::define_metrics() {
            Ok(envoy) => envoy,
            Err(status) => {
                error!("streamgate: Envoy defines no metrics for it: {status:?}");
                return false;
            }
        };
        info!(
            "streamgate {}: {} protected paths",
            env!("CARGO_PKG_VERSION"),
            config.playback.len()
        );
        let edge = Edge::new(config, &envoy);
        self.set_tick_period(Duration::from_millis(edge.tick_ms()));
        let fleet = edge.fleet();
        let worker = Rc::new(Worker {
            cluster: fleet.map(|fleet| fleet.cluster.clone()).unwrap_or_default(),
            edge: RefCell::new(edge),
            envoy,
            root: self.id,
            calls: RefCell::default(),
            waker: Waker::default(),
            held: Cell::default(),
            is_apart: Cell::default(),
            down: Cell::default(),
            waiting: Cell::default(),
        });
        with_requests(|requests| requests.employ(&worker));
        self.worker = Some(worker);
        true
    }

    fn on_tick(&mut self) {
        if let Some(worker) = &self.worker {
            worker.on_tick();
        }
    }

    fn on_queue_ready(&mut self, queue: u32) {
        if let Some(worker) = &self.worker {
            worker.on_wake(queue);
        }
    }
}
