//! What a measurement was made on, without anything that tells whose it is.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// A machine and the programs that were measured on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// The processor, by its own name.
    pub(crate) processor: String,
    /// Its cores, as the system counts them.
    pub(crate) cores: usize,
    /// The system's kernel.
    pub(crate) kernel: String,
    /// How busy the machine was with other things when it began: processes that ran or
    /// wanted to, in the minute before.
    pub(crate) load_before: f64,
    /// Programs and their versions.
    pub(crate) versions: BTreeMap<String, String>,
}

/// How the programs are asked for their version, and what stands in front of it.
const PROGRAMS: [(&str, &[&str], &str); 6] = [
    ("nginx", &["-v"], "nginx/"),
    ("haproxy", &["-v"], "version "),
    ("redis-server", &["--version"], "v="),
    ("wrk", &["--version"], "wrk "),
    ("h2load", &["--version"], "nghttp2/"),
    ("rustc", &["--version"], "rustc "),
];

impl Machine {
    /// This one.
    pub(crate) fn this() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
        let model = model.and_then(|line| line.split_once(": "));
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().and_then(|load| load.parse().ok());
        let mut versions: BTreeMap<String, String> = PROGRAMS
            .into_iter()
            .filter_map(|(program, arguments, before)| {
                let said = said(program, arguments)?;
                Some((program.to_owned(), version(&said, before)?))
            })
            .collect();
        let envoy = streamgate_tests::envoy().display().to_string();
        let envoy = said(&envoy, &["--version"]);
        let envoy = envoy.and_then(|said| envoy_version(&said));
        versions.extend(envoy.map(|version| ("envoy".to_owned(), version)));
        Self {
            processor: model.map_or("unknown", |(_, model)| model).to_owned(),
            cores: std::thread::available_parallelism().map_or(0, Into::into),
            // What a distribution or a provider adds is nobody's business.
            kernel: kernel.trim().split('-').take(1).collect(),
            load_before: load.unwrap_or_default(),
            versions,
        }
    }
}

/// What a program says, to whichever of its two outputs.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let said = [output.stdout, output.stderr].concat();
    Some(String::from_utf8_lossy(&said).into_owned())
}

/// The word that follows.
fn version(said: &str, before: &str) -> Option<String> {
    let (_, behind) = said.split_once(before)?;
    behind.split_whitespace().next().map(str::to_owned)
}

/// Envoy's, which stands behind the commit that it was built from.
fn envoy_version(said: &str) -> Option<String> {
    let build = version(said, "version: ")?;
    build.split('/').nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        let nginx = version("nginx version: nginx/1.22.1\n", "nginx/");
        assert_eq!(nginx.as_deref(), Some("1.22.1"));
        let redis = version("Redis server v=7.0.15 sha=0", "v=");
        assert_eq!(redis.as_deref(), Some("7.0.15"));
        assert_eq!(version("", "v="), None);
        let envoy = envoy_version("/a/b/envoy  version: 1a2b3c/1.40.0/Clean/RELEASE/BoringSSL\n");
        assert_eq!(envoy.as_deref(), Some("1.40.0"));
    }
}
