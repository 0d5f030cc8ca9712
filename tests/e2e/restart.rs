//! Envoy is killed and started again: its memory of streams is gone, the signed ids
//! are not.

use streamgate_tests::{Edge, Settings, eventually};

const FILM: &str = "/vod/film/master.m3u8";

#[test]
fn sessions_and_players_come_back_with_their_next_sign_of_life() {
    let mut edge = Edge::start(Settings::default());
    let session = edge
        .app("demo-tv")
        .create("alice")
        .query("channel=News")
        .start();
    let player = edge.player("alice").playing(FILM);
    let members = edge.app("demo-web").start("alice");
    let started = session.listed().expect("a session")["startTime"].clone();

    edge.restart();
    let client = edge.client();
    assert_eq!(edge.metric("live_streams"), 0);
    let _ = session.on(&client).heartbeat().expect(202);
    player.on(&client).plays();
    let path = format!("{}/members/film/segment-1.m4s", members.playback_prefix);
    let _ = client.get(&path).send().expect(200);
    assert_eq!(edge.metric("live_streams"), 3);

    let again = session.on(&client).listed().expect("a session");
    assert_eq!(again["startTime"], started, "it is the stream it was");
    // They hold their places.
    let _ = edge.app("demo-tv").create("alice").send().expect(409);
}

#[test]
fn the_limit_holds_for_those_who_come_back_too() {
    let mut edge = Edge::start(Settings::default());
    let sessions = [(); 3].map(|()| edge.app("demo-tv").start("alice"));
    edge.restart();
    let client = edge.client();
    let _newcomer = edge.player("alice").playing(FILM);
    let statuses = sessions.map(|session| session.on(&client).heartbeat().status);
    assert_eq!(statuses, [202, 202, 409]);
    assert_eq!(edge.app("demo-tv").running("alice").len(), 3);
}

#[test]
fn made_up_ids_and_tokens_are_not_believed_after_a_restart_either() {
    let mut edge = Edge::start(Settings::default());
    let session = edge.app("demo-tv").start("alice");
    edge.restart();
    let app = edge.app("demo-tv");
    let _ = app.heartbeat("alice", "nonsense").expect(404);
    let _ = app.heartbeat("alice", &"A".repeat(47)).expect(404);
    let _ = app.heartbeat("bob", &session.id).expect(404);
    let segment = edge.get("/~nonsense/vod/film/segment-1.m4s").send();
    let _ = segment.expect_refusal(403, "token-invalid");
    assert_eq!(edge.metric("live_streams"), 0);
}

#[test]
fn whoever_does_not_come_back_in_time_is_over() {
    let mut edge = Edge::start(Settings::default().lapsing_after(3));
    let prompt = edge.app("demo-tv").start("alice");
    let slow = edge.app("demo-tv").start("alice");
    edge.restart();
    let (client, app) = (edge.client(), edge.app("demo-tv"));
    let _ = prompt.on(&client).heartbeat().expect(202);
    // A whole timeout after the prompt one's only sign of life.
    eventually("the prompt one has lapsed", || {
        app.running("alice").is_empty()
    });
    for session in [&slow, &prompt] {
        let answer = session.on(&client).heartbeat().expect(410);
        assert!(answer.body.is_empty());
    }
    let _ = app.heartbeat("alice", &"A".repeat(47)).expect(404);
}

#[test]
fn an_evicted_stream_does_not_take_its_place_back_by_a_restart() {
    let mut edge = Edge::start(Settings::default());
    let first = edge.app("demo-mobile").start("alice");
    std::thread::sleep(std::time::Duration::from_millis(5));
    let second = edge.app("demo-mobile").start("alice");
    let _ = first.heartbeat().expect(409);
    edge.restart();
    let client = edge.client();
    let _ = second.on(&client).heartbeat().expect(202);
    let _ = first.on(&client).heartbeat().expect(409);
    let _ = second.on(&client).heartbeat().expect(202);
}
