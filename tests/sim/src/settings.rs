//! The configuration that simulated edges run under, written as an operator would.

use serde_json::json;
use streamgate_core::config::{self, Config};

/// The account id's provider, as in every path of the session API.
pub const IDP: &str = "acme";

/// What differs from one fleet to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a stream lives without a sign of life, in seconds; three or more.
    pub timeout_s: u64,
    /// How many streams an account may play at once.
    pub limit: u32,
    /// How many shards accounts are spread over.
    pub shards: u32,
    /// How many slots each edge spreads its copies over.
    pub slots: u32,
    /// How long a start waits for the store, in milliseconds.
    pub wait_ms: u64,
    /// The password that the store demands.
    pub password: Option<String>,
    /// What a start gets while the store does not answer: `admit` or `refuse`.
    pub on_outage: &'static str,
    /// The names of the signing keys. The first signs.
    pub signing_keys: &'static [&'static str],
}

impl Settings {
    /// The configuration of one worker.
    ///
    /// `/vod/` refuses newcomers (application `vod`), `/live/` stops the oldest (`live`).
    ///
    /// # Panics
    ///
    /// If it would be a bad one.
    #[must_use]
    pub fn config(&self) -> Config {
        let policy = |name: &str, on_conflict: &str| {
            json!({"name": name, "rules": [
                {"name": "streams", "max": self.limit, "on_conflict": on_conflict}
            ]})
        };
        let path = |application: &str| {
            json!({
                "match": {"prefix": format!("/{application}/")},
                "application": application,
                "idp": IDP,
                "start": "implicit",
                "subject": [{"token": "path"}, {"header": "x-account-id"}],
                "stream": [{"token": "path"}, {"cmcd": "sid"}, {"redirect": true}],
                "attributes": {"assetId": {"path_segment": 2}},
            })
        };
        let signing_key = |id: &&str| json!({"id": id, "secret": format!("the signing key {id}, of some length")});
        let signing_keys: Vec<_> = self.signing_keys.iter().map(signing_key).collect();
        let mut written = json!({
            "applications": [
                {"id": "vod", "tenant": "demo", "policies": ["vod"]},
                {"id": "live", "tenant": "demo", "policies": ["live"]},
            ],
            "policies": [policy("vod", "deny_new"), policy("live", "stop_oldest")],
            "session_api": {"subject": "trusted"},
            "sessions": {
                "heartbeat": format!("{}s", self.timeout_s / 3),
                "timeout": format!("{}s", self.timeout_s),
                "signing_keys": signing_keys,
            },
            "privacy": {"subject_key": "a subject key of some length"},
            "playback": [path("vod"), path("live")],
            "state": {"slots": self.slots, "max_streams": 10_000_000},
            "fleet": {
                "cluster": "valkey",
                "shards": self.shards,
                "wait": format!("{}ms", self.wait_ms),
                "on_outage": self.on_outage,
            },
        });
        if let Some(password) = &self.password {
            written["fleet"]["password"] = json!(password);
        }
        config::load(written.to_string().as_bytes(), &|_| None)
            .unwrap_or_else(|error| panic!("{error}"))
    }
}
