//! What is asked for in a tunnel nobody sees, so none is opened. A WebSocket is one thing asked for,
//! and counts as such.

use serde_json::json;
use streamgate_tests::{Edge, Given, Settings};

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

#[test]
fn a_websocket_on_a_protected_path_takes_a_place() {
    let upgrades = json!([{"upgrade_type": "websocket"}]);
    let edge = Edge::start(Settings::default().with_manager("upgrade_configs", upgrades));
    let socket = Given::body("").status(101);
    let socket = socket.header("connection", "upgrade");
    let socket = socket.header("upgrade", "websocket");
    edge.origin.gives("/carried/live.sock", socket);
    for (screen, expected) in [("a", 101), ("b", 101), ("c", 101), ("d", 403)] {
        let head = format!(
            "GET /carried/live.sock HTTP/1.1\r\nHost: edge\r\nX-Account-Id: alice\r\n\
             X-Stream-Id: {screen}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        );
        let (status, answer) = edge.raw(&[head.as_bytes()]);
        assert_eq!(status, Some(expected), "{screen}: {answer}");
    }
}
