//! Responses in pieces with trailers behind them, as origins send that count or sign while they send: they go on, are
//! cut, refused and rewritten like others.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Barrier};
use std::thread;

use serde_json::json;
use streamgate_tests::{Edge, Fetch, Settings, Version, eventually_within};

const PLAYLIST: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n/vod/film/1.ts\n";

/// An origin whose responses are in pieces of unknown number, with trailers; that to `held.ts` waits until two ask.
fn origin() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let two_ask = Arc::new(Barrier::new(2));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let two_ask = Arc::clone(&two_ask);
            // It ends when the other side closes.
            thread::spawn(move || serve(&stream, &two_ask));
        }
    });
    port
}

fn serve(mut stream: &TcpStream, two_ask: &Barrier) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    loop {
        let first = lines.next()?.ok()?;
        while !lines.next()?.ok()?.is_empty() {}
        let path = first.split(' ').nth(1)?;
        let (piece, pieces) = match path {
            path if path.ends_with(".m3u8") => (PLAYLIST.to_owned(), 1),
            path if path.ends_with("film.ts") => ("x".repeat(1 << 14), 1 << 20),
            _ => ("some bytes of media".to_owned(), 1),
        };
        if path.ends_with("held.ts") {
            two_ask.wait();
        }
        let head =
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: digest, x-end\r\n\r\n";
        stream.write_all(head.as_bytes()).ok()?;
        for _ in 0..pieces {
            let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
            stream.write_all(chunk.as_bytes()).ok()?;
        }
        let end = "0\r\ndigest: sha-256=AAAA\r\nx-end: yes\r\n\r\n";
        stream.write_all(end.as_bytes()).ok()?;
    }
}

fn edge(settings: Settings) -> Edge {
    Edge::start(settings.asking(origin()).with_trailers())
}

/// What a client is given: the head, the body, and behind that the trailers.
fn fetched(edge: &Edge, version: Version, path: &str, headers: &[&str]) -> Command {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--include", "--max-time", "20"]);
    if version == Version::Two {
        curl.arg("--http2-prior-knowledge");
    }
    for header in headers {
        curl.args(["--header", header]);
    }
    curl.arg(format!("http://127.0.0.1:{}{path}", edge.port));
    curl
}

/// What it prints; the response has come to its end.
fn whole(mut curl: Command) -> String {
    let output = curl.output().expect("to run curl");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).to_ascii_lowercase()
}

#[test]
fn segments_and_their_trailers_go_on_and_a_manifest_keeps_its_token() {
    let mut edge = edge(Settings::default());
    let mut player = edge.player("alice");
    player.opens("/vod/film/master.m3u8");
    for version in [Version::One, Version::Two] {
        for _ in 0..2 {
            let segment = whole(fetched(&edge, version, &player.path("1.ts"), &[]));
            assert!(segment.contains("some bytes of media"), "{segment}");
            assert!(segment.contains("x-end: yes"), "{segment}");
        }
        let playlist = whole(fetched(&edge, version, &player.path("live.m3u8"), &[]));
        let kept = player.path("1.ts").to_ascii_lowercase();
        assert!(playlist.contains(&format!("\n{kept}")), "{playlist}");
        // What it says of the bytes is not true of these.
        assert!(!playlist.contains("sha-256=aaaa"), "{playlist}");
    }
    assert_eq!(edge.app("demo-web").running("alice").len(), 1);
    edge.assert_sound();
}

#[test]
fn a_film_that_trailers_would_end_is_cut_when_its_stream_is_evicted() {
    let rule = json!({"name": "one", "max": 1, "on_conflict": "stop_oldest"});
    let mut edge = edge(Settings::default().with("/policies/0/rules/0", rule));
    for (number, version) in (1..).zip([Version::One, Version::Two]) {
        let id = format!("victim-{number}");
        let headers = [("x-account-id", "alice"), ("x-stream-id", &*id)];
        let victim = Fetch::begin(&edge, version, "/carried/film.ts", &headers, 4 << 20, &[]);
        let starts = number * 2 - 1;
        eventually_within(20, "it starts", || edge.metric("starts") == starts);
        // A film that has just begun counts as a segment until the next tick.
        thread::sleep(std::time::Duration::from_millis(300));
        let winner = format!("x-stream-id: winner-{number}");
        let winner = ["x-account-id: alice", &*winner];
        let _ = whole(fetched(&edge, version, "/carried/1.ts", &winner));
        eventually_within(20, "it is cut", || edge.metric("cuts") == number);
        let victim = victim.ended();
        assert!(!victim.is_whole && victim.status == 200, "{victim:?}");
    }
    edge.assert_sound();
}

/// The origin has answered both already, with trailers to come.
#[test]
fn who_loses_the_race_for_the_last_place_is_refused_in_the_place_of_body_and_trailers() {
    let mut edge = edge(Settings::default().with("/policies/0/rules/0/max", 1));
    for version in [Version::One, Version::Two] {
        let account = format!("x-account-id: {version:?}");
        let both = ["a", "b"].map(|id| {
            let id = format!("x-stream-id: {id}");
            let curl = fetched(&edge, version, "/carried/held.ts", &[&account, &id]);
            thread::spawn(move || whole(curl))
        });
        let both = both.map(|one| one.join().expect("an answer"));
        let is_refused = |answer: &&String| answer.contains("limit-reached");
        assert_eq!(both.iter().filter(is_refused).count(), 1, "{both:?}");
        for answer in &both {
            let is_served = answer.contains("some bytes of media");
            assert_ne!(is_served, is_refused(&answer), "{answer}");
            assert_ne!(is_served, answer.contains(" 403"), "{answer}");
        }
    }
    edge.assert_sound();
}
