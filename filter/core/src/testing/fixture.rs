//! A configuration to test with.

use crate::config::{self, Config, ConfigError};

/// The configuration of most tests, as an operator would write it.
pub(crate) const CONFIG: &str = r#"{
  "applications": [
    {"id": "web", "name": "Web player", "tenant": "demo", "policies": ["household"]},
    {"id": "tv", "tenant": "demo", "policies": ["household"]},
    {"id": "mobile", "tenant": "other", "policies": ["latest-wins"]}
  ],
  "policies": [
    {"name": "household", "rules": [
      {"name": "three-streams", "max": 3, "on_conflict": "deny_new"}
    ]},
    {"name": "latest-wins", "rules": [
      {"name": "one-stream", "max": 1, "on_conflict": "stop_oldest", "message": "Plays elsewhere"}
    ]}
  ],
  "session_api": {"subject": "trusted"},
  "sessions": {
    "heartbeat": "60s",
    "timeout": "90s",
    "signing_keys": [{"id": "k1", "secret": "a signing key of some length"}]
  },
  "privacy": {"subject_key": {"env": "SUBJECT_KEY"}},
  "playback": [
    {
      "match": {"prefix": "/vod/"},
      "application": "web",
      "idp": "acme",
      "start": "implicit",
      "subject": [{"token": "path"}, {"header": "X-Account-Id"}],
      "stream": [{"token": "path"}, {"header": "x-stream-id"}, {"cmcd": "sid"}, {"redirect": true}]
    },
    {
      "match": {"prefix": "/live/"},
      "application": "web",
      "idp": "acme",
      "start": "session_required",
      "subject": [{"token": "path"}, {"header": "x-account-id"}],
      "stream": [{"token": "path"}, {"cmcd": "sid"}],
      "refuse": {"status": 410}
    }
  ],
  "state": {"slots": 16, "max_streams": 1000}
}"#;

/// The environment of tests: `SUBJECT_KEY`.
pub(crate) fn env(name: &str) -> Option<String> {
    (name == "SUBJECT_KEY").then(|| "a subject key of some length".to_owned())
}

/// Reads [`CONFIG`].
pub(crate) fn config() -> Config {
    config_with(|_| ()).expect("the tests' configuration is good")
}

/// Reads [`CONFIG`] after `change`.
pub(crate) fn config_with(
    change: impl FnOnce(&mut serde_json::Value),
) -> Result<Config, ConfigError> {
    let mut json = serde_json::from_str(CONFIG).expect("the tests' configuration is JSON");
    change(&mut json);
    config::load(json.to_string().as_bytes(), &env)
}

/// Makes a viewers' configuration that of the operator's door beside them.
pub(crate) fn as_door(json: &mut serde_json::Value, operator: serde_json::Value) {
    let fields = json.as_object_mut().expect("a configuration");
    let _ = (fields.remove("playback"), fields.remove("session_api"));
    fields.insert("operator".to_owned(), operator);
}
