//! What an edge takes of its machine.

use std::process::Command;
use std::time::Duration;

use crate::Edge;

/// What a turn of a worker's event loop is counted as long beyond, in microseconds.
pub const LONG_TURN_US: u64 = 2_000;

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

    /// How many turns its workers' event loops have taken so far, and how many of these were longer
    /// than [`LONG_TURN_US`], where Envoy counts them ([`Settings::timing_workers`]).
    ///
    /// [`Settings::timing_workers`]: crate::Settings::timing_workers
    #[must_use]
    pub fn turns(&self) -> [u64; 2] {
        let scrape = self.scrape();
        let of_workers = |line: &&str| {
            line.contains("_dispatcher_loop_duration_us_bucket{") && line.contains("worker_")
        };
        let buckets: Vec<&str> = scrape.lines().filter(of_workers).collect();
        let within = |bound: &str| -> u64 {
            let bound = format!("le=\"{bound}\"}}");
            let counts = buckets.iter().filter(|line| line.contains(&bound));
            let counts =
                counts.map(|line| line.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok()));
            counts.map(|n| n.expect("a number")).sum()
        };
        let all = within("+Inf");
        assert!(all > 0, "Envoy counts no turns: {scrape}");
        [all, all - within(&LONG_TURN_US.to_string())]
    }
}
