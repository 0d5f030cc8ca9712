//! Edges that lay accounts out differently in one store count them apart, and say so.

use streamgate_tests::{Edge, Settings, Valkey, eventually};

use super::{fleet_of, sharing};

const KEY: &str = "another key of subjects, as long as the first";

/// Two edges with different settings at one store find that out, both of them, however late
/// the second one comes.
#[track_caller]
fn is_noticed(change: impl FnOnce(Settings) -> Settings, shown: [&str; 2]) {
    let valkey = Valkey::start();
    let settings = sharing(&[valkey.port]);
    let first = Edge::start(settings.clone());
    let _ = first.app("demo-tv").start("alice");
    eventually("it has told the store", || valkey.keys() > 2);
    let second = Edge::start(change(settings));
    let _ = second.app("demo-tv").start("alice");
    says_so(&second, shown[0]);
    // The first one compares again within a minute; one that has just started does so at once.
    let third = Edge::start(sharing(&[valkey.port]));
    says_so(&third, shown[1]);
    for edge in [&second, &third] {
        assert!(!edge.log().contains(KEY), "no secret in it");
        assert!(!edge.all_statistics().contains(KEY));
    }
}

#[track_caller]
fn says_so(edge: &Edge, shown: &str) {
    eventually("it is counted", || {
        edge.metric("fleet.layout_mismatches") > 0
    });
    eventually("it is logged", || {
        let log = edge.log();
        let mut lines = log.lines();
        lines.any(|line| line.contains("lay accounts out differently") && line.contains(shown))
    });
}

#[test]
fn edges_with_another_number_of_shards_are_noticed() {
    let change = |settings: Settings| settings.with("/fleet/shards", 8);
    is_noticed(change, ["shards=64", "shards=8"]);
}

#[test]
fn edges_with_another_key_of_subjects_are_noticed() {
    let change = |settings: Settings| settings.with("/privacy/subject_key", KEY);
    is_noticed(change, ["subject_key=", "subject_key="]);
}

#[test]
fn edges_that_agree_say_nothing() {
    let (_valkey, mut fleet) = fleet_of(2);
    let _ = fleet[0].app("demo-tv").start("alice");
    // One that comes back finds the lines of before.
    fleet[1].restart();
    let _ = fleet[1].app("demo-tv").start("alice");
    let calls = fleet.metric("fleet.calls");
    eventually("all workers have asked all shards", || {
        fleet.metric("fleet.calls") >= calls + 64
    });
    assert_eq!(fleet.metric("fleet.layout_mismatches"), 0);
    for edge in fleet.edges() {
        assert!(!edge.log().contains("lay accounts out"));
    }
}
