//! What in a request says who watches, and what of a stream.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;

#[cfg(feature = "schema")]
use super::super::limits;
use super::super::playback::CmcdKey;

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
    Cmcd(CmcdKey),
    /// The same for every stream of this path.
    Value(
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))] String,
    ),
}
