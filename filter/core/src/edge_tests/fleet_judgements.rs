//! How often an event is judged before it is decided.

use streamgate_policy::testing::judged;
use streamgate_record::fleet::Ticket;
use streamgate_record::ports::Clock;

use crate::edge::Edge;
use crate::step::{Step, Unparked};
use crate::testing::{Headers, MemoryHost, config_with, test};

const TICKET: Ticket = Ticket(1);
const SEGMENT: &[u8] = b"/vod/a/1.m4s";

fn edge(host: &MemoryHost, is_in_fleet: bool) -> Edge {
    let config = config_with(|json| {
        if is_in_fleet {
            json["fleet"] = serde_json::json!({"cluster": "valkey", "shards": 1});
        }
    });
    Edge::new(config.unwrap(), host)
}

fn head() -> Headers {
    Headers::new(&[
        (":method", "GET"),
        (":path", "/vod/a/1.m4s"),
        ("x-account-id", "alice"),
        ("x-stream-id", "player"),
    ])
}

/// Has the store agree to everything it is asked, and goes on with who waits for it.
fn resumed(edge: &mut Edge, host: &MemoryHost) -> Unparked {
    let calls = edge.calls(host);
    assert_eq!(calls.len(), 1);
    let greeting = [
        &host.now().to_bytes()[..],
        &host.now().to_bytes(),
        b"\x035-5",
    ]
    .concat();
    let said = [b"$16\r\n", &greeting[..], b"\r\n:1\r\n:1\r\n+OK\r\n"].concat();
    edge.on_store_reply(host, calls[0].id, Ok(&said));
    let settled = edge.settled().pop().expect("somebody waits");
    edge.resume(host, settled, &head())
}

/// Asks for a first segment and has it served: how often that was judged at the request, at the
/// response, and once the store had answered.
fn first_segment(is_in_fleet: bool) -> [u32; 3] {
    let host = MemoryHost::new();
    let mut edge = edge(&host, is_in_fleet);
    let begun = judged();
    let Step::Forward(forward) = edge.on_request(&host, TICKET, &head(), SEGMENT, true) else {
        panic!("it may start");
    };
    let requested = judged();
    let mut step = edge.on_response(&host, TICKET, &forward.watch.unwrap(), 200, false);
    let responded = judged();
    if is_in_fleet {
        assert!(matches!(step, Step::Park), "{step:?}");
        let Unparked::Response { step: resumed, .. } = resumed(&mut edge, &host) else {
            panic!("its response waited");
        };
        step = resumed;
    }
    assert!(matches!(step, Step::Log(_)), "{step:?}");
    [
        requested - begun,
        responded - requested,
        judged() - responded,
    ]
}

#[test]
fn a_first_segment_is_judged_when_it_comes_and_when_it_is_recorded() {
    assert_eq!(first_segment(false), [1, 1, 0]);
}

/// It is judged for the store when the question goes out, and not by this edge's copy before.
#[test]
fn a_first_segment_in_a_fleet_is_judged_no_oftener() {
    assert_eq!(first_segment(true), [1, 0, 1]);
}

/// Of a prefetch nothing is recorded, so the store is asked before it passes: the account may be full elsewhere.
#[test]
fn a_prefetch_in_a_fleet_waits_for_the_store() {
    let host = MemoryHost::new();
    let mut edge = edge(&host, true);
    let head = head().with("sec-purpose", b"prefetch");
    let step = edge.on_request(&host, TICKET, &head, SEGMENT, true);
    assert!(matches!(step, Step::Park), "{step:?}");
}

/// A create needs no forecast: it is judged for the store alone.
#[test]
fn a_create_in_a_fleet_is_judged_once() {
    let host = MemoryHost::new();
    let mut edge = edge(&host, true);
    let begun = judged();
    let call = Headers::new(&[(":method", "POST"), ("authorization", "Basic d2ViOg==")]);
    let path = b"/v2/sessions/acme/alice";
    let step = edge.on_request(&host, TICKET, &call, path, true);
    assert!(matches!(step, Step::Park), "{step:?}");
    assert_eq!(judged() - begun, 0);
    let Unparked::Request(Step::Reply(reply)) = resumed(&mut edge, &host) else {
        panic!("it is answered");
    };
    assert_eq!(reply.answer.status, 202);
    assert_eq!(judged() - begun, 1);
}
