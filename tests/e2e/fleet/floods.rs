//! A store that answers far more than it was asked for.

use streamgate_tests::{Edge, Fault, FaultyLink, Settings, Valkey, eventually};

use super::FILM;

/// Four megabytes are written at a time, 200 times a second, for each call.
static FLOOD: [u8; 4096] = [b'x'; 4096];

/// The most bytes that all calls under way may take together: each worker has one to each
/// of 64 shards, and Envoy cuts it off at one megabyte. Where it took 32, as it does unless
/// told otherwise, they would come to gigabytes.
const FLOOD_MAX: u64 = 128 << 20;

#[test]
fn a_store_that_answers_without_an_end_is_cut_off_and_the_edge_plays_on() {
    let valkey = Valkey::start();
    let link = FaultyLink::to(valkey.port);
    let edge = Edge::start(Settings::default().fleet(&[link.port]).alone());
    let player = edge.player("alice").playing(FILM);
    let app = edge.app("demo-tv");
    let before = edge.resident();

    link.fails(Fault::Endless(&FLOOD));
    let mut most = 0;
    eventually("calls fail at their limit", || {
        player.plays();
        let _ = app.create("bob").send();
        most = most.max(edge.resident());
        edge.metric("fleet.calls_failed") >= 200
    });
    println!("{} MiB more at most", most.saturating_sub(before) >> 20);
    assert!(most <= before + FLOOD_MAX, "{before}, then {most}");

    link.recovers();
    eventually("the store is asked again", || {
        player.plays();
        let asked = edge.metric("fleet.questions");
        let _ = app.create("carol").send();
        edge.metric("fleet.questions") > asked
    });
}
