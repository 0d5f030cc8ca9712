//! An edge that has just started: its store is well, and it does not reach it yet.

use std::thread;

use streamgate_tests::{Edge, Fault, FaultyLink, Valkey, eventually};

use super::sharing;

/// Starts at the edge while it does not reach the store.
const PROBES: usize = 32;

/// How often calls fail until they do not, at least.
const FAILURES: u64 = 8;

#[test]
fn a_restarted_edge_admits_nobody_to_an_account_that_is_full_elsewhere() {
    let valkey = Valkey::start();
    let link = FaultyLink::to(valkey.port);
    let elsewhere = Edge::start(sharing(&[valkey.port]));
    let sessions = [(); 3].map(|()| elsewhere.app("demo-tv").start("alice"));
    // As long as may be: a busy machine takes its time to start.
    let settings = sharing(&[link.port]).with("/fleet/start_within", "10s");
    let mut edge = Edge::start(settings);
    edge.power_off();
    link.fails(Fault::Refuse);
    edge.power_on();
    let (crowd, app) = (edge.crowd(PROBES), edge.app("demo-tv"));
    let failed = || edge.metric("fleet.calls_failed");
    let before = failed();
    let statuses = thread::scope(|scope| {
        scope.spawn(|| {
            eventually("calls fail", || failed() >= before + FAILURES);
            link.recovers();
        });
        crowd.at_once(|_, client| app.on(client).create("alice").send().status)
    });
    assert_eq!(statuses, [409; PROBES]);
    assert_eq!(edge.metric("fleet.outage_admits"), 0);
    assert_eq!(edge.metric("starts"), 0);
    for session in &sessions {
        let _ = session.heartbeat().expect(202);
        let _ = session.on(&edge.client()).heartbeat().expect(202);
    }
}

/// With `refuse`, too: who comes in that moment is told what there is to tell, not 503.
#[test]
fn a_restarted_edge_refuses_nobody_who_may_start() {
    let valkey = Valkey::start();
    let link = FaultyLink::to(valkey.port);
    let settings = sharing(&[link.port])
        .with("/fleet/start_within", "10s")
        .with("/fleet/on_outage", "refuse");
    let mut edge = Edge::start(settings);
    edge.power_off();
    link.fails(Fault::Refuse);
    edge.power_on();
    let (crowd, app) = (edge.crowd(PROBES), edge.app("demo-tv"));
    let failed = || edge.metric("fleet.calls_failed");
    let before = failed();
    let mut statuses = thread::scope(|scope| {
        scope.spawn(|| {
            eventually("calls fail", || failed() >= before + FAILURES);
            link.recovers();
        });
        crowd.at_once(|_, client| app.on(client).create("alice").send().status)
    });
    statuses.sort_unstable();
    assert_eq!(statuses[..3], [202; 3]);
    assert_eq!(statuses[3..], [409; PROBES - 3]);
}
