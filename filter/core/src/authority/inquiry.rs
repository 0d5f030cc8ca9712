//! Who asks the authority, about whom, and what goes on with its answer.

use streamgate_policy::{Event, Operation};
use streamgate_record::Records;
use streamgate_record::fleet::{Fleet, Ticket};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use crate::api::understood::Understood;
use crate::operator::understood::UnderstoodOperation;
use crate::playback::passage::Watch;

/// What is known of this edge's copy of a record, in a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyState {
    /// Nothing: the store can be asked.
    Unverified,
    /// The store was asked a moment ago, and the copy is up to date.
    Verified,
    /// The store was asked, and did not answer.
    Unreachable,
}

impl CopyState {
    /// In a fleet, by what a subject was decided about: `asked` for the store, `copy` for what this
    /// edge knows of it, `out` where the store does not answer.
    pub(crate) fn decided_by(
        self,
        fleet: Option<&Fleet>,
        subject: &SubjectKey,
    ) -> Option<&'static str> {
        let fleet = fleet?;
        Some(match self {
            Self::Verified => "asked",
            Self::Unverified if fleet.is_up(subject) => "copy",
            Self::Unverified | Self::Unreachable => "out",
        })
    }
}

/// The first try at a request, or the one after its subject's copy was brought up to date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    /// Names the request, should it have to wait.
    pub(crate) ticket: Ticket,
    pub(crate) copy_state: CopyState,
}

/// A question: about whom, for which request, when, and what is known of the subject's copy.
#[derive(Debug)]
pub(crate) struct Inquiry<'a, H> {
    pub(crate) host: &'a H,
    pub(crate) records: &'a Records,
    pub(crate) ticket: Ticket,
    pub(crate) subject: &'a SubjectKey,
    pub(crate) now: Moment,
    pub(crate) copy_state: CopyState,
}

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
    Response {
        watch: Watch,
        /// It has no body.
        ends: bool,
    },
}
