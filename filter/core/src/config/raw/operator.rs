//! The operator's door.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;

#[cfg(feature = "schema")]
use super::super::limits;
use super::RawSecret;

/// The operator's door: for a listener of its own, which viewers do not reach.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "Operator",
    deny_unknown_fields,
    expecting = "the fields of `operator`"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawOperator {
    /// What its paths begin with: a slash in front, none at the end.
    #[serde(default = "default_prefix")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = limits::OPERATOR_PREFIX)))]
    pub prefix: String,
    /// The keys, any of which is good as a bearer token: the new one and the old one, while
    /// operators change over.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::OPERATOR_KEYS)))]
    pub keys: Vec<RawSecret>,
    /// How many of the latest decisions are kept, each in up to 1 KiB.
    #[serde(default = "default_decisions")]
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = *limits::DECISIONS.start(), max = *limits::DECISIONS.end()))
    )]
    pub decisions: u32,
}

fn default_prefix() -> String {
    "/streamgate".to_owned()
}

const fn default_decisions() -> u32 {
    8_192
}
