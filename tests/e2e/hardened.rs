//! The filter with no more of Envoy than `envoy/hardened.yaml` allows it: whatever it does, it
//! does not run into the restriction.

use streamgate_tests::{Edge, Fleet, Settings, Valkey};

const FILM: &str = "/vod/film/master.m3u8";

/// What Envoy writes where a restriction was in the way.
const RESTRICTED: &str = "restricted";

#[test]
fn an_edge_does_all_it_does_with_no_more_than_it_is_allowed() {
    let mut edge = Edge::start(Settings::default().restricted().by_lds());
    let app = edge.app("demo-tv");
    let session = app.start("alice");
    let _ = session.heartbeat().expect(202);
    let _ = app.create("bob").form("channel=News").send().expect(202);
    let _ = app.running("alice");
    let player = edge.player("alice").playing(FILM);
    let _ = edge.player("alice").playing(FILM);
    let _ = app.create("alice").send().expect(409);
    let latest = edge.player("carol").playing("/latest/film/master.m3u8");
    let _ = edge.player("carol").playing("/latest/film/master.m3u8");
    let _ = latest.refused("evicted");
    player.plays();
    let _ = session.stop().expect(202);
    assert_eq!(edge.metric("evictions"), 1);

    let two = edge.settings().with("/policies/0/rules/0/max", 2);
    edge.update(two).expect("to be taken over");
    assert!(!edge.log().contains(RESTRICTED), "{}", edge.log());
}

#[test]
fn so_do_edges_that_share_a_store() {
    let valkey = Valkey::start();
    let settings = Settings::default().fleet(&[valkey.port]).restricted();
    let fleet = Fleet::start(&settings, 2);
    let apps = fleet.apps("demo-mobile");
    let first = apps[0].start("alice");
    let _second = apps[1].start("alice");
    // It was ended at the other edge; a heartbeat that says something new asks the store.
    streamgate_tests::eventually("the first is told", || first.heartbeat().status == 409);
    for edge in fleet.edges() {
        assert!(!edge.log().contains(RESTRICTED), "{}", edge.log());
    }
}
