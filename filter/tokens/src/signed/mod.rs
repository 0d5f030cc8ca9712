//! Ids and tokens that prove who issued them.
//!
//! Two things leave the edge and come back through hands nobody trusts: the
//! **session id** in the session API's URLs and the **playback token** in
//! URLs. Both carry a truncated MAC (BLAKE3 in its keyed mode) under one of the configured keys,
//! so that a restart, another worker or another edge can tell an id that was
//! issued from one that was made up, with nothing stored.

mod keyring;
mod playback_token;
mod session_id;

pub use keyring::{KeyRing, Signature, SigningKey};
pub use playback_token::{PlaybackToken, TokenError};
pub use session_id::{UnknownSession, issue_session_id, read_session_id};

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// URL-safe, without padding, and strict: exactly one text decodes to given
/// bytes, so a token has one spelling.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

pub(crate) fn to_text(bytes: &[u8]) -> String {
    BASE64_URL.encode(bytes)
}

fn from_text(text: &[u8]) -> Option<Vec<u8>> {
    BASE64_URL.decode(text).ok()
}
