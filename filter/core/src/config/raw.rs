//! A configuration as an operator writes it. `docs/configuration.md` explains each field.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::problem::ConfigError;

/// The whole configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawConfig {
    /// Client applications.
    pub applications: Vec<RawApplication>,
    /// Policies that applications list.
    #[serde(default)]
    pub policies: Vec<RawPolicy>,
    /// Sessions and their signatures.
    pub sessions: RawSessions,
    /// Which shape the session API answers in.
    #[serde(default)]
    pub compatibility: RawCompatibility,
    /// How subjects are made unreadable.
    pub privacy: RawPrivacy,
    /// Protected paths.
    #[serde(default)]
    pub playback: Vec<RawPlayback>,
    /// Size of the state.
    #[serde(default)]
    pub state: RawState,
}

/// Which shape the session API answers in.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub enum RawCompatibility {
    /// Streamgate's own.
    #[default]
    #[serde(rename = "streamgate")]
    Streamgate,
    /// The reference service's.
    #[serde(rename = "cm-v2")]
    CmV2,
}

/// A client application.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawApplication {
    /// Application id: the HTTP Basic user name.
    pub id: String,
    /// Name shown in advice; the id if absent.
    pub name: Option<String>,
    /// The organisation that owns it.
    pub tenant: String,
    /// Names of the policies that hold for it.
    #[serde(default)]
    pub policies: Vec<String>,
}

/// A named group of rules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPolicy {
    /// Name.
    pub name: String,
    /// Whether it acts.
    #[serde(default)]
    pub mode: RawMode,
    /// Its rules, all of which hold.
    pub rules: Vec<RawRule>,
}

/// Whether a policy acts.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawMode {
    /// It does.
    #[default]
    Enforce,
    /// It judges and counts and never refuses.
    Monitor,
}

/// One limit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRule {
    /// Name, unique in its policy.
    pub name: String,
    /// The most at once.
    pub max: u32,
    /// What is counted.
    #[serde(default)]
    pub count: RawCount,
    /// Attributes per whose values it is counted.
    #[serde(default)]
    pub per: Vec<String>,
    /// Which streams it looks at, by attribute.
    #[serde(default)]
    pub when: BTreeMap<String, RawTest>,
    /// Who gives way.
    pub on_conflict: RawOnConflict,
    /// What a device does to its own earlier stream; `replace` for rules that count
    /// streams, `count` for others, if absent.
    pub same_device: Option<RawSameDevice>,
    /// What the viewer is told.
    pub message: Option<RawMessage>,
}

/// What is counted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawCount {
    /// Streams.
    #[default]
    Streams,
    /// Distinct values of this attribute.
    Distinct(String),
}

/// What a device does to its own earlier stream when it starts again.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawSameDevice {
    /// It replaces it.
    Replace,
    /// Both count.
    Count,
}

/// What an attribute's value must be.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a value, a list of values, or one of {not: …}, {present: …}, \
                 {at_least: …}, {at_most: …}, {above: …}, {below: …}"
)]
pub enum RawTest {
    /// This value.
    Equals(RawValue),
    /// One of these.
    AnyOf(Vec<RawValue>),
    /// Something else.
    Other(RawOther),
}

/// A test that is no plain value.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawOther {
    /// None of these.
    Not(RawValues),
    /// There at all, or not.
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
#[serde(untagged, expecting = "expected a value or a list of values")]
pub enum RawValues {
    /// One.
    One(RawValue),
    /// Several.
    Several(Vec<RawValue>),
}

/// An attribute's value. Attributes are text; numbers and truth values are compared
/// as they are written.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "expected text, a number, true or false")]
pub enum RawValue {
    /// Text.
    Text(String),
    /// `true` or `false`.
    Truth(bool),
    /// A number.
    Number(serde_json::Number),
}

/// A text, or texts by language tag.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a text, or texts by language: {en: …, de: …}"
)]
pub enum RawMessage {
    /// For everybody.
    Text(String),
    /// By language; `en`, or else the first, is for whoever reads none of them.
    ByLanguage(BTreeMap<String, String>),
}

/// Who gives way.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawOnConflict {
    /// The newcomer.
    DenyNew,
    /// The oldest.
    StopOldest,
}

/// Sessions and their signatures.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSessions {
    /// What session API paths begin with.
    #[serde(default = "default_base_path")]
    pub base_path: String,
    /// By when the next heartbeat is asked for.
    #[serde(default = "default_heartbeat")]
    pub heartbeat: String,
    /// How long a session lives without a sign of life.
    #[serde(default = "default_timeout")]
    pub timeout: String,
    /// How long a path token is worth something.
    #[serde(default = "default_token_lifetime")]
    pub token_lifetime: String,
    /// The keys: the first signs, all verify.
    pub signing_keys: Vec<RawKey>,
    /// The most heartbeats and stops of a session in a minute.
    #[serde(default = "default_per_minute")]
    pub calls_per_minute: u32,
    /// The most creates of a subject in a minute.
    #[serde(default = "default_per_minute")]
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
#[serde(deny_unknown_fields)]
pub struct RawKey {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: RawSecret,
}

/// A secret: the text itself, or where to find it.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected the secret's text or {env: NAME}")]
pub enum RawSecret {
    /// The text itself.
    Inline(String),
    /// In an environment variable of Envoy's that the VM was given.
    Environment(RawEnvironment),
}

/// Where in the environment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawEnvironment {
    /// The variable's name.
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

/// How subjects are made unreadable.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPrivacy {
    /// Secret of the keyed hash that stands for a subject in state, tokens and logs.
    pub subject_key: RawSecret,
}

/// A protected path.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPlayback {
    /// Which paths.
    #[serde(rename = "match")]
    pub matches: RawMatch,
    /// The application of streams that start here without a token.
    pub application: String,
    /// The identity provider of subjects named by a header.
    #[serde(default)]
    pub idp: String,
    /// How streams begin.
    pub start: RawStart,
    /// Where to find the subject.
    pub subject: Vec<RawSubjectCarrier>,
    /// Where to find the stream.
    pub stream: Vec<RawStreamCarrier>,
    /// How to refuse.
    #[serde(default)]
    pub refuse: RawRefuse,
    /// How long a stream lives after its last media request; as for sessions if absent.
    pub timeout: Option<String>,
}

/// Which paths.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawMatch {
    /// Paths that begin with this.
    pub prefix: String,
}

/// How streams begin.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawStart {
    /// By the first successful media request.
    Implicit,
    /// Through the session API only.
    SessionRequired,
}

/// What can say whose account watches.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawSubjectCarrier {
    /// A token.
    Token(RawTokenPlace),
    /// A trusted header.
    Header(String),
}

/// What can say which stream it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawStreamCarrier {
    /// A token.
    Token(RawTokenPlace),
    /// A trusted header.
    Header(String),
    /// CMCD.
    Cmcd(RawCmcdKey),
    /// A redirect that mints a stream id; `true`.
    Redirect(bool),
}

/// Where a token stands.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawTokenPlace {
    /// In front of the path.
    Path,
}

/// Which CMCD key names the stream.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawCmcdKey {
    /// The session id.
    Sid,
}

/// How to refuse.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRefuse {
    /// Status: 403, 409 or 410.
    pub status: u16,
}

impl Default for RawRefuse {
    fn default() -> Self {
        Self { status: 403 }
    }
}

/// Size of the state.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawState {
    /// Slots subjects are spread over.
    pub slots: u32,
    /// The most streams on record at once, in the whole edge.
    pub max_streams: u64,
    /// The most live streams of one subject.
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
    ConfigError::Form {
        path,
        what: error.inner().to_string(),
    }
}
