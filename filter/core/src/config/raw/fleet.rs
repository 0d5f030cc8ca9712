//! The store that several edges share.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;
use streamgate_record::fleet::OnOutage;

#[cfg(feature = "schema")]
use super::super::limits;
use super::RawSecret;

/// The store that several edges share (Valkey or Redis): one limit for all of them.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "Fleet",
    deny_unknown_fields,
    expecting = "the fields of `fleet`"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawFleet {
    /// The Envoy cluster of the store's nodes.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))]
    pub cluster: String,
    /// What a start gets while the store does not answer.
    #[serde(default)]
    pub on_outage: OnOutage,
    /// How long a start may wait for the store: a duration, 10ms to 10s.
    #[serde(default = "default_wait")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = limits::DURATION)))]
    pub wait: String,
    /// How long starts may wait for a store that has never answered, from when this edge or
    /// its configuration began: a duration, 10ms to 10s.
    #[serde(default = "default_start_within")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = limits::DURATION)))]
    pub start_within: String,
    /// Within what time a stream is refused here that was ended at another edge: a
    /// duration, 1s to 1day. Default: a third of the shortest timeout, at most 10s.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = limits::DURATION)))]
    pub evictions_within: Option<String>,
    /// How many shards accounts are spread over. The same at every edge.
    #[serde(default = "default_shards")]
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = *limits::SHARDS.start(), max = *limits::SHARDS.end()))
    )]
    pub shards: u32,
    /// The store's user. Default: its default user.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))]
    pub user: Option<String>,
    /// The user's password. Default: none is sent.
    pub password: Option<RawSecret>,
}

fn default_wait() -> String {
    "500ms".to_owned()
}

fn default_start_within() -> String {
    "2s".to_owned()
}

fn default_shards() -> u32 {
    64
}
