//! What an operator said at one edge of a fleet outlives streams and edges, and cuts films in one response
//! wherever they run.

use serde_json::{Value, json};
use streamgate_tests::{Edge, Fetch, Fleet, Given, Valkey, Version, eventually};

use super::long_responses::is_cut;
use super::{FILM, sharing};

const KEY: &str = "the key of the tests' operators";
const ALICE: &str = "/streamgate/v1/accounts/demo/alice";

fn ask(edge: &Edge, method: &str, path: &str, body: Option<&Value>) -> Value {
    let request = edge.door().request(method, path);
    let request = request.header("authorization", &format!("Bearer {KEY}"));
    let answer = match body {
        Some(body) => request.body(body.to_string().as_bytes()).send(),
        None => request.send(),
    };
    answer.expect(200).json()
}

fn except(edge: &Edge, account: &str, mut exception: Value) -> Value {
    exception["reason"] = "ticket 4711".into();
    exception["for"] = "1h".into();
    let path = format!("/streamgate/v1/accounts/demo/{account}/exception");
    ask(edge, "PUT", &path, Some(&exception))
}

#[test]
fn exceptions_outlive_the_last_stream_and_a_restart_of_all_edges() {
    let valkey = Valkey::start();
    let settings = sharing(&[valkey.port]).with_door(KEY);
    let mut fleet = Fleet::start(&settings, 2);
    let session = fleet[0].app("demo-tv").start("alice");
    let _ = except(&fleet[0], "alice", json!({"max": 4}));
    let _ = except(&fleet[1], "bob", json!({"blocked": true}));
    let _ = session.stop().expect(202);
    for edge in 0..2 {
        fleet[edge].restart();
    }
    let shown = ask(&fleet[1], "GET", ALICE, None);
    assert_eq!(shown["exception"]["max"], 4, "{shown}");
    assert_eq!(shown["exception"]["reason"], "ticket 4711");
    assert_eq!(shown["streams"], json!([]));
    let app = fleet[1].app("demo-tv");
    let _sessions = [(); 4].map(|()| app.start("alice"));
    let _ = fleet[0].app("demo-tv").create("alice").send().expect(409);
    for edge in fleet.edges() {
        let refused = edge.player("bob").open(FILM);
        let _ = refused.expect_refusal(403, "blocked");
    }
}

#[test]
fn a_film_is_cut_when_an_operator_stops_or_blocks_it_at_another_of_three_edges() {
    let valkey = Valkey::start();
    let settings = sharing(&[valkey.port]).with_door(KEY);
    let fleet = Fleet::start(&settings, 3);
    for (edge, door, method, reason) in [
        (1, 0, "DELETE", "remote-termination"),
        (2, 1, "PUT", "blocked"),
    ] {
        let edge = &fleet[edge];
        let session = edge.app("demo-tv").start("alice");
        edge.origin
            .gives("/vod/film.mp4", Given::body(vec![0x47; 400 << 20]));
        let path = format!("{}/vod/film.mp4", session.playback_prefix);
        let film = Fetch::begin(edge, Version::One, &path, &[], 4 << 20, &[]);
        eventually("the film runs", || {
            edge.origin
                .paths()
                .iter()
                .any(|asked| asked == "/vod/film.mp4")
        });
        let done = match method {
            "DELETE" => ask(&fleet[door], method, ALICE, None),
            _ => except(&fleet[door], "alice", json!({"blocked": true})),
        };
        assert_eq!(
            (&done["stopped"], &done["store"]),
            (&json!(1), &json!("asked"))
        );
        is_cut(edge, film, reason);
    }
}
