//! What goes on once the fleet's store has answered.

use streamgate_policy::{Event, Operation};
use streamgate_values::subject::SubjectKey;

use crate::api::understood::Understood;
use crate::operator::understood::UnderstoodOperation;
use crate::playback::passage::Watch;

/// What waits for the fleet's store.
#[derive(Debug)]
pub(super) enum Parked {
    /// Somebody waits for this edge's copy to be up to date.
    Look(AfterLook),
    /// Somebody waits for an event to be decided.
    Event {
        subject: SubjectKey,
        event: Event,
        after: AfterDecision,
    },
}

/// What goes on when the copy is up to date, or cannot be brought up to date.
#[derive(Debug)]
pub(crate) enum AfterLook {
    /// A request, which is judged by the copy.
    Request,
    /// A call that lists the streams of its subject.
    Listing(Understood),
    /// A call at the operator's door that shows an account.
    Account(UnderstoodOperation),
}

/// What goes on when an event is decided, or cannot be.
#[derive(Debug)]
pub(crate) enum AfterDecision {
    /// A call of the session API.
    Call(Understood),
    /// A call at the operator's door that changes something.
    Operation(UnderstoodOperation, Operation),
    /// The response to a request.
    Response(Watch),
}
