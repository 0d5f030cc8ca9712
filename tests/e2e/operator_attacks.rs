//! The operator's door under attack, as only a real Envoy can show: from whoever has no key, from
//! pages of other origins, and with requests that two readers read in two ways.

use std::process::Command;

use serde_json::Value;
use streamgate_tests::{Answer, Edge, Settings, eventually, raw};

const KEY: &str = "the key of the tests' operators";
const MANIFEST: &str = "/vod/film/master.m3u8";

fn edge() -> Edge {
    Edge::start(Settings::default().with_door(KEY))
}

fn says(edge: &Edge, path: &str) -> Value {
    let call = edge.door().get(path);
    let call = call.header("authorization", &format!("Bearer {KEY}"));
    call.send().expect(200).json()
}

/// What an answer shows, but for the moment and how long it took.
fn shown(answer: &Answer) -> (u16, Vec<String>, Vec<u8>) {
    let names = [
        "content-type",
        "www-authenticate",
        "cache-control",
        "allow",
        "location",
    ];
    let headers = names.map(|name| format!("{name}: {:?}", answer.values(name)));
    (answer.status, headers.into(), answer.body.clone())
}

/// Whoever has no key learns from no answer whether a path, an account, a method or a part of a key is
/// there: all of them are one.
#[test]
fn without_a_key_all_answers_are_one() {
    let edge = edge();
    let _players = [(); 2].map(|()| edge.player("alice").playing(MANIFEST));
    let door = edge.door();
    let mut answers = Vec::new();
    for path in [
        "/streamgate/v1/summary",
        "/streamgate/v1/accounts/demo/alice",
        "/streamgate/v1/accounts/demo/nobody",
        "/streamgate/v1/accounts/demo/%ff",
        "/streamgate/v1/accounts/demo/alice/exception",
        "/streamgate/v1/accounts/demo/alice/streams/51fd351f",
        "/streamgate/v1/nothing",
        "/streamgate//v1/summary",
        "/streamgate/%76%31/summary",
        "/streamgate/v1%2fsummary",
    ] {
        for method in ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"] {
            for query in [String::new(), format!("?key={KEY}").replace(' ', "+")] {
                let asked = door.request(method, &format!("{path}{query}"));
                let asked = asked.header("x-http-method-override", "DELETE");
                for authorization in ["", "Bearer", "Bearer x", &format!("Basic {KEY}")] {
                    let asked = asked.clone().header("authorization", authorization);
                    let mut answer = asked.header("cookie", &format!("key={KEY}")).send();
                    if method == "HEAD" {
                        assert!(answer.body.is_empty());
                        answer.body.clone_from(
                            &answers
                                .first()
                                .map_or(Vec::new(), |(_, it): &(String, Answer)| it.body.clone()),
                        );
                    }
                    answers.push((format!("{method} {path}{query}"), answer));
                }
            }
        }
    }
    let (_, first) = &answers[0];
    assert_eq!(first.status, 401);
    for (asked, answer) in &answers {
        assert_eq!(shown(answer), shown(first), "{asked}");
        for name in [
            "access-control-allow-origin",
            "access-control-allow-headers",
            "x-streamgate-reason",
        ] {
            assert_eq!(answer.header(name), None, "{asked}");
        }
    }
    assert_eq!(edge.metric("live_streams"), 2);
}

/// A page of another origin has nothing to send along (there is no cookie), may read nothing, and may
/// show the page in no frame of its own. Nor does it matter under which name it finds the door
/// (DNS rebinding): the door asks for the key whatever it is called.
#[test]
fn a_page_of_another_origin_reads_and_does_nothing() {
    let edge = edge();
    let _player = edge.player("alice").playing(MANIFEST);
    let account = "/streamgate/v1/accounts/demo/alice";
    let door = edge.door();
    let evil = "https://evil.example";
    for headers in [
        vec![
            ("access-control-request-method", "DELETE"),
            ("access-control-request-headers", "authorization"),
        ],
        vec![("access-control-request-method", "GET")],
        vec![],
    ] {
        let mut asked = door.request("OPTIONS", account).header("origin", evil);
        for (name, value) in headers {
            asked = asked.header(name, value);
        }
        let answer = asked.send().expect(401);
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert_eq!(answer.header("access-control-allow-methods"), None);
    }
    // What a form, or a script without leave, can send.
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        let asked = door.request("POST", &format!("{account}/exception"));
        let asked = asked
            .header("origin", evil)
            .header("content-type", content_type);
        let _ = asked
            .body(br#"{"blocked": true, "reason": "x", "for": "1h"}"#)
            .send()
            .expect(401);
    }
    let with_key = door
        .get(account)
        .header("authorization", &format!("Bearer {KEY}"));
    let answer = with_key.header("origin", evil).send().expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.values("cache-control"), ["no-store"]);

    let page = door
        .get("/streamgate/")
        .header("origin", evil)
        .send()
        .expect(200);
    let policy = page.header("content-security-policy").unwrap();
    for part in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "form-action 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(page.values("cache-control"), ["no-store"]);
    assert_eq!(page.header("set-cookie"), None);
    for name in ["evil.example", "evil.example:10001", "[::1]"] {
        let asked = format!(
            "GET /streamgate/v1/summary HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
        );
        let (status, answer) = raw(edge.door_port(), &[asked.as_bytes()]);
        assert_eq!(status, Some(401), "{answer}");
        // The way to the page names no host: it cannot be led elsewhere.
        let asked = format!("GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
        let (status, answer) = raw(edge.door_port(), &[asked.as_bytes()]);
        assert_eq!(status, Some(307), "{answer}");
        assert!(answer.contains("location: /streamgate/\r\n"), "{answer}");
    }
    assert_eq!(edge.metric("live_streams"), 1);
}

/// Two requests in one, a target in another form, two keys, a body where none is expected: nobody comes
/// in by them, and who has a key gets what the request says.
#[test]
fn requests_that_may_be_read_in_two_ways_open_nothing() {
    let edge = edge();
    let _player = edge.player("alice").playing(MANIFEST);
    let port = edge.door_port();
    let target = "/streamgate/v1/accounts/demo/alice";
    let good = format!("Authorization: Bearer {KEY}\r\n");
    let smuggled = format!("DELETE {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    for (what, request) in [
        (
            "two lengths",
            format!(
                "GET {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: {}\r\n\r\n{smuggled}",
                smuggled.len()
            ),
        ),
        (
            "length and chunks",
            format!(
                "PUT {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
            ),
        ),
        (
            "absolute target",
            format!(
                "DELETE http://evil.example{target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            ),
        ),
        (
            "a tunnel",
            format!("CONNECT {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        ),
        (
            "a folded key",
            format!("GET {target} HTTP/1.1\r\nHost: a\r\nX: y\r\n {good}Connection: close\r\n\r\n"),
        ),
        (
            "a key in a name",
            format!(
                "GET {target} HTTP/1.1\r\nHost: a\r\nAuthorization : Bearer {KEY}\r\nConnection: close\r\n\r\n"
            ),
        ),
        (
            "a key in a trailer",
            format!(
                "PUT {target}/exception HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n{good}\r\n"
            ),
        ),
        (
            "a wrong key first",
            format!(
                "DELETE {target} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n{good}Connection: close\r\n\r\n"
            ),
        ),
        (
            "NUL",
            format!("GET {target}\0 HTTP/1.1\r\nHost: a\r\n{good}Connection: close\r\n\r\n"),
        ),
        ("no version", format!("DELETE {target}\r\n{good}\r\n")),
    ] {
        let (status, answer) = raw(port, &[request.as_bytes()]);
        assert!(matches!(status, None | Some(400..=499)), "{what}: {answer}");
        assert!(
            !answer.contains("\"account\"") && !answer.contains("\"stopped\""),
            "{what}: {answer}"
        );
    }
    assert_eq!(edge.metric("live_streams"), 1);

    // HTTP/2: what its pseudo-headers say of the host is nothing to the door.
    let curl = |more: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args([
            "--http2-prior-knowledge",
            "-s",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "--max-time",
            "20",
            "--path-as-is",
        ]);
        let output = curl.args(more).output().expect("to run curl");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let key = format!("authorization: Bearer {KEY}");
    for host in [
        "host: evil.example",
        "host: 127.0.0.1:10000",
        "host: evil.example:10001",
    ] {
        assert_eq!(curl(&["-H", host, &url(target)]), "401");
        assert_eq!(curl(&["-H", host, "-H", &key, &url(target)]), "200");
    }
    assert_eq!(
        curl(&["-H", "authorization: Bearer x", "-H", &key, &url(target)]),
        "401"
    );
    let huge = format!("authorization: Bearer {}", "x".repeat(50_000));
    assert_eq!(curl(&["-H", &huge, &url(target)]), "401");
}

/// What a key's owner, or a script of theirs, may get wrong: each is answered, and does nothing.
#[test]
fn nonsense_with_a_good_key_is_refused_and_does_nothing() {
    let edge = edge();
    let _player = edge.player("alice").playing(MANIFEST);
    let door = edge.door();
    let asks = |method: &str, path: &str, body: &[u8]| {
        let asked = door.request(method, path);
        let asked = asked.header("authorization", &format!("Bearer {KEY}"));
        asked.body(body).send()
    };
    let account = "/streamgate/v1/accounts/demo/alice";
    for (method, path, status) in [
        ("DELETE", "/streamgate/v1/accounts/demo/", 400),
        ("DELETE", "/streamgate/v1/accounts/%20%00/alice", 400),
        ("DELETE", "/streamgate/v1/accounts", 405),
        ("DELETE", "/streamgate/v1/hashes/0", 400),
        (
            "DELETE",
            "/streamgate/v1/accounts/demo/alice/streams/00000000",
            404,
        ),
        (
            "DELETE",
            "/streamgate/v1/accounts/demo/alice/streams/xxxxxxxx",
            400,
        ),
        ("DELETE", "/streamgate/v1/accounts/demo/alice/streams/", 400),
        (
            "DELETE",
            "/streamgate/v1/accounts/demo/alice/exception",
            404,
        ),
        ("PUT", "/streamgate/v1/accounts/demo/alice", 405),
        ("POST", "/streamgate/v1/accounts/demo/alice/exception", 405),
        ("OPTIONS", "/streamgate/v1/accounts/demo/alice", 405),
        ("GET", "/streamgate/v1/accounts/demo/%00", 400),
    ] {
        let _ = asks(method, path, b"").expect(status);
    }
    for (query, status) in [
        ("accounts?order=streams&page=99999999999999999999", 200),
        ("accounts?order=streams&page=%31", 200),
        ("accounts?page=0", 400),
        ("accounts?page=-1", 400),
        ("accounts?page=%C3%A9", 400),
        ("accounts?order=x", 400),
        ("levels?page=x", 400),
        ("decisions?after=18446744073709551615", 200),
        ("decisions?after=99999999999999999999", 200),
        ("decisions?after=-1", 400),
        ("decisions?after=x", 400),
        ("decisions?after=", 400),
        ("decisions?before=x", 200),
    ] {
        let _ = asks("GET", &format!("/streamgate/v1/{query}"), b"").expect(status);
    }
    for body in [
        &b"\xff\xfe"[..],
        br#"{"blocked": true, "reason": "a", "for": "1h", "policy": "x"}"#,
        br#"{"blocked": "true", "reason": "a", "for": "1h"}"#,
        br#"{"max": "5", "reason": "a", "for": "1h"}"#,
        br#"{"max": 5, "reason": false, "for": "1h"}"#,
        br#"{"max": 1, "max": 1000, "reason": "a", "for": "1h"}"#,
        br#"[{"blocked": true}]"#,
    ] {
        let _ = asks("PUT", &format!("{account}/exception"), body).expect(400);
    }
    // Chunks without an end are refused as soon as they are too many.
    let mut chunks = format!(
        "PUT {account}/exception HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {KEY}\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for _ in 0..40 {
        chunks.extend_from_slice(b"400\r\n");
        chunks.extend_from_slice(&[b' '; 0x400]);
        chunks.extend_from_slice(b"\r\n");
    }
    let (status, answer) = raw(edge.door_port(), &[&chunks]);
    assert_eq!(status, Some(413), "{answer}");
    assert_eq!(edge.metric("live_streams"), 1);
    assert_eq!(says(&edge, account)["exception"], Value::Null);
    eventually("nothing was changed, so nothing is told", || {
        !edge.access_log().contains("\"operator\"")
    });
}
