//! What an edge tells of itself: its statistics and its logs.

use std::fs;

use serde_json::Value;

use super::{Edge, Envoy};
use crate::body::Body;
use crate::statistics::stats;
use crate::{Client, awaited, statistic};

/// What Envoy writes when the filter traps, or when it is in trouble itself.
const TRAPS: [&str; 8] = [
    "panicked at",
    "proc_exit",
    "in-VM backtrace",
    "Function: ",
    "unreachable",
    "[critical][assert]",
    "[critical][backtrace]",
    "[critical][main]",
];

/// A line of the access log, with what `decision` holds as fields beside the others, and nothing for those
/// that are not there.
fn decision(line: &str) -> Value {
    let parse = |text: &str| -> Value {
        serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {line}"))
    };
    let mut fields = parse(line);
    let decision = fields["decision"].take();
    let decision = parse(decision.as_str().expect("text in `decision`"));
    let told = decision.as_object().expect("an object").clone();
    fields.as_object_mut().expect("an object").extend(told);
    fields
}

impl Edge {
    /// One of the filter's counters or gauges, by its name in short (see [`statistic`]).
    #[must_use]
    pub fn metric(&self, name: &str) -> u64 {
        let stat = statistic(name);
        let found = self.stats(&format!("^{}$", stat.replace('.', "\\.")));
        let [(_, value)] = found.as_slice() else {
            panic!("Envoy knows no {stat}");
        };
        *value
    }

    /// Clients that are connected to different workers: one for each of them.
    #[must_use]
    pub fn one_client_per_worker(&self) -> Vec<Client> {
        let mut before = self.connections_by_worker();
        let mut found: Vec<Option<Client>> = vec![None; before.len()];
        // Kept open until the end, so that Envoy balances against them.
        let mut others = Vec::new();
        while found.iter().any(Option::is_none) {
            assert!(others.len() < 64, "one worker accepts no connection");
            let client = self.client();
            let _ = client.get("/elsewhere/hello").send();
            let now = self.connections_by_worker();
            let worker = now
                .iter()
                .zip(&before)
                .position(|(now, before)| now > before);
            match worker.and_then(|worker| found.get_mut(worker)) {
                Some(place @ None) => *place = Some(client),
                _ => others.push(client),
            }
            before = now;
        }
        found.into_iter().flatten().collect()
    }

    /// How many connections each worker has accepted so far.
    #[must_use]
    pub fn connections_by_worker(&self) -> Vec<u64> {
        let filter = format!(
            "^listener\\..*{}\\.worker_.*\\.downstream_cx_total$",
            self.port
        );
        let found = self.stats(&filter);
        assert_eq!(found.len(), usize::try_from(self.settings.workers).unwrap());
        found.into_iter().map(|(_, value)| value).collect()
    }

    /// Envoy's log.
    #[must_use]
    pub fn log(&self) -> String {
        match &self.envoy {
            Envoy::Shared(envoy) => envoy.log(),
            _ => self.text("envoy.log"),
        }
    }

    /// The access log as it stands in the file.
    #[must_use]
    pub fn access_log(&self) -> String {
        self.text("access.log")
    }

    /// The decisions in the access log, once there are at least so many.
    #[must_use]
    pub fn decisions(&self, at_least: usize) -> Vec<Value> {
        awaited(
            &format!("there are {at_least} decisions in the log"),
            || {
                let log = self.access_log();
                let lines = log.lines();
                let decisions: Vec<Value> = lines.map(decision).collect();
                (decisions.len() >= at_least).then_some(decisions)
            },
        )
    }

    /// Checks that Envoy runs, that the filter never trapped and that no VM had to be
    /// started anew.
    ///
    /// # Panics
    ///
    /// With the line that says otherwise.
    pub fn assert_sound(&mut self) {
        if let Some(trouble) = self.trouble() {
            panic!("the edge is not sound: {trouble}");
        }
    }

    pub(super) fn trouble(&mut self) -> Option<String> {
        let log = self.log();
        let is_asked_for = |line: &str| {
            self.settings.body == Body::Panicking && line.contains("streamgate: panicked at")
        };
        let is_trap =
            |line: &&str| TRAPS.iter().any(|trap| line.contains(trap)) && !is_asked_for(line);
        if let Some(line) = log.lines().find(is_trap) {
            return Some(line.to_owned());
        }
        if !self.is_running() {
            return Some("Envoy has stopped by itself".to_owned());
        }
        let reloads = self.sum_of("^wasm\\..*\\.vm_reload.*$");
        (reloads > 0).then(|| format!("{reloads} VM reloads"))
    }

    /// All of Envoy's statistics, as text, with those of the edges it has served before.
    #[must_use]
    pub fn all_statistics(&self) -> String {
        self.admin.get("/stats").send().expect(200).text()
    }

    /// All of Envoy's statistics, as Prometheus scrapes them.
    ///
    /// # Panics
    ///
    /// If the edge is not [alone](crate::Settings::alone) in it.
    #[must_use]
    pub fn scrape(&self) -> String {
        let _ = self.own();
        self.admin
            .get("/stats/prometheus")
            .send()
            .expect(200)
            .text()
    }

    /// Sets all of Envoy's counters back, as an operator may.
    ///
    /// # Panics
    ///
    /// If the edge is not [alone](crate::Settings::alone) in it.
    pub fn reset_counters(&self) {
        let _ = self.own();
        let _ = self
            .admin
            .request("POST", "/reset_counters")
            .send()
            .expect(200);
    }

    /// The sum of the statistics that a regular expression picks.
    #[must_use]
    pub fn sum_of(&self, filter: &str) -> u64 {
        self.stats(filter).iter().map(|(_, value)| value).sum()
    }

    /// Names and values of the statistics that a regular expression picks.
    fn stats(&self, filter: &str) -> Vec<(String, u64)> {
        match &self.envoy {
            Envoy::Shared(envoy) => envoy.stats(filter),
            _ => stats(&self.admin, filter),
        }
    }

    fn text(&self, name: &str) -> String {
        let bytes = fs::read(self.at(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
