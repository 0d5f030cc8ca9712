//! What the contexts of one worker share.

use std::cell::{Cell, RefCell};

use streamgate_core::edge::Edge;
use streamgate_record::fleet::CallId;

use crate::host::Envoy;

/// One configuration in force in one worker. Every callback borrows the edge for as
/// long as it takes to ask it, and no longer: the host never calls back meanwhile.
pub(crate) struct Worker {
    pub(crate) edge: RefCell<Edge>,
    pub(crate) envoy: Envoy,
    /// Id of the root context, on whose behalf the fleet's store is called.
    pub(crate) root: u32,
    /// Envoy's name for the store's nodes; empty at an edge that is alone.
    pub(crate) cluster: String,
    /// The calls under way, by Envoy's tokens.
    pub(crate) calls: RefCell<Vec<(u32, CallId)>>,
    pub(crate) waker: Waker,
    /// Bytes of manifests that are held until they are whole.
    pub(crate) held: Cell<usize>,
    /// Edges that lay accounts out in another way were found.
    pub(crate) is_apart: Cell<bool>,
    /// How many shards of the store did not answer when last looked.
    pub(crate) down: Cell<Option<usize>>,
    /// How many requests waited for it then.
    pub(crate) waiting: Cell<usize>,
}

/// A new configuration takes its place, or Envoy ends.
impl Drop for Worker {
    fn drop(&mut self) {
        self.log_ends();
        self.edge.get_mut().on_end(&self.envoy);
        self.envoy.show_waiting(self.waiting.get(), 0);
        self.envoy.flush(usize::MAX);
    }
}

/// How a request has the root context called: only that may call the store, because a
/// call ends with the context that made it.
#[derive(Default)]
pub(crate) struct Waker {
    /// Envoy's token for a queue that this worker alone reads.
    pub(crate) queue: Cell<Option<u32>>,
    /// It was woken, and the root context has not been called yet.
    pub(crate) is_pending: Cell<bool>,
}
