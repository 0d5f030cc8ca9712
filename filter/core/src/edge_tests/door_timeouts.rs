//! Streams that live longer than `sessions.timeout` by their path, of which the operator's door is not told.

use serde_json::json;
use streamgate_record::fleet::Ticket;

use super::{World, get};
use crate::edge::Edge;
use crate::step::Step;
use crate::testing::{Headers, as_door, config_with, test};

const KEY: &str = "an operator's key of some length";

#[test]
fn what_an_operator_does_takes_no_time_from_a_stream() {
    let mut world = World::with(|| {
        let viewers = config_with(|json| json["playback"][0]["timeout"] = json!("30m"));
        viewers.unwrap()
    });
    let prefix = world.play("alice");
    let door = config_with(|json| as_door(json, json!({"keys": [KEY]})));
    let mut door = Edge::new(door.unwrap(), &world.host);
    let bearer = format!("Bearer {KEY}");
    let head = Headers::new(&[(":method", "PUT"), ("authorization", &bearer)]);
    let path = b"/streamgate/v1/accounts/acme/alice/exception";
    let step = door.on_request(&world.host, Ticket(9), &head, path, false);
    let Step::AwaitBody(pending) = step else {
        panic!("{step:?}");
    };
    let exception = br#"{"max": 5, "reason": "ticket 4711", "for": "1d"}"#;
    match door.on_body(&world.host, Ticket(9), pending, exception) {
        Step::Reply(reply) => assert_eq!(reply.answer.status, 200, "{reply:?}"),
        step => panic!("{step:?}"),
    }
    world.host.advance_ms(29 * 60_000);
    assert_eq!(world.streams("alice"), 1);
    let next = world.ask(get(format!("{prefix}/vod/a/2.m4s")));
    assert_eq!(next.served(), "/vod/a/2.m4s");
}
