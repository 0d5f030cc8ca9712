//! One stream that many use at once: told apart, or refused for those who come later.

use serde_json::json;
use streamgate_tests::{Edge, Settings, eventually};

const FILM: &str = "/vod/film/master.m3u8";
const SEGMENT: &str = "/vod/film/segment-1.m4s";

/// An edge behind one hop whose word about addresses is believed.
fn edge(sharing: serde_json::Value) -> Edge {
    let settings = Settings::default()
        .with("/playback/0/sharing", sharing)
        .with_manager("use_remote_address", true)
        .with_manager("xff_num_trusted_hops", 1);
    Edge::start(settings)
}

/// Status of a segment that is asked for at this address, by this agent.
fn status(edge: &Edge, path: &str, address: &str, agent: &str) -> u16 {
    // What stands in front is the client's own word.
    let forwarded = format!("192.0.2.1, {address}");
    let request = edge
        .get(path)
        .header("x-forwarded-for", &forwarded)
        .header("user-agent", agent);
    request.send().status
}

/// The path of a segment under the token of a playback that was begun.
fn begun(edge: &Edge) -> String {
    let answer = edge
        .get(FILM)
        .header("x-account-id", "alice")
        .header("x-forwarded-for", "203.0.0.9")
        .header("user-agent", "player")
        .send()
        .expect(307);
    let location = answer
        .header("location")
        .expect("a redirect leads somewhere");
    let prefix = location
        .strip_suffix(FILM)
        .expect("to the same under a token");
    format!("{prefix}{SEGMENT}")
}

#[test]
fn one_token_on_five_networks_is_refused_for_the_later_ones() {
    let edge = edge(json!({"networks": 3, "action": "refuse"}));
    let path = begun(&edge);
    let address = |n: usize| format!("203.0.{n}.9");
    for _ in 0..4 {
        for n in 0..5 {
            let expected = if n < 3 { 200 } else { 403 };
            assert_eq!(status(&edge, &path, &address(n), "player"), expected, "{n}");
        }
    }
    // Another host of the first network.
    assert_eq!(status(&edge, &path, "203.0.0.77", "another"), 200);
    eventually("the refusals are counted", || {
        edge.metric("refusals.shared") == 8
    });
    assert_eq!(edge.metric("starts"), 1);
    eventually("the refusals are in the log", || {
        // A line a second for each worker, however many there are.
        edge.decisions(0)
            .iter()
            .any(|line| line["reason"] == "shared")
    });
    let log = edge.access_log();
    assert!(!log.contains("203.0."), "{log}");
}

#[test]
fn six_agents_with_one_sid_are_noticed_and_play() {
    let edge = edge(json!({"networks": 3, "agents": 2, "action": "monitor"}));
    let path = format!("{SEGMENT}?CMCD=sid%3D%22one%22");
    for n in 0..6 {
        let request = edge
            .get(&path)
            .header("x-account-id", "alice")
            .header("user-agent", &format!("player {n}"));
        let _ = request.send().expect(200);
    }
    eventually("the four beyond are counted", || {
        edge.metric("shared_monitored") == 4
    });
    assert_eq!(edge.metric("starts"), 1);
    eventually("and in the log", || {
        let lines = edge.decisions(0).into_iter();
        lines.filter(|line| line["event"] == "shared").count() == 4
    });
}
