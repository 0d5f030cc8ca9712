//! HTTP/2 from a viewer, as browsers and television sets speak it.

use std::process::Command;

use serde_json::json;
use streamgate_tests::{Edge, Settings};

const SEGMENT: &str = "/vod/film/segment-1.m4s";

/// What curl gets over HTTP/2: the status and everything it shows, headers included.
fn curl(edge: &Edge, path: &str, headers: &[&str]) -> (u16, String) {
    let mut curl = Command::new("curl");
    curl.args([
        "--http2-prior-knowledge",
        "--silent",
        "--show-error",
        "--include",
    ]);
    curl.args(["--max-time", "20", "--path-as-is"]);
    for header in headers {
        curl.args(["--header", header]);
    }
    let url = format!("http://127.0.0.1:{}{path}", edge.port);
    let output = curl.arg(url).output().expect("to run curl");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    let status = text.strip_prefix("HTTP/2 ").and_then(|rest| rest.get(..3));
    let status = status.and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("no HTTP/2: {text}")), text)
}

#[test]
fn tokens_play_from_path_query_and_cookie_and_stay_with_the_edge() {
    let places =
        json!([{"token": "path"}, {"token": {"query": "sg"}}, {"token": {"cookie": "sg"}}]);
    let settings = Settings::default()
        .with("/playback/0/subject", places.clone())
        .with("/playback/0/stream", places);
    let edge = Edge::start(settings);
    let session = edge.app("demo-tv").start("alice");
    let prefix = session.playback_prefix.clone();
    let token = prefix.trim_start_matches("/~");
    for _ in 0..2 {
        let cookie = format!("cookie: sg={token}");
        let asks: [(String, &[&str]); 4] = [
            (format!("{prefix}{SEGMENT}"), &[]),
            (format!("{SEGMENT}?sg={token}"), &[]),
            // HTTP/2 splits cookies over several fields (RFC 9113, section 8.2.3).
            (SEGMENT.to_owned(), &["cookie: a=1", &cookie, "cookie: b=2"]),
            (SEGMENT.to_owned(), &[&cookie]),
        ];
        for (path, headers) in asks {
            let (status, text) = curl(&edge, &path, headers);
            assert_eq!(status, 200, "{text}");
        }
    }
    assert_eq!(edge.metric("live_streams"), 1);
    let seen = edge.origin.seen();
    assert!(!format!("{seen:?}").contains(token), "{seen:?}");
    let others = ("cookie".to_owned(), "a=1; b=2".to_owned());
    assert!(
        seen.iter().any(|seen| seen.headers.contains(&others)),
        "{seen:?}"
    );
}

#[test]
fn an_unmodified_player_is_redirected_limited_and_told() {
    let edge = Edge::start(Settings::default());
    let account: &[&str] = &["x-account-id: alice"];
    let open = || curl(&edge, "/vod/film/master.m3u8", account);
    for _ in 0..3 {
        let (status, text) = open();
        assert_eq!(status, 307, "{text}");
        let location = text
            .lines()
            .find_map(|line| line.strip_prefix("location: "));
        let segment = location.expect("a location").trim();
        let segment = segment.replace("master.m3u8", "segment-1.m4s");
        assert_eq!(curl(&edge, &segment, &[]).0, 200);
    }
    let (status, text) = open();
    assert_eq!(status, 403, "{text}");
    assert!(
        text.contains("x-streamgate-reason: limit-reached"),
        "{text}"
    );
    assert!(text.contains("\"reason\":\"limit-reached\""), "{text}");
    let (status, text) = curl(&edge, &format!("/~forged{SEGMENT}"), &[]);
    assert_eq!(status, 403, "{text}");
    assert!(text.contains("token-invalid"), "{text}");
}
