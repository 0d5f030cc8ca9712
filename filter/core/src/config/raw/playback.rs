//! Protected paths.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(feature = "schema")]
use serde::Serialize;

#[cfg(feature = "schema")]
use super::super::limits;

/// A protected path.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "Playback",
    deny_unknown_fields,
    expecting = "the fields of a protected path"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawPlayback {
    /// Which paths.
    #[serde(rename = "match")]
    pub matches: RawMatch,
    /// Id of the application whose policies hold for streams that come without a token.
    pub application: String,
    /// The identity provider of accounts named by a header.
    #[serde(default)]
    pub idp: String,
    /// How streams begin.
    pub start: RawStart,
    /// Where to find the account; the first that yields one wins.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub subject: Vec<RawSubjectCarrier>,
    /// Where to find the stream; the first that yields one wins.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub stream: Vec<RawStreamCarrier>,
    /// How to refuse.
    #[serde(default)]
    pub refuse: RawRefuse,
    /// How long a stream lives after its last media request: a duration, 1s to 1day.
    /// Default: `sessions.timeout`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = limits::DURATION)))]
    pub timeout: Option<String>,
}

/// Which paths.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "Match",
    deny_unknown_fields,
    expecting = "the fields of `match`"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawMatch {
    /// Paths that begin with this; without percent-encoding.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^/([^~?#%][^?#%]*)?$")))]
    pub prefix: String,
}

/// How streams begin.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename = "Start", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawStart {
    /// By the first successful media request.
    Implicit,
    /// Through the session API only.
    SessionRequired,
}

/// What can say whose account watches.
#[derive(Debug, Deserialize)]
#[serde(rename = "SubjectCarrier", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawSubjectCarrier {
    /// A token.
    Token(RawTokenPlace),
    /// A header that an earlier hop sets and clients cannot.
    Header(#[cfg_attr(feature = "schema", schemars(regex(pattern = limits::HEADER)))] String),
}

/// What can say which stream it is.
#[derive(Debug, Deserialize)]
#[serde(rename = "StreamCarrier", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawStreamCarrier {
    /// A token.
    Token(RawTokenPlace),
    /// A header that an earlier hop sets and clients cannot.
    Header(#[cfg_attr(feature = "schema", schemars(regex(pattern = limits::HEADER)))] String),
    /// CMCD (CTA-5004).
    Cmcd(RawCmcdKey),
    /// A redirect that gives each playback an id of its own; needs `{token: path}`, too.
    Redirect(#[cfg_attr(feature = "schema", schemars(extend("const" = true)))] bool),
}

/// Where a token stands.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename = "TokenPlace", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawTokenPlace {
    /// In front of the path.
    Path,
}

/// Which CMCD key names the stream.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename = "CmcdKey", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawCmcdKey {
    /// The session id.
    Sid,
}

/// How to refuse.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "Refuse",
    deny_unknown_fields,
    expecting = "the fields of `refuse`"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub struct RawRefuse {
    /// Status of refusals that concern a limit.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = limits::REFUSALS)))]
    pub status: u16,
}

impl Default for RawRefuse {
    fn default() -> Self {
        Self { status: 403 }
    }
}
