//! Common Access Tokens (CTA-5007).

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(feature = "schema")]
use serde::Serialize;

#[cfg(feature = "schema")]
use super::super::limits;
use super::RawSecret;

/// Who may issue Common Access Tokens (CTA-5007), and where they stand.
#[derive(Debug, Deserialize)]
#[serde(rename = "Cat", deny_unknown_fields, expecting = "the fields of `cat`")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawCat {
    /// The issuers' keys: any may have signed a token.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::CAT_KEYS)))]
    pub keys: Vec<RawCatKey>,
    /// Issuers that are trusted (`iss`). Default: whoever holds a key.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(inner(length(min = 1, max = limits::NAME_MAX)), extend("default" = []))
    )]
    pub issuers: Vec<String>,
    /// What tokens must be for (`aud`). Default: a token for an audience is refused.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))]
    pub audience: Option<String>,
    /// How far clocks may be apart: a duration, up to 10min.
    #[serde(default = "default_leeway")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = limits::DURATION)))]
    pub leeway: String,
    /// The header it stands in, alone or after `Bearer`.
    #[serde(default = "default_header")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = limits::HEADER)))]
    pub header: String,
    /// The cookie it stands in.
    #[serde(default = "default_header")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = limits::HEADER)))]
    pub cookie: String,
    /// The query parameter it stands in.
    #[serde(default = "default_query")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = limits::HEADER)))]
    pub query: String,
}

fn default_leeway() -> String {
    "30s".to_owned()
}

fn default_header() -> String {
    "CTA-Common-Access-Token".to_owned()
}

fn default_query() -> String {
    "CAT".to_owned()
}

/// A key that vouches for tokens: a secret shared with the issuer, or the issuer's public
/// key.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "CatKey",
    deny_unknown_fields,
    expecting = "the fields of a key for Common Access Tokens"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawCatKey {
    /// The key id that tokens name (`kid`), as text.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))]
    pub id: String,
    /// For HMAC with SHA-256 (COSE algorithm 5): 32 bytes or more.
    pub secret: Option<RawSecret>,
    /// How `secret` is written.
    #[serde(default)]
    pub encoding: RawEncoding,
    /// For ES256 (COSE algorithm -7): a public key in PEM.
    pub public_key: Option<String>,
}

/// How bytes are written as text.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename = "Encoding", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub enum RawEncoding {
    /// As they are.
    #[default]
    Text,
    /// Two hexadecimal digits each.
    Hex,
    /// Base64 (RFC 4648, section 4).
    Base64,
}
