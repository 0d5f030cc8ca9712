//! The session API's wire: request to event, verdict to response (contract, section 2).

mod attributes;
mod body;
pub(crate) mod call;
mod carry_out;
mod creates_by_client;
mod credentials;
mod refused;
mod respond;
pub(crate) mod understood;

pub(crate) use attributes::read_kinds;
pub use attributes::{AttributesError, read_attributes, read_form, read_json};
pub use call::{BodyType, Call, MAX_BODY, PendingCall, Resource};
pub(crate) use carry_out::{Called, Door, begin, finish};
pub use creates_by_client::CreatesByClient;
pub(crate) use respond::Caller;
