//! Streams that are seen from other edges, and that move there.

use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use streamgate_tests::{Edge, Fleet, Player, Reply, Valkey, eventually};

use super::{FILM, fleet_of, later, sharing};

/// Players that fill an account's three places at one edge.
fn three_playing(edge: &Edge, account: &str) -> [Player; 3] {
    [(); 3].map(|()| edge.player(account).playing(FILM))
}

#[test]
fn every_edge_lists_the_streams_of_all() {
    let (_valkey, fleet) = fleet_of(3);
    let create = fleet[0].app("demo-tv").create("alice");
    let first = create.query("channel=News&deviceName=Kitchen").start();
    later();
    let second = fleet[1].app("demo-web").start("alice");
    later();
    let _third = fleet[1].player("alice").playing(FILM);
    let lists: Vec<Value> = fleet
        .edges()
        .map(|edge| edge.app("demo-tv").list("alice").expect(200).json())
        .collect();
    let streams = lists[0]["runningStreams"].as_array().expect("a list");
    assert_eq!(streams.len(), 3);
    assert_eq!(streams[0]["sessionId"], first.id.as_str(), "oldest first");
    assert_eq!(streams[1]["sessionId"], second.id.as_str());
    assert_eq!(streams[0]["metadata"]["channel"], "News");
    assert_eq!(streams[0]["metadata"]["deviceName"], "Kitchen");
    assert_eq!(lists[1], lists[0]);
    assert_eq!(lists[2], lists[0]);
    assert!(fleet[2].app("demo-tv").running("bob").is_empty());
}

#[test]
fn a_refusal_names_streams_at_other_edges() {
    let (_valkey, fleet) = fleet_of(2);
    let app = fleet[0].app("demo-tv");
    for device in ["Kitchen", "Bedroom", "Phone"] {
        let _ = app
            .create("alice")
            .form(&format!("deviceName={device}"))
            .start();
    }
    let refused = fleet[1].app("demo-tv").create("alice").send().expect(409);
    let text = refused.text();
    for device in ["Kitchen", "Bedroom", "Phone"] {
        assert!(text.contains(device), "no {device} in {text}");
    }
    let mut player = fleet[1].player("alice");
    let refused = player.open(FILM).expect_refusal(403, "limit-reached");
    assert!(refused.text().contains("Kitchen"));
}

#[test]
fn a_session_that_moves_to_another_edge_is_the_session_it_was() {
    let (_valkey, fleet) = fleet_of(2);
    let session = fleet[0]
        .app("demo-tv")
        .create("alice")
        .query("channel=News")
        .start();
    let there = session.on(&fleet[1].client());
    let before = session.listed().expect("a session");
    let _ = there.heartbeat_with("quality=hd").expect(202);
    let after = there.listed().expect("a session");
    assert_eq!(after["startTime"], before["startTime"]);
    assert_eq!(after["terminationCode"], before["terminationCode"]);
    assert_eq!(after["metadata"]["channel"], "News");
    assert_eq!(after["metadata"]["quality"], "hd");
    // What may not change may not change there either.
    let _ = there.heartbeat_with("channel=Sport").expect(400);
    let _ = session.heartbeat().expect(202);
    assert_eq!(fleet.metric("starts"), 1);
    let _ = there.stop().expect(202);
    assert_eq!(fleet.metric("stops"), 1);
}

#[test]
fn a_player_that_moves_to_another_edge_plays_on_though_the_account_is_full() {
    let (_valkey, fleet) = fleet_of(2);
    let players = three_playing(&fleet[0], "alice");
    let client = fleet[1].client();
    for player in &players {
        player.on(&client).plays();
    }
    let _ = players[0].on(&client).get("master.m3u8").expect(200);
    let newcomer = fleet[1].player("alice").open(FILM);
    let _ = newcomer.expect_refusal(403, "limit-reached");
    assert_eq!(fleet.metric("starts"), 3);
    assert_eq!(fleet[1].app("demo-tv").running("alice").len(), 3);
}

#[test]
fn a_session_created_at_one_edge_plays_at_another() {
    let (_valkey, fleet) = fleet_of(2);
    let session = fleet[0].app("demo-web").start("alice");
    let path = format!("{}/members/film/segment-1.m4s", session.playback_prefix);
    let _ = fleet[1].get(&path).send().expect(200);
    let _ = session.stop().expect(202);
    eventually("it is over there, too", || {
        fleet[1].get(&path).send().status == 403
    });
}

#[test]
fn a_player_between_two_edges_holds_one_place() {
    let valkey = Valkey::start();
    let fleet = Fleet::start(&sharing(&[valkey.port]).lapsing_after(3), 2);
    let player = fleet[0].player("alice").playing(FILM);
    let there = player.on(&fleet[1].client());
    // Twice as long as a silent stream lives.
    for _ in 0..20 {
        sleep(Duration::from_millis(300));
        player.plays();
        there.plays();
        for app in fleet.apps("demo-tv") {
            assert_eq!(app.running("alice").len(), 1);
        }
    }
    assert_eq!(fleet.metric("starts"), 1);
    assert_eq!(fleet.metric("lapses"), 0);
}

#[test]
fn signs_of_life_at_one_edge_hold_the_places_at_all() {
    let valkey = Valkey::start();
    let fleet = Fleet::start(&sharing(&[valkey.port]).lapsing_after(3), 2);
    let session = fleet[0].app("demo-tv").start("alice");
    let players = [(); 2].map(|()| fleet[0].player("alice").playing(FILM));
    let there = fleet[1].app("demo-tv");
    // Three times as long as a silent stream lives.
    for _ in 0..30 {
        sleep(Duration::from_millis(300));
        let _ = session.heartbeat().expect(202);
        for player in &players {
            player.plays();
        }
        let _ = there.create("alice").send().expect(409);
    }
    assert_eq!(there.running("alice").len(), 3);
    assert_eq!(fleet.metric("starts"), 3);
}

#[test]
fn a_silent_streams_place_is_free_at_all_edges_and_the_store_forgets_it() {
    let valkey = Valkey::start();
    let settings = sharing(&[valkey.port]).lapsing_after(2);
    let fleet = Fleet::start(&settings, 2);
    let _sessions = [(); 3].map(|()| fleet[0].app("demo-tv").start("alice"));
    let there = fleet[1].app("demo-tv");
    let _ = there.create("alice").send().expect(409);
    assert_eq!(valkey.records(), 1);
    eventually("the list is empty", || there.running("alice").is_empty());
    eventually("the store is empty", || valkey.records() == 0);

    // A stopped stream is remembered for a while, and no key stays for good.
    let _ = there.start("alice").stop().expect(202);
    for (key, _) in valkey.contents() {
        let left = valkey.command(&[b"PTTL", key.as_slice()]);
        assert!(matches!(left, Reply::Integer(1..)), "{left:?}");
    }
}
