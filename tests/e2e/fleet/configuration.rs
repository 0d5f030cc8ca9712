//! Fleets whose configuration changes while streams play, or is wrong.

use serde_json::{Value, json};
use streamgate_tests::{Edge, Fault, FaultyLink, Fleet, Settings, Valkey, eventually};

use super::{FILM, sharing};

#[test]
fn an_update_loses_no_stream_of_the_fleet_and_holds_everywhere() {
    let valkey = Valkey::start();
    let settings = sharing(&[valkey.port]).by_lds();
    let mut fleet = Fleet::start(&settings, 2);
    let session = fleet[0].app("demo-tv").start("alice");
    let players = [0, 1].map(|edge| fleet[edge].player("alice").playing(FILM));
    let _ = fleet[1].app("demo-tv").create("alice").send().expect(409);

    fleet.update(&settings.with("/policies/0/rules/0/max", 4));
    // Connections of the old listeners are closed by now.
    let clients = [0, 1].map(|edge| fleet[edge].client());
    let _ = session.on(&clients[0]).heartbeat().expect(202);
    for (player, client) in players.iter().zip(&clients) {
        player.on(client).plays();
    }
    assert_eq!(fleet.metric("starts"), 3, "nobody had to start anew");
    let _fourth = fleet[1].player("alice").playing(FILM);
    for app in fleet.apps("demo-tv") {
        let _ = app.create("alice").send().expect(409);
        assert_eq!(app.running("alice").len(), 4);
    }
    assert_eq!(fleet.metric("fleet.calls_failed"), 0);
}

#[test]
fn what_to_do_in_an_outage_can_be_changed_in_the_outage() {
    let valkey = Valkey::start();
    let link = FaultyLink::to(valkey.port);
    let settings = sharing(&[link.port]).with("/fleet/wait", "1s").by_lds();
    let mut fleet = Fleet::start(&settings, 1);
    let session = fleet[0].app("demo-tv").start("alice");
    link.fails(Fault::Refuse);
    let _ = fleet[0].app("demo-tv").start("alice");
    fleet.update(&settings.with("/fleet/on_outage", "refuse"));
    let _ = fleet[0].app("demo-tv").create("alice").send().expect(503);
    let _ = session.on(&fleet[0].client()).heartbeat().expect(202);
}

#[test]
fn an_edge_that_joins_a_fleet_brings_its_streams_along() {
    let valkey = Valkey::start();
    let alone = Settings::default()
        .lapsing_after(6)
        .with("/sessions/calls_per_minute", 100_000)
        .by_lds()
        .store(&[valkey.port]);
    let joined = alone.clone().fleet(&[valkey.port]);
    let mut joining = Edge::start(alone);
    let member = Edge::start(joined.clone());
    let sessions = [(); 2].map(|()| joining.app("demo-tv").start("alice"));
    assert_eq!(member.app("demo-tv").running("alice").len(), 0);
    joining.update(joined).expect("to be taken over");
    let client = joining.client();
    eventually("the fleet knows its streams", || {
        for session in &sessions {
            let _ = session.on(&client).heartbeat().expect(202);
        }
        member.app("demo-tv").running("alice").len() == 2
    });
    let _third = member.app("demo-tv").start("alice");
    let _ = joining.app("demo-tv").create("alice").send().expect(409);
}

#[test]
fn an_edge_that_leaves_a_fleet_goes_on_alone() {
    let valkey = Valkey::start();
    let alone = Settings::default().by_lds().store(&[valkey.port]);
    let mut edge = Edge::start(alone.clone().fleet(&[valkey.port]));
    let session = edge.app("demo-tv").start("alice");
    let player = edge.player("alice").playing(FILM);
    edge.update(alone).expect("to be taken over");
    let calls = edge.metric("fleet.calls");
    let client = edge.client();
    let _ = session.on(&client).heartbeat().expect(202);
    player.on(&client).plays();
    let app = edge.app("demo-tv");
    let _ = app.start("alice");
    let _ = app.create("alice").send().expect(409);
    assert_eq!(
        edge.metric("fleet.calls"),
        calls,
        "the store is left in peace"
    );
}

#[test]
fn each_mistake_about_the_fleet_is_told_with_its_place() {
    let valkey = Valkey::start();
    let settings = sharing(&[valkey.port]).by_lds();
    let mut edge = Edge::start(settings.clone());
    let mistakes: [(&str, Value, &[&str]); 8] = [
        ("/fleet", json!({}), &["fleet", "cluster"]),
        ("/fleet/cluster", json!(""), &["fleet.cluster"]),
        (
            "/fleet/on_outage",
            json!("panic"),
            &["fleet.on_outage", "`admit`", "`refuse`"],
        ),
        (
            "/fleet/wait",
            json!("1ms"),
            &["fleet.wait", "\"1ms\"", "10ms", "10s"],
        ),
        (
            "/fleet/wait",
            json!("11s"),
            &["fleet.wait", "\"11s\"", "10ms", "10s"],
        ),
        (
            "/fleet/shards",
            json!(0),
            &["fleet.shards", "found 0", "1 to 1024"],
        ),
        (
            "/fleet/shards",
            json!(1025),
            &["fleet.shards", "1025", "1 to 1024"],
        ),
        (
            "/fleet/password",
            json!({"env": "NOT_THERE"}),
            &["fleet.password.env", "no value"],
        ),
    ];
    for (pointer, value, expected) in mistakes {
        let log = edge
            .update(settings.clone().with(pointer, value))
            .expect_err("must be refused");
        for part in expected {
            assert!(log.contains(part), "{pointer}: no {part} in {log}");
        }
    }
    // A secret is not repeated, whatever is wrong beside it.
    let log = edge
        .update(
            settings
                .with("/fleet/password", "hunter2")
                .with("/fleet/shards", 0),
        )
        .expect_err("must be refused");
    assert!(!log.contains("hunter2"), "{log}");
    let _ = edge.app("demo-tv").start("alice");
}
