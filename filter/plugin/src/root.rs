//! The life of one worker's edge: configuration, ticks, a context per request.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use log::{error, info};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use streamgate_core::config;
use streamgate_core::edge::Edge;
use streamgate_core::ledger::sweep::SWEEP_EVERY_MS;

use crate::host::{self, Envoy};
use crate::http::Http;
use crate::worker::Worker;

/// The plugin's root context; empty until configured.
#[derive(Default)]
pub(crate) struct Root {
    worker: Option<Rc<Worker>>,
}

impl Context for Root {}

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
        self.worker = Some(Rc::new(Worker {
            edge: RefCell::new(Edge::new(config)),
            envoy,
        }));
        self.set_tick_period(Duration::from_millis(SWEEP_EVERY_MS));
        true
    }

    fn on_tick(&mut self) {
        if let Some(worker) = &self.worker {
            worker.edge.borrow_mut().on_tick(&worker.envoy);
        }
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Http::new(self.worker.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
