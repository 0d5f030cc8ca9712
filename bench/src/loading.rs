//! How long Envoy takes to load a module: from its bytes to the first VM that runs it. Nearly
//! all of that is V8 compiling it, on all cores there are.

use std::fs;

use serde::{Deserialize, Serialize};
use streamgate_tests::project;

use crate::peer::{Kind, Options, Peer};
use crate::stats::Sample;
use crate::surroundings::Surroundings;

/// How often each module is loaded.
const TIMES: usize = 7;

/// What loading takes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Loading {
    /// Bytes of the filter.
    pub(crate) bytes: u64,
    /// How long it takes to load, in milliseconds.
    pub(crate) ms: Sample,
    /// How long the Wasm filter takes that does nothing, in milliseconds.
    pub(crate) noop_ms: Sample,
}

/// Starts an Envoy with each of the two filters in turn.
pub(crate) fn measure(around: &Surroundings) -> Loading {
    let module = project().join("build/streamgate.wasm");
    let pairs = (0..TIMES).map(|_| (once(Kind::Streamgate, around), once(Kind::Noop, around)));
    let (ms, noop_ms): (Vec<f64>, Vec<f64>) = pairs.unzip();
    Loading {
        bytes: fs::metadata(module).map_or(0, |module| module.len()),
        ms: Sample::of(ms).expect("a sample"),
        noop_ms: Sample::of(noop_ms).expect("a sample"),
    }
}

fn once(kind: Kind, around: &Surroundings) -> f64 {
    let options = Options {
        on_both_cores: true,
        tells_of_loading: true,
        ..Options::default()
    };
    let peer = Peer::start(kind, around, &options);
    let log = peer.process.said();
    took_ms(&log).unwrap_or_else(|| panic!("{kind:?} did not tell of loading:\n{log}"))
}

/// Reads a log whose lines begin with the time in seconds.
fn took_ms(log: &str) -> Option<f64> {
    let at = |what: &str| {
        let line = log.lines().find(|line| line.contains(what))?;
        line.split(' ').next()?.parse::<f64>().ok()
    };
    Some((at("Thread-Local Wasm created")? - at("Base Wasm created")?) * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lasts_from_the_modules_vm_to_the_first_that_runs_it() {
        let log = "1795706380.250000000 loading 1 listener(s)\n\
            1795706380.500000000 Base Wasm created 1 now active\n\
            1795706380.750000000 Thread-Local Wasm created 2 now active\n\
            1795706380.875000000 Thread-Local Wasm created 3 now active\n";
        assert_eq!(took_ms(log), Some(250.0));
        assert_eq!(took_ms("it said nothing"), None);
    }
}
