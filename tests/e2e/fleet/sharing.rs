//! One stream that many use at once, each at another edge.

use serde_json::{Value, json};
use streamgate_tests::{Edge, Fleet, Valkey, eventually, eventually_within};

use super::sharing;

const SEGMENT: &str = "/vod/film/segment-1.m4s?CMCD=sid%3D%22one%22";

fn fleet(own: Value) -> (Valkey, Fleet) {
    let valkey = Valkey::start();
    let settings = sharing(&[valkey.port])
        .lapsing_after(6)
        .with("/playback/0/sharing", own)
        .with_manager("use_remote_address", true)
        .with_manager("xff_num_trusted_hops", 1);
    let fleet = Fleet::start(&settings, 2);
    (valkey, fleet)
}

/// What a viewer on this network gets at an edge.
fn status(edge: &Edge, network: u8) -> u16 {
    edge.get(SEGMENT)
        .account("alice")
        .header("x-forwarded-for", &format!("203.0.{network}.9"))
        .header("user-agent", "player")
        .send()
        .status
}

#[test]
fn networks_at_all_edges_count_together_and_the_first_go_on() {
    let (_valkey, fleet) = fleet(json!({"networks": 2, "action": "refuse"}));
    assert_eq!(status(&fleet[0], 0), 200);
    assert_eq!(status(&fleet[1], 1), 200);
    // Each edge hears of the other's within a third of the timeout, and goes by what it knows until
    // then: nobody who came first is refused at any time.
    let first_go_on = || {
        for edge in fleet.edges() {
            assert_eq!([0, 1].map(|network| status(edge, network)), [200, 200]);
        }
    };
    for edge in [0, 1] {
        eventually_within(15, "a third network is refused", || {
            first_go_on();
            status(&fleet[edge], 2) == 403
        });
    }
    for _ in 0..20 {
        first_go_on();
        assert_eq!([0, 1].map(|edge| status(&fleet[edge], 3)), [403, 403]);
    }
    assert_eq!(fleet.metric("starts"), 1);
    // What is asked again within a tick is counted at the tick.
    eventually("all refusals are counted", || {
        fleet.metric("refusals.shared") >= 40
    });
}

#[test]
fn where_it_is_only_watched_the_networks_of_all_edges_are_noticed() {
    let (_valkey, fleet) = fleet(json!({"networks": 1, "action": "monitor"}));
    eventually_within(15, "the second network is noticed", || {
        assert_eq!(status(&fleet[0], 0), 200);
        assert_eq!(status(&fleet[1], 1), 200);
        fleet.metric("shared_monitored") > 0
    });
    assert_eq!(fleet.metric("refusals.shared"), 0);
}
