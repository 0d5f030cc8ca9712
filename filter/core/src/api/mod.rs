//! The session API's wire: request to event, verdict to response (contract, section 2).

mod attributes;
mod body;
mod call;
mod carry_out;
mod creates_by_client;
mod credentials;
mod refused;
mod respond;

pub use attributes::{AttributesError, read_attributes, read_json};
pub use call::{BodyType, Call, MAX_BODY, PendingCall, Resource};
pub use carry_out::Unanswered;
pub(crate) use carry_out::{Begun, Called, Door, Finished, begin, finish, resume};
pub use creates_by_client::CreatesByClient;
