//! What paths are for.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(feature = "schema")]
use serde::Serialize;

#[cfg(feature = "schema")]
use super::super::limits;

/// What paths are for, where the names that packagers give by themselves do not tell.
/// The patterns are tried in the order of these fields; paths that fit none are told by
/// their names.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename = "Classes",
    deny_unknown_fields,
    default,
    expecting = "the fields of `classes`"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub struct RawClasses {
    /// Playlists and manifests.
    #[cfg_attr(feature = "schema", schemars(length(max = limits::PATTERNS_MAX)))]
    pub manifest: Vec<RawPattern>,
    /// Initialisation segments.
    #[cfg_attr(feature = "schema", schemars(length(max = limits::PATTERNS_MAX)))]
    pub init: Vec<RawPattern>,
    /// Decryption keys, licences and certificates.
    #[cfg_attr(feature = "schema", schemars(length(max = limits::PATTERNS_MAX)))]
    pub key: Vec<RawPattern>,
    /// Subtitles, thumbnails, pictures, metadata.
    #[cfg_attr(feature = "schema", schemars(length(max = limits::PATTERNS_MAX)))]
    pub side: Vec<RawPattern>,
    /// Media segments: what counts as watching.
    #[cfg_attr(feature = "schema", schemars(length(max = limits::PATTERNS_MAX)))]
    pub media: Vec<RawPattern>,
}

/// A pattern over the path without its query, percent-decoded, whatever its case: `*`
/// stands for anything within one segment, `**` for any number of segments.
#[derive(Debug, Deserialize)]
#[serde(rename = "Pattern", transparent)]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub struct RawPattern(
    #[cfg_attr(
        feature = "schema",
        schemars(length(max = limits::PATTERN_MAX), regex(pattern = limits::PATTERN))
    )]
    pub String,
);
