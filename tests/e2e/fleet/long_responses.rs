//! A film in one response, and what happens to its stream at another edge.

use streamgate_tests::{Edge, Fetch, Given, Version, eventually_within};

use super::{BOUND_AND_SLACK, fleet_of};

const MEGABYTE: usize = 1 << 20;

/// A film runs at this edge, under a prefix.
fn film(edge: &Edge, prefix: &str, path: &str) -> Fetch {
    edge.origin
        .gives(path, Given::body(vec![0x47; 400 * MEGABYTE]));
    let film = Fetch::begin(
        edge,
        Version::One,
        &format!("{prefix}{path}"),
        &[],
        4 << 20,
        &[],
    );
    eventually_within(30, "the film runs", || {
        edge.origin.paths().iter().any(|asked| asked == path)
    });
    // Until the next tick it counts as a segment.
    std::thread::sleep(std::time::Duration::from_millis(300));
    film
}

#[track_caller]
pub(super) fn is_cut(edge: &Edge, film: Fetch, reason: &str) {
    eventually_within(BOUND_AND_SLACK, "it is cut", || edge.metric("cuts") == 1);
    let film = film.ended();
    assert!(film.status == 200 && !film.is_whole, "{film:?}");
    eventually_within(20, "the log tells of it", || {
        let mut cuts = edge.decisions(0).into_iter();
        cuts.any(|line| line["event"] == "cut" && line["reason"] == reason)
    });
}

#[test]
fn a_film_is_cut_when_its_stream_is_evicted_at_another_edge() {
    let (_valkey, fleet) = fleet_of(2);
    let first = fleet[0].app("demo-mobile").start("alice");
    let runs = film(&fleet[0], &first.playback_prefix, "/latest/film.mp4");
    let _second = fleet[1].app("demo-mobile").start("alice");
    is_cut(&fleet[0], runs, "evicted");
}

#[test]
fn a_film_is_cut_when_its_stream_is_killed_at_another_edge() {
    let (_valkey, fleet) = fleet_of(2);
    let first = fleet[0].app("demo-tv").start("alice");
    let runs = film(&fleet[0], &first.playback_prefix, "/vod/film.mp4");
    let code = first.termination_code();
    let _ = fleet[1]
        .app("demo-tv")
        .create("alice")
        .terminate(&code)
        .start();
    is_cut(&fleet[0], runs, "remote-termination");
}
