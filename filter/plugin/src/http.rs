//! The way of one request: each callback asks the edge and does what it says.

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use streamgate_core::api::{MAX_BODY, PendingCall};
use streamgate_core::edge::{Answering, Step};
use streamgate_core::exchange::{Answer, Head, Reply};
use streamgate_core::fleet::Ticket;
use streamgate_core::playback::{Watch, Watched};

use crate::host::{self, RequestHead};
use crate::worker::Worker;

/// One request.
pub(crate) struct Http {
    id: u32,
    worker: Option<Rc<Worker>>,
    /// Shared with the worker while the request waits for the fleet's store.
    state: Rc<RefCell<State>>,
}

/// What the request waits for.
pub(crate) enum State {
    /// Nothing more to do.
    Idle,
    /// The session API call waits for its body, of which this much is there.
    Body(PendingCall, usize),
    /// The response is awaited: its status matters, or it gets another header.
    Response {
        watch: Option<Watch>,
        renewed: Option<(String, String)>,
    },
    /// The fleet's store is asked about the request.
    Waits,
    /// The response is held back until the fleet's store has answered.
    Held {
        /// It has no body.
        ends: bool,
    },
    /// The response's body is to give way to this.
    Refused(Vec<u8>),
}

/// Has a request answered by the filter.
pub(crate) fn reply(reply: &Reply) {
    if let Some(path) = &reply.logged_path {
        host::replace_path(path, false);
        host::set_request_header("referer", None);
    }
    if let Some(record) = &reply.record {
        host::record(record);
    }
    host::answer(&reply.answer);
}

/// Does with a request what the edge says; the state it is in then.
pub(crate) fn take_step(step: Step, path: &[u8]) -> State {
    match step {
        Step::Pass => State::Idle,
        Step::Forward(forward) => {
            let stripped = path.get(forward.strip..).unwrap_or(path);
            let goes_on_as = forward.clean.path.as_deref().unwrap_or(stripped);
            if goes_on_as != path {
                host::replace_path(goes_on_as, forward.reroute);
            }
            for (name, value) in &forward.clean.headers {
                host::set_request_header(name, value.as_deref());
            }
            if forward.clean.referer {
                host::set_request_header("referer", None);
            }
            if forward.watch.is_none() && forward.renewed.is_none() {
                return State::Idle;
            }
            State::Response {
                watch: forward.watch,
                renewed: forward.renewed,
            }
        }
        Step::AwaitBody(pending) => State::Body(pending, 0),
        Step::Wait => State::Waits,
        Step::Reply(answer) => {
            reply(&answer);
            State::Idle
        }
    }
}

/// Does with a response what the edge says; the state the request is in then.
pub(crate) fn take_watched(watched: Watched, ends: bool) -> State {
    match watched {
        Watched::Pass(record) => {
            if let Some(record) = record {
                host::record(&record);
            }
            State::Idle
        }
        Watched::Refuse(reply) => {
            // The request's head is gone by now; its path was stripped on the way in.
            if let Some(record) = &reply.record {
                host::record(record);
            }
            answer_instead(reply.answer, ends)
        }
        Watched::Wait(..) => State::Held { ends },
    }
}

/// Puts the answer in the place of the origin's response. An answer of the filter's own
/// would go past the filters in front of it at this point, CORS among them, and no page
/// could read it. Where the response has no body, the answer has none.
fn answer_instead(answer: Answer, ends: bool) -> State {
    let body = if ends { Vec::new() } else { answer.body };
    let (status, length) = (answer.status.to_string(), body.len().to_string());
    let own = [(":status", &status), ("content-length", &length)];
    let headers = answer
        .headers
        .iter()
        .map(|(name, value)| (name.as_ref(), value));
    host::replace_response_headers(own.into_iter().chain(headers));
    State::Refused(body)
}

impl Http {
    pub(crate) fn new(id: u32, worker: Option<Rc<Worker>>) -> Self {
        Self {
            id,
            worker,
            state: Rc::new(RefCell::new(State::Idle)),
        }
    }

    fn take_state(&self) -> State {
        self.state.replace(State::Idle)
    }

    /// The request waits until the worker goes on with it.
    fn wait(&self, worker: &Worker) {
        let state = Rc::clone(&self.state);
        worker.waiting.borrow_mut().insert(self.id, state);
        worker.ring_if_needed();
    }

    /// The call's body is there, or known to be too long.
    fn finish(&self, size: usize) -> Action {
        let (Some(worker), State::Body(pending, _)) = (&self.worker, self.take_state()) else {
            return Action::Continue;
        };
        let longest = size.min(MAX_BODY.saturating_add(1));
        let body = self.get_http_request_body(0, longest).unwrap_or_default();
        let mut edge = worker.edge.borrow_mut();
        let answering = edge.on_body(&worker.envoy, Ticket(self.id), pending, &body);
        drop(edge);
        match answering {
            Answering::Reply(answer) => reply(&answer),
            Answering::Wait => {
                self.state.replace(State::Waits);
                self.wait(worker);
            }
        }
        Action::Pause
    }
}

/// A request that is gone waits for nothing.
impl Drop for Http {
    fn drop(&mut self) {
        let waits = matches!(&*self.state.borrow(), State::Waits | State::Held { .. });
        if waits
            && let Some(worker) = &self.worker
            && worker.waiting.borrow_mut().remove(self.id).is_some()
        {
            worker.edge.borrow_mut().forget(Ticket(self.id));
        }
    }
}

impl Context for Http {}

impl HttpContext for Http {
    fn on_http_request_headers(&mut self, _headers: usize, end_of_stream: bool) -> Action {
        let Some(worker) = &self.worker else {
            return Action::Continue;
        };
        let Some(path) = RequestHead.header(":path") else {
            return Action::Continue;
        };
        let mut edge = worker.edge.borrow_mut();
        let ticket = Ticket(self.id);
        let step = edge.on_request(&worker.envoy, ticket, &RequestHead, &path, end_of_stream);
        drop(edge);
        let goes_on = matches!(step, Step::Pass | Step::Forward(_));
        let state = take_step(step, &path);
        let waits = matches!(state, State::Waits);
        self.state.replace(state);
        if waits {
            self.wait(worker);
        }
        match goes_on {
            true => Action::Continue,
            false => Action::Pause,
        }
    }

    fn on_http_request_body(&mut self, body_size: usize, end_of_stream: bool) -> Action {
        match &mut *self.state.borrow_mut() {
            State::Body(_, seen) => *seen = body_size,
            State::Waits => return Action::Pause,
            _ => return Action::Continue,
        }
        if end_of_stream || body_size > MAX_BODY {
            return self.finish(body_size);
        }
        Action::Pause
    }

    fn on_http_request_trailers(&mut self, _trailers: usize) -> Action {
        let seen = match &*self.state.borrow() {
            State::Body(_, seen) => *seen,
            State::Waits => return Action::Pause,
            _ => return Action::Continue,
        };
        self.finish(seen)
    }

    fn on_http_response_headers(&mut self, _headers: usize, end_of_stream: bool) -> Action {
        if !matches!(&*self.state.borrow(), State::Response { .. }) {
            return Action::Continue;
        }
        let State::Response { watch, renewed } = self.take_state() else {
            return Action::Continue;
        };
        if let Some((name, value)) = renewed {
            self.add_http_response_header(&name, &value);
        }
        let Some(watch) = watch else {
            return Action::Continue;
        };
        let Some(worker) = &self.worker else {
            return Action::Continue;
        };
        let status = self
            .get_http_response_header_bytes(":status")
            .and_then(|status| core::str::from_utf8(&status).ok()?.parse().ok())
            .unwrap_or_default();
        let mut edge = worker.edge.borrow_mut();
        let watched = edge.on_response(&worker.envoy, Ticket(self.id), &watch, status);
        drop(edge);
        let state = take_watched(watched, end_of_stream);
        let is_held = matches!(state, State::Held { .. });
        self.state.replace(state);
        if is_held {
            self.wait(worker);
            return Action::Pause;
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, body_size: usize, _end_of_stream: bool) -> Action {
        if let State::Refused(body) = &mut *self.state.borrow_mut() {
            // All of it in the place of the first piece, nothing in the place of the others.
            host::replace_response_body(body_size, &core::mem::take(body));
        }
        Action::Continue
    }
}
