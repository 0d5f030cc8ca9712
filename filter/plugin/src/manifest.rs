//! A manifest that is held until it is whole, so that its URLs can be rewritten.
//!
//! Its bytes are taken from Envoy as they come: what Envoy keeps for a filter that waits is
//! bounded by the listener's buffer, and a response beyond it becomes an error.

use std::rc::Rc;

use streamgate_core::playback::{Coding, Held, Rewrite};

use crate::host;
use crate::http::{Go, State};
use crate::worker::Worker;

/// The most bytes of manifests that a worker holds at once. What comes on top is passed on as
/// it is.
const HELD_MAX: usize = 33_554_432;

/// A manifest of which some is there.
pub(crate) struct Manifest {
    worker: Rc<Worker>,
    rewrite: Box<Rewrite>,
    coding: Coding,
    max: usize,
    body: Vec<u8>,
}

impl Manifest {
    /// The response's headers are there, and say whether it is held.
    pub(crate) fn begin(worker: &Rc<Worker>, rewrite: Box<Rewrite>, status: u16) -> (State, Go) {
        match rewrite.hold(&worker.envoy, status, host::response_header) {
            Held::No => (State::Nothing, Go::On),
            Held::UpTo(max, coding) => {
                let manifest = Self {
                    worker: Rc::clone(worker),
                    rewrite,
                    coding,
                    max,
                    body: Vec::new(),
                };
                (State::Manifest(manifest), Go::Collect)
            }
        }
    }

    /// A piece of the body is there, this long. With the last, or if it is too much, it goes
    /// on.
    pub(crate) fn take(&mut self, size: usize, ends: bool) -> Go {
        let worker = Rc::clone(&self.worker);
        let held = worker.held.get().saturating_add(size);
        self.body.append(&mut host::response_body(size));
        worker.held.set(held);
        if self.body.len() > self.max || held > HELD_MAX {
            self.rewrite.pass_on(&worker.envoy);
            host::replace_response_body(size, &self.body);
            return Go::On;
        }
        if !ends {
            host::replace_response_body(size, &[]);
            return Go::Wait;
        }
        let edge = worker.edge.borrow();
        let rewritten =
            edge.rewrite_manifest(&worker.envoy, &self.rewrite, self.coding, &self.body);
        if let Some(rewritten) = &rewritten {
            host::set_response_header("content-length", Some(&rewritten.len().to_string()));
            host::set_response_header("content-encoding", None);
        }
        host::replace_response_body(size, rewritten.as_deref().unwrap_or(&self.body));
        Go::On
    }
}

impl Drop for Manifest {
    fn drop(&mut self) {
        let held = self.worker.held.get();
        self.worker.held.set(held.saturating_sub(self.body.len()));
    }
}
