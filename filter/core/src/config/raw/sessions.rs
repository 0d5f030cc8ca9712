//! Sessions, their keys, and how subjects are hidden.

use core::fmt;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

#[cfg(feature = "schema")]
use super::super::limits;

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
    #[cfg_attr(
        feature = "schema",
        schemars(
            regex(pattern = r"^/([^~?#%/]|[^~?#%][^?#%]*[^?#%/])$"),
            extend("default" = BASE_PATH)
        )
    )]
    pub base_path: Option<String>,
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
    #[cfg_attr(
        feature = "schema",
        schemars(
            range(min = *limits::PER_MINUTE.start(), max = *limits::PER_MINUTE.end()),
            extend("default" = CALLS_PER_MINUTE)
        )
    )]
    pub calls_per_minute: Option<u32>,
    /// The most creates of one account in a minute.
    #[cfg_attr(
        feature = "schema",
        schemars(
            range(min = *limits::PER_MINUTE.start(), max = *limits::PER_MINUTE.end()),
            extend("default" = CALLS_PER_MINUTE)
        )
    )]
    pub creates_per_minute: Option<u32>,
    /// The most creates from one client address in a minute, counted by each worker. Default:
    /// 600; none where the subject is `trusted`, because the address is that of the hop then.
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = *limits::PER_MINUTE.start(), max = *limits::PER_MINUTE.end()))
    )]
    pub creates_per_minute_per_client: Option<u32>,
}

/// The default of `sessions.base_path`.
pub const BASE_PATH: &str = "/v2";

/// The default of `sessions.calls_per_minute` and `sessions.creates_per_minute`.
pub const CALLS_PER_MINUTE: u32 = 200;

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
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Secret", untagged))]
pub enum RawSecret {
    /// The text itself.
    Inline(#[cfg_attr(feature = "schema", schemars(length(min = limits::SECRET_MIN)))] String),
    /// In an environment variable of Envoy's that the VM was given.
    Environment(RawEnvironment),
}

/// One secret, or several of which any is good: the new one and the old one, while clients
/// change over.
#[derive(Debug)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Secrets", untagged))]
pub enum RawSecrets {
    /// One.
    One(RawSecret),
    /// Several.
    Several(
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::APPLICATION_SECRETS)))]
         Vec<RawSecret>,
    ),
}

/// Where in the environment.
#[derive(Deserialize)]
#[serde(
    rename = "Environment",
    deny_unknown_fields,
    expecting = "the secret's text or {env: NAME}"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawEnvironment {
    /// The variable's name, as in `vm_config.environment_variables`.
    pub env: String,
}

/// By hand: what serde derives for a choice by form takes a list for the fields of
/// [`RawEnvironment`].
impl<'de> Deserialize<'de> for RawSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = RawSecret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the secret's text or {env: NAME}")
    }

    fn visit_str<E>(self, text: &str) -> Result<RawSecret, E> {
        Ok(RawSecret::Inline(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawSecret, A::Error> {
        let fields = MapAccessDeserializer::new(map);
        RawEnvironment::deserialize(fields).map(RawSecret::Environment)
    }
}

/// Never shows a secret. Nor a variable's name, which may be one.
impl fmt::Debug for RawSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawSecret(..)")
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
