//! The life of one worker's edge: configuration, ticks, a context per request.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use log::{error, info};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use streamgate_core::config;
use streamgate_core::edge::Edge;

use crate::host::{self, Envoy};
use crate::http::Http;
use crate::worker::{Bell, Worker};

/// The plugin's root context; empty until configured.
pub(crate) struct Root {
    id: u32,
    worker: Option<Rc<Worker>>,
}

impl Root {
    pub(crate) const fn new(id: u32) -> Self {
        Self { id, worker: None }
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
        let edge = Edge::new(config);
        self.set_tick_period(Duration::from_millis(edge.tick_ms()));
        let fleet = edge.fleet();
        self.worker = Some(Rc::new(Worker {
            cluster: fleet.map(|fleet| fleet.cluster.clone()).unwrap_or_default(),
            edge: RefCell::new(edge),
            envoy,
            root: self.id,
            waiting: RefCell::default(),
            calls: RefCell::default(),
            bell: Bell::default(),
            is_away: Cell::default(),
        }));
        true
    }

    fn on_tick(&mut self) {
        if let Some(worker) = &self.worker {
            worker.on_tick();
        }
    }

    fn on_queue_ready(&mut self, queue: u32) {
        if let Some(worker) = &self.worker {
            worker.on_ring(queue);
        }
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Http::new(context_id, self.worker.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
