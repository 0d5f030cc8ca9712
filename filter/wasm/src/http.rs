//! What is done with a request, or with its response, once the edge has said so.

use std::borrow::Cow;

use streamgate_core::exchange::{Answer, Reply};
use streamgate_core::playback::{Forward, Rewrite, Watch};
use streamgate_core::step::{Pending, ResponseStep, Step};

use crate::go::Go;
use crate::head::RequestHead;
use crate::manifest::Manifest;
use crate::{host, log};

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
    Held,
    /// The response's body is to give way to this.
    Refused(Vec<u8>),
    /// The response is a manifest of which this much is there.
    Manifest(Manifest),
    /// The response is a manifest that has gone on otherwise than it came.
    Rewritten,
}

/// Has a request answered by the filter.
fn reply(reply: &Reply, head: Option<&RequestHead>) {
    if let Some(path) = &reply.logged_path {
        host::replace_path(path);
        if let Some(head) = head {
            tell_no_more(head);
        }
    }
    if let Some(log_entry) = &reply.log_entry {
        log::tell(log_entry);
    }
    host::answer(&reply.answer);
}

/// Takes off what `Referer` may say beyond an origin: no log is to hold it.
fn tell_no_more(head: &RequestHead) {
    if head.may_tell_by_referer() {
        host::set_request_header("referer", None);
    }
}

/// Does with a request what the edge says; what it waits for then. `path` is its path, if that is at
/// hand; `head` its head, until its `Referer` says nothing that no log is to hold.
pub(crate) fn take(step: Step, path: Option<&[u8]>, head: Option<&RequestHead>) -> (State, Go) {
    match step {
        Step::Pass => (State::Nothing, Go::On),
        Step::Log(log_entry) => {
            log::tell(&log_entry);
            (State::Nothing, Go::On)
        }
        Step::Forward(forward) => (forwarded(forward, path), Go::On),
        Step::AwaitBody(pending) => {
            if let Some(head) = head {
                tell_no_more(head);
            }
            (State::Body(pending, 0), Go::Wait)
        }
        Step::Reply(answer) => {
            reply(&answer, head);
            (State::Nothing, Go::Wait)
        }
        Step::Park => (State::Store, Go::Wait),
    }
}

/// Does with a response what the edge says; what it waits for then. `ends`: it has no body.
pub(crate) fn take_response(step: ResponseStep, ends: bool) -> (State, Go) {
    match step {
        Step::Pass => (State::Nothing, Go::On),
        Step::Log(log_entry) => {
            log::tell(&log_entry);
            (State::Nothing, Go::On)
        }
        Step::Reply(reply) => {
            // The request's head is gone by now; its path was stripped on the way in.
            if let Some(log_entry) = &reply.log_entry {
                log::tell(log_entry);
            }
            (answer_instead(reply.answer, ends), Go::On)
        }
        Step::Park => (State::Held, Go::Wait),
    }
}

/// The request goes on, without what it is not to take along; what it waits for then.
fn forwarded(forward: Forward, path: Option<&[u8]>) -> State {
    if let Some(path) = &forward.scrub.path {
        host::replace_path(path);
    } else if forward.strip > 0 {
        let path = path.map_or_else(
            || Cow::Owned(host::request_path().unwrap_or_default()),
            Cow::Borrowed,
        );
        host::replace_path(path.get(forward.strip..).unwrap_or(&path));
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
