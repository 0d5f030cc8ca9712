//! The operator's door of a fleet: what is done at one edge is obeyed at all, and while the store is out
//! the door says so.

use serde_json::{Value, json};
use streamgate_tests::{Answer, Edge, Fleet, Player, Valkey, eventually_within};

use super::{FILM, later, sharing};

const KEY: &str = "the key of the tests' operators";
const ALICE: &str = "/streamgate/v1/accounts/demo/alice";
const BOB: &str = "/streamgate/v1/accounts/demo/bob";

/// For as long as a machine that is busy with others' work may take.
const PATIENCE_S: u64 = 60;

fn with_doors(edges: usize) -> (Valkey, Fleet) {
    let valkey = Valkey::start();
    let settings = sharing(&[valkey.port]).with_door(KEY);
    (valkey, Fleet::start(&settings, edges))
}

fn ask(edge: &Edge, method: &str, path: &str, body: Option<&Value>) -> Value {
    let door = edge.door();
    let request = door.request(method, path);
    let request = request.header("authorization", &format!("Bearer {KEY}"));
    let answer = match body {
        Some(body) => request.body(body.to_string().as_bytes()).send(),
        None => request.send(),
    };
    answer.expect(200).json()
}

fn block(edge: &Edge, account: &str) -> Value {
    let block = json!({"blocked": true, "reason": "fraud", "for": "1h"});
    ask(edge, "PUT", &format!("{account}/exception"), Some(&block))
}

/// Its next segments are refused, with this reason.
#[track_caller]
fn is_refused(player: &Player, reason: &str) {
    let mut answer: Option<Answer> = None;
    eventually_within(PATIENCE_S, "it is refused", || {
        let asked = answer.insert(player.segment());
        asked.status >= 300
    });
    let _ = answer.expect("an answer").expect_refusal(403, reason);
}

/// Nobody starts at an edge.
#[track_caller]
fn is_blocked_at(edge: &Edge, account: &str) {
    eventually_within(PATIENCE_S, "it is blocked", || {
        let answer = edge.player(account).open(FILM);
        answer.status == 403 && answer.reason() == "blocked"
    });
}

#[test]
fn what_an_operator_does_at_one_of_three_edges_is_obeyed_at_all() {
    let (_valkey, fleet) = with_doors(3);
    let players: Vec<_> = fleet
        .edges()
        .map(|edge| {
            later();
            edge.player("alice").playing(FILM)
        })
        .collect();
    let account = ask(&fleet[0], "GET", ALICE, None);
    assert_eq!(account["store"], "asked");
    let streams = account["streams"].as_array().expect("a list");
    assert_eq!(streams.len(), 3, "{account}");
    // The one that started last plays at the last edge.
    let code = streams[2]["code"].as_str().expect("a code");
    let done = ask(
        &fleet[0],
        "DELETE",
        &format!("{ALICE}/streams/{code}"),
        None,
    );
    assert_eq!(done, json!({"stopped": 1, "store": "asked"}));
    is_refused(&players[2], "remote-termination");
    players[0].plays();
    players[1].plays();

    let done = block(&fleet[1], ALICE);
    assert_eq!(
        (&done["stopped"], &done["store"]),
        (&json!(2), &json!("asked"))
    );
    is_refused(&players[0], "blocked");
    is_refused(&players[1], "blocked");
    for edge in fleet.edges() {
        is_blocked_at(edge, "alice");
        let shown = ask(edge, "GET", ALICE, None);
        assert_eq!(shown["exception"]["blocked"], true, "{shown}");
        assert_eq!(shown["streams"], json!([]));
    }
    let _ = ask(&fleet[2], "DELETE", &format!("{ALICE}/exception"), None);
    for edge in fleet.edges() {
        eventually_within(PATIENCE_S, "it is blocked no longer", || {
            edge.player("alice").open(FILM).status != 403
        });
        let _ = edge.player("alice").playing(FILM);
    }
}

#[test]
fn what_an_operator_does_while_the_store_is_out_is_done_there_and_told_later() {
    let (mut valkey, fleet) = with_doors(3);
    let elsewhere = fleet[1].player("alice").playing(FILM);
    let here = fleet[0].player("alice").playing(FILM);
    valkey.kill();
    let shown = ask(&fleet[0], "GET", ALICE, None);
    assert_eq!(shown["store"], "out", "{shown}");
    let done = ask(&fleet[0], "DELETE", ALICE, None);
    assert_eq!(done, json!({"stopped": 2, "store": "out"}));
    is_refused(&here, "remote-termination");
    elsewhere.plays();
    let done = block(&fleet[0], BOB);
    assert_eq!(done["store"], "out", "{done}");
    is_blocked_at(&fleet[0], "bob");

    valkey.start_again();
    is_refused(&elsewhere, "remote-termination");
    for edge in fleet.edges() {
        is_blocked_at(edge, "bob");
    }
}
