//! A configuration as an operator writes it. `docs/configuration.md` explains each field.
//!
//! With the feature `schema` these types also generate
//! `docs/configuration.schema.json`: their comments are its descriptions, and what an
//! operator's editor shows. The names in `serde(rename)` are the schema's, and those
//! that errors call a part of the configuration by.

use std::collections::BTreeMap;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(feature = "schema")]
use serde::Serialize;

#[cfg(feature = "schema")]
use super::limits;
use super::nearest;
use super::problem::ConfigError;

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
    /// How sessions live and what signs them.
    pub sessions: RawSessions,
    /// Which shape the session API answers in.
    #[serde(default)]
    pub compatibility: RawCompatibility,
    /// How accounts are made unreadable.
    pub privacy: RawPrivacy,
    /// Protected paths. The first whose prefix fits a path applies; paths that fit none
    /// pass untouched.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub playback: Vec<RawPlayback>,
    /// How much is remembered.
    #[serde(default)]
    pub state: RawState,
}

/// Which shape the session API answers in.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename = "Compatibility")]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub enum RawCompatibility {
    /// Streamgate's own: a create and a heartbeat are answered with a body.
    #[default]
    #[serde(rename = "streamgate")]
    Streamgate,
    /// As existing clients of the CM v2 API expect it: no body, and
    /// `Location` holds the bare id.
    #[serde(rename = "cm-v2")]
    CmV2,
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
    pub name: Option<String>,
    /// The organisation that owns it.
    pub tenant: String,
    /// Names of the policies that hold for its streams: all must allow a stream.
    #[serde(default)]
    pub policies: Vec<String>,
}

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
    pub mode: RawMode,
    /// Its rules, all of which hold.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub rules: Vec<RawRule>,
}

/// Whether a policy acts.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename = "Mode", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema, Serialize))]
pub enum RawMode {
    /// It refuses and evicts.
    #[default]
    Enforce,
    /// It judges and counts, and never refuses or evicts: the safe way to introduce a
    /// limit.
    Monitor,
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
    /// What is counted.
    #[serde(default)]
    pub count: RawCount,
    /// Attributes for each of whose values it counts anew: with `[channel]`, each
    /// channel has its own limit.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(inner(length(min = 1, max = limits::NAME_MAX)))
    )]
    pub per: Vec<String>,
    /// Which streams it looks at: by attribute, what its value must be. All must hold.
    /// Default: every stream.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub when: BTreeMap<String, RawTest>,
    /// Who gives way when the limit is reached.
    pub on_conflict: RawOnConflict,
    /// What happens to a device's own earlier stream when it starts again. Default:
    /// `replace` for a rule that counts streams, `count` for one that counts distinct
    /// values.
    pub same_device: Option<RawSameDevice>,
    /// What the viewer is told, with the placeholders `{limit}`, `{attribute}` and
    /// `{device}`. Default: "Too many streams on this account".
    pub message: Option<RawMessage>,
}

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
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))] String,
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
#[derive(Debug, Clone, Deserialize)]
#[serde(
    rename = "Test",
    untagged,
    expecting = "expected a value, a list of values, or one of {not: …}, {present: …}, \
                 {at_least: …}, {at_most: …}, {above: …}, {below: …}"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawTest {
    /// This value.
    Equals(RawValue),
    /// One of these.
    AnyOf(Vec<RawValue>),
    /// Another test.
    Other(RawOther),
}

/// A test that is no plain value.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename = "OtherTest", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
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
#[derive(Debug, Clone, Deserialize)]
#[serde(
    rename = "Values",
    untagged,
    expecting = "expected a value or a list of values"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawValues {
    /// One.
    One(RawValue),
    /// Several.
    Several(Vec<RawValue>),
}

/// An attribute's value. Attributes are text; numbers and truth values are compared
/// as they are written.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    rename = "Value",
    untagged,
    expecting = "expected text, a number, true or false"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawValue {
    /// Text.
    Text(String),
    /// `true` or `false`.
    Truth(bool),
    /// A number.
    Number(serde_json::Number),
}

/// A text, or texts by language.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    rename = "Message",
    untagged,
    expecting = "expected a text, or texts by language: {en: …, de: …}"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawMessage {
    /// For everybody.
    Text(String),
    /// By language tag (`de`, `pt-BR`). Who reads none of them gets `en`, or else the
    /// first by the alphabet.
    ByLanguage(
        #[cfg_attr(feature = "schema", schemars(extend("minProperties" = 1)))]
        BTreeMap<String, String>,
    ),
}

/// Who gives way.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename = "OnConflict", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawOnConflict {
    /// The newcomer is refused, nobody else is touched.
    DenyNew,
    /// The newcomer plays, the oldest lose their place.
    StopOldest,
}

/// How sessions live and what signs them.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "Sessions",
    deny_unknown_fields,
    expecting = "the fields of `sessions`"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawSessions {
    /// What session API paths begin with: a slash in front, none at the end.
    #[serde(default = "default_base_path")]
    #[cfg_attr(
        feature = "schema",
        schemars(regex(pattern = r"^/([^~?#%/]|[^~?#%][^?#%]*[^?#%/])$"))
    )]
    pub base_path: String,
    /// By when an app is asked to send its next heartbeat: a duration, 1s to 1day.
    #[serde(default = "default_heartbeat")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = limits::DURATION)))]
    pub heartbeat: String,
    /// How long a stream lives without a sign of life: a duration, longer than the
    /// heartbeat, at most 1day.
    #[serde(default = "default_timeout")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = limits::DURATION)))]
    pub timeout: String,
    /// How long a path token is good: a duration, 1m to 30days.
    #[serde(default = "default_token_lifetime")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = limits::DURATION)))]
    pub token_lifetime: String,
    /// The keys: the first signs, all verify.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub signing_keys: Vec<RawKey>,
    /// The most heartbeats and stops of one session in a minute.
    #[serde(default = "default_per_minute")]
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = *limits::PER_MINUTE.start(), max = *limits::PER_MINUTE.end()))
    )]
    pub calls_per_minute: u32,
    /// The most creates of one account in a minute.
    #[serde(default = "default_per_minute")]
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = *limits::PER_MINUTE.start(), max = *limits::PER_MINUTE.end()))
    )]
    pub creates_per_minute: u32,
}

fn default_per_minute() -> u32 {
    200
}

fn default_base_path() -> String {
    "/v2".to_owned()
}

fn default_heartbeat() -> String {
    "60s".to_owned()
}

fn default_timeout() -> String {
    "90s".to_owned()
}

fn default_token_lifetime() -> String {
    "12h".to_owned()
}

/// A signing key.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "SigningKey",
    deny_unknown_fields,
    expecting = "the fields of a signing key"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawKey {
    /// Its id, unique. It travels in what the key signs.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))]
    pub id: String,
    /// Its secret.
    pub secret: RawSecret,
}

/// A secret, 16 bytes or more: the text itself, or where to find it.
#[derive(Deserialize)]
#[serde(
    rename = "Secret",
    untagged,
    expecting = "expected the secret's text or {env: NAME}"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawSecret {
    /// The text itself.
    Inline(#[cfg_attr(feature = "schema", schemars(length(min = limits::SECRET_MIN)))] String),
    /// In an environment variable of Envoy's that the VM was given.
    Environment(RawEnvironment),
}

/// Where in the environment.
#[derive(Deserialize)]
#[serde(rename = "Environment", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawEnvironment {
    /// The variable's name, as in `vm_config.environment_variables`.
    pub env: String,
}

/// Never shows an inline secret.
impl core::fmt::Debug for RawSecret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("RawSecret(..)"),
            Self::Environment(from) => write!(f, "RawSecret(env {})", from.env),
        }
    }
}

/// How accounts are made unreadable.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "Privacy",
    deny_unknown_fields,
    expecting = "the fields of `privacy`"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawPrivacy {
    /// Secret of the keyed hash that stands for an account in state, tokens and logs.
    pub subject_key: RawSecret,
}

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
}

impl Default for RawState {
    fn default() -> Self {
        Self {
            slots: 65_536,
            max_streams: 1_000_000,
            max_streams_per_subject: 64,
        }
    }
}

/// Reads what Envoy hands over: JSON text, or a protobuf `Struct` (see [`super::wire`]).
///
/// # Errors
///
/// [`ConfigError::Form`] with the path of the field where reading stopped.
pub fn parse(bytes: &[u8]) -> Result<RawConfig, ConfigError> {
    if let Some(value) = super::wire::decode_struct(bytes) {
        return serde_path_to_error::deserialize(value).map_err(|error| form_error(&error));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let raw = serde_path_to_error::deserialize(&mut json).map_err(|error| form_error(&error))?;
    json.end().map_err(|error| ConfigError::Form {
        path: ROOT.to_owned(),
        what: error.to_string(),
    })?;
    Ok(raw)
}

/// How the configuration as a whole is called.
const ROOT: &str = "configuration";

fn form_error(error: &serde_path_to_error::Error<serde_json::Error>) -> ConfigError {
    let path = match error.path().to_string().as_str() {
        "." | "?" => ROOT.to_owned(),
        path => path.to_owned(),
    };
    let said = error.inner().to_string();
    let what = if SECRETS.iter().any(|secrets| path.starts_with(secrets)) {
        without_values(&said)
    } else {
        nearest::suggestion(&said).unwrap_or(said)
    };
    ConfigError::Form { path, what }
}

/// Where the values are secrets, or what may have been meant as one.
const SECRETS: [&str; 2] = ["sessions.signing_keys", "privacy"];

/// An error's text with nothing left of the text that was found.
fn without_values(said: &str) -> String {
    match (said.split_once('"'), said.rsplit_once('"')) {
        (Some((before, _)), Some((_, after))) => format!("{before}(not shown){after}"),
        _ => nearest::suggestion(said).unwrap_or_else(|| said.to_owned()),
    }
}
