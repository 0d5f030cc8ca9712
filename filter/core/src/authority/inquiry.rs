//! Who asks the authority, and about whom.

use streamgate_policy::Event;
use streamgate_record::fleet::Ticket;
use streamgate_record::ports::Host;
use streamgate_record::{self as record, Decided, Records, Unavailable};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

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

impl<H: Host> Inquiry<'_, H> {
    /// What would become of an event by what is on record here.
    pub(super) fn consult(
        &self,
        event: &Event,
        memory_since: Moment,
    ) -> Result<Decided, Unavailable> {
        let Inquiry { host, records, .. } = *self;
        record::consult(host, records, self.subject, event, memory_since, self.now)
    }
}
