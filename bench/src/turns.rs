//! Turns of a worker's event loop: as long as one takes, the worker does nothing else.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::envoy::Admin;
use crate::peer::Peer;

/// The longest turn of a worker's event loop in microseconds, while requests trickle in and
/// something is done.
pub(crate) fn longest_turn(peer: &Peer, requests: &Path, seconds: u64, act: impl FnOnce()) -> f64 {
    let admin = Admin::at(peer.admin_port);
    // Each interval of Envoy's histograms is one second.
    let all_turns = || admin.text("dispatcher.loop_duration_us");
    let until = Instant::now() + Duration::from_secs(seconds);
    let paths = fs::read_to_string(requests).expect("a file");
    let mut paths = paths
        .lines()
        .cycle()
        .filter_map(|line| line.split(' ').nth(1));
    let client = streamgate_tests::Client::new(peer.port);
    // What was loud before is over in the next interval.
    sleep(Duration::from_millis(2_100));
    act();
    let (mut longest, mut looked_at) = (0.0_f64, Instant::now());
    while Instant::now() < until {
        let path = paths.next().expect("a path");
        let _ = client.get(path).send().expect(200);
        sleep(Duration::from_millis(10));
        if looked_at.elapsed() > Duration::from_millis(400) {
            looked_at = Instant::now();
            longest = longest.max(longest_of_workers(&all_turns()).unwrap_or_default());
        }
    }
    longest
}

/// The longest turn in the last interval, of all workers, in what Envoy prints of its
/// histograms: `…worker_0.dispatcher.loop_duration_us: P0(1,2) … P100(3,4)`.
fn longest_of_workers(text: &str) -> Option<f64> {
    let of_workers = text.lines().filter(|line| line.contains(".worker_"));
    let longest = of_workers.filter_map(|line| {
        let (_, longest) = line.rsplit_once("P100(")?;
        let (interval, _) = longest.split_once(',')?;
        // An interval in which nothing happened has no figure: `nan`.
        interval
            .parse()
            .ok()
            .filter(|longest: &f64| longest.is_finite())
    });
    longest.reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_turn_of_a_worker_is_read_from_envoys_histograms() {
        let text = "listener_manager.worker_0.dispatcher.loop_duration_us: P0(3,1) P100(42.5,900)\n\
            listener_manager.worker_1.dispatcher.loop_duration_us: P0(nan,1) P100(nan,90)\n\
            server.dispatcher.loop_duration_us: P0(3,1) P100(5000,9000)\n";
        assert_eq!(longest_of_workers(text), Some(42.5));
        assert_eq!(longest_of_workers(""), None);
    }
}
