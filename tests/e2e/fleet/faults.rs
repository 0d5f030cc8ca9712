//! Whatever goes wrong with the store: who plays plays on, it is counted, and the limit
//! is exact again when the store is back and a timeout has passed.

use std::time::Duration;

use streamgate_tests::{Edge, Fault, FaultyLink, Fleet, Settings, Valkey, eventually};

use super::trial::Trial;
use super::{FILM, sharing};

/// A store that is asked while something is wrong with it, until the edges have counted
/// that under this name.
#[track_caller]
fn survives(trial: &mut Trial, counted: &str, fails: impl FnOnce(), recovers: impl FnOnce()) {
    let before = trial.fleet.metric(counted);
    fails();
    trial.play_on_until(counted, || trial.fleet.metric(counted) > before);
    trial.newcomers_try();
    trial.play_on();
    recovers();
    trial.becomes_exact();
}

/// The same for links that fail, one fault after the other.
#[track_caller]
fn survive_on_a_link(faults: &[(Fault, &str)]) {
    let valkey = Valkey::start();
    let link = FaultyLink::to(valkey.port);
    let mut trial = Trial::start(&Trial::settings(&[link.port]));
    for (fault, counted) in faults {
        println!("{fault:?}");
        survives(
            &mut trial,
            counted,
            || link.fails(*fault),
            || link.recovers(),
        );
    }
}

#[test]
fn a_store_that_is_killed_and_comes_back_empty() {
    let mut valkey = Valkey::start();
    let mut trial = Trial::start(&Trial::settings(&[valkey.port]));
    let valkey = std::cell::RefCell::new(&mut valkey);
    survives(
        &mut trial,
        "fleet.errors.unreachable",
        || valkey.borrow_mut().kill(),
        || valkey.borrow_mut().start_again(),
    );
}

#[test]
fn one_of_two_nodes_that_freezes_and_thaws() {
    let nodes = [Valkey::start(), Valkey::start()];
    let settings = Trial::settings(&nodes.each_ref().map(|node| node.port));
    let mut trial = Trial::start(&settings);
    assert!(
        nodes.iter().all(|node| node.records() > 0),
        "both hold some"
    );
    survives(
        &mut trial,
        "fleet.errors.timeout",
        || nodes[0].freeze(),
        || nodes[0].thaw(),
    );
}

#[test]
fn one_of_two_nodes_that_freezes_is_left_out_and_is_taken_back() {
    let nodes = [Valkey::start(), Valkey::start()];
    let settings = Trial::settings(&nodes.each_ref().map(|node| node.port));
    let mut trial = Trial::start(&settings.store_watched());
    let healthy = |fleet: &Fleet, nodes: u64| {
        let healthy = |edge: &Edge| edge.sum_of("^cluster\\.valkey\\.membership_healthy$");
        fleet.edges().all(|edge| healthy(edge) == nodes)
    };
    eventually("both nodes are well", || healthy(&trial.fleet, 2));
    nodes[0].freeze();
    trial.play_on_until("one is left out", || healthy(&trial.fleet, 1));
    trial.newcomers_try();
    // The other one serves all by now, and comes to know all.
    trial.becomes_exact();
    nodes[0].thaw();
    trial.play_on_until("both are well again", || healthy(&trial.fleet, 2));
    trial.newcomers_try();
    trial.becomes_exact();
}

#[test]
fn replies_that_are_cut_off_or_never_arrive() {
    survive_on_a_link(&[
        (Fault::CutAfter(0), "fleet.calls_failed"),
        (Fault::CutAfter(3), "fleet.errors.protocol"),
        (Fault::ResetAfter(3), "fleet.calls_failed"),
        (Fault::Mute, "fleet.errors.timeout"),
    ]);
}

#[test]
fn a_store_that_answers_nonsense_or_nothing_or_is_not_there() {
    survive_on_a_link(&[
        (
            Fault::Answer(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            "fleet.errors.protocol",
        ),
        (
            Fault::Answer(b"-ERR unknown command\r\n"),
            "fleet.calls_failed",
        ),
        (Fault::Endless(b"+OK\r\n"), "fleet.calls_failed"),
        (Fault::Hang, "fleet.errors.timeout"),
        (Fault::Refuse, "fleet.errors.unreachable"),
    ]);
}

#[test]
fn a_password_that_is_changed_behind_the_edges_back() {
    let valkey = Valkey::with().user("edge", "sesame, open for us").start();
    let settings = Trial::settings(&[valkey.port])
        .with("/fleet/user", "edge")
        .with("/fleet/password", "sesame, open for us");
    let mut trial = Trial::start(&settings);
    let password = |password: &str| {
        let password = format!(">{password}");
        let _ = valkey.command(&["ACL", "SETUSER", "edge", "resetpass", &password]);
    };
    survives(
        &mut trial,
        "fleet.errors.auth",
        || password("another one altogether"),
        || password("sesame, open for us"),
    );
}

#[test]
fn a_store_that_has_no_room() {
    let valkey = Valkey::start();
    let mut trial = Trial::start(&Trial::settings(&[valkey.port]));
    survives(
        &mut trial,
        "fleet.errors.full",
        || valkey.fill(),
        || valkey.make_room(),
    );
}

#[test]
fn an_edge_with_a_wrong_password_works_alone_and_keeps_it_to_itself() {
    let valkey = Valkey::with().password("sesame, open for us").start();
    let settings = sharing(&[valkey.port]).with("/fleet/password", "guessed-but-wrong");
    let edge = Edge::start(settings.with("/fleet/wait", "1s"));
    let app = edge.app("demo-tv");
    let session = app.start("alice");
    let _players = [(); 2].map(|()| edge.player("alice").playing(FILM));
    let _ = app.create("alice").send().expect(409);
    let _ = session.heartbeat().expect(202);
    assert!(edge.metric("fleet.errors.auth") > 0);
    assert_eq!(edge.metric("fleet.outage_admits"), 3);
    assert_eq!(valkey.records(), 0);
    assert!(!edge.log().contains("guessed-but-wrong"));
    assert!(!edge.all_statistics().contains("guessed-but-wrong"));
}

#[test]
fn a_cluster_that_envoy_does_not_know_is_a_store_that_cannot_be_reached() {
    let settings = Settings::default().with(
        "/fleet",
        serde_json::json!({"cluster": "nowhere", "wait": "10s"}),
    );
    let edge = Edge::start(settings);
    let started = std::time::Instant::now();
    let app = edge.app("demo-tv");
    let _sessions = [(); 3].map(|()| app.start("alice"));
    let _ = app.create("alice").send().expect(409);
    // Nobody waits for what cannot come: one of four that did would take so long.
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(edge.metric("fleet.errors.unreachable") > 0);
}
