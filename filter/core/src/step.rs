//! What Envoy is to do next, whatever it called the edge for.

use core::convert::Infallible;

use crate::api::call::PendingCall;
use crate::exchange::{LogEntry, Reply};
use crate::operator::understood::PendingOperation;
use crate::playback::passage::Forward;

/// What becomes of a request, or of the response to it ([`ResponseStep`]).
#[derive(Debug)]
#[must_use]
pub enum Step<F = Forward, B = Pending> {
    /// It goes on as it is.
    Pass,
    /// It goes on as it is, and the access log is told of a decision.
    Log(LogEntry),
    /// It goes on to the origin, changed.
    Forward(F),
    /// It goes on when its body is there: hand both to [`Edge::on_body`](crate::edge::Edge::on_body).
    AwaitBody(B),
    /// It is answered here. A response is replaced by the answer.
    Reply(Reply),
    /// It waits for the fleet's store: [`Edge::settled`](crate::edge::Edge::settled) will tell.
    Park,
}

/// What becomes of a response. Its request is with the origin: there is no changing it and no
/// waiting for its body.
pub type ResponseStep = Step<Infallible, Infallible>;

/// What becomes of what was parked, now that the fleet's store has answered or has not.
#[derive(Debug)]
#[must_use]
pub enum Unparked {
    /// A request.
    Request(Step),
    /// A response.
    Response {
        /// What becomes of it.
        step: ResponseStep,
        /// It has no body.
        ends: bool,
    },
}

/// What goes on when its body is there.
#[derive(Debug)]
pub enum Pending {
    /// A call of the session API.
    Call(PendingCall),
    /// A call at the operator's door.
    Operation(PendingOperation),
}
