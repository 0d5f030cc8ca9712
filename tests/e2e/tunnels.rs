//! What is asked for in a tunnel nobody sees, so none is opened.

use serde_json::json;
use streamgate_tests::{Edge, Settings};

#[test]
fn connect_is_refused_whatever_envoy_would_do_with_it() {
    let upgrades = json!([{"upgrade_type": "CONNECT"}]);
    let edge = Edge::start(Settings::default().with_manager("upgrade_configs", upgrades));
    for target in ["edge:80", "/vod/film/seg1.m4s", "edge"] {
        let head =
            format!("CONNECT {target} HTTP/1.1\r\nHost: edge:80\r\nConnection: close\r\n\r\n");
        let (status, answer) = edge.raw(&[head.as_bytes()]);
        // Envoy itself knows no route for it: 404.
        assert_eq!(status, Some(400), "{target}: {answer}");
    }
    assert!(edge.origin.seen().is_empty());
}
