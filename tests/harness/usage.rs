//! What an edge takes of its machine.

use std::process::Command;
use std::time::Duration;

use crate::Edge;

impl Edge {
    /// Bytes that Envoy has allocated, by its own account.
    #[must_use]
    pub fn allocated(&self) -> u64 {
        let _ = self.pid();
        let memory = self.admin.get("/memory").send().expect(200).json();
        let allocated = memory["allocated"].as_str();
        allocated
            .and_then(|bytes| bytes.parse().ok())
            .expect("bytes")
    }

    /// Bytes of memory that Envoy's process occupies, by the system's account.
    #[must_use]
    pub fn resident(&self) -> u64 {
        let ps = Command::new("ps")
            .args(["-o", "rss=", "-p", &self.pid().to_string()])
            .output()
            .expect("to run ps");
        let kilobytes = String::from_utf8_lossy(&ps.stdout);
        kilobytes.trim().parse::<u64>().expect("kilobytes") * 1024
    }

    /// For how long Envoy's process has had a core so far, by the system's account.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.pid());
        let stat = std::fs::read_to_string(path).expect("a running Envoy");
        // What stands before may hold spaces: the program's name, in parentheses.
        let (_, fields) = stat.rsplit_once(')').expect("a name");
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<u64>().expect("ticks"))
            .sum();
        Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }
}
