//! Ids of accounts and streams, as requests carry them.

use streamgate_tokens::signed::read_session_id;
use streamgate_values::head::Head;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;
use streamgate_values::text::printable;

use super::asked::ID_MAX;
use super::claim;
use crate::config::Config;
use crate::refusal::reason::Reason;

/// An id that an earlier hop put into a header.
pub(super) fn id(value: &[u8]) -> Result<&str, Reason> {
    match printable(value) {
        Ok(id) if (1..=ID_MAX).contains(&id.len()) => Ok(id),
        _ => Err(Reason::Malformed),
    }
}

/// The id that an earlier hop put into a header of this name.
///
/// # Errors
///
/// [`Reason::Malformed`], as [`id`]; also where there are several: one hop has added its own
/// to what a client sent, and nobody knows which.
pub(super) fn header_id(head: &impl Head, name: &str) -> Result<Option<String>, Reason> {
    match head.headers(name).as_slice() {
        [] => Ok(None),
        [value] => Ok(Some(id(value)?.to_owned())),
        _ => Err(Reason::Malformed),
    }
}

/// An id in the JWT that the proxy has checked.
pub(super) fn jwt_id(
    config: &Config,
    head: &impl Head,
    name: &str,
) -> Result<Option<String>, Reason> {
    match head.jwt_claim(&config.jwt_payload, name) {
        Some(claim) => claim::id(&claim),
        None => Ok(None),
    }
}

/// The stream of the session that an id names, where it is one of this account: an app hands its
/// player the session's id, where a player can be told to send one, and they are one stream.
pub(super) fn own_session(config: &Config, subject: &SubjectKey, id: &[u8]) -> Option<StreamKey> {
    let id = core::str::from_utf8(id).ok()?;
    read_session_id(&config.sessions.ring, subject, id).ok()
}
