//! A WebSocket on a protected path: what flows after 101 is watched like any other response.

use streamgate_record::fleet::Ticket;

use super::{TICKET, World, get, refused};
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
