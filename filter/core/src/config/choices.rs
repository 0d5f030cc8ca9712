//! Choices that are in force as they are written, and that the edge alone makes use of. Others, such as
//! [`Mode`](streamgate_policy::Mode), stand in the crate that makes use of them.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(feature = "schema")]
use serde::Serialize;

/// How streams begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename = "Start", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum Start {
    /// By the first successful media request.
    Implicit,
    /// Through the session API only.
    SessionRequired,
}

/// What becomes of a player that says it is paused (CMCD `sta`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename = "Paused", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum Paused {
    /// Its manifest requests keep its stream alive.
    Keep,
    /// Its place is free at once; it starts again when it plays on, if there is room.
    Release,
}

/// What becomes of a browser's question beforehand: OPTIONS with `Origin` and
/// `Access-Control-Request-Method`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename = "Preflight", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub enum Preflight {
    /// It is answered at the edge, for any origin, and reaches nobody.
    #[default]
    Answer,
    /// It goes on to the origin unasked. One that answers OPTIONS with the file then gives
    /// it to anybody.
    Forward,
}

/// Which shape the session API answers in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename = "Compatibility")]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub enum Compatibility {
    /// Streamgate's own: a create and a heartbeat are answered with a body.
    #[default]
    #[serde(rename = "streamgate")]
    Streamgate,
    /// As existing clients of the CM v2 API expect it: no body, and
    /// `Location` holds the bare id.
    #[serde(rename = "cm-v2")]
    CmV2,
}
