//! Whole films in one response: a stream lives while its bytes flow, and is cut when it has lost
//! its place.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;
use streamgate_tests::{Edge, Fetch, Given, Settings, Version, eventually_within};

const FILM: &str = "/carried/film.mp4";
const MEGABYTE: usize = 1 << 20;

/// Bytes a second.
const MBIT: u64 = 125_000;

/// More bytes a second than there are.
const FULL_SPEED: u64 = 1 << 30;

const TIMEOUT_S: u32 = 5;

/// One stream for each account, gone after five seconds without a sign of life; ids from a header.
fn one_stream() -> Settings {
    limited_to(1)
        .lapsing_after(TIMEOUT_S)
        .with("/state/slots", 4)
}

fn limited_to(max: u32) -> Settings {
    Settings::default().with("/policies/0/rules/0/max", max)
}

/// An edge in front of a film of so many megabytes.
fn edge(settings: Settings, megabytes: usize) -> Edge {
    let edge = Edge::start(settings);
    let film = Given::body(vec![0x47; megabytes * MEGABYTE]);
    edge.origin.gives(FILM, film);
    edge
}

fn fetch(edge: &Edge, path: &str, id: &str, bytes_per_s: u64, more: &[&str]) -> Fetch {
    over(Version::One, edge, path, id, bytes_per_s, more)
}

fn over(
    version: Version,
    edge: &Edge,
    path: &str,
    id: &str,
    bytes_per_s: u64,
    more: &[&str],
) -> Fetch {
    let headers = [("x-account-id", "alice"), ("x-stream-id", id)];
    Fetch::begin(edge, version, path, &headers, bytes_per_s, more)
}

/// Waits until there are so many live streams.
fn live(edge: &Edge, streams: u64) {
    eventually_within(60, &format!("{streams} streams live"), || {
        edge.metric("live_streams") == streams
    });
}

fn cuts(edge: &Edge) -> Vec<serde_json::Value> {
    let decisions = edge.decisions(0).into_iter();
    decisions.filter(|line| line["event"] == "cut").collect()
}

/// m3u-proxy's issue 8: four players of one account, each when the stream before it would have
/// lapsed had nothing but its request counted.
#[test]
fn a_film_in_one_response_keeps_its_place_to_its_end() {
    let mut edge = edge(one_stream(), 60);
    let mut first = fetch(&edge, FILM, "first", 3 << 20, &[]);
    live(&edge, 1);
    for id in ["second", "third", "fourth"] {
        let came = Instant::now();
        while came.elapsed() < Duration::from_millis(5_500) {
            assert!(first.runs(), "too fast to say anything");
            assert_eq!(edge.metric("live_streams"), 1);
            std::thread::sleep(Duration::from_millis(100));
        }
        let late = fetch(&edge, FILM, id, FULL_SPEED, &[]).ended();
        assert_eq!(late.status, 403, "{late:?}");
    }
    let first = first.ended();
    assert_eq!((first.status, first.bytes), (200, 60 * MEGABYTE));
    assert!(first.is_whole);
    assert_eq!((edge.metric("starts"), edge.metric("cuts")), (1, 0));
    // Its bytes have ended, and so does it.
    live(&edge, 0);
    // A sign of life is recorded no more often than each third of the timeout.
    let writes = edge.metric("record_writes");
    assert!(writes < 20, "{writes}");
    edge.assert_sound();
}

fn all_but_one_run_to_the_end(version: Version, bytes_per_s: u64, megabytes: usize) {
    let settings = limited_to(3).lapsing_after(TIMEOUT_S);
    let mut edge = edge(settings.over_http_3(), megabytes);
    let ids = ["a", "b", "c", "d"];
    let fetches = ids.map(|id| over(version, &edge, FILM, id, bytes_per_s, &[]));
    let ended = fetches.map(Fetch::ended);
    let whole = ended
        .iter()
        .filter(|ended| ended.is_whole && ended.status == 200);
    assert_eq!(whole.count(), 3, "{ended:?}");
    let refused = ended.iter().filter(|ended| ended.status == 403);
    assert_eq!(refused.count(), 1, "{ended:?}");
    // What the kernel holds goes on to the viewer after the last byte has left Envoy, for longer
    // than a stream lives: so lapses say nothing.
    assert_eq!((edge.metric("starts"), edge.metric("cuts")), (3, 0));
    edge.assert_sound();
}

#[test]
#[ignore = "takes long: make trials"]
fn of_one_viewer_too_many_all_others_run_to_the_end_on_slow_lines() {
    all_but_one_run_to_the_end(Version::One, MBIT, 8);
}

#[test]
fn of_one_viewer_too_many_all_others_run_to_the_end_at_full_speed() {
    all_but_one_run_to_the_end(Version::One, 200 * MBIT, 120);
}

#[test]
fn of_one_viewer_too_many_all_others_run_to_the_end_over_http_2() {
    all_but_one_run_to_the_end(Version::Two, 2 << 20, 24);
}

#[test]
fn of_one_viewer_too_many_all_others_run_to_the_end_over_http_3() {
    all_but_one_run_to_the_end(Version::Three, FULL_SPEED, 16);
}

/// Waits until the edge has cut a response, and tells of it in its log. How soon that is the core's
/// tests count in ticks.
fn is_cut(edge: &Edge, reason: &str) {
    eventually_within(20, "it is cut", || edge.metric("cuts") == 1);
    eventually_within(20, "the log tells of it", || cuts(edge).len() == 1);
    let cut = &cuts(edge)[0];
    assert_eq!(cut["reason"], reason, "{cut}");
}

/// The latest wins, whoever runs.
fn is_cut_when_evicted(version: Version) {
    let rule = json!({"name": "one", "max": 1, "on_conflict": "stop_oldest"});
    let settings = one_stream().with("/policies/0/rules/0", rule).over_http_3();
    let mut edge = edge(settings, 400);
    let victim = over(version, &edge, FILM, "victim", 4 << 20, &[]);
    live(&edge, 1);
    // A film that has just begun counts as a segment until the next tick.
    std::thread::sleep(Duration::from_millis(300));
    let starts = edge.metric("starts");
    let mut winner = over(version, &edge, FILM, "winner", 4 << 20, &[]);
    eventually_within(20, "the winner starts", || edge.metric("starts") > starts);
    is_cut(&edge, "evicted");
    let victim = victim.ended();
    assert_eq!(victim.status, 200);
    assert!(!victim.is_whole, "{victim:?}");
    assert!(victim.bytes < 200 * MEGABYTE, "{victim:?}");
    assert!(winner.runs());
    winner.stop();
    edge.assert_sound();
}

#[test]
fn the_response_of_an_evicted_stream_is_cut() {
    is_cut_when_evicted(Version::One);
}

#[test]
fn the_response_of_an_evicted_stream_is_cut_over_http_2() {
    is_cut_when_evicted(Version::Two);
}

#[test]
fn the_response_of_an_evicted_stream_is_cut_over_http_3() {
    is_cut_when_evicted(Version::Three);
}

/// The viewer chooses what to stop, or the app stops it.
fn is_cut_when_killed(version: Version, stops: bool) {
    let mut edge = edge(one_stream().over_http_3(), 400);
    edge.origin
        .gives("/vod/film.mp4", Given::body(vec![0; 400 * MEGABYTE]));
    let app = edge.app("demo-web");
    let session = app.start("alice");
    let path = format!("{}/vod/film.mp4", session.playback_prefix);
    // A first segment: the film passes by its lease, as most requests do.
    let _ = edge
        .get(&format!("{}/vod/1.m4s", session.playback_prefix))
        .send()
        .expect(200);
    let film = over(version, &edge, &path, "", 4 << 20, &[]);
    eventually_within(30, "the film runs", || {
        edge.origin
            .paths()
            .iter()
            .any(|path| path == "/vod/film.mp4")
    });
    std::thread::sleep(Duration::from_millis(300));
    let reason = if stops {
        let _ = session.stop().expect(202);
        "stream-over"
    } else {
        let code = session.termination_code();
        let _ = app.create("alice").terminate(&code).start();
        "remote-termination"
    };
    is_cut(&edge, reason);
    let film = film.ended();
    assert!(film.status == 200 && !film.is_whole, "{film:?}");
    edge.assert_sound();
}

#[test]
fn the_response_of_a_killed_stream_is_cut() {
    is_cut_when_killed(Version::One, false);
}

#[test]
fn the_response_of_a_killed_stream_is_cut_over_http_2() {
    is_cut_when_killed(Version::Two, false);
}

#[test]
fn the_response_of_a_killed_stream_is_cut_over_http_3() {
    is_cut_when_killed(Version::Three, false);
}

#[test]
fn the_response_of_a_stopped_stream_is_cut() {
    is_cut_when_killed(Version::One, true);
}

/// No length, no end: a channel as MPEG-TS.
#[test]
fn a_channel_in_pieces_of_unknown_number_keeps_its_place() {
    let mut edge = edge(one_stream(), 1);
    let channel = Given::body(vec![0x47; 40 * MEGABYTE]).in_pieces_of(7 * 188);
    edge.origin.gives(
        "/carried/channel.ts",
        channel.header("content-type", "video/mp2t"),
    );
    let channel = fetch(&edge, "/carried/channel.ts", "tv", 3 << 20, &[]);
    live(&edge, 1);
    let channel = channel.ended();
    assert_eq!(
        (channel.status, channel.bytes, channel.is_whole),
        (200, 40 * MEGABYTE, true)
    );
    assert_eq!((edge.metric("starts"), edge.metric("cuts")), (1, 0));
    edge.assert_sound();
}

#[test]
fn several_ranges_of_one_player_are_one_stream() {
    let mut edge = edge(one_stream(), 24);
    let range = ["--range", "0-"];
    let fetches = [(); 3].map(|()| fetch(&edge, FILM, "player", 2 << 20, &range));
    for ended in fetches.map(Fetch::ended) {
        assert!(ended.is_whole && ended.bytes == 24 * MEGABYTE, "{ended:?}");
    }
    assert_eq!((edge.metric("starts"), edge.metric("cuts")), (1, 0));
    edge.assert_sound();
}

/// What fills Envoy's buffers keeps nobody alive.
#[test]
fn a_viewer_who_stops_reading_lapses() {
    let mut edge = edge(one_stream(), 200);
    let mut ghost = TcpStream::connect(("127.0.0.1", edge.port)).expect("a connection");
    let ask = format!(
        "GET {FILM} HTTP/1.1\r\nhost: a\r\nx-account-id: alice\r\nx-stream-id: ghost\r\n\r\n"
    );
    ghost.write_all(ask.as_bytes()).expect("to ask");
    let mut some = vec![0; MEGABYTE];
    ghost.read_exact(&mut some).expect("some of the film");
    eventually_within(30, "it has lapsed", || edge.metric("lapses") == 1);
    // Somebody else takes the place; the ghost that reads on does not get it back.
    let mut other = fetch(&edge, FILM, "other", 4 << 20, &[]);
    live(&edge, 1);
    ghost
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout");
    let mut read = 0;
    loop {
        match ghost.read(&mut some) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("neither cut nor served"),
            Err(_) => break,
        }
    }
    assert!(read < 199 * MEGABYTE, "it got the film");
    assert!(other.runs());
    other.stop();
    edge.assert_sound();
}

/// Neither is watching, however long it takes.
#[test]
fn manifests_and_failures_that_take_long_keep_nothing() {
    let mut edge = edge(limited_to(3).lapsing_after(2).with("/state/slots", 4), 1);
    let long = || Given::body(vec![b'#'; 30 * MEGABYTE]);
    edge.origin.gives("/carried/long.m3u8", long());
    edge.origin.gives("/carried/failed.ts", long().status(404));
    let _ = edge
        .get("/carried/1.ts")
        .header("x-stream-id", "a")
        .account("alice")
        .send()
        .expect(200);
    let mut fetches = ["long.m3u8", "failed.ts"]
        .map(|name| fetch(&edge, &format!("/carried/{name}"), "a", 1 << 20, &[]));
    live(&edge, 0);
    assert!(fetches.iter_mut().all(Fetch::runs));
    fetches.into_iter().for_each(Fetch::stop);
    edge.assert_sound();
}
