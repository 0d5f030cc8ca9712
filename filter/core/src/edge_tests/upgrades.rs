//! A WebSocket on a protected path: what flows after 101 is watched like any other response.

use streamgate_record::fleet::Ticket;
use streamgate_record::metric::Metric;

use super::{Ask, TICKET, World, get, refused};
use crate::step::Step;
use crate::testing::{TIMEOUT_MS, test};

fn second(world: &mut World, ticket: Ticket) -> usize {
    let flows = world.workers[0].flows();
    (0..8).for_each(|_| flows.note(ticket, 16 * 1024));
    world.host.advance_ms(1_000);
    world.tick();
    world.workers[0].cuts(&world.host, |_| Some(101)).len()
}

#[test]
fn a_websocket_takes_a_place_and_the_fourth_is_refused() {
    let mut world = World::new();
    for tv in ["a", "b", "c"] {
        let ask = get("/vod/a/live.sock").account("alice");
        world
            .ask(ask.header("x-stream-id", tv).origin_says(101))
            .served();
    }
    assert_eq!(world.streams("alice"), 3);
    let fourth = get("/vod/a/live.sock").account("alice");
    let fourth = fourth.header("x-stream-id", "d").origin_says(101);
    assert_eq!(world.ask(fourth).refusal(), refused(403, "limit-reached"));
}

#[test]
fn it_lives_while_its_bytes_flow_and_is_cut_when_it_has_lost_its_place() {
    let mut world = World::new();
    let ask = get("/vod/a/live.sock").account("alice");
    world
        .ask(ask.header("x-stream-id", "tv").origin_says(101))
        .served();
    for _ in 0..TIMEOUT_MS / 1_000 * 2 {
        assert_eq!(second(&mut world, TICKET), 0);
    }
    assert_eq!(world.streams("alice"), 1);
    let url = format!(
        "/v2/sessions/acme/alice/{}",
        world.running("web", "alice")[0]["sessionId"]
            .as_str()
            .unwrap()
    );
    let stop = get(url).method("DELETE").application("web");
    assert_eq!(world.ask(stop).answer().status, 202);
    assert_eq!(second(&mut world, TICKET) + second(&mut world, TICKET), 1);
}

/// What becomes of a call whose body is to come, by its head alone.
fn by_head(ask: Ask) -> Option<u16> {
    let mut world = World::new();
    let head = ask.headers.clone().with(":method", ask.method.as_bytes());
    match world.workers[0].on_request(&world.host, TICKET, &head, &ask.path, false) {
        Step::Reply(reply) => Some(reply.answer.status),
        Step::AwaitBody(_) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nobody_waits_for_the_body_of_a_call_that_asks_for_an_upgrade() {
    let account = "/v2/sessions/acme/alice";
    for (method, path, plain, upgraded) in [
        ("GET", "/v2/metadata", None, 200),
        ("GET", "/v2/runningStreams/acme/alice", None, 200),
        ("DELETE", "/v2/sessions/acme/alice/x", None, 404),
        ("PUT", "/v2/metadata", Some(405), 405),
        ("GET", "/v2/x", Some(404), 404),
        ("POST", account, None, 400),
        ("POST", "/v2/sessions/acme/alice/x", None, 400),
    ] {
        let call = get(path).method(method).application("web");
        assert_eq!(by_head(call.clone()), plain, "{method} {path}");
        let typed = call.header("content-type", "text/plain");
        let typed = typed.header("upgrade", "websocket");
        assert_eq!(by_head(typed), Some(upgraded), "{method} {path}");
    }
    let unknown = get(account).method("POST").header("upgrade", "websocket");
    assert_eq!(by_head(unknown), Some(401));
}

#[test]
fn nobody_waits_for_a_body_that_waits_to_be_asked_for() {
    let create = get("/v2/sessions/acme/alice").method("POST");
    let expecting = create.application("web").header("expect", "100-continue");
    assert_eq!(by_head(expecting.clone()), Some(417));
    let mut world = World::new();
    let reply = world.ask(expecting.body("")).reply();
    let entry = reply.log_entry.expect("a line");
    assert_eq!((entry.event, entry.reason), ("refusal", Some("malformed")));
    assert_eq!(world.host.count(Metric::RefusalsMalformed), 1);
}
