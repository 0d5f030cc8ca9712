//! Calling the fleet's store, and going on with the requests that waited for it.

use std::rc::Rc;

use log::Level;
use streamgate_core::edge::Settled;
use streamgate_core::notices::{Notice, Severity};
use streamgate_core::step::Unparked;
use streamgate_record::fleet::{CallFailure, StoreCall, Ticket};

use crate::go::Go;
use crate::head::RequestHead;
use crate::host;
use crate::http::{State, take, take_response};
use crate::requests::with_requests;
use crate::worker::Worker;

/// Writes a line to Envoy's log.
fn log(notice: &Notice<'_>) {
    let level = match notice.severity() {
        Severity::Info => Level::Info,
        Severity::Warning => Level::Warn,
        Severity::Error => Level::Error,
    };
    log::log!(level, "streamgate: {notice}");
}

impl Worker {
    /// Has the root context called, if the store is to be called.
    pub(crate) fn wake_if_needed(&self) {
        if !self.edge.borrow().has_calls() || self.waker.is_pending.get() {
            return;
        }
        let queue = match self.waker.queue.get() {
            Some(queue) => queue,
            None => {
                let Some(queue) = host::own_queue(&self.envoy) else {
                    // The next tick makes the calls.
                    return;
                };
                self.waker.queue.set(Some(queue));
                queue
            }
        };
        self.waker.is_pending.set(host::enqueue(queue));
    }

    /// The root context is called because a request woke it.
    pub(crate) fn on_wake(self: &Rc<Self>, queue: u32) {
        host::dequeue(queue);
        self.waker.is_pending.set(false);
        let calls = self.edge.borrow_mut().calls(&self.envoy);
        self.make(calls);
        self.go_on();
    }

    pub(crate) fn on_tick(self: &Rc<Self>) {
        let calls = self.edge.borrow_mut().on_tick(&self.envoy);
        self.make(calls);
        self.go_on();
        self.cut();
        let waiting = self.edge.borrow().waiting();
        let before = self.waiting.replace(waiting);
        self.envoy.show_waiting(before, waiting);
        self.log_ends();
        self.log_outages();
        self.log_clock_difference();
        self.envoy.flush(host::TOLD_AT_TICK);
    }

    /// Logs which streams have ended.
    pub(crate) fn log_ends(&self) {
        for line in self.edge.borrow().ends(&self.envoy) {
            log::info!("{line}");
        }
    }

    /// Logs that the machine's clock differs from the time that streams are judged by.
    fn log_clock_difference(&self) {
        if let Some(difference) = self.edge.borrow().clock_difference(&self.envoy) {
            log(&Notice::ClockDiffers {
                difference,
                is_in_fleet: !self.cluster.is_empty(),
            });
        }
    }

    /// Shows how much of the store does not answer, and logs when it begins not to answer, and when
    /// all of it answers again.
    fn log_outages(&self) {
        let (down, cluster) = (self.edge.borrow().shards_down(), &self.cluster);
        let before = self.down.replace(Some(down));
        if down > 0 || before != Some(down) {
            self.envoy.show_shards_down(down);
        }
        match (before.unwrap_or_default() > 0, down) {
            (false, 1..) => log(&Notice::StoreAway { cluster, down }),
            (true, 0) => log(&Notice::StoreBack { cluster }),
            _ => {}
        }
        self.log_layouts();
    }

    /// Logs when edges are found that keep the same accounts elsewhere, and when there is none any
    /// more.
    fn log_layouts(&self) {
        let (edge, cluster) = (self.edge.borrow(), &self.cluster);
        let other = edge.other_layout();
        match (self.is_apart.replace(other.is_some()), other) {
            (false, Some(other)) => log(&Notice::LayoutsDiffer { cluster, other }),
            (true, None) => log(&Notice::LayoutsAgree { cluster }),
            _ => {}
        }
    }

    /// An answer of the store is there, or known not to come.
    pub(crate) fn on_reply(self: &Rc<Self>, token: u32, headers: usize, body_size: usize) {
        let mut calls = self.calls.borrow_mut();
        let Some(index) = calls.iter().position(|(known, _)| *known == token) else {
            return;
        };
        let (_, call) = calls.swap_remove(index);
        drop(calls);
        let reply = host::call_reply(headers, body_size);
        let reply = reply.as_deref().ok_or(CallFailure);
        let mut edge = self.edge.borrow_mut();
        edge.on_store_reply(&self.envoy, call, reply);
        drop(edge);
        self.go_on();
    }

    /// Makes calls, in the name of the root context.
    fn make(&self, calls: Vec<StoreCall>) {
        for call in calls {
            match host::call(&self.cluster, &call) {
                Some(token) => {
                    self.calls.borrow_mut().push((token, call.id));
                }
                // No node is healthy, or there is no such cluster.
                None => {
                    let failed = Err(CallFailure);
                    let mut edge = self.edge.borrow_mut();
                    edge.on_store_reply(&self.envoy, call.id, failed);
                }
            }
        }
    }

    /// Goes on with the requests that have waited for long enough. The calls that follow are
    /// made when the root context is called again: while Envoy hands over an answer it would
    /// send the next call over the connection that is just closing.
    fn go_on(self: &Rc<Self>) {
        let settled = self.edge.borrow_mut().settled();
        if settled.is_empty() {
            return self.wake_if_needed();
        }
        for settled in settled {
            let Ticket(context) = settled.ticket;
            if with_requests(|requests| requests.unpark(context)) && host::act_for(context) {
                let state = self.resume(settled);
                with_requests(|requests| requests.wait(context, self, state));
            }
        }
        host::act_for(self.root);
        self.wake_if_needed();
    }

    /// Goes on with a request or response; what it waits for then.
    fn resume(&self, settled: Settled) -> State {
        let head = RequestHead::default();
        let unparked = self.edge.borrow_mut().resume(&self.envoy, settled, &head);
        let ((state, go), go_on): (_, fn()) = match unparked {
            Unparked::Request(step) => (take(step, None, Some(&head)), host::resume_request),
            Unparked::Response { step, ends } => (take_response(step, ends), host::resume_response),
        };
        if go == Go::On {
            go_on();
        }
        state
    }
}
