//! How a worker comes to work under its root context: by the plugin's configuration.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use log::{error, info};
use streamgate_core::config;
use streamgate_core::edge::Edge;

use crate::host::{self, Envoy};
use crate::requests::with_requests;
use crate::worker::{Waker, Worker};

/// Puts a worker under a root context, by the plugin's configuration. Says whether that is good:
/// if not, Envoy keeps the configuration it has. Also runs in a canary on Envoy's main thread, so
/// nothing is written to the shared data here.
pub(crate) fn on_configure(root: u32) -> bool {
    let config = match config::load(&host::configuration(), &host::environment) {
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
    host::tick_every(edge.tick_ms());
    let fleet = edge.fleet();
    let worker = Rc::new(Worker {
        cluster: fleet.map(|fleet| fleet.cluster.clone()).unwrap_or_default(),
        edge: RefCell::new(edge),
        envoy,
        root,
        calls: RefCell::default(),
        waker: Waker::default(),
        held: Cell::default(),
        is_apart: Cell::default(),
        down: Cell::default(),
        waiting: Cell::default(),
    });
    with_requests(|requests| requests.employ(&worker));
    true
}
