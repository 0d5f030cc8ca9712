//! Who watches: subject, stream and application of a segment request, from the
//! carriers a protected path lists, in their order.

mod access;
mod account;
mod asked;
mod attributes;
mod claim;
pub mod cmcd;
mod cookie;
mod credential;
mod id;
mod query;
mod search;
mod token;
#[cfg(test)]
mod what_is_asked_tests;
mod who;

pub use access::GoodTokens;
pub use account::Proof;
pub(crate) use account::{client_network, prove};
pub use asked::Asked;
pub(crate) use asked::{client, network};
pub use attributes::{attributes, carried_attributes, root};
pub(crate) use cookie::without as without_cookies;
pub(crate) use credential::{Credential, credential_ends_at, earlier};
pub(crate) use query::without as without_parameters;
pub(crate) use search::may_name_another;
pub use search::{Wish, granted_limits, identify};
pub(crate) use token::{REPEATED_MAX, is_in_scope};
pub use who::{Identified, Viewer};

/// The query parameter that holds CMCD (CTA-5004).
pub(crate) const CMCD: &str = "CMCD";
