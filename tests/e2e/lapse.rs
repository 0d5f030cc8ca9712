//! Streams that fall silent. The only tests in which real time has to pass.

use std::thread::sleep;
use std::time::{Duration, Instant};

use streamgate_tests::{Edge, Settings, eventually};

const FILM: &str = "/vod/film/master.m3u8";

/// Few slots, so that a round of the sweep takes less than a second.
fn edge(timeout: u32) -> Edge {
    Edge::start(
        Settings::default()
            .lapsing_after(timeout)
            .with("/state/slots", 4),
    )
}

#[test]
fn silent_streams_are_gone_with_no_traffic_to_help() {
    let edge = edge(2);
    let app = edge.app("demo-tv");
    for account in ["alice", "bob", "carol"] {
        for _ in 0..2 {
            let _ = app.start(account);
        }
        let _ = edge.player(account).playing(FILM);
    }
    assert_eq!(edge.metric("starts"), 9);
    // Nobody asks anything but the statistics from here on.
    eventually("no stream is on record", || {
        edge.metric("live_streams") == 0
    });
    assert_eq!(edge.metric("lapses"), 9);
    assert_eq!(edge.metric("stops"), 0);
}

#[test]
fn a_silent_streams_place_is_free_after_its_timeout() {
    // So many slots that the sweep hardly ever passes by: nothing depends on it.
    let settings = Settings::default().lapsing_after(2);
    let edge = Edge::start(settings.with("/state/slots", 1 << 20));
    let app = edge.app("demo-tv");
    let sessions = [(); 2].map(|()| app.start("alice"));
    let _player = edge.player("alice").playing(FILM);
    let _ = app.create("alice").send().expect(409);
    eventually("the list is empty", || app.running("alice").is_empty());
    let _ = [(); 3].map(|()| edge.player("alice").playing(FILM));
    for session in sessions {
        assert!(session.heartbeat().expect(410).body.is_empty());
    }
}

#[test]
fn heartbeats_alone_and_segments_alone_keep_a_stream() {
    let edge = edge(3);
    let session = edge.app("demo-tv").start("alice");
    let player = edge.player("alice").playing(FILM);
    // Three times as long as a silent stream lives.
    for _ in 0..30 {
        sleep(Duration::from_millis(300));
        let _ = session.heartbeat().expect(202);
        player.plays();
    }
    assert_eq!(edge.metric("starts"), 2);
    assert_eq!(edge.metric("lapses"), 0);
    assert!(edge.metric("lease_renewals") >= 3);
}

#[test]
fn manifests_keys_and_failures_keep_nothing() {
    let edge = edge(2);
    edge.origin.answers("/vod/film/missing.m4s", 404);
    let mut player = edge.player("alice");
    player.opens(FILM);
    player.plays();
    eventually("the stream has lapsed", || {
        for (method, path) in [
            ("GET", "master.m3u8"),
            ("GET", "video.key"),
            ("GET", "init.mp4"),
            ("GET", "missing.m4s"),
            ("HEAD", "segment-1.m4s"),
            ("OPTIONS", "segment-1.m4s"),
        ] {
            let _ = player.request(method, path);
        }
        edge.metric("lapses") == 1
    });
    assert_eq!(edge.metric("starts"), 1);
    assert_eq!(edge.app("demo-tv").running("alice").len(), 0);
}

#[test]
fn a_viewer_who_comes_back_plays_on_if_there_is_room() {
    let edge = edge(2);
    let app = edge.app("demo-tv");
    let [paused, late] = [(); 2].map(|()| edge.player("alice").playing(FILM));
    eventually("both have lapsed", || app.running("alice").is_empty());
    paused.plays();
    assert_eq!(edge.metric("starts"), 3);

    let sessions = [(); 2].map(|()| app.start("alice"));
    let _ = late.segment().expect_refusal(403, "limit-reached");
    for session in sessions {
        let _ = session.stop().expect(202);
    }
    late.plays();
}

#[test]
fn heartbeats_alone_hold_no_place_where_segments_are_what_counts() {
    let settings = Settings::default().lapsing_after(2);
    let edge = Edge::start(settings.with("/playback/0/liveness", "media"));
    let session = edge.app("demo-web").start("alice");
    let segment = format!("{}/vod/film/segment-1.m4s", session.playback_prefix);
    let _ = edge.get(&segment).send().expect(200);
    eventually("it has lapsed for all its heartbeats", || {
        session.heartbeat().status == 410
    });
    assert_eq!(edge.app("demo-web").running("alice").len(), 0);
    assert!(edge.metric("heartbeats") >= 2);
}

#[test]
fn a_paused_player_gives_its_place_up_and_takes_it_again() {
    let settings = Settings::default().lapsing_after(6);
    let edge = Edge::start(settings.with("/playback/0/paused", "release"));
    let player = edge.player("alice").playing("/vod/film/master.m3u8");
    eventually("its poll was heard", || {
        let _ = player.get("master.m3u8?CMCD=sta%3Da%2Cv%3D2").expect(200);
        edge.metric("releases") == 1
    });
    assert_eq!(edge.app("demo-web").running("alice").len(), 0);
    player.plays();
    assert_eq!(edge.app("demo-web").running("alice").len(), 1);
    assert!(
        edge.origin
            .paths()
            .iter()
            .all(|path| !path.contains("CMCD"))
    );
}

/// A player that fetches a film at once and plays it from its buffer, as hls.js does by default.
#[test]
fn a_full_buffer_holds_its_place_for_as_long_as_it_lasts_and_no_longer() {
    const BUFFER_S: u64 = 8;
    const TIMEOUT_S: u64 = 3;
    // With a bound, with a buffer that is larger, and with none.
    for (says_ms, bound_s, holds_s) in [
        (BUFFER_S * 1_000, 300, BUFFER_S),
        (600_000, BUFFER_S, BUFFER_S),
        (0, 300, 0),
    ] {
        let settings = Settings::default()
            .lapsing_after(3)
            .with("/playback/0/buffer_max", format!("{bound_s}s"));
        let edge = Edge::start(settings.with("/state/slots", 4));
        let segment = |player: &str, number: u32, ms: u64| {
            let cmcd = format!("CMCD=bl%3D{ms}%2Csid%3D%22{player}%22");
            let path = format!("/vod/film/segment-{number}.m4s?{cmcd}");
            edge.get(&path).account("alice").send().status
        };
        // All of the film, within a lease.
        for number in 0..10 {
            let so_far = says_ms / 9 * u64::from(number);
            let so_far = if number == 9 { says_ms } else { so_far };
            for player in ["a", "b", "c"] {
                assert_eq!(segment(player, number, so_far), 200);
            }
        }
        let silent_since = Instant::now();
        eventually("a fourth is let in", || segment("d", 0, 0) == 200);
        let silent_s = silent_since.elapsed().as_secs_f64();
        // A renewal may have been left out for a third of the timeout.
        let least = (TIMEOUT_S + holds_s) as f64 - TIMEOUT_S as f64 / 3.0 - 0.2;
        assert!(silent_s > least, "{says_ms}: {silent_s}");
        if holds_s == 0 {
            assert!(silent_s < (TIMEOUT_S + BUFFER_S) as f64, "{silent_s}");
        }
    }
}
