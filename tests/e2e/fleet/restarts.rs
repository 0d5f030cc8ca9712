//! An edge of a fleet is killed and started again: what it knew is in the store.

use streamgate_tests::{Fleet, Valkey, eventually};

use super::{BOUND_AND_SLACK, FILM, fleet_of, later, sharing};

#[test]
fn an_edge_that_was_restarted_knows_all_streams_again() {
    let (_valkey, mut fleet) = fleet_of(2);
    let create = fleet[0].app("demo-tv").create("alice");
    let session = create.query("channel=News").start();
    let player = fleet[0].player("alice").playing(FILM);
    let elsewhere = fleet[1].app("demo-tv").start("alice");
    let before = session.listed().expect("a session");

    fleet[0].restart();
    let client = fleet[0].client();
    // Newcomers cannot take the places of those who have not come back yet.
    let _ = fleet[0].app("demo-tv").create("alice").send().expect(409);
    let refused = fleet[0].player("alice").open(FILM);
    let _ = refused.expect_refusal(403, "limit-reached");
    assert_eq!(fleet[0].app("demo-tv").running("alice").len(), 3);

    let _ = session.on(&client).heartbeat().expect(202);
    player.on(&client).plays();
    let _ = elsewhere.on(&client).heartbeat().expect(202);
    assert_eq!(session.on(&client).listed().expect("a session"), before);
    assert_eq!(fleet[0].metric("starts"), 0, "nobody had to start anew");
    assert_eq!(fleet[1].app("demo-tv").running("alice").len(), 3);
}

#[test]
fn what_ended_before_a_restart_stays_ended() {
    let (_valkey, mut fleet) = fleet_of(2);
    let evicted = fleet[0].app("demo-mobile").start("alice");
    let stopped = fleet[0].app("demo-tv").start("bob");
    let playing = fleet[0].player("carol").playing(super::LATEST);
    later();
    let _ = fleet[1].app("demo-mobile").start("alice");
    let _ = stopped.stop().expect(202);
    let _ = fleet[1].player("carol").playing(super::LATEST);
    fleet[0].restart();
    let client = fleet[0].client();
    let _ = evicted.on(&client).heartbeat().expect(409);
    let _ = stopped.on(&client).heartbeat().expect(410);
    let _ = playing.on(&client).refused("evicted");
    assert_eq!(fleet[1].app("demo-mobile").running("alice").len(), 1);
}

#[test]
fn an_edge_that_does_not_come_back_leaves_no_ghosts() {
    let valkey = Valkey::start();
    let fleet = Fleet::start(&sharing(&[valkey.port]).lapsing_after(4), 2);
    let lost = Fleet::start(&sharing(&[valkey.port]).lapsing_after(4), 1);
    let _sessions = [(); 2].map(|()| lost[0].app("demo-tv").start("alice"));
    let session = fleet[0].app("demo-tv").start("alice");
    let app = fleet[1].app("demo-tv");
    let _ = app.create("alice").send().expect(409);
    drop(lost);
    eventually("its places are free", || {
        let _ = session.heartbeat().expect(202);
        app.running("alice").len() == 1
    });
    let _ = [(); 2].map(|()| app.start("alice"));
    let _ = app.create("alice").send().expect(409);
}

#[test]
fn a_restarted_edge_hears_of_evictions_again() {
    let (_valkey, mut fleet) = fleet_of(2);
    let first = fleet[0].app("demo-mobile").start("alice");
    fleet[0].restart();
    let first = first.on(&fleet[0].client());
    let _ = first.heartbeat().expect(202);
    later();
    let _second = fleet[1].app("demo-mobile").start("alice");
    streamgate_tests::eventually_within(BOUND_AND_SLACK, "it is refused", || {
        first.heartbeat().status == 409
    });
}
