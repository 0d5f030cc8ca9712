//! The operator's door beside the viewers' listener of one Envoy: what a support agent asks, and
//! what an operator does.

use serde_json::{Value, json};
use streamgate_tests::{Answer, Edge, Settings, eventually};

const KEY: &str = "the key of the tests' operators";
const MANIFEST: &str = "/vod/film/master.m3u8";

fn edge() -> Edge {
    Edge::start(Settings::default().with_door(KEY))
}

fn ask(edge: &Edge, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let door = edge.door();
    let request = door.request(method, path);
    let request = request.header("authorization", &format!("Bearer {KEY}"));
    match body {
        Some(body) => request.body(body.to_string().as_bytes()).send(),
        None => request.send(),
    }
}

fn says(edge: &Edge, path: &str) -> Value {
    ask(edge, "GET", path, None).expect(200).json()
}

fn account(edge: &Edge, account: &str) -> Value {
    says(edge, &format!("/streamgate/v1/accounts/demo/{account}"))
}

/// Viewers' workers have seen that there is a door.
fn is_noted(edge: &Edge) {
    let _ = edge.one_client_per_worker();
    eventually("both workers have said that they serve", || {
        says(edge, "/streamgate/v1/summary")["workers"] == 2
    });
}

#[test]
fn a_refusal_is_explained_by_one_call_and_by_one_line_of_the_log() {
    let edge = edge();
    is_noted(&edge);
    let players = [(); 3].map(|()| edge.player("alice").playing(MANIFEST));
    let refusal = edge.player("alice").open(MANIFEST).expect(403);
    assert_eq!(refusal.reason(), "limit-reached");
    let account = account(&edge, "alice");
    let refused = account["decisions"].as_array().unwrap().last().unwrap();
    assert_eq!(refused["event"], "refusal");
    assert_eq!(refused["policy"], "household");
    assert_eq!(refused["rule"], "three-streams");
    assert_eq!(
        (&refused["limit"], &refused["count"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(account["streams"].as_array().unwrap().len(), players.len());

    let lines = edge.decisions(4);
    let line = lines
        .iter()
        .find(|line| line["event"] == "refusal")
        .unwrap();
    assert_eq!(line["subject"], account["account"]);
    assert_eq!(
        (&line["policy"], &line["rule"]),
        (&json!("household"), &json!("three-streams"))
    );
    assert_eq!(line["limit"], 3);
    assert_eq!(line["codes"], refused["codes"]);
    let hash = line["subject"].as_str().unwrap();
    let by_hash = says(&edge, &format!("/streamgate/v1/hashes/{hash}"));
    assert_eq!(by_hash["decisions"], account["decisions"]);
    let seen = says(&edge, "/streamgate/v1/decisions");
    assert_eq!(seen["decisions"].as_array().unwrap().len(), 4, "{seen}");
    let log = edge.access_log();
    assert!(!log.contains("alice") && !log.contains(KEY), "{log}");
}

#[test]
fn what_an_operator_stops_or_blocks_plays_at_no_worker() {
    let edge = edge();
    is_noted(&edge);
    let clients = edge.one_client_per_worker();
    let player = edge.player("alice").playing(MANIFEST);
    for client in &clients {
        player.on(client).plays();
    }
    let code = account(&edge, "alice")["streams"][0]["code"].clone();
    let stream = format!(
        "/streamgate/v1/accounts/demo/alice/streams/{}",
        code.as_str().unwrap()
    );
    let done = ask(&edge, "DELETE", &stream, None).expect(200).json();
    assert_eq!(done, json!({"stopped": 1, "store": "alone"}));
    for client in &clients {
        let refused = player.on(client).refused("remote-termination");
        let terminator = &refused.json()["associatedAdvice"][0]["terminator"];
        assert_eq!(terminator["applicationName"], "Operator");
    }
    let other = edge.player("alice").playing(MANIFEST);
    let session = edge.app("demo-tv").start("alice");
    let block = json!({"blocked": true, "reason": "fraud", "for": "1h"});
    let exception = "/streamgate/v1/accounts/demo/alice/exception";
    let done = ask(&edge, "PUT", exception, Some(&block))
        .expect(200)
        .json();
    assert_eq!(done["stopped"], 2);
    for client in &clients {
        let _ = other.on(client).refused("blocked");
        let _ = session.on(client).heartbeat().expect(403);
    }
    let _ = edge
        .player("alice")
        .open(MANIFEST)
        .expect_refusal(403, "blocked");
    let _ = ask(&edge, "DELETE", exception, None).expect(200);
    let _ = edge.player("alice").playing(MANIFEST);
    eventually("each change has its line", || {
        let lines = edge.decisions(1);
        let audit = lines.iter().filter(|line| line["event"] == "operator");
        let reasons: Vec<&Value> = audit.map(|line| &line["reason"]).collect();
        reasons == ["stop", "exception", "exception-lifted"]
    });
}

#[test]
fn an_exception_raises_the_limit_until_it_ends() {
    let edge = edge();
    is_noted(&edge);
    let _players = [(); 3].map(|()| edge.player("alice").playing(MANIFEST));
    let exception = "/streamgate/v1/accounts/demo/alice/exception";
    let more = json!({"max": 4, "reason": "moving house", "for": "4s"});
    let _ = ask(&edge, "PUT", exception, Some(&more)).expect(200);
    let _fourth = edge.player("alice").playing(MANIFEST);
    let _ = edge
        .player("alice")
        .open(MANIFEST)
        .expect_refusal(403, "limit-reached");
    eventually("the exception has ended", || {
        account(&edge, "alice")["exception"].is_null()
    });
    let limits = account(&edge, "alice")["limits"].clone();
    assert_eq!(limits[0]["limit"], 3, "{limits}");
}

#[test]
fn viewers_have_no_door_and_the_door_has_no_viewers() {
    let edge = edge();
    is_noted(&edge);
    let key = format!("Bearer {KEY}");
    let path = "/streamgate/v1/summary";
    let viewers = edge.get(path).header("authorization", &key).send();
    let ordinary = edge
        .get("/elsewhere/summary")
        .header("authorization", &key)
        .send();
    assert_eq!(viewers.status, ordinary.status);
    let door = edge.door();
    let _ = door.get(path).send().expect(401);
    let _ = door
        .get(path)
        .header("authorization", "Bearer x")
        .send()
        .expect(401);
    let _ = door
        .get("/vod/film/1.m4s")
        .account("alice")
        .send()
        .expect(404);
    let _ = door
        .get("/v2/metadata")
        .header("authorization", &key)
        .send()
        .expect(404);
    let page = door.get("/streamgate/").header("accept-encoding", "gzip");
    let page = page.send().expect(200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(page.header("content-encoding"), Some("gzip"));
    assert!(page.header("content-security-policy").is_some());
    let huge = json!({"reason": "x".repeat(100_000)});
    let exception = "/streamgate/v1/accounts/demo/alice/exception";
    let _ = ask(&edge, "PUT", exception, Some(&huge)).expect(413);
    assert_eq!(account(&edge, "alice")["exception"], Value::Null);
}
