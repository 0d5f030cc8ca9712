//! Protected paths.

#[cfg(feature = "schema")]
use std::collections::BTreeMap;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(feature = "schema")]
use serde::Serialize;

#[cfg(feature = "schema")]
use super::super::limits;
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
    pub idp: String,
    /// How streams begin.
    pub start: RawStart,
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
    pub liveness: RawLiveness,
    /// What becomes of a player that says it is paused (CMCD `sta`). Default: nothing; it
    /// keeps its place until its timeout.
    pub paused: Option<RawPaused>,
    /// What becomes of a browser's question beforehand (CORS preflight).
    #[serde(default)]
    pub preflight: RawPreflight,
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
    /// Paths that begin with this; without percent-encoding.
    #[cfg_attr(
        feature = "schema",
        schemars(regex(pattern = r"^/([^~?#%;\\][^?#%;\\]*)?$"))
    )]
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
    /// A playback token.
    Token(RawTokenPosition),
    /// A claim of the JWT that Envoy's `jwt_authn` has checked.
    JwtClaim(
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))] String,
    ),
    /// A Common Access Token; needs `cat`.
    Cat(RawCatSubject),
    /// A header that an earlier hop sets and clients cannot.
    Header(#[cfg_attr(feature = "schema", schemars(regex(pattern = limits::HEADER)))] String),
}

/// What can say which stream it is.
#[derive(Debug, Deserialize)]
#[serde(rename = "StreamCarrier", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawStreamCarrier {
    /// A playback token.
    Token(RawTokenPosition),
    /// A claim of the JWT that Envoy's `jwt_authn` has checked.
    JwtClaim(
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))] String,
    ),
    /// A header that an earlier hop sets and clients cannot.
    Header(#[cfg_attr(feature = "schema", schemars(regex(pattern = limits::HEADER)))] String),
    /// A Common Access Token; needs `cat`.
    Cat(RawCatId),
    /// CMCD (CTA-5004).
    Cmcd(RawCmcdSid),
    /// A redirect that gives each playback an id of its own; needs `{token: path}`, too.
    Redirect(#[cfg_attr(feature = "schema", schemars(extend("const" = true)))] bool),
    /// What can be seen of any client, as a last resort.
    Client(RawClient),
}

/// Where a playback token stands.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename = "TokenPlace", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawTokenPosition {
    /// In front of the path.
    Path,
    /// In a query parameter of this name.
    Query(#[cfg_attr(feature = "schema", schemars(regex(pattern = limits::HEADER)))] String),
    /// In a cookie of this name.
    Cookie(#[cfg_attr(feature = "schema", schemars(regex(pattern = limits::HEADER)))] String),
    /// In a header of this name, alone or after `Bearer`.
    Header(#[cfg_attr(feature = "schema", schemars(regex(pattern = limits::HEADER)))] String),
}

/// The claim of a Common Access Token that names the account.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename = "CatSubject", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawCatSubject {
    /// The subject.
    Sub,
}

/// The claim of a Common Access Token that names the stream.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename = "CatId", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawCatId {
    /// The token's own id.
    Cti,
}

/// The CMCD key that names the stream.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename = "CmcdSid", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawCmcdSid {
    /// The session id.
    Sid,
}

/// What can be seen of any client.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename = "Client", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawClient {
    /// Its address together with its `User-Agent`.
    AddressAndAgent,
}

/// What can be seen of any client, as an attribute.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename = "SeenClient", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawSeenClient {
    /// Its address together with its `User-Agent`.
    AddressAndAgent,
    /// The network that its address is in: 24 bits of IPv4, 56 of IPv6.
    Network,
}

/// Where an attribute comes from.
#[derive(Debug, Deserialize)]
#[serde(rename = "AttributeSource", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawAttributeSource {
    /// A segment of the path, the first being 1.
    PathSegment(
        #[cfg_attr(
            feature = "schema",
            schemars(range(min = *limits::PATH_SEGMENT.start(), max = *limits::PATH_SEGMENT.end()))
        )]
        u32,
    ),
    /// A query parameter.
    Query(
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))] String,
    ),
    /// A header.
    Header(#[cfg_attr(feature = "schema", schemars(regex(pattern = limits::HEADER)))] String),
    /// A cookie.
    Cookie(#[cfg_attr(feature = "schema", schemars(regex(pattern = limits::HEADER)))] String),
    /// A claim of the JWT that Envoy's `jwt_authn` has checked.
    JwtClaim(
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))] String,
    ),
    /// What can be seen of any client, as a keyed hash.
    Client(RawSeenClient),
    /// CMCD (CTA-5004).
    Cmcd(RawCmcdKey),
    /// The same for every stream of this path.
    Value(
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))] String,
    ),
}

/// What CMCD says of a playback.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename = "CmcdKey", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawCmcdKey {
    /// The session id.
    Sid,
    /// The content id.
    Cid,
    /// The player's state, one letter.
    Sta,
    /// Whether the player is in the background: `true` or `false`.
    Bg,
}

/// What keeps a stream alive.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename = "Liveness", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub enum RawLiveness {
    /// Media requests as well as heartbeats.
    #[default]
    Any,
    /// Media requests alone, from the first one on: a heartbeat does not keep a stream
    /// whose segments stopped.
    Media,
}

/// What becomes of a player that says it is paused (CMCD `sta`).
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename = "Paused", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawPaused {
    /// Its manifest requests keep its stream alive.
    Keep,
    /// Its place is free at once; it starts again when it plays on, if there is room.
    Release,
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

/// What becomes of a browser's question beforehand: OPTIONS with `Origin` and
/// `Access-Control-Request-Method`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename = "Preflight", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub enum RawPreflight {
    /// It is answered at the edge, for any origin, and reaches nobody.
    #[default]
    Answer,
    /// It goes on to the origin unasked. One that answers OPTIONS with the file then gives
    /// it to anybody.
    Forward,
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
