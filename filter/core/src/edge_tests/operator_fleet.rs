//! The operator's door of an edge that shares its limits with others.

use streamgate_record::fleet::{CallFailure, Ticket};
use streamgate_record::ports::Clock;

use super::json;
use crate::edge::Edge;
use crate::exchange::Reply;
use crate::step::{Step, Unparked};
use crate::testing::{Headers, MemoryHost, NOW, as_door, config_with, test};

const KEY: &str = "an operator's key of some length";
const ACCOUNT: &[u8] = b"/streamgate/v1/accounts/acme/alice";

fn door(host: &MemoryHost) -> Edge {
    let config = config_with(|json| {
        as_door(json, serde_json::json!({"keys": [KEY]}));
        json["fleet"] =
            serde_json::json!({"cluster": "valkey", "shards": 1, "on_outage": "refuse"});
    });
    Edge::new(config.unwrap(), host)
}

fn asks(door: &mut Edge, host: &MemoryHost, method: &str, path: &[u8], body: Option<&[u8]>) {
    let bearer = format!("Bearer {KEY}");
    let head = Headers::new(&[(":method", method), ("authorization", &bearer)]);
    let step = door.on_request(host, Ticket(1), &head, path, body.is_none());
    let waits = match (step, body) {
        (Step::AwaitBody(pending), Some(body)) => {
            matches!(door.on_body(host, Ticket(1), pending, body), Step::Park)
        }
        (step, _) => matches!(step, Step::Park),
    };
    assert!(waits, "{method}: the store is asked first");
}

/// The store agrees, and has nothing else to say. In its first call the door reads what was
/// ended, too, and leaves the line that says how it lays accounts out.
fn agrees(door: &mut Edge, host: &MemoryHost, is_first: bool) -> Reply {
    let calls = door.calls(host);
    let feed: &[u8] = if is_first { b"\x035-5" } else { b"" };
    let layout: &[u8] = if is_first { b":1\r\n" } else { b"" };
    let greeting = [&NOW.to_bytes()[..], &host.now().to_bytes(), feed].concat();
    let length = format!("${}\r\n", greeting.len());
    let said = [
        length.as_bytes(),
        &greeting,
        b"\r\n",
        layout,
        b":1\r\n+OK\r\n",
    ]
    .concat();
    door.on_store_reply(host, calls[0].id, Ok(&said));
    answered(door, host)
}

/// It does not answer, and the door has waited for long enough.
fn is_out(door: &mut Edge, host: &MemoryHost) -> Reply {
    let calls = door.calls(host);
    host.advance_ms(3_000);
    door.on_store_reply(host, calls[0].id, Err(CallFailure));
    let _ = door.on_tick(host);
    answered(door, host)
}

fn answered(door: &mut Edge, host: &MemoryHost) -> Reply {
    let mut settled = door.settled();
    assert_eq!(settled.len(), 1);
    match door.resume(host, settled.remove(0), &Headers::default()) {
        Unparked::Request(Step::Reply(reply)) => reply,
        other => panic!("{other:?}"),
    }
}

const BLOCK: &[u8] = br#"{"blocked": true, "reason": "fraud", "for": "1h"}"#;

#[test]
fn the_store_is_asked_before_an_account_is_shown_or_changed() {
    let host = MemoryHost::new();
    let mut door = door(&host);
    asks(&mut door, &host, "GET", ACCOUNT, None);
    let shown = agrees(&mut door, &host, true).answer;
    assert_eq!(json(&shown)["store"], "asked");
    let exception = [ACCOUNT, b"/exception"].concat();
    asks(&mut door, &host, "PUT", &exception, Some(BLOCK));
    let reply = agrees(&mut door, &host, false);
    assert_eq!(reply.answer.status, 200, "{reply:?}");
    assert_eq!(json(&reply.answer)["store"], "asked");
    assert_eq!(reply.log_entry.unwrap().store, Some("asked"));
    asks(&mut door, &host, "GET", ACCOUNT, None);
    let shown = agrees(&mut door, &host, false).answer;
    assert_eq!(json(&shown)["exception"]["blocked"], true);
    asks(&mut door, &host, "DELETE", ACCOUNT, None);
    assert_eq!(json(&agrees(&mut door, &host, false).answer)["stopped"], 0);
}

/// Whatever starts are told then: who blocks an account does not wait for a repair.
#[test]
fn while_the_store_is_out_a_change_is_made_here_and_says_so() {
    let host = MemoryHost::new();
    let mut door = door(&host);
    let exception = [ACCOUNT, b"/exception"].concat();
    asks(&mut door, &host, "PUT", &exception, Some(BLOCK));
    let reply = is_out(&mut door, &host);
    assert_eq!(reply.answer.status, 200, "{reply:?}");
    assert_eq!(json(&reply.answer)["store"], "out");
    assert_eq!(reply.log_entry.unwrap().store, Some("out"));
    let bearer = format!("Bearer {KEY}");
    let head = Headers::new(&[(":method", "GET"), ("authorization", &bearer)]);
    let Step::Reply(shown) = door.on_request(&host, Ticket(2), &head, ACCOUNT, true) else {
        panic!("nobody can be asked");
    };
    let shown = json(&shown.answer);
    assert_eq!(shown["store"], "out");
    assert_eq!(shown["exception"]["blocked"], true);
}
