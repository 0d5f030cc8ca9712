//! The way of one request: what the edge says is done.

use proxy_wasm::types::Action;
use streamgate_core::edge::{Pending, Step};
use streamgate_core::exchange::{Answer, Reply};
use streamgate_core::playback::{Forward, Rewrite, Watch, Watched};

use crate::host;
use crate::manifest::Manifest;

/// Whether Envoy goes on with a request or its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Go {
    On,
    Wait,
    /// The response's headers wait until its body is there, which the filter collects.
    Collect,
}

impl Go {
    /// Envoy's name for holding back headers, body and all, with the origin made to wait
    /// (`FilterHeadersStatus::StopAllIterationAndWatermark`). After a mere pause Envoy goes
    /// on to hand over the body, keeps what the filter does not let through, and turns the
    /// response into an error when that is too much: a segment of a few megabytes.
    pub(crate) const STOP_ALL: u32 = 4;

    /// Envoy's name for taking a piece of a body away
    /// (`FilterDataStatus::StopIterationNoBuffer`). What Envoy keeps for a filter that waits
    /// is bounded by the listener's buffer, and what is put there in the end, too: a response
    /// beyond it becomes an error.
    pub(crate) const KEEP_NOTHING: u32 = 3;

    /// What Envoy takes a callback's answer for.
    pub(crate) const fn to_envoy(self) -> u32 {
        match self {
            Self::On => Action::Continue as u32,
            Self::Wait | Self::Collect => Action::Pause as u32,
        }
    }
}

/// What a request waits for.
pub(crate) enum State {
    /// Nothing more.
    Nothing,
    /// The call waits for its body, of which this much is there.
    Body(Pending, usize),
    /// The response is awaited: its status matters, or it gets another header.
    Response {
        watch: Option<Watch>,
        renewed: Option<(String, String)>,
        rewrite: Option<Box<Rewrite>>,
    },
    /// The fleet's store is asked about the request.
    Store,
    /// The response is held back until the fleet's store has answered.
    Held {
        /// It has no body.
        ends: bool,
    },
    /// The response's body is to give way to this.
    Refused(Vec<u8>),
    /// The response is a manifest of which this much is there.
    Manifest(Manifest),
}

/// Has a request answered by the filter.
pub(crate) fn reply(reply: &Reply) {
    if let Some(path) = &reply.logged_path {
        host::replace_path(path);
        host::set_request_header("referer", None);
    }
    if let Some(record) = &reply.record {
        host::record(record);
    }
    host::answer(&reply.answer);
}

/// Does with a request what the edge says; what it waits for then.
pub(crate) fn take_step(step: Step, path: &[u8]) -> (State, Go) {
    match step {
        Step::Pass => (State::Nothing, Go::On),
        Step::Forward(forward) => (forwarded(forward, path), Go::On),
        Step::AwaitBody(pending) => (State::Body(pending, 0), Go::Wait),
        Step::Wait => (State::Store, Go::Wait),
        Step::Reply(answer) => {
            reply(&answer);
            (State::Nothing, Go::Wait)
        }
    }
}

/// The request goes on, without what it is not to take along; what it waits for then.
fn forwarded(forward: Forward, path: &[u8]) -> State {
    if forward.strip > 0 || forward.scrub.path.is_some() {
        let stripped = path.get(forward.strip..).unwrap_or(path);
        host::replace_path(forward.scrub.path.as_deref().unwrap_or(stripped));
    }
    for (name, value) in &forward.scrub.headers {
        host::set_request_header(name, value.as_deref());
    }
    if forward.scrub.referer {
        host::set_request_header("referer", None);
    }
    if forward.watch.is_none() && forward.renewed.is_none() && forward.rewrite.is_none() {
        return State::Nothing;
    }
    State::Response {
        watch: forward.watch,
        renewed: forward.renewed,
        rewrite: forward.rewrite,
    }
}

/// Does with a response what the edge says; what the request waits for then.
pub(crate) fn take_watched(watched: Watched, ends: bool) -> (State, Go) {
    match watched {
        Watched::Pass(record) => {
            if let Some(record) = record {
                host::record(&record);
            }
            (State::Nothing, Go::On)
        }
        Watched::Refuse(reply) => {
            // The request's head is gone by now; its path was stripped on the way in.
            if let Some(record) = &reply.record {
                host::record(record);
            }
            (answer_instead(reply.answer, ends), Go::On)
        }
        Watched::Wait(..) => (State::Held { ends }, Go::Wait),
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
