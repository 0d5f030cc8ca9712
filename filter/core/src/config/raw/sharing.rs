//! How many viewers one stream may have at once.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;
use streamgate_policy::SharingAction;

#[cfg(feature = "schema")]
use super::super::limits;

/// How many viewers one stream may have at once: `networks`, `agents` or both.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "Sharing",
    deny_unknown_fields,
    expecting = "the fields of `sharing`"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawSharing {
    /// The most networks (24 bits of IPv4, 56 of IPv6) that its requests may come from at once.
    /// Default: any number.
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = *limits::CLIENTS.start(), max = *limits::CLIENTS.end()))
    )]
    pub networks: Option<u32>,
    /// The most agents (`User-Agent`) that its requests may come by at once. Default: any number.
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = *limits::CLIENTS.start(), max = *limits::CLIENTS.end()))
    )]
    pub agents: Option<u32>,
    /// What becomes of requests beyond.
    pub action: SharingAction,
}
