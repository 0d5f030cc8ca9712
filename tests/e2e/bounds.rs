//! What happens at the configured bounds of the edge's memory.

use streamgate_tests::{Answer, Edge, Settings};

const FILM: &str = "/vod/film/master.m3u8";

#[track_caller]
fn expect_full(answer: Answer) {
    let answer = answer.expect(503);
    let seconds = answer.header("retry-after").expect("when to try again");
    assert!(seconds.parse::<u64>().expect("seconds") >= 1);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[test]
fn a_full_edge_says_so_and_those_who_play_play_on() {
    let edge = Edge::start(Settings::default().with("/state/max_streams", 10));
    let app = edge.app("demo-tv");
    let mut late = edge.player("late");
    late.opens(FILM);
    let sessions: Vec<_> = (0..5).map(|n| app.start(&format!("a{n}"))).collect();
    let players: Vec<_> = (0..5)
        .map(|n| edge.player(&format!("b{n}")).playing(FILM))
        .collect();
    assert_eq!(edge.metric("live_streams"), 10);

    expect_full(app.create("alice").send());
    expect_full(
        edge.player("alice")
            .open(FILM)
            .expect_refusal(503, "edge-full"),
    );
    expect_full(late.segment().expect_refusal(503, "edge-full"));
    assert_eq!(edge.metric("refusals.table_full"), 3);
    assert_eq!(edge.metric("live_streams"), 10);

    for session in &sessions {
        let _ = session.heartbeat().expect(202);
    }
    for player in &players {
        player.plays();
    }
    let _ = sessions[0].stop().expect(202);
    late.plays();
    expect_full(app.create("alice").send());
}

#[test]
fn one_account_may_fill_its_own_bound_only() {
    let edge = Edge::start(Settings::default().with("/state/max_streams_per_subject", 2));
    let app = edge.app("demo-tv");
    let session = app.start("alice");
    let player = edge.player("alice").playing(FILM);

    let body = app.create("alice").send().expect(409).json();
    let advice = &body["associatedAdvice"][0];
    assert_eq!(advice["ruleName"], "max_streams_per_subject");
    assert_eq!(advice["threshold"], 2);
    let _ = edge
        .player("alice")
        .open(FILM)
        .expect_refusal(403, "subject-full");
    assert_eq!(edge.metric("refusals.subject_full"), 2);

    let _ = session.heartbeat().expect(202);
    player.plays();
    let _ = app.start("bob");
}
