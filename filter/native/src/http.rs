//! What is done with a request, or with its response, once the edge has said so.

use core::cell::RefCell;

use crate::carry_out;
use crate::envoy::Stream;
use crate::todo::Todo;

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
    Held {
        /// It has no body.
        ends: bool,
    },
    /// The response's body gives way to what is kept in its stead.
    Refused,
    /// The response is a manifest that is collected.
    Manifest,
    /// The response is a manifest that has gone on otherwise than it came.
    Rewritten,
}

/// How far a request has come.
#[derive(Clone, Copy)]
pub(crate) enum Phase<'p> {
    /// Its head is there, with this path; or was there, and the path is not at hand.
    Request(Option<&'p [u8]>),
    /// The head of its response is there; no body follows where it ends.
    Response { ends: bool },
}

/// Whether Envoy goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Go {
    On,
    /// It was answered.
    Answered,
    AwaitBody,
    Parked,
}

/// Does what the edge says; what the request waits for then. `body` gets what takes the place of the
/// response's.
pub(crate) fn take(
    todo: Todo,
    phase: Phase<'_>,
    stream: Stream,
    body: &RefCell<Vec<u8>>,
) -> (State, Go) {
    match (todo, phase) {
        (Todo::Pass, _) => (State::Nothing, Go::On),
        (Todo::Tell(record), _) => {
            carry_out::tell(stream, &record);
            (State::Nothing, Go::On)
        }
        (
            Todo::Forward {
                strip,
                scrub,
                awaited,
            },
            Phase::Request(path),
        ) => {
            carry_out::forward(stream, strip, &scrub, path);
            let state = match awaited {
                true => State::Response,
                false => State::Nothing,
            };
            (state, Go::On)
        }
        (Todo::Forward { .. } | Todo::AwaitBody, Phase::Response { .. }) => {
            (State::Nothing, Go::On)
        }
        (Todo::AwaitBody, Phase::Request(_)) => (State::Body, Go::AwaitBody),
        (Todo::Reply(reply), phase) => {
            if let Some(record) = &reply.record {
                carry_out::tell(stream, record);
            }
            match phase {
                Phase::Request(_) => {
                    carry_out::reply(stream, &reply);
                    (State::Nothing, Go::Answered)
                }
                Phase::Response { ends } => {
                    // The request's head is gone by now; its path was stripped on the way in.
                    body.replace(carry_out::answer_instead(stream, reply.answer, ends));
                    (State::Refused, Go::On)
                }
            }
        }
        (Todo::Park, Phase::Request(_)) => (State::Store, Go::Parked),
        (Todo::Park, Phase::Response { ends }) => (State::Held { ends }, Go::Parked),
    }
}
