//! Stores that ask who comes, and that show who they are.

use streamgate_tests::{Edge, Fleet, Settings, Valkey, eventually};

use super::{FILM, sharing};

/// Three play at two edges and a fourth does not, and the store was asked in vain by
/// nobody.
#[track_caller]
fn holds_the_limit(valkey: &Valkey, settings: &Settings) {
    let fleet = Fleet::start(settings, 2);
    // Where it is watched, it is not well before it was looked at; and a worker whose call
    // failed leaves a shard alone for half a second, in which some of those that do not fail
    // are made.
    let mut failed_at = None;
    eventually("the store is well, and every worker knows", || {
        let well = "^cluster\\.valkey\\.membership_healthy$";
        let is_well = fleet.edges().all(|edge| edge.sum_of(well) == 1);
        let failed = fleet.metric("fleet.calls_failed");
        let calls = fleet.metric("fleet.calls");
        let (since, seen) = *failed_at.get_or_insert((calls, failed));
        if failed != seen {
            failed_at = None;
        }
        is_well && failed == seen && calls > since + 512
    });
    let failed = fleet.metric("fleet.calls_failed");
    let _sessions = [0, 1].map(|edge| fleet[edge].app("demo-tv").start("alice"));
    let _player = fleet[1].player("alice").playing(FILM);
    for app in fleet.apps("demo-tv") {
        let _ = app.create("alice").send().expect(409);
    }
    assert_eq!(valkey.records(), 1);
    assert_eq!(fleet.metric("fleet.calls_failed"), failed);
    assert_eq!(fleet.metric("fleet.outage_admits"), 0);
    for edge in fleet.edges() {
        for text in [edge.log(), edge.all_statistics(), edge.access_log()] {
            assert!(!text.contains("sesame, open for us"), "{text}");
        }
    }
}

#[test]
fn a_fleet_shares_a_store_that_asks_for_a_password() {
    let valkey = Valkey::with().password("sesame, open for us").start();
    let settings = sharing(&[valkey.port]).with("/fleet/password", "sesame, open for us");
    holds_the_limit(&valkey, &settings);
}

#[test]
fn a_fleet_shares_a_store_that_knows_users() {
    let valkey = Valkey::with()
        .user("edge", "sesame, \"open\" for us")
        .start();
    let settings = sharing(&[valkey.port])
        .with("/fleet/user", "edge")
        .with("/fleet/password", "sesame, \"open\" for us");
    holds_the_limit(&valkey, &settings);
}

#[test]
fn a_fleet_shares_a_store_over_tls_that_is_watched_and_asks_for_a_password() {
    let valkey = Valkey::with().password("sesame, open for us").tls().start();
    let settings = sharing(&[valkey.tls_port()])
        .store_over_tls(valkey.authority())
        .store_watched_with("sesame, open for us")
        .with("/fleet/password", "sesame, open for us");
    holds_the_limit(&valkey, &settings);
}

#[test]
fn a_store_that_cannot_show_who_it_is_is_told_nothing() {
    let [valkey, other] = [(); 2].map(|()| Valkey::with().tls().start());
    let settings = sharing(&[valkey.tls_port()]).store_over_tls(other.authority());
    let edge = Edge::start(settings.with("/fleet/wait", "1s"));
    let _session = edge.app("demo-tv").start("alice");
    assert_eq!(edge.metric("fleet.outage_admits"), 1);
    assert!(edge.metric("fleet.errors.unreachable") > 0);
    assert_eq!(valkey.records(), 0);
}
