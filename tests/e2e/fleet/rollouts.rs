//! A configuration that reaches one edge after the other, while all accounts play all they may and
//! newcomers try all the time.

use std::time::Duration;

use serde_json::Value;
use streamgate_tests::{Settings, Valkey};

use super::households::{ACCOUNTS, Households, LIMIT, TIMEOUT};

/// For how long one edge knows of it and the other does not.
const APART: Duration = Duration::from_secs(5);

/// Nobody asks while an edge starts, which may take a busy machine a minute, so streams live for longer than that.
const LAPSES_AFTER_S: u32 = 600;

/// Lets the edges change one after the other.
fn rolls_out(valkeys: &[Valkey], change: impl Fn(Settings) -> Settings) -> Households {
    let nodes: Vec<_> = valkeys.iter().map(|valkey| valkey.port).collect();
    let before = Households::settings(&nodes).by_lds();
    let mut households = Households::play(&before);
    households.goes_round();
    for edge in [1, 0] {
        let update = households.fleet[edge].update(change(before.clone()));
        update.expect("to be taken over");
        households.goes_on_for(APART);
    }
    households.is_back();
    households.goes_on_for(TIMEOUT / 3);
    households
}

fn rule(pointer: &'static str, value: impl Into<Value>) -> impl Fn(Settings) -> Settings {
    let value = value.into();
    move |settings| settings.with(&format!("/policies/0/rules/0/{pointer}"), value.clone())
}

#[test]
#[ignore = "takes long: make trials"]
fn a_limit_that_is_raised_throws_nobody_out() {
    let store = [Valkey::start()];
    let mut households = rolls_out(&store, rule("max", LIMIT + 1));
    households.tell("limit raised from 3 to 4, one edge 5 s after the other");
    assert_eq!(households.seen.thrown_out, 0);
    // Each has a newcomer by now.
    assert_eq!(households.seen.over, ACCOUNTS);
    households.limit = LIMIT + 1;
    households.become_exact("limit raised from 3 to 4, afterwards");
}

#[test]
#[ignore = "takes long: make trials"]
fn a_limit_that_is_lowered_takes_the_surplus_of_each_account_once() {
    let store = [Valkey::start()];
    let households = rolls_out(&store, rule("max", LIMIT - 1));
    households.tell("limit lowered from 3 to 2, one edge 5 s after the other");
    assert_eq!(households.seen.thrown_out, ACCOUNTS);
}

#[test]
#[ignore = "takes long: make trials"]
fn a_policy_that_is_monitored_first_throws_nobody_out() {
    let store = [Valkey::start()];
    let change = |settings: Settings| settings.with("/policies/0/mode", "monitor");
    let households = rolls_out(&store, change);
    households.tell("mode: monitor, one edge 5 s after the other");
    assert_eq!(households.seen.thrown_out, 0);
}

#[test]
#[ignore = "takes long: make trials"]
fn the_oldest_go_from_the_first_edge_on_where_the_latest_wins() {
    let store = [Valkey::start()];
    let households = rolls_out(&store, rule("on_conflict", "stop_oldest"));
    households.tell("deny_new to stop_oldest, one edge 5 s after the other");
    // The edges agree on who plays: those who came last.
    assert_eq!(households.seen.thrown_out, ACCOUNTS * LIMIT);
}

#[test]
#[ignore = "takes long: make trials"]
fn other_shards_throw_nobody_out_and_are_said() {
    let store = [Valkey::start(), Valkey::start()];
    let change = |settings: Settings| settings.with("/fleet/shards", 16);
    let mut households = rolls_out(&store, change);
    assert!(households.fleet.metric("fleet.layout_mismatches") > 0);
    households.tell("shards from 64 to 16, one edge 5 s after the other");
    assert_eq!(households.seen.thrown_out, 0);
    households.become_exact("shards from 64 to 16, afterwards");
}

/// Another key of subjects makes other accounts of all: their sessions are of accounts that are
/// no more.
#[test]
#[ignore = "takes long: make trials"]
fn another_key_of_subjects_ends_all_sessions_and_is_said() {
    let store = [Valkey::start()];
    let key = "another key of subjects, as long as the first";
    let change = |settings: Settings| settings.with("/privacy/subject_key", key);
    let households = rolls_out(&store, change);
    assert!(households.fleet.metric("fleet.layout_mismatches") > 0);
    households.tell("subject_key changed, one edge 5 s after the other");
    assert_eq!(households.seen.thrown_out, ACCOUNTS * LIMIT);
}

/// Ten times over, each of three edges is killed and started again, while starts come in all the time.
#[test]
#[ignore = "takes long: make trials"]
fn ten_rolling_restarts_of_three_edges_throw_nobody_out() {
    let valkey = Valkey::start();
    let settings = Households::settings(&[valkey.port]).lapsing_after(LAPSES_AFTER_S);
    let mut households = Households::play_at(3, &settings);
    for round in 1..=10 {
        for edge in [2, 0, 1] {
            households.fleet[edge].restart();
            households.goes_on_for(APART / 5);
        }
        assert_eq!(households.seen.over, 0, "round {round}");
        assert_eq!(households.seen.thrown_out, 0, "round {round}");
    }
    households.become_exact("three edges killed and restarted one after the other, ten times");
}

/// Edges of another version are restarted one after the other.
#[test]
fn edges_that_are_restarted_one_after_the_other_throw_nobody_out() {
    let valkey = Valkey::start();
    let settings = Households::settings(&[valkey.port]).lapsing_after(LAPSES_AFTER_S);
    let mut households = Households::play(&settings);
    for edge in [1, 0] {
        households.fleet[edge].restart();
        households.goes_on_for(APART);
    }
    assert_eq!(households.seen.over, 0);
    households.become_exact("edges killed and restarted, one 5 s after the other");
}
