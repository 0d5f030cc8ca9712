//! Requests, bodies, tokens and store's replies by chance, a great many of them: nothing
//! traps, no answer is one of the 5xx, and memory stays where it was. A failure names the
//! seed it comes again with.

use std::thread;

use serde_json::json;
use streamgate_tests::{AccessToken, Edge, Fault, FaultyLink, Noise, Settings, Valkey, Wire};

const REQUESTS: usize = 24_000;
const BODIES: usize = 10_000;
const CLIENTS: usize = 4;

/// Bytes that stay where they are when memory is flat: what allocators keep, and logs.
const SLACK: u64 = 24 << 20;

/// Accounts that are asked for: few, so that the record is not what grows.
const ACCOUNTS: [&str; 4] = ["alice", "bob", "carol%2Fx", "d%C3%A4ve"];

fn settings() -> Settings {
    Settings::default()
        .answering_itself()
        .with("/cat", AccessToken::configuration())
        .with("/sessions/calls_per_minute", 1_000_000)
        .with("/sessions/creates_per_minute", 1_000_000)
        .with("/state/max_streams", 5_000)
        .with(
            "/playback/new",
            json!({
                "match": {"prefix": "/every/", "exclude": ["/every/ads/**"]},
                "application": "demo-web",
                "idp": "demo",
                "start": "implicit",
                "template": "/every/{channel}/*",
                "subject": [
                    {"token": "path"}, {"token": {"query": "t"}}, {"token": {"cookie": "t"}},
                    {"token": {"header": "x-token"}}, {"cat": "sub"}, {"header": "x-account-id"},
                ],
                "stream": [
                    {"token": "path"}, {"token": {"query": "t"}}, {"token": {"cookie": "t"}},
                    {"token": {"header": "x-token"}}, {"cat": "cti"}, {"cmcd": "sid"},
                    {"header": "x-stream-id"}, {"redirect": true},
                    {"client": "address_and_agent"},
                ],
                "attributes": {
                    "deviceId": {"query": "device"}, "zipcode": {"header": "x-zip"},
                    "content": {"cmcd": "cid"}, "kept": {"cookie": "kept"},
                },
                "paused": "release",
            }),
        )
}

/// What is good, to be damaged.
struct Good {
    tokens: Vec<String>,
    sessions: Vec<String>,
}

impl Good {
    fn of(edge: &Edge) -> Self {
        let sessions = ["demo-tv", "demo-mobile"].map(|app| edge.app(app).start("alice"));
        let prefix = |session: &streamgate_tests::Session| {
            session.playback_prefix.trim_start_matches("/~").to_owned()
        };
        let mut tokens: Vec<_> = sessions.iter().map(prefix).collect();
        tokens.extend(AccessToken::mint([
            AccessToken::of("alice", "a"),
            AccessToken::of("bob", "b").forged(),
        ]));
        let sessions = sessions.iter().map(|session| session.id.clone());
        Self {
            tokens,
            sessions: sessions.collect(),
        }
    }

    fn token(&self, noise: &mut Noise) -> Vec<u8> {
        let token = &self.tokens[noise.below(self.tokens.len())];
        noise.damage(token.as_bytes())
    }

    fn session(&self, noise: &mut Noise) -> Vec<u8> {
        let session = &self.sessions[noise.below(self.sessions.len())];
        // By chance alone hardly any would be left as it is.
        match noise.below(4) {
            0 => session.clone().into_bytes(),
            _ => noise.damage(session.as_bytes()),
        }
    }
}

/// Without what would end a line, or the path: a request would fall apart into two.
fn in_line(bytes: Vec<u8>) -> Vec<u8> {
    let ends = |byte: &u8| b"\r\n \0".contains(byte);
    bytes.into_iter().filter(|byte| !ends(byte)).collect()
}

fn path(noise: &mut Noise, good: &Good) -> Vec<u8> {
    let mut path = Vec::new();
    if noise.below(3) == 0 {
        path.extend(b"/~");
        path.extend(good.token(noise));
    }
    let roots = [
        "/vod/",
        "/every/",
        "/latest/",
        "/members/",
        "/carried/",
        "/gone/",
        "/v2/",
        "/",
    ];
    path.extend(noise.of(&roots).as_bytes());
    let parts = [
        "..",
        "%2e%2e",
        ".",
        "%2f",
        "%5c",
        "\\",
        ";x",
        "//",
        "%00",
        "%zz",
        "%",
        "~",
        "sessions/demo/",
        "runningStreams/demo/",
        "metadata",
        "news/",
        "ads/",
        "alice/",
        "a.m3u8",
        "a.m4s",
        "init.mp4",
        "k.key",
        "VOD",
        "%7Evod",
        "é",
        "?",
        "#",
        "&",
    ];
    for _ in 0..noise.below(6) {
        match noise.below(8) {
            0 => path.extend(noise.bytes(30)),
            1 => path.extend(good.session(noise)),
            _ => path.extend(noise.of(&parts).as_bytes()),
        }
    }
    if noise.below(2) == 0 {
        path.extend(b"?");
        for _ in 0..noise.below(4) {
            let names = ["CMCD=", "t=", "CAT=", "device=", "channel=", "&", "="];
            path.extend(noise.of(&names).as_bytes());
            path.extend(value(noise, good));
            path.push(b'&');
        }
    }
    if noise.below(40) == 0 {
        path.extend(b"x".repeat(noise.below(20_000)));
    }
    in_line(noise.damage(&path))
}

fn value(noise: &mut Noise, good: &Good) -> Vec<u8> {
    let known = [
        "alice",
        "sid%3D%22a%22",
        "sid=\"a\",cid=\"b\",sta=p,v=2",
        "sid=\"a\\",
        "bl=?0,sid=\"",
        "Basic ZGVtby10djo=",
        "Basic ",
        "Bearer ",
        "prefetch",
        "1",
        "51fd351f",
        "t=; t=; kept=1",
        "de;q=NaN, en;q=0.5",
    ];
    match noise.below(5) {
        0 => noise.bytes(60),
        1 => good.token(noise),
        2 => [b"t=", good.token(noise).as_slice()].concat(),
        _ => {
            let picked = noise.of(&known).as_bytes();
            noise.damage(picked)
        }
    }
}

fn request(noise: &mut Noise, good: &Good, body: Option<Vec<u8>>) -> Vec<u8> {
    let methods = [
        "GET", "GET", "GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH", "QUERY",
    ];
    let mut request = Vec::new();
    match &body {
        Some(_) => {
            request.extend(b"POST /v2/sessions/demo/");
            request.extend(noise.of(&ACCOUNTS).as_bytes());
            if noise.below(3) == 0 {
                request.push(b'/');
                request.extend(in_line(good.session(noise)));
            }
        }
        None => {
            request.extend(noise.of(&methods).as_bytes());
            request.push(b' ');
            request.extend(path(noise, good));
        }
    }
    request.extend(b" HTTP/1.1\r\nhost: edge\r\n");
    let names = [
        "authorization",
        "cookie",
        "x-token",
        "x-account-id",
        "x-stream-id",
        "cmcd-session",
        "cmcd-object",
        "cmcd-request",
        "cmcd-status",
        "cta-common-access-token",
        "x-terminate",
        "accept-language",
        "origin",
        "access-control-request-method",
        "referer",
        "user-agent",
        "sec-purpose",
        "sec-fetch-mode",
        "range",
        "x-zip",
        "x-forwarded-for",
    ];
    for _ in 0..noise.below(5) {
        request.extend(noise.of(&names).as_bytes());
        request.extend(b": ");
        let no_end = |byte: &u8| !b"\r\n\0".contains(byte);
        request.extend(value(noise, good).into_iter().filter(no_end));
        request.extend(b"\r\n");
    }
    if noise.below(2) == 0 {
        request.extend(b"x-account-id: ");
        request.extend(noise.of(&ACCOUNTS).as_bytes());
        request.extend(b"\r\n");
    }
    if let Some(body) = body {
        let types = [
            "application/x-www-form-urlencoded",
            "application/json",
            "application/json; charset=utf-8",
            "text/plain",
            "multipart/form-data",
            "",
            "APPLICATION/JSON;;",
            "application/x-www-form-urlencoded;\u{e9}",
        ];
        request.extend(b"authorization: Basic ZGVtby10djo=\r\n");
        request.extend(format!("content-type: {}\r\n", noise.of(&types)).into_bytes());
        request.extend(format!("content-length: {}\r\n\r\n", body.len()).into_bytes());
        request.extend(body);
    } else {
        request.extend(b"content-length: 0\r\n\r\n");
    }
    request
}

fn body(noise: &mut Noise) -> Vec<u8> {
    let known = [
        "channel=News&deviceId=tv",
        "a=1&a=2",
        "=&=&&",
        "%zz=%",
        "a%00=b",
        "{\"channel\": \"News\", \"hd\": true, \"n\": 1.5e3}",
        "{\"a\": {\"b\": [1, null]}}",
        "{\"a\": 1e999}",
        "{\"\\ud800\": \"x\"}",
        "[1]",
        "\u{feff}{}",
        "{\"a\":\"b\"",
        "null",
        "package=x&platform=y&zipcode=12345&contentType=live",
    ];
    match noise.below(6) {
        0 => noise.bytes(200),
        1 => b"[".repeat(noise.below(3_000)),
        2 => noise.bytes(40).repeat(noise.below(600)),
        3 => {
            let pairs: Vec<_> = (0..noise.below(80))
                .map(|n| format!("k{n}={}", noise.number()))
                .collect();
            noise.damage(pairs.join("&").as_bytes())
        }
        _ => {
            let picked = noise.of(&known).as_bytes();
            noise.damage(picked)
        }
    }
}

/// What an edge may answer: never one of the 5xx, and never what it would say to a path that
/// goes on with its token.
#[track_caller]
fn assert_documented(request: &[u8], status: u16, head: &str) {
    let shown: String = String::from_utf8_lossy(request).chars().take(500).collect();
    assert!(
        matches!(status, 200..=499) && status != 421,
        "{shown:?}\n{head}"
    );
}

fn send(edge: &Edge, noise: &mut Noise, good: &Good, requests: usize, bodies: usize) {
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let mut noise = noise.fork();
            let port = edge.port;
            scope.spawn(move || {
                let mut wire = Wire::to(port);
                let (mut requests, mut bodies) = (requests / CLIENTS, bodies / CLIENTS);
                while requests + bodies > 0 {
                    let body = match noise.below(requests + bodies) < bodies {
                        true => {
                            bodies -= 1;
                            Some(body(&mut noise))
                        }
                        false => {
                            requests -= 1;
                            None
                        }
                    };
                    let request = request(&mut noise, good, body);
                    // Envoy closes a connection on which it reads no request at all.
                    if let Some((status, head)) = wire.ask(&request) {
                        assert_documented(&request, status, &head);
                    }
                }
            });
        }
    });
}

#[test]
fn whatever_is_asked_nothing_traps_and_memory_stays_where_it_was() {
    let mut edge = Edge::start(settings().alone());
    let mut noise = Noise::seeded();
    let good = Good::of(&edge);
    // The record, the tables and what allocators keep have their size after a quarter.
    send(&edge, &mut noise, &good, REQUESTS / 4, BODIES / 4);
    let before = edge.resident();
    send(&edge, &mut noise, &good, REQUESTS * 3 / 4, BODIES * 3 / 4);
    let after = edge.resident();
    println!("{before} bytes resident, then {after}");
    assert!(
        after < before + SLACK,
        "{before} bytes resident, then {after}"
    );
    edge.assert_sound();
    // Something came through. A heartbeat need not be among it: few are left good by chance.
    for counted in ["starts", "refusals.malformed", "refusals.credential"] {
        assert!(edge.metric(counted) > 0, "{counted}");
    }
    for client in edge.one_client_per_worker() {
        let session = edge.app("demo-tv").on(&client).start("bystander");
        let _ = session.heartbeat().expect(202);
        let _ = session.stop().expect(202);
    }
}

#[test]
fn whatever_a_store_answers_nothing_traps_and_starts_go_on() {
    let valkey = Valkey::start();
    let link = FaultyLink::to(valkey.port);
    let settings = Settings::default()
        .fleet(&[link.port])
        .with("/fleet/wait", "100ms");
    let mut edge = Edge::start(settings);
    let mut noise = Noise::seeded();
    let app = edge.app("demo-tv");
    let honest: [&[u8]; 6] = [
        b"$6\r\n\0\0\0\0\0\0\r\n:1\r\n+OK\r\n",
        b"$11\r\n\0\0\x01\x93\x20\0\x035-5\xff\r\n$8\r\nelsewher\r\n+OK\r\n",
        b"-NOSCRIPT No matching script.\r\n-NOSCRIPT No matching script.\r\n+OK\r\n",
        b"-OOM command not allowed\r\n:0\r\n:9223372036854775807\r\n",
        b"*3\r\n$-1\r\n:1\r\n*0\r\n",
        b"$2147483647\r\n",
    ];
    for round in 0..60 {
        let picked = noise.of(&honest);
        let said = noise.damage(picked);
        link.fails(Fault::Answer(Box::leak(said.into_boxed_slice())));
        // On shards of their own, for the most part.
        for n in 0..8 {
            let answer = app.create(&format!("account-{round}-{n}")).send();
            assert_eq!(answer.status, 202, "{answer:?}");
        }
    }
    link.recovers();
    edge.assert_sound();
    streamgate_tests::eventually("the store is asked again", || {
        let before = edge.metric("fleet.questions");
        let _ = app
            .create(&format!("later-{}", noise.number()))
            .send()
            .expect(202);
        edge.metric("fleet.questions") > before
    });
}
