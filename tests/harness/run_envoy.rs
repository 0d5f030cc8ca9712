//! How Envoy is run.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command};

use crate::Client;

/// What an Envoy is run with.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) bootstrap: &'a Path,
    /// Where its log is appended.
    pub(crate) log: &'a Path,
    pub(crate) workers: u32,
    /// For how many seconds connections of a listener that goes may go on.
    pub(crate) drains_for_s: u32,
}

impl Run<'_> {
    /// Runs it by a command that is Envoy, or runs what its arguments say.
    pub(crate) fn by(&self, command: &mut Command) -> Child {
        let log = File::options().append(true).create(true).open(self.log);
        let log = log.expect("a log");
        command
            .arg("--config-path")
            .arg(self.bootstrap)
            .args(["--concurrency", &self.workers.to_string()])
            // Its main component begins with a list of all it was built with.
            .args(["--log-level", "info"])
            .args(["--component-log-level", "main:warning"])
            .args(["--file-flush-interval-msec", "50"])
            .args(["--drain-time-s", &self.drains_for_s.to_string()])
            // Whoever takes listeners from elsewhere has to have a name.
            .args(["--service-cluster", "tests", "--service-node", "edge"])
            .arg("--disable-hot-restart")
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("to run Envoy")
    }
}

/// Whether all its workers accept connections. It is not one of them that is asked:
/// they would count whoever asks.
pub(crate) fn is_ready(admin: &Client) -> bool {
    let started = "/stats?format=json&filter=^listener_manager\\.workers_started$";
    let answer = admin.get(started).try_send();
    answer.is_ok_and(|answer| {
        answer.status == 200 && answer.json()["stats"][0]["value"].as_u64() == Some(1)
    })
}
