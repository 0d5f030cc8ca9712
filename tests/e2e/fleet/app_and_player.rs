//! An app of the reference service's shape and its unmodified player, each at an edge of its own: one
//! stream, whichever of them comes first.

use serde_json::json;
use streamgate_tests::{Answer, Edge, Fleet, Settings, Valkey, eventually_within};

use super::{BOUND_AND_SLACK, sharing};

/// Two streams at most; a request says which device it is from, and is a playback by its stream's header.
fn settings(settings: Settings) -> Settings {
    let attributes = json!({"deviceId": {"header": "x-device-id"}});
    let carried = "/playback/3";
    settings
        .with("/compatibility", "cm-v2")
        .with("/policies/0/rules/0/max", 2)
        .with(&format!("{carried}/attributes"), attributes)
}

fn segment_of(account: &str, edge: &Edge, player: &str, device: &str) -> Answer {
    let request = edge.get("/carried/film/1.m4s").account(account);
    let request = request.header("x-stream-id", player);
    request.header("x-device-id", device).send()
}

/// Creates a session, whose id is all that the app is given.
fn create_for(account: &str, edge: &Edge, device: &str) -> String {
    let created = edge.app("demo-web").create(account);
    let answer = created.query(&format!("deviceId={device}")).send();
    let answer = answer.expect(202);
    answer.header("location").expect("an id").to_owned()
}

fn call_for(account: &str, edge: &Edge, method: &str, id: &str) -> Answer {
    let path = format!("/v2/sessions/demo/{account}/{id}");
    edge.app("demo-web").call(method, &path).send()
}

/// `app` and `player` are where each of them asks.
fn are_one(app: &Edge, player: &Edge, edges: &[&Edge], player_first: bool) {
    let account = if player_first { "alice" } else { "bob" };
    let running = |edge: &Edge| edge.app("demo-web").running(account);
    let segment =
        |edge: &Edge, player: &str, device: &str| segment_of(account, edge, player, device);
    let create = |edge: &Edge, device: &str| create_for(account, edge, device);
    let call = |edge: &Edge, method: &str, id: &str| call_for(account, edge, method, id);
    let id = if player_first {
        let _ = segment(player, "own", "tv").expect(200);
        create(app, "tv")
    } else {
        let id = create(app, "tv");
        let _ = segment(player, "own", "tv").expect(200);
        id
    };
    for _ in 0..3 {
        for edge in edges {
            let _ = segment(edge, "own", "tv").expect(200);
            let _ = call(edge, "POST", &id).expect(202);
            let listed = running(edge);
            assert_eq!(listed.len(), 1, "{listed:?}");
            assert_eq!(listed[0]["sessionId"], id.as_str());
        }
    }
    // A second device is a second stream, whose player is not the first one's.
    let phone = create(player, "phone");
    let _ = segment(app, "phone's", "phone").expect(200);
    let _ = call(app, "POST", &phone).expect(202);
    assert_eq!(running(app).len(), 2);
    assert_eq!(segment(player, "third", "tablet").status, 403);
    // The app stops at one edge: so has its player, at both.
    let _ = call(app, "DELETE", &id).expect(202);
    for edge in edges {
        eventually_within(BOUND_AND_SLACK, "the player is refused", || {
            let answer = segment(edge, "own", "tv");
            answer.status == 403 && answer.reason() == "stream-over"
        });
        assert_eq!(call(edge, "POST", &id).status, 410);
        let _ = segment(edge, "phone's", "phone").expect(200);
    }
    let _ = call(player, "DELETE", &phone).expect(202);
}

#[test]
fn an_app_and_its_player_at_different_edges_are_one_stream_whoever_comes_first() {
    let valkey = Valkey::start();
    let fleet = Fleet::start(&settings(sharing(&[valkey.port])), 2);
    let (app, player) = (&fleet[0], &fleet[1]);
    for player_first in [true, false] {
        are_one(app, player, &[app, player], player_first);
    }
    assert_eq!(fleet.metric("starts"), 4);
}

#[test]
fn so_they_are_at_one_edge_that_is_alone() {
    let mut edge = Edge::start(settings(Settings::default()));
    for player_first in [true, false] {
        are_one(&edge, &edge, &[&edge], player_first);
    }
    assert_eq!(edge.metric("starts"), 4);
    edge.assert_sound();
}
