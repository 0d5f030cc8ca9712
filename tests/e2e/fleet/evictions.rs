//! A stream that ends at one edge is refused at all others, in time and with the reason.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;
use streamgate_tests::{
    Answer, Edge, Fleet, Session, Settings, Valkey, awaited, eventually_within,
};

use super::{BOUND_AND_SLACK, FILM, LATEST, fleet_of, later};

/// The first answer that is no success; it has to come in time.
#[track_caller]
fn refused(ask: impl Fn() -> Answer) -> Answer {
    let mut answer = ask();
    eventually_within(BOUND_AND_SLACK, "it is refused", || {
        answer = ask();
        answer.status >= 300
    });
    answer
}

/// A segment under a session's playback prefix.
fn segment(edge: &Edge, session: &Session) -> Answer {
    let path = format!("{}{}", session.playback_prefix, "/vod/film/segment-1.m4s");
    edge.get(&path).send()
}

#[test]
fn a_session_that_loses_its_place_at_another_edge_is_told_by_which_rule() {
    let (_valkey, fleet) = fleet_of(2);
    let first = fleet[0].app("demo-mobile").start("alice");
    later();
    let second = fleet[1].app("demo-mobile").start("alice");
    let told = refused(|| first.heartbeat()).expect(409);
    let advice = &told.json()["associatedAdvice"][0];
    assert_eq!(advice["type"], "rule-violation");
    assert_eq!(advice["policyName"], "latest-wins");
    let _ = segment(&fleet[0], &first).expect_refusal(403, "evicted");
    // And it stays that way, here and there.
    let _ = first.heartbeat().expect(409);
    let _ = first.on(&fleet[1].client()).heartbeat().expect(409);
    let _ = second.heartbeat().expect(202);
    for app in fleet.apps("demo-mobile") {
        let running = app.running("alice");
        assert_eq!(running.len(), 1);
        assert_eq!(running[0]["sessionId"], second.id.as_str());
    }
    assert_eq!(fleet.metric("evictions"), 1);
}

#[test]
fn a_player_in_full_swing_loses_its_place_to_one_at_another_edge() {
    let (_valkey, fleet) = fleet_of(2);
    let first = fleet[0].player("alice").playing(LATEST);
    later();
    let second = fleet[1].player("alice").playing(LATEST);
    let _ = refused(|| first.segment()).expect_refusal(403, "evicted");
    second.plays();
    let _ = first.refused("evicted");
    let _ = first.on(&fleet[1].client()).refused("evicted");
}

#[test]
fn whoever_asks_for_nothing_meanwhile_is_refused_at_once_when_the_time_is_up() {
    let (_valkey, fleet) = fleet_of(2);
    let session = fleet[0].app("demo-mobile").start("alice");
    let player = fleet[0].player("bob").playing(LATEST);
    later();
    let _ = fleet[1].app("demo-mobile").start("alice");
    let _ = fleet[1].app("demo-mobile").start("bob");
    sleep(Duration::from_secs(BOUND_AND_SLACK));
    let _ = session.heartbeat().expect(409);
    let _ = player.refused("evicted");
}

#[test]
fn a_third_of_the_shortest_timeout_is_the_bound_where_none_is_set() {
    let valkey = Valkey::start();
    let settings = Settings::default().lapsing_after(6).fleet(&[valkey.port]);
    let fleet = Fleet::start(&settings, 2);
    let first = fleet[0].app("demo-mobile").start("alice");
    later();
    let _second = fleet[1].app("demo-mobile").start("alice");
    // Two seconds, which a stream that goes on asking survives by its timeout.
    let _ = refused(|| first.heartbeat()).expect(409);
}

#[test]
fn a_stream_that_a_viewer_stops_at_another_edge_is_told_by_whom() {
    let (_valkey, fleet) = fleet_of(2);
    let app = fleet[0].app("demo-tv");
    let kitchen = app.create("alice").form("deviceName=Kitchen").start();
    let _others = [(); 2].map(|()| app.start("alice"));
    let there = fleet[1].app("demo-tv");
    let _ = there.create("alice").send().expect(409);
    let code = there.running("alice").into_iter().find_map(|stream| {
        let is_it = stream["sessionId"] == kitchen.id.as_str();
        is_it.then(|| {
            stream["terminationCode"]
                .as_str()
                .expect("a code")
                .to_owned()
        })
    });
    let code = code.expect("the other edge lists it");
    let create = there.create("alice").form("deviceName=Bedroom");
    let bedroom = create.terminate(&code).start();
    let listed = bedroom.listed().expect("a session");
    assert_eq!(listed["metadata"]["superseded"], code.as_str());

    let told = refused(|| kitchen.heartbeat()).expect(410).json();
    let advice = &told["associatedAdvice"][0];
    assert_eq!(advice["type"], "remote-termination");
    assert_eq!(advice["terminator"]["deviceName"], "Bedroom");
    let _ = segment(&fleet[0], &kitchen).expect_refusal(403, "remote-termination");
    assert_eq!(app.running("alice").len(), 3);
    assert_eq!(fleet.metric("kills"), 1);
}

#[test]
fn a_session_that_stops_at_another_edge_is_over_at_all() {
    let (_valkey, fleet) = fleet_of(3);
    let sessions = [(); 3].map(|()| fleet[0].app("demo-tv").start("alice"));
    let _ = sessions[0].on(&fleet[1].client()).stop().expect(202);
    // Its place is free at once, at an edge that has never heard of the account.
    let _fourth = fleet[2].app("demo-tv").start("alice");
    let _ = fleet[2].app("demo-tv").create("alice").send().expect(409);

    let told = refused(|| sessions[0].heartbeat()).expect(410);
    assert!(told.body.is_empty());
    let segment = refused(|| segment(&fleet[0], &sessions[0]));
    let _ = segment.expect_refusal(403, "stream-over");
    for app in fleet.apps("demo-tv") {
        assert_eq!(app.running("alice").len(), 3);
    }
    assert_eq!(fleet.metric("stops"), 1);
}

#[test]
fn a_device_that_starts_again_at_another_edge_replaces_its_own_stream() {
    let (_valkey, fleet) = fleet_of(2);
    let on = |edge: usize, device: &str| {
        let create = fleet[edge].app("demo-tv").create("alice");
        create.form(&format!("deviceId={device}")).start()
    };
    let crashed = on(0, "tv");
    let others = [on(0, "phone"), on(1, "tablet")];
    let restarted = on(1, "tv");
    let told = refused(|| crashed.heartbeat()).expect(410).json();
    assert_eq!(told["associatedAdvice"][0]["type"], "remote-termination");
    for session in others.iter().chain([&restarted]) {
        let _ = session.heartbeat().expect(202);
    }
    assert_eq!(fleet.metric("replacements"), 1);
}

#[test]
fn a_paused_player_gives_its_place_up_at_all_edges() {
    let valkey = Valkey::start();
    let settings = super::sharing(&[valkey.port])
        .lapsing_after(6)
        .with("/playback/0/paused", "release");
    let fleet = Fleet::start(&settings, 2);
    let player = fleet[0].player("alice").playing(FILM);
    let there = fleet[1].app("demo-tv");
    assert_eq!(there.running("alice").len(), 1);
    let paused = || {
        let _ = player.get("master.m3u8?CMCD=sta%3Da%2Cv%3D2").expect(200);
        there.running("alice").is_empty().then_some(())
    };
    awaited("the other edge has heard of it", paused);
    player.plays();
    assert_eq!(there.running("alice").len(), 1);
    assert_eq!(there.list("alice").json()["otherStreams"], json!(0));
}
