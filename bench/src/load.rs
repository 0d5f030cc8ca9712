//! The load: wrk as fast as the proxy goes, h2load at a pace.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use streamgate_tests::project;

use crate::process::{LOAD_CORE, pinned};
use crate::stats::percentile;

/// Connections that are open at once.
const CONNECTIONS: u32 = 16;

/// What came of a slice.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Outcome {
    /// Requests that were answered.
    pub(crate) requests: u64,
    /// Bytes of all answers, heads included.
    pub(crate) bytes: u64,
    /// How long it took, in microseconds.
    pub(crate) duration_us: u64,
    /// Answers above 399.
    pub(crate) not_2xx: u64,
    /// Requests without an answer.
    pub(crate) broken: u64,
}

/// Latencies at a pace, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Latency {
    /// Requests that were answered.
    pub(crate) requests: usize,
    /// Half of all requests took no longer.
    pub(crate) p50_us: f64,
    /// One in a hundred took longer.
    pub(crate) p99_us: f64,
}

/// Lets a peer answer a list's requests as fast as it can for some seconds.
pub(crate) fn as_fast_as_it_goes(port: u16, host: &str, list: &Path, seconds: u64) -> Outcome {
    let script = project().join("bench/load/list.lua");
    let mut wrk = pinned(&[LOAD_CORE], "wrk");
    wrk.args(["--threads", "1", "--connections", &CONNECTIONS.to_string()]);
    wrk.args(["--duration", &format!("{seconds}s"), "--timeout", "10s"]);
    wrk.arg("--script")
        .arg(script)
        .args(["--header", &format!("Host: {host}")]);
    wrk.arg(format!("http://127.0.0.1:{port}/"))
        .arg("--")
        .arg(list);
    let output = wrk.output().expect("to run wrk");
    let text = String::from_utf8_lossy(&output.stdout);
    outcome(&text).unwrap_or_else(|| {
        let errors = String::from_utf8_lossy(&output.stderr);
        panic!("wrk says: {text}{errors}")
    })
}

fn outcome(text: &str) -> Option<Outcome> {
    let line = text.lines().find(|line| line.starts_with('{'))?;
    serde_json::from_str(line).ok()
}

/// Lets a peer answer so many requests a second, and looks how long each takes.
pub(crate) fn at_a_pace(urls: &Path, host: &str, per_second: u32, seconds: u64) -> Latency {
    const CLIENTS: u32 = 8;
    let log: PathBuf = urls.with_extension("log");
    let _ = std::fs::remove_file(&log);
    let requests = u64::from(per_second) * seconds;
    let mut h2load = pinned(&[LOAD_CORE], "h2load");
    h2load.args(["--h1", "--threads", "1", "--clients", &CLIENTS.to_string()]);
    h2load.args(["--rps", &(per_second / CLIENTS).to_string()]);
    h2load.args(["--requests", &requests.to_string()]);
    h2load.arg("--header").arg(format!(":authority: {host}"));
    h2load
        .arg("--log-file")
        .arg(&log)
        .arg("--input-file")
        .arg(urls);
    let output = h2load.output().expect("to run h2load");
    let lines = std::fs::read_to_string(&log).unwrap_or_default();
    latency(&lines).unwrap_or_else(|| panic!("h2load says: {output:?}"))
}

/// Reads h2load's log: when, status, microseconds.
fn latency(log: &str) -> Option<Latency> {
    let mut times: Vec<f64> = log
        .lines()
        .filter_map(|line| {
            let mut columns = line.split('\t').skip(1);
            let status: i32 = columns.next()?.parse().ok()?;
            assert!((200..300).contains(&status), "answered {status}");
            columns.next()?.parse().ok()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    Some(Latency {
        requests: times.len(),
        p50_us: percentile(&times, 0.5)?,
        p99_us: percentile(&times, 0.99)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrk_says_is_found_among_its_other_lines() {
        let text = "Running 1s test\n  1 threads\n\n{\"requests\":12,\"bytes\":3,\
            \"duration_us\":1000000,\"not_2xx\":1,\"broken\":2}\n";
        let outcome = outcome(text).expect("an outcome");
        assert_eq!(
            (outcome.requests, outcome.not_2xx, outcome.broken),
            (12, 1, 2)
        );
        assert!(super::outcome("Running").is_none());
    }

    #[test]
    fn latencies_are_read_from_h2loads_log() {
        let log: String = (1..=100).map(|at| format!("17\t200\t{at}\n")).collect();
        let latency = latency(&log).expect("latencies");
        assert_eq!(latency.requests, 100);
        assert_eq!((latency.p50_us, latency.p99_us), (50.0, 99.0));
        assert!(super::latency("").is_none());
    }
}
