//! Waiting for what takes real time: Envoy has no other clock.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long most things may take, in seconds, on a machine that does much else besides.
const PATIENCE: u64 = 30;

/// Waits until `holds`; panics if it does not come to hold.
#[track_caller]
pub fn eventually(what: &str, holds: impl FnMut() -> bool) {
    eventually_within(PATIENCE, what, holds);
}

/// The same for what takes long.
#[track_caller]
pub fn eventually_within(seconds: u64, what: &str, mut holds: impl FnMut() -> bool) {
    wait(seconds, what, || holds().then_some(()));
}

/// Waits until there is something; panics if nothing comes.
#[track_caller]
pub fn awaited<T>(what: &str, probe: impl FnMut() -> Option<T>) -> T {
    wait(PATIENCE, what, probe)
}

/// The same for what takes long.
#[track_caller]
pub fn awaited_within<T>(seconds: u64, what: &str, probe: impl FnMut() -> Option<T>) -> T {
    wait(seconds, what, probe)
}

#[track_caller]
fn wait<T>(seconds: u64, what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        let waited = started.elapsed().as_secs();
        assert!(waited < seconds, "waited {waited} s in vain until {what}");
        sleep(Duration::from_millis(50));
    }
}
