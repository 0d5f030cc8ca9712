//! A primary that Sentinel watches. Envoy does not speak to Sentinel; it knows primary and replica, and asks each
//! which one it is.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use streamgate_tests::{Reply, Valkey, eventually_within, free_port};
use tempfile::TempDir;

use super::households::Households;

/// Sentinels that watch one primary; two of three agree that it is gone.
struct Sentinels {
    processes: Vec<Child>,
    directory: TempDir,
}

impl Sentinels {
    fn watch(primary: &Valkey) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut sentinels = Self {
            processes: Vec::new(),
            directory,
        };
        for at in 0..3 {
            let configuration = [
                format!("port {}", free_port()),
                "bind 127.0.0.1".to_owned(),
                format!("dir {}", sentinels.directory.path().display()),
                format!("sentinel monitor store 127.0.0.1 {} 2", primary.port),
                "sentinel down-after-milliseconds store 1000".to_owned(),
                "sentinel failover-timeout store 5000".to_owned(),
            ];
            let file = sentinels.file(at);
            fs::write(&file, configuration.join("\n")).expect("to write");
            // What Debian and others install as `redis-sentinel` is the same program.
            let mut command = Command::new("redis-server");
            command.arg(file).arg("--sentinel").stdout(Stdio::null());
            let process = command.stdin(Stdio::null()).spawn();
            sentinels.processes.push(process.expect("a sentinel"));
        }
        sentinels
    }

    fn file(&self, at: usize) -> PathBuf {
        self.directory.path().join(format!("sentinel-{at}.conf"))
    }

    /// Each has written down that it knows the replica and the others.
    fn know_each_other(&self) -> bool {
        (0..3).all(|at| {
            let known = fs::read_to_string(self.file(at)).unwrap_or_default();
            let lines = |what| known.lines().filter(|line| line.contains(what)).count();
            lines("known-replica") == 1 && lines("known-sentinel") == 2
        })
    }
}

impl Drop for Sentinels {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn is_primary(valkey: &Valkey) -> bool {
    matches!(
        valkey.try_command(&["ROLE"]),
        Ok(Reply::Array(role)) if role.first() == Some(&Reply::BulkString(b"master".to_vec()))
    )
}

#[test]
#[ignore = "takes long: make trials"]
fn sentinel_promotes_the_replica_under_load_and_edges_find_it_by_its_role() {
    for on_outage in ["refuse", "admit"] {
        let mut primary = Valkey::start();
        let replica = Valkey::start();
        let port = primary.port.to_string();
        let _ = replica.command(&["REPLICAOF", "127.0.0.1", &port]);
        let sentinels = Sentinels::watch(&primary);
        eventually_within(60, "sentinels know of each other", || {
            sentinels.know_each_other()
        });
        let settings = Households::settings(&[primary.port, replica.port]).store_of_primaries();
        let settings = settings.with("/fleet/on_outage", on_outage);
        let mut households = Households::play(&settings);
        eventually_within(30, "it is replicated", || {
            replica.records() > 0 && replica.records() == primary.records()
        });
        primary.kill();
        eventually_within(60, "the replica is promoted", || {
            households.goes_round();
            is_primary(&replica)
        });
        households.become_exact(&format!("primary gone, Sentinel promotes, {on_outage}"));
        // It comes back empty, and is a primary until Sentinel tells it otherwise.
        primary.start_again();
        eventually_within(60, "it is a replica", || {
            households.goes_round();
            !is_primary(&primary)
        });
        households.goes_on_for(Duration::from_secs(1));
        households.become_exact(&format!("old primary back, a replica now, {on_outage}"));
    }
}
