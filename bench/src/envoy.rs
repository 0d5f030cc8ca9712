//! What an Envoy tells of itself.

use serde_json::Value;
use streamgate_tests::Client;

/// An Envoy's administration interface.
#[derive(Debug)]
pub(crate) struct Admin(Client);

impl Admin {
    /// The one at a port.
    pub(crate) fn at(port: u16) -> Self {
        Self(Client::new(port))
    }

    /// One of the filter's counters or gauges, by its name after `streamgate.`; 0 if it
    /// was never touched.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let wanted = format!("wasmcustom.streamgate.{name}");
        let stats = self.stats(&format!("^{}$", wanted.replace('.', "\\.")));
        let stats = stats["stats"].as_array().cloned().unwrap_or_default();
        let stat = stats.iter().find(|stat| stat["name"] == wanted.as_str());
        stat.and_then(|stat| stat["value"].as_u64())
            .unwrap_or_default()
    }

    /// Statistics whose names fit a regular expression.
    pub(crate) fn stats(&self, filter: &str) -> Value {
        let path = format!("/stats?format=json&filter={filter}");
        self.0.get(&path).send().expect(200).json()
    }

    /// Statistics as plain text.
    pub(crate) fn text(&self, filter: &str) -> String {
        let path = format!("/stats?filter={filter}");
        self.0.get(&path).send().expect(200).text()
    }

    /// Forgets what counters and histograms hold.
    pub(crate) fn reset(&self) {
        let _ = self.0.request("POST", "/reset_counters").send().expect(200);
    }

    /// Bytes that Envoy has allocated, by its own account.
    pub(crate) fn allocated(&self) -> u64 {
        let memory = self.0.get("/memory").send().expect(200).json();
        let allocated = memory["allocated"].as_str();
        allocated
            .and_then(|bytes| bytes.parse().ok())
            .expect("bytes")
    }
}
