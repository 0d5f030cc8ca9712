//! Nodes come and go: accounts move to other nodes, and their streams play on.

use streamgate_tests::{Valkey, eventually};

use super::trial::Trial;

#[test]
fn accounts_that_move_to_a_new_node_keep_their_streams_and_their_limit() {
    let nodes = [Valkey::start(), Valkey::start()];
    let ports = nodes.each_ref().map(|node| node.port);
    let mut trial = Trial::start(&Trial::settings(&ports[..1]));
    assert_eq!(nodes[1].keys(), 0);
    trial.fleet.moves_to(&ports);
    trial.newcomers_try();
    trial.becomes_exact();
    assert!(nodes[1].records() > 0, "some have moved");
    assert_eq!(trial.fleet.metric("evictions"), 0);
}

#[test]
fn accounts_of_a_node_that_is_taken_away_go_on_at_those_that_stay() {
    let mut nodes = [Valkey::start(), Valkey::start()];
    let ports = nodes.each_ref().map(|node| node.port);
    let mut trial = Trial::start(&Trial::settings(&ports));
    assert!(
        nodes.iter().all(|node| node.records() > 0),
        "both hold some"
    );
    nodes[1].kill();
    trial.fleet.moves_to(&ports[..1]);
    trial.newcomers_try();
    trial.becomes_exact();
    assert_eq!(trial.fleet.metric("evictions"), 0);
}

#[test]
fn accounts_of_a_node_that_dies_go_on_at_those_that_are_well() {
    let mut nodes = [Valkey::start(), Valkey::start()];
    let ports = nodes.each_ref().map(|node| node.port);
    let mut trial = Trial::start(&Trial::settings(&ports).store_watched());
    nodes[1].kill();
    let healthy =
        |edge: &streamgate_tests::Edge| edge.sum_of("^cluster\\.valkey\\.membership_healthy$") == 1;
    trial.play_on_until("the dead one is left out", || {
        trial.fleet.edges().all(healthy)
    });
    trial.newcomers_try();
    trial.becomes_exact();
    nodes[1].start_again();
    trial.play_on_until("it is taken back", || {
        trial.fleet.edges().all(|edge| !healthy(edge))
    });
    trial.newcomers_try();
    trial.becomes_exact();
    eventually("it holds some again", || nodes[1].records() > 0);
}
