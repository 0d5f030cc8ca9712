//! What a worker remembers of streams about which the store was asked.

use streamgate_record::fleet::{StoreCall, Ticket};

use crate::edge::Edge;
use crate::step::{Step, Unparked};
use crate::testing::{Headers, MemoryHost, NOW, config_with, test};

/// The answer to a call in which the store says this of each subject. Every first call reads
/// what was ended,
/// and leaves the line that says how the edge lays accounts out.
fn answer(_: &StoreCall, told: &[Vec<u8>]) -> Vec<u8> {
    let greeting = [&NOW.to_bytes()[..], &NOW.to_bytes(), b"\x035-5"].concat();
    let greeting = [b"$16\r\n", &greeting[..], b"\r\n:1\r\n"].concat();
    [greeting, told.concat(), b"+OK\r\n".to_vec()].concat()
}

fn done() -> Vec<u8> {
    b":1\r\n".to_vec()
}

const SEGMENT: &[u8] = b"/vod/a/1.m4s";

fn asks(edge: &mut Edge, host: &MemoryHost, player: u32) -> Step {
    let head = Headers::new(&[
        (":method", "GET"),
        ("x-account-id", "alice"),
        ("x-stream-id", &format!("player-{player}")),
    ]);
    edge.on_request(host, Ticket(player), &head, SEGMENT, true)
}

/// Two start at once where the latest wins, and the store has heard of both in one write: one
/// has lost its place before it is told that it had it. No bump follows for it.
#[test]
fn who_loses_its_place_before_it_is_told_of_it_is_refused_at_its_next_request() {
    let host = MemoryHost::new();
    let config = config_with(|json| {
        json["playback"][0]["application"] = "mobile".into();
        json["fleet"] = serde_json::json!({"cluster": "valkey", "shards": 1});
    });
    let mut edge = Edge::new(config.unwrap(), &host);
    for player in [1, 2] {
        host.advance_ms(1);
        let Step::Forward(forward) = asks(&mut edge, &host, player) else {
            panic!("it may start");
        };
        let step = edge.on_response(&host, Ticket(player), &forward.watch.unwrap(), 200, false);
        assert!(matches!(step, Step::Park), "{step:?}");
    }
    let calls = edge.calls(&host);
    let said = answer(&calls[0], &[done()]);
    edge.on_store_reply(&host, calls[0].id, Ok(&said));
    let settled = edge.settled();
    assert_eq!(settled.len(), 2);
    for settled in settled {
        let Unparked::Response { step, .. } = edge.resume(&host, settled, &Headers::default())
        else {
            panic!("its response waited");
        };
        assert!(matches!(step, Step::Log(_)), "{step:?}");
    }

    let Step::Reply(refusal) = asks(&mut edge, &host, 1) else {
        panic!("it has lost its place");
    };
    assert_eq!(
        refusal.answer.header("x-streamgate-reason"),
        Some("evicted")
    );
    let winner = asks(&mut edge, &host, 2);
    assert!(matches!(winner, Step::Forward(_)), "{winner:?}");
}
