//! Calls whose body has no end, or does not come: they get an answer all the same.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;
use streamgate_tests::{Edge, Settings};

const KEY: &str = "an operator's key for the tests";
const TV: &str = "authorization: Basic ZGVtby10djo=";

/// An edge, and its door, that let WebSockets through.
fn edge() -> Edge {
    let upgrades = json!([{"upgrade_type": "websocket"}]);
    let settings = Settings::default().with_door(KEY);
    let settings = settings.with_manager("upgrade_configs", upgrades);
    let connect = json!({"allow_connect": true});
    Edge::start(settings.with_manager("http2_protocol_options", connect))
}

/// The answer to a request by hand. It fails where none comes.
#[track_caller]
fn ask(port: u16, line: &str, headers: &[&str], body: &str) -> (u16, String) {
    let headers = headers.join("\r\n");
    let request = format!("{line} HTTP/1.1\r\nHost: edge\r\n{headers}\r\n\r\n{body}");
    let (status, answer) = streamgate_tests::raw(port, &[request.as_bytes()]);
    (status.unwrap_or_else(|| panic!("{line}: {answer}")), answer)
}

#[test]
fn a_call_that_asks_for_an_upgrade_is_answered_as_without_or_told_at_once() {
    let edge = edge();
    let upgrade = ["connection: Upgrade", "upgrade: websocket"];
    let account = "/v2/sessions/demo/alice";
    let session = edge.app("demo-tv").start("alice").url;
    let call = |line: String, more: &[&str], expected: u16| {
        let headers = [&[TV][..], &upgrade, more].concat();
        let (status, answer) = ask(edge.port, &line, &headers, "");
        assert_eq!(status, expected, "{line} {more:?}: {answer}");
    };
    call("GET /v2/metadata".to_owned(), &[], 200);
    call("GET /v2/runningStreams/demo/alice".to_owned(), &[], 200);
    call(format!("DELETE {session}"), &[], 202);
    call(format!("DELETE {session}"), &["content-length: 3"], 410);
    call("PATCH /v2/metadata".to_owned(), &[], 405);
    call("GET /v2/nothing".to_owned(), &[], 404);
    // What a body may say something to cannot be told where that ends.
    for line in [format!("POST {account}"), format!("POST {session}")] {
        call(line.clone(), &[], 400);
        call(line.clone(), &["content-length: 0"], 400);
        call(line, &["transfer-encoding: chunked"], 400);
    }
    let (status, _) = ask(edge.port, "GET /v2/metadata", &upgrade, "");
    assert_eq!(status, 401);
    // Envoy goes on without this one, as many clients ask for it with every request.
    let h2c = [
        "connection: Upgrade, HTTP2-Settings",
        "upgrade: h2c",
        "http2-settings: AAMAAABk",
    ];
    let headers = [&[TV, "content-length: 11"][..], &h2c].concat();
    let (status, answer) = ask(
        edge.port,
        &format!("POST {account}"),
        &headers,
        "deviceId=tv",
    );
    assert_eq!(status, 202, "{answer}");

    let door = edge.door_port();
    let key = format!("authorization: Bearer {KEY}");
    let account = "/streamgate/v1/accounts/demo/alice";
    for (line, expected) in [
        ("GET /streamgate/".to_owned(), 200),
        ("GET /streamgate/v1/summary".to_owned(), 200),
        (format!("PUT {account}/exception"), 400),
        (format!("DELETE {account}"), 200),
    ] {
        let headers = [&[key.as_str()][..], &upgrade].concat();
        let (status, answer) = ask(door, &line, &headers, "");
        assert_eq!(status, expected, "{line}: {answer}");
    }
}

#[test]
fn so_is_one_over_http_2() {
    let edge = edge();
    let door = edge.door_port();
    let key = format!("Bearer {KEY}");
    for (port, authorization, path, expected) in [
        (edge.port, "Basic ZGVtby10djo=", "/v2/metadata", 200),
        (
            edge.port,
            "Basic ZGVtby10djo=",
            "/v2/runningStreams/demo/alice",
            200,
        ),
        (
            edge.port,
            "Basic ZGVtby10djo=",
            "/v2/sessions/demo/alice",
            405,
        ),
        (edge.port, "", "/v2/metadata", 401),
        (door, &key, "/streamgate/v1/summary", 200),
    ] {
        let head = [
            (":method", "CONNECT"),
            (":protocol", "websocket"),
            (":scheme", "http"),
            (":authority", "edge"),
            (":path", path),
            ("authorization", authorization),
        ];
        assert_eq!(over_http_2(port, &[&head]), expected, "{path}");
    }
    // Nothing but trailers behind the head.
    let head = |method, path, authorization| {
        [
            (":method", method),
            (":scheme", "http"),
            (":authority", "edge"),
            (":path", path),
            ("authorization", authorization),
        ]
    };
    let trailers = [("x-checksum", "1")];
    let create = head("POST", "/v2/sessions/demo/bob", "Basic ZGVtby10djo=");
    assert_eq!(over_http_2(edge.port, &[&create, &trailers]), 202);
    let except = "/streamgate/v1/accounts/demo/bob/exception";
    let except = head("PUT", except, &key);
    assert_eq!(over_http_2(door, &[&except, &trailers]), 400);
}

#[test]
fn whoever_waits_to_be_told_to_send_the_body_is_told() {
    let expect = [TV, "expect: 100-continue", "content-length: 11"];
    for (manager, expected) in [(false, 100), (true, 417)] {
        let settings = Settings::default().with_door(KEY);
        let edge = Edge::start(settings.with_manager("proxy_100_continue", manager));
        let create = "POST /v2/sessions/demo/alice";
        let (status, answer) = ask(edge.port, create, &expect, "");
        assert_eq!(status, expected, "{answer}");
        let key = format!("authorization: Bearer {KEY}");
        let headers = [&[key.as_str()][..], &expect[1..]].concat();
        let put = "PUT /streamgate/v1/accounts/demo/alice/exception";
        let (status, answer) = ask(edge.door_port(), put, &headers, "");
        assert_eq!(status, expected, "{answer}");
    }
}

/// Envoy waits for them no longer than for any other (`stream_idle_timeout`).
#[test]
fn bodies_that_do_not_come_are_waited_for_no_longer_than_envoy_waits() {
    let settings = Settings::default().with_door(KEY);
    let edge = Edge::start(settings.with_manager("stream_idle_timeout", "0.3s"));
    for (line, length) in [
        ("GET /v2/metadata", "content-length: 5"),
        ("POST /v2/sessions/demo/alice", "content-length: 5"),
        ("POST /v2/sessions/demo/alice", "transfer-encoding: chunked"),
    ] {
        let (status, answer) = ask(edge.port, line, &[TV, length], "");
        assert_eq!(status, 408, "{line}: {answer}");
    }
    let put = "PUT /streamgate/v1/accounts/demo/alice/exception";
    let key = format!("authorization: Bearer {KEY}");
    let (status, answer) = ask(edge.door_port(), put, &[&key, "content-length: 5"], "");
    assert_eq!(status, 408, "{answer}");
    assert_eq!(edge.metric("live_streams"), 0);
}

/// The status of the answer to blocks of header fields on one HTTP/2 stream. A lone head leaves the
/// stream open; of several the last ends it.
fn over_http_2(port: u16, blocks: &[&[(&str, &str)]]) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).expect("a timeout");
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    sent.extend(frame(SETTINGS, 0, 0, &[]));
    for (at, block) in blocks.iter().enumerate() {
        // Each field as a literal that no table keeps (RFC 7541, section 6.2.2).
        let text =
            |text: &str| [&[u8::try_from(text.len()).expect("short")], text.as_bytes()].concat();
        let field = |(name, value): &(&str, &str)| [vec![0], text(name), text(value)].concat();
        let fields: Vec<u8> = block.iter().flat_map(field).collect();
        let ends = at > 0 && at + 1 == blocks.len();
        sent.extend(frame(HEADERS, 4 | u8::from(ends), 1, &fields));
    }
    stream.write_all(&sent).expect("to send");
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).expect("an answer");
        let [a, b, c, kind, flags, ..] = head;
        let mut payload = vec![0; usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)];
        stream.read_exact(&mut payload).expect("an answer");
        match kind {
            HEADERS => return status(&payload),
            SETTINGS if flags == 0 => {
                stream
                    .write_all(&frame(SETTINGS, 1, 0, &[]))
                    .expect("to send");
            }
            RST_STREAM | GOAWAY => panic!("broken off: {payload:?}"),
            _ => {}
        }
    }
}

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short frame");
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// The status in a block of header fields, which it begins with (RFC 7541).
fn status(block: &[u8]) -> u16 {
    let mut block = block.iter().copied().skip_while(|byte| byte & 0xe0 == 0x20);
    match block.next().expect("a field") {
        indexed @ 0x88..=0x8e => [200, 204, 206, 304, 400, 404, 500][usize::from(indexed) - 0x88],
        // The name is known, the value is a text, and that packed.
        _ => {
            let length = block.next().expect("a length");
            let text: Vec<u8> = block.take(usize::from(length & 0x7f)).collect();
            if length & 0x80 == 0 {
                return String::from_utf8_lossy(&text).parse().expect("a status");
            }
            let bits = text
                .iter()
                .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
            digits(bits << (32 - 8 * text.len()))
        }
    }
}

/// Three digits in the code of RFC 7541, appendix B: `0` to `2` take five bits, the others six.
fn digits(mut bits: u32) -> u16 {
    let mut number = 0;
    for _ in 0..3 {
        let (digit, length) = match bits >> 27 {
            short @ 0..=2 => (short, 5),
            _ => ((bits >> 26) - 0b01_1001 + 3, 6),
        };
        bits <<= length;
        number = number * 10 + digit;
    }
    u16::try_from(number).expect("a status")
}
