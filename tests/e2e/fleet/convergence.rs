//! When the store is back, the edges come to agree, and the innocent stay.

use std::thread::sleep;
use std::time::Duration;

use streamgate_tests::{Fault, FaultyLink, Fleet, Session, Valkey, eventually};

use super::{FILM, later, sharing};

const APP: &str = "demo-tv";

fn fleet() -> (Valkey, FaultyLink, Fleet) {
    let valkey = Valkey::start();
    let link = FaultyLink::to(valkey.port);
    let settings = sharing(&[link.port])
        .lapsing_after(6)
        .with("/fleet/wait", "1s");
    (valkey, link, Fleet::start(&settings, 2))
}

fn statuses(sessions: &[Session]) -> Vec<u16> {
    let statuses = sessions.iter().map(|session| session.heartbeat().status);
    statuses.collect()
}

#[test]
fn those_who_played_before_an_outage_outlast_those_who_were_admitted_in_it() {
    for comes_back_empty in [false, true] {
        let (valkey, link, fleet) = fleet();
        let before = [(); 3].map(|()| fleet[0].app(APP).start("alice"));
        link.fails(Fault::Refuse);
        later();
        let meanwhile = [(); 3].map(|()| fleet[1].app(APP).start("alice"));
        assert_eq!(statuses(&before), [202; 3]);
        assert_eq!(statuses(&meanwhile), [202; 3], "nobody knows better yet");
        if comes_back_empty {
            let _ = valkey.command(&["FLUSHALL"]);
        }
        link.recovers();
        eventually("those admitted in the outage have to go", || {
            assert_eq!(statuses(&before), [202; 3], "empty: {comes_back_empty}");
            statuses(&meanwhile).iter().all(|status| *status >= 400)
        });
        let told = meanwhile[0].heartbeat().expect(409).json();
        assert_eq!(told["associatedAdvice"][0]["type"], "rule-violation");
        for app in fleet.apps(APP) {
            // A worker whose call failed a moment ago still answers by its copy for a while.
            eventually("the edge to know that they are gone", || {
                assert_eq!(statuses(&before), [202; 3]);
                app.running("alice").len() == 3
            });
            let _ = app.create("alice").send().expect(409);
        }
        assert_eq!(statuses(&before), [202; 3]);
    }
}

#[test]
fn where_there_is_room_for_all_an_outage_ends_nobodys_stream() {
    let (_valkey, link, fleet) = fleet();
    let before = [fleet[0].app(APP).start("alice")];
    let player = fleet[1].player("alice").playing(FILM);
    link.fails(Fault::Hang);
    let meanwhile = [fleet[1].app(APP).start("alice")];
    link.recovers();
    // Longer than a silent stream lives.
    for _ in 0..35 {
        sleep(Duration::from_millis(200));
        assert_eq!(statuses(&before), [202]);
        assert_eq!(statuses(&meanwhile), [202]);
        player.plays();
    }
    for app in fleet.apps(APP) {
        assert_eq!(app.running("alice").len(), 3);
    }
    assert_eq!(fleet.metric("evictions"), 0);
    assert_eq!(fleet.metric("lapses"), 0);
}

#[test]
fn a_stop_in_an_outage_is_made_known_after_it() {
    let (_valkey, link, fleet) = fleet();
    let sessions = [(); 3].map(|()| fleet[0].app(APP).start("alice"));
    let there = fleet[1].app(APP);
    assert_eq!(there.running("alice").len(), 3);
    link.fails(Fault::Refuse);
    let _ = sessions[0].stop().expect(202);
    assert!(sessions[0].heartbeat().expect(410).body.is_empty());
    link.recovers();
    eventually("its place is free at the other edge", || {
        assert_eq!(statuses(&sessions[1..]), [202; 2]);
        there.running("alice").len() == 2
    });
    let _ = there.start("alice");
    let _ = sessions[0].on(&fleet[1].client()).heartbeat().expect(410);
}

#[test]
fn of_two_who_each_won_at_an_edge_in_an_outage_the_latest_wins_after_it() {
    let (_valkey, link, fleet) = fleet();
    let first = fleet[0].app("demo-mobile").start("alice");
    link.fails(Fault::Refuse);
    later();
    let second = fleet[1].app("demo-mobile").start("alice");
    let _ = first.heartbeat().expect(202);
    let _ = second.heartbeat().expect(202);
    link.recovers();
    eventually("the first has to go", || {
        let _ = second.heartbeat().expect(202);
        first.heartbeat().status == 409
    });
    let _ = second.heartbeat().expect(202);
    for app in fleet.apps("demo-mobile") {
        eventually("every edge has heard of it", || {
            app.running("alice").len() == 1
        });
    }
}
