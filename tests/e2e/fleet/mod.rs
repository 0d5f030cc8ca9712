//! Many edges, one truth: an account's limit holds over all edges that share a store.

mod app_and_player;
mod cluster_mode;
mod configuration;
mod convergence;
mod credentials;
mod degraded;
mod door;
mod door_keeps;
mod evictions;
mod failover;
mod faults;
mod floods;
mod foreign_records;
mod households;
mod layout;
mod load;
mod long_responses;
mod outages;
mod privacy;
mod races;
mod restarts;
mod returns;
mod rings;
mod roaming;
mod rollouts;
mod rotation;
mod round_trips;
mod sentinel;
mod sharing;
mod starting;
mod trial;

use std::time::Duration;

use streamgate_tests::{Fleet, Settings, Valkey};

const FILM: &str = "/vod/film/master.m3u8";
const LATEST: &str = "/latest/film/master.m3u8";

/// Within which time, in seconds, a stream that ended at one edge is refused at the
/// others.
const BOUND: u64 = 1;

/// The bound, and what a machine may take besides that does much else.
const BOUND_AND_SLACK: u64 = BOUND + 3;

/// Settings of edges that share the nodes at these ports.
fn sharing(nodes: &[u16]) -> Settings {
    Settings::default()
        .fleet(nodes)
        .with("/fleet/evictions_within", format!("{BOUND}s"))
        // While they wait for something, tests beat much faster than anybody should.
        .with("/sessions/calls_per_minute", 100_000)
}

/// A store, and so many edges that share it.
fn fleet_of(edges: usize) -> (Valkey, Fleet) {
    let valkey = Valkey::start();
    let fleet = Fleet::start(&sharing(&[valkey.port]), edges);
    (valkey, fleet)
}

/// Lets so much time pass that two things that happen have an order.
fn later() {
    std::thread::sleep(Duration::from_millis(5));
}
