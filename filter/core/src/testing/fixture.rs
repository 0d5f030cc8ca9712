//! A configuration and request heads to test with.

use crate::config::{self, Config, ConfigError};
use crate::exchange::Head;

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

/// A request's head, for tests.
#[derive(Default, Clone)]
pub(crate) struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// These headers, names in lower case.
    pub(crate) fn new(headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter();
        Self(
            headers
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
        )
    }

    /// Another value for a header, or none.
    pub(crate) fn replaced(mut self, name: &str, value: Option<&[u8]>) -> Self {
        self.0.retain(|(known, _)| known != name);
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// One header more, of any bytes.
    pub(crate) fn with(mut self, name: &str, value: &[u8]) -> Self {
        self.0.push((name.to_owned(), value.to_vec()));
        self
    }
}

/// As text, so that it can be searched.
impl core::fmt::Debug for Headers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let headers = self.0.iter();
        let headers = headers.map(|(name, value)| (name, String::from_utf8_lossy(value)));
        f.debug_map().entries(headers).finish()
    }
}

impl Head for Headers {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.headers(name).into_iter().next()
    }

    fn headers(&self, name: &str) -> Vec<Vec<u8>> {
        let matching = self.0.iter().filter(|(known, _)| known == name);
        matching.map(|(_, value)| value.clone()).collect()
    }

    /// Claims stand among the headers, under names that no header has; those in claims
    /// behind a `>`.
    fn jwt_claim_at(&self, payload: &str, claim: &[&str]) -> Option<Vec<u8>> {
        self.header(&format!("({payload}) {}", claim.join(">")))
    }

    fn client_address(&self) -> Option<Vec<u8>> {
        self.header("(client address)")
    }
}
