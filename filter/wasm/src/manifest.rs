//! A manifest that is held until it is whole, so that its URLs can be rewritten.

use std::rc::Rc;

use streamgate_core::exchange::Answer;
use streamgate_core::playback::{Coding, End, Held, Rewrite};

use crate::go::Go;
use crate::host;
use crate::worker::Worker;

/// The most bytes of manifests that a worker holds at once. What comes on top is passed on as
/// it is.
const HELD_MAX: usize = 33_554_432;

/// A manifest of which some is there.
pub(crate) struct Manifest {
    worker: Rc<Worker>,
    rewrite: Box<Rewrite>,
    coding: Coding,
    end: End,
    body: Vec<u8>,
    /// It has gone on, and otherwise than it came.
    pub(crate) is_rewritten: bool,
}

impl Manifest {
    /// The response's headers are there, and say whether it is held; no body follows where it `ends`.
    pub(crate) fn begin(
        worker: &Rc<Worker>,
        rewrite: Box<Rewrite>,
        status: (u16, bool),
    ) -> (Option<Self>, Go) {
        let (header, set) = (host::response_header, host::set_response_header);
        let edge = worker.edge.borrow();
        match edge.on_response_head(&worker.envoy, &rewrite, status, header, set) {
            Held::No => (None, Go::On),
            Held::Until(end, coding) => {
                let manifest = Self {
                    worker: Rc::clone(worker),
                    rewrite,
                    coding,
                    end,
                    body: Vec::new(),
                    is_rewritten: false,
                };
                (Some(manifest), Go::Collect)
            }
        }
    }

    /// A piece of the body is there, this long. With the last, or if it is too much, it goes
    /// on.
    pub(crate) fn take(&mut self, size: usize, ends: bool) -> Go {
        let held = &self.worker.held;
        held.set(held.get().saturating_add(size));
        let is_too_much = held.get() > HELD_MAX;
        self.body.append(&mut host::response_body(size));
        if is_too_much || self.body.len() > self.end.max {
            self.rewrite.pass_on(&self.worker.envoy);
            host::replace_response_body(size, &self.body);
            return Go::On;
        }
        // Trailers may follow, and nothing can be put in front of those.
        if !ends && self.end.length != Some(self.body.len()) {
            return Go::Collect;
        }
        let rewritten = self.rewritten();
        if let Some(rewritten) = &rewritten {
            let etag = host::response_header("etag");
            Rewrite::describe(Some(rewritten.len()), etag, host::set_response_header);
            self.is_rewritten = true;
        }
        host::replace_response_body(size, rewritten.as_deref().unwrap_or(&self.body));
        Go::On
    }

    /// The body has ended without its last piece having been known for it: it is answered
    /// anew, with what is needed of the response's headers.
    pub(crate) fn answer(mut self) {
        let rewritten = self.rewritten();
        let is_packed = rewritten.is_none() && self.coding == Coding::Gzip;
        let mut answer = Answer::empty(200);
        answer.headers.clear();
        answer.body = rewritten.unwrap_or_else(|| core::mem::take(&mut self.body));
        for name in [
            "content-type",
            "cache-control",
            "access-control-allow-origin",
        ] {
            if let Some(value) = host::response_header(name)
                && let Ok(value) = String::from_utf8(value)
            {
                answer = answer.with(name, value);
            }
        }
        if is_packed {
            answer = answer.with("content-encoding", "gzip");
        }
        host::answer(&answer);
    }

    fn rewritten(&self) -> Option<Vec<u8>> {
        let Self {
            worker,
            rewrite,
            coding,
            body,
            ..
        } = self;
        let edge = worker.edge.borrow();
        edge.rewrite_manifest(&worker.envoy, rewrite, *coding, body)
    }
}

impl Drop for Manifest {
    fn drop(&mut self) {
        let held = self.worker.held.get();
        self.worker.held.set(held.saturating_sub(self.body.len()));
    }
}
