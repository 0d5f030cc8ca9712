//! What goes on once the fleet's store has answered.

use streamgate_policy::{Event, Operation};
use streamgate_record::fleet::Ticket;
use streamgate_record::{Decided, Unavailable};
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

/// Who was parked, and what the fleet's store has answered.
#[derive(Debug)]
pub struct Settled {
    /// Names the request.
    pub ticket: Ticket,
    pub(super) parked: Parked,
    /// The answer: `None` to a look.
    pub(super) answer: Result<Option<Decided>, Unavailable>,
    /// There is no answer, and yet the store may have recorded what was asked for.
    pub(super) may_be_recorded: bool,
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
    Response {
        watch: Watch,
        /// It has no body.
        ends: bool,
    },
}
