//! Bytes that no well-meaning client sends: they get a clear 4xx, the filter does not
//! trap (every edge checks that when it goes), and no log repeats them.

use std::io::Write;
use std::net::TcpStream;

use streamgate_tests::{Edge, IDP, Settings, signing_key, subject_key};
use streamgate_tokens::signed::{KeyRing, PlaybackToken, SigningKey, issue_session_id};
use streamgate_values::attributes::Attributes;
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;

fn edge() -> Edge {
    Edge::start(Settings::default())
}

/// A request by hand. `Connection: close` is part of it.
fn by_hand(method: &str, path: &[u8], headers: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = format!("{method} ").into_bytes();
    bytes.extend_from_slice(path);
    bytes.extend_from_slice(b" HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n");
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: ").as_bytes());
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// Sends it and expects some 4xx, the filter's or Envoy's own.
#[track_caller]
fn expect_4xx(edge: &Edge, request: &[u8]) {
    let (status, answer) = edge.raw(&[request]);
    let shown: String = String::from_utf8_lossy(request).chars().take(200).collect();
    assert!(matches!(status, Some(400..=499)), "{shown}\n{answer}");
}

/// The edge still works for everybody else.
#[track_caller]
fn assert_serves(edge: &Edge) {
    for client in edge.one_client_per_worker() {
        let session = edge.app("demo-tv").on(&client).start("bystander");
        let _ = session.heartbeat().expect(202);
        let _ = session.stop().expect(202);
    }
}

fn now() -> Moment {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let ms = now.expect("a time after 1970").as_millis();
    Moment::from_ms(u64::try_from(ms).expect("a time before 500 million AD"))
}

const NOT_UTF_8: [&[u8]; 5] = [
    b"\xff",
    b"alice\xfe\xff",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\xf0\x28\x8c\xbc",
];

#[test]
fn header_bytes_that_are_not_utf_8_are_refused_and_trap_nothing() {
    let edge = edge();
    const TV: (&str, &[u8]) = ("authorization", b"Basic ZGVtby10djo=");
    for bytes in NOT_UTF_8 {
        let manifest = b"/vod/film/master.m3u8";
        expect_4xx(&edge, &by_hand("GET", manifest, &[("x-account-id", bytes)]));
        let carried = [("x-account-id", &b"alice"[..]), ("x-stream-id", bytes)];
        expect_4xx(&edge, &by_hand("GET", b"/carried/film/a.m4s", &carried));

        let create = b"/v2/sessions/demo/alice";
        let credentials = [b"Basic ", bytes].concat();
        for value in [bytes, &credentials] {
            expect_4xx(&edge, &by_hand("POST", create, &[("authorization", value)]));
        }
        expect_4xx(
            &edge,
            &by_hand("POST", create, &[TV, ("x-terminate", bytes)]),
        );

        for path in ["/v2/sessions/demo/", "/v2/runningStreams/demo/"] {
            let path = [path.as_bytes(), bytes].concat();
            expect_4xx(&edge, &by_hand("POST", &path, &[TV]));
        }
        let path = [b"/v2/sessions/demo/alice?channel=", bytes].concat();
        expect_4xx(&edge, &by_hand("POST", &path, &[TV]));
        let path = [b"/~", bytes, b"/vod/film/a.m4s"].concat();
        expect_4xx(&edge, &by_hand("GET", &path, &[]));
        let path = [b"/vod/", bytes, b"/master.m3u8"].concat();
        expect_4xx(&edge, &by_hand("GET", &path, &[("x-account-id", b"alice")]));
    }
    assert_eq!(edge.metric("starts"), 0);
    assert_serves(&edge);
}

/// CTA-5004 asks whoever reads CMCD to take a malformed one for none.
#[test]
fn a_session_id_of_a_player_that_is_not_utf_8_counts_as_none() {
    let edge = edge();
    for bytes in NOT_UTF_8 {
        let sid = [b"sid=\"", bytes, b"\""].concat();
        let headers = [("x-account-id", &b"alice"[..]), ("cmcd-session", &sid)];
        let (status, answer) = edge.raw(&[&by_hand("GET", b"/vod/film/master.m3u8", &headers)]);
        assert_eq!(status, Some(307), "{answer}");
        expect_4xx(&edge, &by_hand("GET", b"/vod/film/segment-1.m4s", &headers));
    }
}

#[test]
fn nul_bytes_and_control_characters_are_refused() {
    let edge = edge();
    for bytes in [&b"a\0b"[..], b"\0", b"a\x01b", b"a\x7fb"] {
        for name in [
            "x-account-id",
            "authorization",
            "x-terminate",
            "cmcd-session",
        ] {
            for path in ["/vod/film/segment-1.m4s", "/v2/sessions/demo/alice"] {
                expect_4xx(&edge, &by_hand("POST", path.as_bytes(), &[(name, bytes)]));
            }
        }
        let path = [b"/vod/", bytes, b".m4s"].concat();
        expect_4xx(&edge, &by_hand("GET", &path, &[]));
    }
    for path in [
        "/v2/sessions/demo/a%00b",
        "/v2/sessions/demo/a?b=%00",
        "/vod/%00.m4s",
    ] {
        let headers: [(&str, &[u8]); 1] = [("authorization", b"Basic ZGVtby10djo=")];
        expect_4xx(&edge, &by_hand("POST", path.as_bytes(), &headers));
    }
    assert_serves(&edge);
}

#[test]
fn very_long_paths_and_headers_are_refused() {
    let edge = edge();
    let headers: [(&str, &[u8]); 2] = [
        ("authorization", b"Basic ZGVtby10djo="),
        ("x-account-id", b"alice"),
    ];
    for length in [300, 50_000, 59_000, 61_000, 200_000] {
        let long = "x".repeat(length);
        for path in [
            format!("/v2/sessions/demo/{long}"),
            format!("/v2/sessions/demo/alice/{long}"),
            format!("/v2/sessions/demo/alice?{long}=1"),
            format!("/v2/{long}"),
            format!("/~{long}/vod/film/a.m4s"),
            format!("/~{long}"),
            format!("/vod/{long}.m4s"),
        ] {
            expect_4xx(&edge, &by_hand("POST", path.as_bytes(), &headers));
        }
        let many: Vec<String> = vec!["/vod".to_owned(); length / 4];
        expect_4xx(&edge, &by_hand("GET", many.concat().as_bytes(), &[]));
        let long = long.as_bytes();
        for name in ["authorization", "x-account-id", "x-terminate"] {
            expect_4xx(&edge, &by_hand("GET", b"/vod/a.m4s", &[(name, long)]));
            expect_4xx(
                &edge,
                &by_hand("POST", b"/v2/sessions/demo/alice", &[(name, long)]),
            );
        }
    }
    assert_serves(&edge);
}

#[test]
fn thousands_of_attributes_and_huge_bodies_are_refused() {
    let edge = edge();
    let app = edge.app("demo-tv");
    let attributes = |count: usize| {
        let pairs: Vec<String> = (0..count).map(|n| format!("{n:x}=")).collect();
        pairs.join("&")
    };
    let _ = app
        .create("alice")
        .query(&attributes(9_000))
        .send()
        .expect(400);
    let _ = app
        .create("alice")
        .form(&attributes(3_000))
        .send()
        .expect(400);
    let _ = app
        .create("alice")
        .form(&attributes(10_000))
        .send()
        .expect(413);
    let codes = vec!["51fd351f"; 5_000].join(",");
    let _ = app.create("alice").terminate(&codes).send().expect(400);

    // Refused as soon as it is too long, however much is still to come.
    let piece = vec![b'a'; 1 << 20];
    let mut counted = by_hand(
        "POST",
        b"/v2/sessions/demo/alice",
        &[
            ("authorization", b"Basic ZGVtby10djo="),
            ("content-length", b"104857600"),
        ],
    );
    counted.extend_from_slice(&piece);
    let (status, answer) = edge.raw(&[&counted]);
    assert_eq!(status, Some(413), "{answer}");
    assert_eq!(edge.metric("starts"), 0);
    assert_serves(&edge);
}

#[test]
fn clients_that_leave_in_the_middle_leave_nothing_behind() {
    let edge = edge();
    let head = by_hand(
        "POST",
        b"/v2/sessions/demo/alice",
        &[
            ("authorization", b"Basic ZGVtby10djo="),
            ("content-length", b"100"),
        ],
    );
    for _ in 0..50 {
        let mut stream = TcpStream::connect(("127.0.0.1", edge.port)).expect("a connection");
        stream.write_all(&head).expect("to write");
        stream.write_all(b"channel=").expect("to write");
    }
    let segment = by_hand(
        "GET",
        b"/carried/film/a.m4s",
        &[("x-account-id", b"bob"), ("x-stream-id", b"s")],
    );
    for _ in 0..50 {
        let mut stream = TcpStream::connect(("127.0.0.1", edge.port)).expect("a connection");
        stream.write_all(&segment).expect("to write");
    }
    assert_serves(&edge);
    assert_eq!(edge.app("demo-tv").running("alice").len(), 0);
}

#[test]
fn forged_cut_expired_and_foreign_tokens_are_told_apart_from_good_ones() {
    let edge = edge();
    let alice = subject_key().subject(IDP, "alice");
    let session = edge.app("demo-tv").start("alice");
    let good = session.playback_prefix.trim_start_matches("/~");
    let ring = signing_key();
    let issued = PlaybackToken::read(&ring, good.as_bytes(), now()).expect("a good token");
    assert_eq!(issued.subject, alice);
    let stream = issued.stream;

    let ask = |token: &str| {
        edge.get(&format!("/~{token}/vod/film/segment-1.m4s"))
            .send()
    };
    let token = |application: &str, expires_at| PlaybackToken {
        subject: alice,
        stream,
        application: application.to_owned(),
        scope: String::new(),
        attributes: Attributes::default(),
        limits: Limits::default(),
        expires_at,
    };
    let soon = now().plus_ms(3_600_000);
    let _ = ask(&token("demo-tv", soon).issue(&ring)).expect(200);

    let past = Moment::from_ms(now().as_ms() - 1);
    let _ = ask(&token("demo-tv", past).issue(&ring)).expect_refusal(403, "token-expired");
    let nobody = token("nobody", soon).issue(&ring);
    let _ = ask(&nobody).expect_refusal(403, "unknown-application");
    let foreign = token("demo-web", soon).issue(&ring);
    let _ = ask(&foreign).expect_refusal(403, "foreign-stream");
    let others = KeyRing::new(SigningKey::new("demo-1", b"a guess at the secret"), vec![]);
    let forged = token("demo-tv", soon).issue(&others);
    let id = issue_session_id(&ring, &alice, &stream);
    let swapped = format!("{}{}", &good[good.len() / 2..], &good[..good.len() / 2]);
    let longer = format!("{good}A");
    let mut bad = vec![forged, id, swapped, longer, String::new(), "%00".to_owned()];
    bad.extend((1..good.len()).step_by(7).map(|end| good[..end].to_owned()));
    for token in &bad {
        let answer = ask(token);
        assert!([400, 403].contains(&answer.status), "{token}: {answer:?}");
        if answer.status == 403 {
            let _ = answer.expect_refusal(403, "token-invalid");
        }
    }
    // A token is no session id.
    let _ = edge.app("demo-tv").heartbeat("alice", good).expect(404);
    let _ = session.heartbeat().expect(202);
}

#[test]
fn nothing_of_bad_input_is_written_to_a_log() {
    let edge = edge();
    let marks = [
        "MARKED-account",
        "MARKED-token",
        "MARKED-session",
        "MARKED-attribute",
    ];
    let tv: (&str, &[u8]) = ("authorization", b"Basic ZGVtby10djo=");
    let account = ("x-account-id", &b"MARKED-account\xff"[..]);
    for request in [
        by_hand("GET", b"/vod/film/master.m3u8", &[account]),
        by_hand(
            "GET",
            b"/carried/a.m4s",
            &[account, ("x-stream-id", b"MARKED-session\xff")],
        ),
        by_hand("GET", b"/~MARKED-token/vod/film/a.m4s", &[]),
        by_hand("GET", b"/~MARKED-token/~MARKED-token/vod/a.m4s", &[]),
        by_hand("GET", b"/~MARKED-token\xff/vod/film/a.m4s", &[]),
        by_hand("GET", b"/~MARKED-token", &[]),
        by_hand("POST", b"/v2/sessions/demo/MARKED-account%zz", &[tv]),
        by_hand(
            "POST",
            b"/v2/sessions/demo/MARKED-account/MARKED-session",
            &[tv],
        ),
        by_hand(
            "POST",
            b"/v2/sessions/demo/MARKED-account/x/MARKED-session",
            &[tv],
        ),
        by_hand(
            "POST",
            b"/v2/sessions/demo/MARKED-account?MARKED-attribute=%ff",
            &[tv],
        ),
        by_hand("POST", b"/v2/sessions/demo/MARKED-account", &[]),
    ] {
        expect_4xx(&edge, &request);
    }
    // What was refused before it, is written before it.
    let _ = edge.get("/vod/last.m4s").send().expect(403);
    let last = |line: &serde_json::Value| line["path"] == "/vod/last.m4s";
    streamgate_tests::eventually("the last line is written", || {
        edge.decisions(1).iter().any(last)
    });
    for text in [edge.log(), edge.access_log(), edge.all_statistics()] {
        for mark in marks {
            assert!(!text.contains(mark), "{mark}:\n{text}");
        }
    }
}
