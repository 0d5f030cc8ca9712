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

/// A form of attributes that have so many bytes together, with values of 200.
fn form(bytes: usize) -> String {
    let mut form = String::new();
    for n in 0..bytes / 200 {
        form.push_str(&format!("attribute{n:02}={}&", "x".repeat(189)));
    }
    form
}

#[test]
fn a_refusal_stays_small_whatever_the_accounts_apps_have_said() {
    let edge = Edge::start(Settings::default().with("/policies/0/rules/0/max", 40));
    let app = edge.app("demo-tv");
    let _ = app.create("alice").form(&form(2_200)).send().expect(400);
    for _ in 0..40 {
        let _ = app.create("alice").form(&form(2_000)).start();
    }
    let codes = |advice: &serde_json::Value| {
        let conflicts = advice["conflicts"].as_object().expect("conflicts").clone();
        assert_eq!(
            advice["otherStreams"].as_u64().expect("others") as usize + conflicts.len(),
            40
        );
        conflicts
    };
    let refused = app.create("alice").send().expect(409);
    assert!(refused.text().len() < 24 << 10, "{}", refused.text().len());
    let listed = codes(&refused.json()["associatedAdvice"][0]);
    let refused = edge.player("alice").open(FILM).expect(403);
    assert!(refused.text().len() < 24 << 10, "{}", refused.text().len());
    let _ = codes(&refused.json()["associatedAdvice"][0]);
    let running = app.list("alice").json();
    assert!(running["runningStreams"].as_array().expect("a list").len() <= 16);

    let code = listed.values().next().expect("one")[0]["terminationCode"].clone();
    let code = code.as_str().expect("a code");
    let _ = app.create("alice").terminate(code).send().expect(202);
}

#[test]
fn what_one_account_starts_and_stops_ends_no_playback_of_its_neighbours() {
    let edge = Edge::start(Settings::default().with("/state/slots", 1));
    let app = edge.app("demo-tv");
    let mut neighbour = edge.player("neighbour");
    neighbour.opens(FILM);
    for _ in 0..30 {
        let _ = app.start("zapper").stop().expect(202);
    }
    neighbour.plays();
}
