//! What an Envoy tells of itself.

use streamgate_tests::{Client, statistic};

/// An Envoy's administration interface.
#[derive(Debug)]
pub(crate) struct Admin(Client);

impl Admin {
    /// The one at a port.
    pub(crate) fn at(port: u16) -> Self {
        Self(Client::new(port))
    }

    /// One of the filter's counters or gauges, by its name in short.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        self.counter(&statistic(name))
    }

    /// A counter or gauge by its whole name; 0 if it was never touched.
    pub(crate) fn counter(&self, name: &str) -> u64 {
        let filter = name.replace('.', "\\.");
        let path = format!("/stats?format=json&filter=^{filter}$");
        let stats = self.0.get(&path).send().expect(200).json();
        let stats = stats["stats"].as_array().cloned().unwrap_or_default();
        let stat = stats.iter().find(|stat| stat["name"] == name);
        stat.and_then(|stat| stat["value"].as_u64())
            .unwrap_or_default()
    }

    /// Statistics as plain text.
    pub(crate) fn text(&self, filter: &str) -> String {
        let path = format!("/stats?filter={filter}");
        self.0.get(&path).send().expect(200).text()
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
