//! The session API's wire: request to event, verdict to response (contract, section 2).

mod attributes;
mod body;
mod call;
mod credentials;
mod respond;

pub use attributes::{AttributesError, read_attributes};
pub use call::{Call, MAX_BODY, PendingCall, Target};
pub use respond::Unanswered;
pub(crate) use respond::{Begun, Finished, begin, finish, resume};
