//! Protected paths.

#[cfg(feature = "schema")]
use std::collections::BTreeMap;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(feature = "schema")]
use serde::Serialize;
use streamgate_policy::activity::Liveness;

use super::super::choices::{Paused, Preflight, Start};
#[cfg(feature = "schema")]
use super::super::limits;
use super::carriers::{RawAttributeSource, RawStreamCarrier, RawSubjectCarrier};
use super::classes::{RawClasses, RawPattern};
use super::sharing::RawSharing;
use crate::named::Named;

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
    #[cfg_attr(feature = "schema", schemars(length(max = limits::IDP_MAX)))]
    pub idp: String,
    /// How streams begin.
    pub start: Start,
    /// Where to find the account; the first that yields one wins.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub subject: Vec<RawSubjectCarrier>,
    /// Where to find the stream; the first that yields one wins.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub stream: Vec<RawStreamCarrier>,
    /// What paths are for, where their names do not tell.
    #[serde(default)]
    pub classes: RawClasses,
    /// Names for segments of the path, which become attributes: with
    /// `/live/{channel}/{assetId}`, the path `/live/news/7/1.m4s` says that `channel` is
    /// `news` and `assetId` is `7`. A `*` stands for any segment.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^/[^?#]*$")))]
    pub template: Option<String>,
    /// Attributes that a request says of its stream, by name; they feed the policies.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "BTreeMap<String, RawAttributeSource>", extend("default" = {}))
    )]
    pub attributes: Named<RawAttributeSource>,
    /// What keeps a stream alive.
    #[serde(default)]
    pub liveness: Liveness,
    /// What becomes of a player that says it is paused (CMCD `sta`). Default: nothing; it
    /// keeps its place until its timeout.
    pub paused: Option<Paused>,
    /// What becomes of a browser's question beforehand (CORS preflight).
    #[serde(default)]
    pub preflight: Preflight,
    /// Manifests whose URLs are to keep the token in front of their path.
    #[serde(default)]
    pub manifests: RawManifests,
    /// How to refuse.
    #[serde(default)]
    pub refuse: RawRefuse,
    /// How many viewers one stream may have at once. Default: nobody looks.
    pub sharing: Option<RawSharing>,
    /// How long a stream lives after its last media request: a duration, 1s to 1day.
    /// Default: `sessions.timeout`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = limits::DURATION)))]
    pub timeout: Option<String>,
    /// The most of what a player says it has buffered (CMCD `bl`) that its stream lives longer
    /// by: a duration, 0s to 1h. `0s`: none of it.
    #[serde(default = "default_buffer_max")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = limits::DURATION)))]
    pub buffer_max: String,
}

fn default_buffer_max() -> String {
    "5m".to_owned()
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
    /// Paths that fit one of these are left out: ads, slates.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(length(max = limits::PATTERNS_MAX), extend("default" = []))
    )]
    pub exclude: Vec<RawPattern>,
    /// Paths that begin with this; without percent-encoding, and no pattern.
    #[cfg_attr(
        feature = "schema",
        schemars(regex(pattern = r"^/([^~?#%;\\*][^?#%;\\*]*)?$"))
    )]
    pub prefix: String,
}

/// Manifests that came under a token in front of their path: URLs in them that are absolute
/// paths, or name this host, get the token, too.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "Manifests",
    deny_unknown_fields,
    default,
    expecting = "the fields of `manifests`"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub struct RawManifests {
    /// The most bytes of a manifest that is looked at, unpacked. A larger one is passed on as it
    /// is. 0: all are.
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = *limits::MANIFEST.start(), max = *limits::MANIFEST.end()))
    )]
    pub max_bytes: u32,
}

impl Default for RawManifests {
    fn default() -> Self {
        Self {
            max_bytes: 2_097_152,
        }
    }
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
    #[serde(default = "default_status")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = limits::REFUSALS)))]
    pub status: u16,
    /// What to show instead of a manifest that is refused for a limit.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub slate: RawSlate,
}

impl Default for RawRefuse {
    fn default() -> Self {
        Self {
            status: default_status(),
            slate: RawSlate::default(),
        }
    }
}

const fn default_status() -> u16 {
    403
}

/// Manifests of a slate, to which a refused manifest request is redirected. They must
/// not stand on a protected path.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename = "Slate",
    deny_unknown_fields,
    expecting = "the fields of `slate`"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub struct RawSlate {
    /// For HLS: a path, or a URL.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^(/|https?://)")))]
    pub hls: Option<String>,
    /// For DASH, likewise.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^(/|https?://)")))]
    pub dash: Option<String>,
}
