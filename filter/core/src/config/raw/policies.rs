//! Policies and their rules.

#[cfg(feature = "schema")]
use std::collections::BTreeMap;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(feature = "schema")]
use serde::Serialize;
use streamgate_policy::{Mode, OnConflict};

#[cfg(feature = "schema")]
use super::super::limits;
use crate::named::Named;

/// A named group of rules.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "Policy",
    deny_unknown_fields,
    expecting = "the fields of a policy"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawPolicy {
    /// Name, unique.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))]
    pub name: String,
    /// Whether it acts or only watches.
    #[serde(default)]
    pub mode: Mode,
    /// Its rules, all of which hold.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub rules: Vec<RawRule>,
}

/// One limit.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "Rule",
    deny_unknown_fields,
    expecting = "the fields of a rule"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawRule {
    /// Name, unique in its policy.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))]
    pub name: String,
    /// The most streams, or distinct values, at once.
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = *limits::MAX.start(), max = *limits::MAX.end()))
    )]
    pub max: u32,
    /// A claim of the viewer's credential whose value holds instead of `max`, where
    /// there is one. At most four claims in the whole configuration.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))]
    pub max_claim: Option<String>,
    /// What is counted.
    #[serde(default)]
    pub count: RawCount,
    /// Attributes for each of whose values it counts anew: with `[channel]`, each
    /// channel has its own limit.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(inner(length(min = 1, max = limits::ATTRIBUTE_NAME_MAX)))
    )]
    pub per: Vec<String>,
    /// Which streams it looks at: by attribute, what its value must be. All must hold.
    /// Default: every stream.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "BTreeMap<String, RawTest>", extend("default" = {}))
    )]
    pub when: Named<RawTest>,
    /// Who gives way when the limit is reached.
    pub on_conflict: OnConflict,
    /// What happens to a device's own earlier stream when it starts again. Default:
    /// `replace` for a rule that counts streams, `count` for one that counts distinct
    /// values.
    pub same_device: Option<RawSameDevice>,
    /// What the viewer is told, with the placeholders `{limit}`, `{attribute}` and
    /// `{device}` and no others, 1 to 1,024 bytes in each language. Default: "Too many
    /// streams on this account".
    pub message: Option<RawMessage>,
    /// A way out for a viewer who is refused, such as a page that helps or sells more
    /// screens; apps show it beside the message. Default: none.
    pub action: Option<RawAction>,
}

/// A way out for a viewer who is refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    rename = "Action",
    deny_unknown_fields,
    expecting = "the fields of an action: label and url"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawAction {
    /// What it is called, with the placeholders of `message`. Up to 128 bytes in each
    /// language.
    pub label: RawMessage,
    /// Where it leads: an https URL, one for everybody or by language.
    pub url: RawUrl,
}

/// An https URL, or several by language.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Url", untagged))]
pub enum RawUrl {
    /// For everybody.
    Text(RawHttps),
    /// By language tag. Who reads none of them gets `en`, or else the first by the alphabet.
    ByLanguage(
        #[cfg_attr(
            feature = "schema",
            schemars(with = "BTreeMap<String, RawHttps>", extend("minProperties" = 1))
        )]
        Named<RawHttps>,
    ),
}

/// An https URL in ASCII.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Https", transparent))]
pub struct RawHttps(
    #[cfg_attr(
        feature = "schema",
        schemars(length(max = limits::URL_MAX), regex(pattern = limits::HTTPS))
    )]
    pub String,
);

/// What is counted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename = "Count", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub enum RawCount {
    /// Streams.
    #[default]
    Streams,
    /// Distinct values of this attribute. Streams without it share one value.
    Distinct(
        #[cfg_attr(
            feature = "schema",
            schemars(length(min = 1, max = limits::ATTRIBUTE_NAME_MAX))
        )]
        String,
    ),
}

/// What happens to a device's own earlier stream when it starts again.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename = "SameDevice", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawSameDevice {
    /// It is replaced.
    Replace,
    /// Both count.
    Count,
}

/// What an attribute's value must be.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Test", untagged))]
pub enum RawTest {
    /// This value.
    Equals(RawValue),
    /// One of these.
    AnyOf(Vec<RawValue>),
    /// Another test.
    Other(RawOther),
}

/// A test that is no plain value.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(rename = "OtherTest", rename_all = "snake_case")
)]
pub enum RawOther {
    /// None of these. A stream without the attribute passes.
    Not(RawValues),
    /// The attribute is there at all, or is not.
    Present(bool),
    /// A number, this or more.
    AtLeast(f64),
    /// A number, this or less.
    AtMost(f64),
    /// A number, more than this.
    Above(f64),
    /// A number, less than this.
    Below(f64),
}

/// A value or several.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Values", untagged))]
pub enum RawValues {
    /// One.
    One(RawValue),
    /// Several.
    Several(Vec<RawValue>),
}

/// An attribute's value. Attributes are text; numbers and truth values are compared
/// as they are written.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Value", untagged))]
pub enum RawValue {
    /// Text.
    Text(String),
    /// `true` or `false`.
    Truth(bool),
    /// A number, of 15 digits at most if it has decimals; here as it is written.
    Number(#[cfg_attr(feature = "schema", schemars(with = "serde_json::Number"))] String),
}

/// A text, or texts by language.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Message", untagged))]
pub enum RawMessage {
    /// For everybody.
    Text(String),
    /// By language tag (`de`, `pt-BR`). Who reads none of them gets `en`, or else the
    /// first by the alphabet.
    ByLanguage(
        #[cfg_attr(
            feature = "schema",
            schemars(with = "BTreeMap<String, String>", extend("minProperties" = 1))
        )]
        Named<String>,
    ),
}
