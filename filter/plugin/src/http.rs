//! The way of one request: each callback asks the edge and does what it says.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use streamgate_core::api::{MAX_BODY, PendingCall};
use streamgate_core::edge::Step;
use streamgate_core::exchange::{Answer, Head, Reply};
use streamgate_core::playback::{Watch, Watched};

use crate::host::{self, RequestHead};
use crate::worker::Worker;

/// One request.
pub(crate) struct Http {
    worker: Option<Rc<Worker>>,
    state: State,
}

/// What the request waits for.
enum State {
    /// Nothing more to do.
    Idle,
    /// The session API call waits for its body, of which this much is there.
    Body(PendingCall, usize),
    /// The response is awaited: its status matters, or it gets another header.
    Response {
        watch: Option<Watch>,
        renewed: Option<(String, String)>,
    },
    /// The response's body is to give way to this.
    Refused(Vec<u8>),
}

impl Http {
    pub(crate) fn new(worker: Option<Rc<Worker>>) -> Self {
        Self {
            worker,
            state: State::Idle,
        }
    }

    fn reply(&self, reply: &Reply) -> Action {
        if let Some(path) = &reply.logged_path {
            host::replace_path(path, false);
            host::set_request_header("referer", None);
        }
        if let Some(record) = &reply.record {
            host::record(record);
        }
        self.answer(&reply.answer)
    }

    fn answer(&self, answer: &Answer) -> Action {
        let headers = answer.headers.iter();
        let headers = headers
            .map(|(name, value)| (name.as_ref(), value.as_str()))
            .collect();
        let body = (!answer.body.is_empty()).then_some(answer.body.as_slice());
        self.send_http_response(u32::from(answer.status), headers, body);
        Action::Pause
    }

    /// Puts the answer in the place of the origin's response. An answer of the filter's own
    /// would go past the filters in front of it at this point, CORS among them, and no page
    /// could read it. Where the response has no body, the answer has none.
    fn answer_instead(&mut self, answer: Answer, ends: bool) {
        let body = if ends { Vec::new() } else { answer.body };
        let (status, length) = (answer.status.to_string(), body.len().to_string());
        let own = [(":status", &status), ("content-length", &length)];
        let headers = answer
            .headers
            .iter()
            .map(|(name, value)| (name.as_ref(), value));
        host::replace_response_headers(own.into_iter().chain(headers));
        self.state = State::Refused(body);
    }

    /// The call's body is there, or known to be too long.
    fn finish(&mut self, size: usize) -> Action {
        let (Some(worker), State::Body(pending, _)) = (
            &self.worker,
            core::mem::replace(&mut self.state, State::Idle),
        ) else {
            return Action::Continue;
        };
        let longest = size.min(MAX_BODY.saturating_add(1));
        let body = self.get_http_request_body(0, longest).unwrap_or_default();
        let reply = worker
            .edge
            .borrow_mut()
            .on_body(&worker.envoy, pending, &body);
        self.reply(&reply)
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
        let step = edge.on_request(&worker.envoy, &RequestHead, &path, end_of_stream);
        drop(edge);
        match step {
            Step::Pass => Action::Continue,
            Step::Forward(forward) => {
                let stripped = path.get(forward.strip..).unwrap_or(&path);
                let goes_on_as = forward.clean.path.as_deref().unwrap_or(stripped);
                if goes_on_as != path {
                    host::replace_path(goes_on_as, forward.strip > 0);
                }
                for (name, value) in &forward.clean.headers {
                    host::set_request_header(name, value.as_deref());
                }
                if forward.clean.referer {
                    host::set_request_header("referer", None);
                }
                if forward.watch.is_some() || forward.renewed.is_some() {
                    self.state = State::Response {
                        watch: forward.watch,
                        renewed: forward.renewed,
                    };
                }
                Action::Continue
            }
            Step::AwaitBody(pending) => {
                self.state = State::Body(pending, 0);
                Action::Pause
            }
            Step::Reply(reply) => self.reply(&reply),
        }
    }

    fn on_http_request_body(&mut self, body_size: usize, end_of_stream: bool) -> Action {
        let State::Body(_, seen) = &mut self.state else {
            return Action::Continue;
        };
        *seen = body_size;
        if end_of_stream || body_size > MAX_BODY {
            return self.finish(body_size);
        }
        Action::Pause
    }

    fn on_http_request_trailers(&mut self, _trailers: usize) -> Action {
        match self.state {
            State::Body(_, seen) => self.finish(seen),
            _ => Action::Continue,
        }
    }

    fn on_http_response_headers(&mut self, _headers: usize, end_of_stream: bool) -> Action {
        let State::Response { watch, renewed } = core::mem::replace(&mut self.state, State::Idle)
        else {
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
        let watched = edge.on_response(&worker.envoy, &watch, status);
        drop(edge);
        match watched {
            Watched::Pass(record) => {
                if let Some(record) = record {
                    host::record(&record);
                }
                Action::Continue
            }
            Watched::Refuse(reply) => {
                // The request's head is gone by now; its path was stripped on the way in.
                if let Some(record) = &reply.record {
                    host::record(record);
                }
                self.answer_instead(reply.answer, end_of_stream);
                Action::Continue
            }
        }
    }

    fn on_http_response_body(&mut self, body_size: usize, _end_of_stream: bool) -> Action {
        if let State::Refused(body) = &mut self.state {
            // All of it in the place of the first piece, nothing in the place of the others.
            host::replace_response_body(body_size, &core::mem::take(body));
        }
        Action::Continue
    }
}
