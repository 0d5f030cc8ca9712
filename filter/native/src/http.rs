//! What is done with a request, or with its response, once the edge has said so.

use core::cell::RefCell;

use crate::carry_out;
use crate::envoy::HttpStream;
use crate::todo::{ResponseTodo, Todo};

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing more.
    Nothing,
    /// The session API call waits for its body.
    Body,
    /// The response's status matters, or it gets another header, or it may be a manifest.
    Response,
    /// The fleet's store is asked about the request.
    Store,
    /// The response is held back until the fleet's store has answered.
    Held,
    /// The response's body gives way to what is kept in its stead.
    Refused,
    /// The response is a manifest that is collected.
    Manifest,
    /// The response is a manifest that has gone on otherwise than it came.
    Rewritten,
}

/// Whether Envoy goes on with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Go {
    On,
    /// It was answered.
    Answered,
    AwaitBody,
    Parked,
}

/// Does with a request what the edge says; what it waits for then. `path` is its path, if that is at
/// hand.
pub(crate) fn take(todo: Todo, stream: HttpStream, path: Option<&[u8]>) -> (State, Go) {
    match todo {
        Todo::Pass => (State::Nothing, Go::On),
        Todo::Tell(log_entry) => {
            carry_out::tell(stream, &log_entry);
            (State::Nothing, Go::On)
        }
        Todo::Forward {
            strip,
            scrub,
            awaited,
        } => {
            carry_out::forward(stream, strip, &scrub, path);
            let state = match awaited {
                true => State::Response,
                false => State::Nothing,
            };
            (state, Go::On)
        }
        Todo::AwaitBody => (State::Body, Go::AwaitBody),
        Todo::Reply(reply) => {
            if let Some(log_entry) = &reply.log_entry {
                carry_out::tell(stream, log_entry);
            }
            carry_out::reply(stream, &reply);
            (State::Nothing, Go::Answered)
        }
        Todo::Park => (State::Store, Go::Parked),
    }
}

/// Does with a response what the edge says; what it waits for then. `ends`: it has no body. `body`
/// gets what takes the place of the one that the origin sends.
pub(crate) fn take_response(
    todo: ResponseTodo,
    stream: HttpStream,
    ends: bool,
    body: &RefCell<Vec<u8>>,
) -> State {
    match todo {
        ResponseTodo::Pass => State::Nothing,
        ResponseTodo::Tell(log_entry) => {
            carry_out::tell(stream, &log_entry);
            State::Nothing
        }
        ResponseTodo::Reply(reply) => {
            if let Some(log_entry) = &reply.log_entry {
                carry_out::tell(stream, log_entry);
            }
            // The request's head is gone by now; its path was stripped on the way in.
            body.replace(carry_out::answer_instead(stream, reply.answer, ends));
            State::Refused
        }
        ResponseTodo::Park => State::Held,
    }
}
