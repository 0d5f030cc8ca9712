//! The session API's wire: request to event, verdict to response (contract, section 2).

mod attributes;
mod body;
mod call;
mod carry_out;
mod credentials;
mod respond;

pub use attributes::{AttributesError, read_attributes};
pub use call::{Call, MAX_BODY, PendingCall, Target};
pub use carry_out::Unanswered;
pub(crate) use carry_out::{Begun, Finished, begin, finish, resume};
