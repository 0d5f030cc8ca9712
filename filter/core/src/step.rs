//! What Envoy is to do next, whatever it called the edge for.

use crate::api::call::PendingCall;
use crate::exchange::{Record, Reply};
use crate::operator::understood::PendingOperation;
use crate::playback::passage::Forward;

/// What becomes of a request, or of the response to it.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// It goes on as it is.
    Pass,
    /// It goes on as it is, and the access log is told of a decision.
    Log(Record),
    /// It goes on to the origin, changed.
    Forward(Forward),
    /// It goes on when its body is there: hand both to [`Edge::on_body`](crate::edge::Edge::on_body).
    AwaitBody(Pending),
    /// It is answered here. A response is replaced by the answer.
    Reply(Reply),
    /// It waits for the fleet's store: [`Edge::settled`](crate::edge::Edge::settled) will tell.
    Park,
}

/// What goes on when its body is there.
#[derive(Debug)]
pub enum Pending {
    /// A call of the session API.
    Call(PendingCall),
    /// A call at the operator's door.
    Operation(PendingOperation),
}
