//! What the contexts of one worker share.

use std::cell::RefCell;

use streamgate_core::edge::Edge;

use crate::host::Envoy;

/// One configuration in force in one worker. Every callback borrows the edge for as
/// long as it takes to ask it, and no longer: the host never calls back meanwhile.
pub(crate) struct Worker {
    pub(crate) edge: RefCell<Edge>,
    pub(crate) envoy: Envoy,
}
