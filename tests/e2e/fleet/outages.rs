//! While the store cannot be asked: who plays, plays on; who starts is judged by what the
//! edge knows, or has to wait.

use std::thread::sleep;
use std::time::{Duration, Instant};

use streamgate_tests::{Answer, Fault, FaultyLink, Fleet, Settings, Valkey, eventually};

use super::{FILM, sharing};

/// A store behind a link, and two edges.
fn fleet(change: impl FnOnce(Settings) -> Settings) -> (Valkey, FaultyLink, Fleet) {
    let valkey = Valkey::start();
    let link = FaultyLink::to(valkey.port);
    let settings = sharing(&[link.port]).with("/fleet/wait", "1s");
    let fleet = Fleet::start(&change(settings), 2);
    (valkey, link, fleet)
}

fn refusing(settings: Settings) -> Settings {
    settings.with("/fleet/on_outage", "refuse")
}

#[track_caller]
fn expect_later(answer: &Answer) {
    let seconds = answer.header("retry-after").expect("when to try again");
    assert!(seconds.parse::<u64>().expect("seconds") >= 1);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[test]
fn where_starts_are_admitted_each_edge_goes_by_what_it_knows() {
    let (_valkey, link, fleet) = fleet(|settings| settings);
    let [here, there] = [0, 1].map(|edge| fleet[edge].app("demo-tv"));
    let session = here.start("alice");
    let players = [(); 2].map(|()| fleet[0].player("alice").playing(FILM));
    link.fails(Fault::Refuse);
    let _ = here.create("alice").send().expect(409);
    let refused = fleet[0].player("alice").open(FILM);
    let _ = refused.expect_refusal(403, "limit-reached");
    let _ = session.heartbeat().expect(202);
    for player in &players {
        player.plays();
    }
    // The other edge has never heard of the account; its own three it knows.
    let _ = there.start("alice");
    let _ = [(); 2].map(|()| fleet[1].player("alice").playing(FILM));
    let _ = there.create("alice").send().expect(409);
    assert_eq!(fleet[1].metric("fleet.outage_admits"), 3);
    assert!(fleet.metric("fleet.errors.unreachable") > 0);
    assert!(fleet.metric("fleet.calls_failed") > 0);
    assert_eq!(fleet.metric("fleet.outage_refusals"), 0);
}

#[test]
fn where_starts_are_refused_they_are_told_to_come_again_and_all_others_play_on() {
    let (_valkey, link, fleet) = fleet(refusing);
    let app = fleet[0].app("demo-tv");
    let session = app.start("alice");
    let player = fleet[0].player("alice").playing(FILM);
    let mut late = fleet[0].player("alice");
    late.opens(FILM);
    for fault in [Fault::Refuse, Fault::Hang, Fault::Answer(b"nonsense\r\n")] {
        link.fails(fault);
        expect_later(&app.create("alice").send().expect(503));
        let refused = late.segment().expect_refusal(503, "store-failed");
        expect_later(&refused);
        assert!(!refused.text().contains("media"), "nothing leaks");
        let _ = session.heartbeat().expect(202);
        player.plays();
    }
    assert_eq!(fleet.metric("fleet.outage_refusals"), 6);
    assert_eq!(fleet.metric("fleet.outage_admits"), 0);
    assert_eq!(fleet.metric("starts"), 2);
    link.recovers();
    eventually("it may start again", || late.segment().status == 200);
    let there = fleet[1].app("demo-tv");
    eventually("the other edge hears of all", || {
        there.running("alice").len() == 3
    });
}

#[test]
fn a_stream_that_this_edge_does_not_know_counts_as_a_start() {
    let (_valkey, link, fleet) = fleet(refusing);
    let session = fleet[0].app("demo-tv").start("alice");
    let player = fleet[0].player("alice").playing(FILM);
    link.fails(Fault::Refuse);
    // Neither may play without the store's word, and neither is over.
    let moved = player.on(&fleet[1].client()).segment();
    expect_later(&moved.expect_refusal(503, "store-failed"));
    expect_later(&session.on(&fleet[1].client()).heartbeat().expect(503));
    player.plays();
    let _ = session.heartbeat().expect(202);
    link.recovers();
    let client = fleet[1].client();
    eventually("they may move", || {
        player.on(&client).segment().status == 200 && session.on(&client).heartbeat().status == 202
    });
    assert_eq!(fleet.metric("starts"), 2);
}

#[test]
fn a_store_that_hangs_delays_starts_for_no_longer_than_they_may_wait_and_nobody_else() {
    /// For how long a start waits, which is longer than three requests take on any machine.
    const WAIT: Duration = Duration::from_secs(5);
    // So short a timeout that renewals are due all the time.
    let (_valkey, link, fleet) =
        fleet(|settings| settings.lapsing_after(3).with("/fleet/wait", "5s"));
    let app = fleet[0].app("demo-tv");
    let session = app.start("alice");
    let player = fleet[0].player("alice").playing(FILM);
    link.fails(Fault::Hang);
    let mut slowest = Duration::ZERO;
    let hanging = Instant::now();
    while hanging.elapsed() < Duration::from_secs(5) {
        let asked = Instant::now();
        let _ = session.heartbeat().expect(202);
        player.plays();
        let _ = player.get("master.m3u8").expect(200);
        slowest = slowest.max(asked.elapsed());
        sleep(Duration::from_millis(100));
    }
    assert!(slowest < WAIT, "{slowest:?}");
    let _ = app.start("alice");
    assert_eq!(fleet[0].metric("fleet.outage_admits"), 1);
    assert!(fleet[0].metric("fleet.errors.timeout") > 0);
}

#[test]
fn a_player_that_gives_up_while_its_start_waits_harms_nobody() {
    let (_valkey, link, fleet) = fleet(|settings| settings.with("/fleet/wait", "3s"));
    let edge = &fleet[0];
    link.fails(Fault::Delay(Duration::from_secs(1)));
    // A connection that is closed with its request still unanswered.
    for _ in 0..5 {
        let mut gone =
            std::net::TcpStream::connect(("127.0.0.1", edge.port)).expect("a connection");
        let create = b"POST /v2/sessions/demo/alice HTTP/1.1\r\nHost: edge\r\n\
            Authorization: Basic ZGVtby10djo=\r\nContent-Length: 0\r\n\r\n";
        std::io::Write::write_all(&mut gone, create).expect("to be heard");
        sleep(Duration::from_millis(100));
    }
    link.recovers();
    let session = edge.app("demo-tv").start("bob");
    let _ = session.heartbeat().expect(202);
    // Three at most have got a place; whether those do who are gone is open.
    assert!(edge.app("demo-tv").running("alice").len() <= 3);
}
