//! A primary with a replica, behind a name: when the primary is gone the replica is promoted, as
//! Sentinel or a managed store does it, and the name leads there.

use std::time::Duration;

use streamgate_tests::{Edge, Reply, Valkey, eventually};

use super::households::Households;
use super::sharing;

fn replica_of(primary: &Valkey) -> Valkey {
    let replica = Valkey::start();
    let port = primary.port.to_string();
    let _ = replica.command(&["REPLICAOF", "127.0.0.1", &port]);
    replica
}

fn has_all_of(replica: &Valkey, primary: &Valkey) -> bool {
    let all = |valkey: &Valkey| valkey.records();
    all(primary) > 0 && all(replica) == all(primary)
}

#[test]
#[ignore = "takes long: make trials"]
fn a_primary_that_fails_over_under_load() {
    for on_outage in ["refuse", "admit"] {
        let mut primary = Valkey::start();
        let replica = replica_of(&primary);
        let settings = Households::settings(&[primary.port]);
        let settings = settings.with("/fleet/on_outage", on_outage);
        let mut households = Households::play(&settings);
        eventually("it is replicated", || has_all_of(&replica, &primary));
        primary.kill();
        households.goes_on_for(Duration::from_secs(2));
        let promoted = replica.command(&["REPLICAOF", "NO", "ONE"]);
        assert_eq!(promoted, Reply::SimpleString(b"OK".to_vec()));
        households.fleet.moves_to(&[replica.port]);
        households.become_exact(&format!("primary gone, replica after 2 s, {on_outage}"));
    }
}

/// The name led to a replica too early, or a health check that a replica passes did.
#[test]
#[ignore = "takes long: make trials"]
fn a_replica_that_was_not_promoted_is_a_store_in_outage() {
    let primary = Valkey::start();
    let replica = replica_of(&primary);
    let settings = sharing(&[replica.port]).with("/fleet/wait", "1s");
    let edge = Edge::start(settings.with("/fleet/on_outage", "refuse"));
    let app = edge.app("demo-tv");
    let _ = app.create("alice").send().expect(503);
    assert!(edge.metric("fleet.errors.other") > 0);
    let _ = replica.command(&["REPLICAOF", "NO", "ONE"]);
    eventually("it is promoted, and starts are admitted", || {
        app.create("alice").send().status == 202
    });
}

/// Cluster mode without the discovery, at a node that serves no slot (`cluster_mode.rs` has it as it should be).
#[test]
#[ignore = "takes long: make trials"]
fn a_store_in_cluster_mode_is_a_store_in_outage() {
    let valkey = Valkey::with().cluster(15_000).start();
    let settings = sharing(&[valkey.port]).with("/fleet/wait", "1s");
    let edge = Edge::start(settings.with("/fleet/on_outage", "refuse"));
    let _ = edge.app("demo-tv").create("alice").send().expect(503);
    assert!(edge.metric("fleet.errors.other") > 0);
    assert_eq!(valkey.keys(), 0);
}
