//! A configuration as an operator writes it. `docs/configuration.md` explains each field.
//!
//! With the feature `schema` these types also generate
//! `docs/configuration.schema.json`: their comments are its descriptions, and what an
//! operator's editor shows. The names in `serde(rename)` are the schema's, and those
//! that errors call a part of the configuration by.

mod by_form;
mod carriers;
mod cat;
mod classes;
mod fleet;
mod operator;
mod playback;
mod policies;
mod session_api;
mod sessions;
mod sharing;

pub use carriers::{
    RawAttributeSource, RawCatId, RawCatSubject, RawClient, RawCmcdSid, RawSeenClient,
    RawStreamCarrier, RawSubjectCarrier, RawTokenPosition,
};
pub use cat::{RawCat, RawCatKey, RawEncoding};
pub use classes::{RawClasses, RawPattern};
pub use fleet::RawFleet;
pub use operator::RawOperator;
pub use playback::{RawManifests, RawMatch, RawPlayback, RawRefuse, RawSlate};
pub use policies::{
    RawAction, RawCount, RawHttps, RawMessage, RawOther, RawPolicy, RawRule, RawSameDevice,
    RawTest, RawUrl, RawValue, RawValues,
};
pub use session_api::{RawSessionApi, RawSubjectProof};
pub use sessions::{
    BASE_PATH, CALLS_PER_MINUTE, RawEnvironment, RawKey, RawPrivacy, RawSecret, RawSecrets,
    RawSessions,
};
pub use sharing::RawSharing;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(feature = "schema")]
use serde::Serialize;

use super::choices::Compatibility;
#[cfg(feature = "schema")]
use super::limits;

/// How many video streams an account may play at once, and where.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "Configuration",
    deny_unknown_fields,
    expecting = "the fields of a configuration"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawConfig {
    /// Client applications, which list the policies that hold for their streams.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub applications: Vec<RawApplication>,
    /// Policies, which applications list by name.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub policies: Vec<RawPolicy>,
    /// Who may call the session API. Default: there is no session API, and its paths are
    /// ordinary paths.
    pub session_api: Option<RawSessionApi>,
    /// How sessions live and what signs them.
    pub sessions: RawSessions,
    /// Which shape the session API answers in.
    #[serde(default)]
    pub compatibility: Compatibility,
    /// How accounts are made unreadable.
    pub privacy: RawPrivacy,
    /// JWTs that Envoy has checked.
    #[serde(default)]
    pub jwt: RawJwt,
    /// Common Access Tokens. Default: none are read.
    pub cat: Option<RawCat>,
    /// Protected paths. The first whose prefix fits a path applies; paths that fit none
    /// pass untouched.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub playback: Vec<RawPlayback>,
    /// Who takes `Referer` off what goes on to the origin, because a token may stand there.
    #[serde(default)]
    pub referer: RawReferer,
    /// How much is remembered.
    #[serde(default)]
    pub state: RawState,
    /// The store that several edges share. Default: this edge is alone.
    pub fleet: Option<RawFleet>,
    /// Makes the listener the operator's door, which serves nothing else. Default: viewers are
    /// served.
    pub operator: Option<RawOperator>,
}

/// Who takes `Referer` off.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename = "Referer")]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub enum RawReferer {
    /// The filter, where a token may stand in it.
    #[default]
    #[serde(rename = "filter")]
    Filter,
    /// Envoy's routes (`request_headers_to_remove: [referer]`, for all that lead to an origin).
    /// That saves the filter a call for every request.
    #[serde(rename = "route")]
    Route,
}

/// JWTs that Envoy's `jwt_authn` has checked.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "Jwt",
    deny_unknown_fields,
    default,
    expecting = "the fields of `jwt`"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub struct RawJwt {
    /// What the provider of `jwt_authn` says under `payload_in_metadata`.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))]
    pub payload_in_metadata: String,
    /// How much longer than its `exp` says a JWT vouches for the streams and tokens that
    /// began with it: a duration, up to 10min. The provider's `clock_skew_seconds`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = limits::DURATION)))]
    pub leeway: String,
}

impl Default for RawJwt {
    fn default() -> Self {
        Self {
            payload_in_metadata: "jwt".to_owned(),
            leeway: "60s".to_owned(),
        }
    }
}

/// A client application.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "Application",
    deny_unknown_fields,
    expecting = "the fields of an application"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawApplication {
    /// Application id, the HTTP Basic user name; unique, without `:`.
    #[cfg_attr(
        feature = "schema",
        schemars(length(min = 1, max = limits::NAME_MAX), regex(pattern = r"^[^:]*$"))
    )]
    pub id: String,
    /// Name shown in advice. Default: the id.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))]
    pub name: Option<String>,
    /// The organisation that owns it.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))]
    pub tenant: String,
    /// Names of the policies that hold for its streams: all must allow a stream.
    #[serde(default)]
    pub policies: Vec<String>,
    /// Its password in the session API, or several, any of which is good. Default: none, and
    /// the password must be empty.
    pub secret: Option<RawSecrets>,
}

/// How much is remembered.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "State",
    deny_unknown_fields,
    default,
    expecting = "the fields of `state`"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub struct RawState {
    /// Places that accounts are spread over. Changing it starts with an empty record.
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = *limits::SLOTS.start(), max = *limits::SLOTS.end()))
    )]
    pub slots: u32,
    /// The most streams on record at once, in the whole edge.
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = *limits::STREAMS.start(), max = *limits::STREAMS.end()))
    )]
    pub max_streams: u64,
    /// The most live streams of one account, whatever its policies say.
    #[cfg_attr(
        feature = "schema",
        schemars(range(
            min = *limits::STREAMS_PER_SUBJECT.start(),
            max = *limits::STREAMS_PER_SUBJECT.end()
        ))
    )]
    pub max_streams_per_subject: u32,
    /// The most bytes of one stream's attributes together, names and values.
    #[cfg_attr(
        feature = "schema",
        schemars(range(
            min = *limits::ATTRIBUTE_BYTES.start(),
            max = *limits::ATTRIBUTE_BYTES.end()
        ))
    )]
    pub max_attribute_bytes: u32,
}

impl Default for RawState {
    fn default() -> Self {
        Self {
            slots: 65_536,
            max_streams: 1_000_000,
            max_streams_per_subject: 64,
            max_attribute_bytes: 2_048,
        }
    }
}
