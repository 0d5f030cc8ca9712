//! `streamgate account`: from an account to its keyed hash. There is no way back.

use core::num::NonZeroU32;

use clap::Args;
use streamgate_record::fleet::record_key;
use streamgate_values::subject::SubjectHasher;

use crate::key::{KeySource, KeySourceError};

/// An account, and the key of its hash.
#[derive(Debug, Args)]
pub(crate) struct AccountArguments {
    /// Who vouches for the account, as in the session API's path; `playback[].idp` for unmodified players
    idp: String,
    /// The account, as the application says it
    subject: String,
    /// `fleet.shards` of the edges, of which the key in their store has to do
    #[arg(long, default_value = "64")]
    shards: NonZeroU32,
    #[command(flatten)]
    key: KeySource,
}

/// The account's hash: as the access log and the operator's door show it, and the key of its record in a fleet's store,
/// as `valkey-cli --quoted-input` takes it.
///
/// # Errors
///
/// There is no key.
pub(crate) fn shown(arguments: &AccountArguments) -> Result<String, KeySourceError> {
    let key = arguments.key.read()?;
    let subject = SubjectHasher::new(key.as_bytes()).subject(&arguments.idp, &arguments.subject);
    let stored: String = record_key(arguments.shards, &subject)
        .iter()
        .map(|byte| match byte {
            b':' | b'{' | b'}' | b'0'..=b'9' | b'a'..=b'z' => char::from(*byte).to_string(),
            byte => format!("\\x{byte:02x}"),
        })
        .collect();
    Ok(format!("hash   {subject}\nstore  \"{stored}\""))
}
