//! Real players, unchanged: ffmpeg and GStreamer play the sample through the edge.

use streamgate_tests::{Demuxers, Edge, RealPlayer, Settings, eventually, sample};

const HLS: &str = "/vod/sample/master.m3u8";
const DASH: &str = "/vod/sample/manifest.mpd";

/// Streams that lapse soon, but not between two segments of a slow machine.
fn edge(timeout: u32) -> Edge {
    Edge::start(Settings::default().serving(sample()).lapsing_after(timeout))
}

/// `play` starts a player; its argument counts them.
fn three_play_and_a_killed_one_makes_room(edge: &Edge, play: impl Fn(u32) -> RealPlayer) {
    let mut players = [1, 2, 3].map(&play);
    for player in &mut players {
        player.assert_plays();
    }
    let mut fourth = play(4);
    assert!(!fourth.ends_well());
    assert!(fourth.output().contains("403"), "{}", fourth.output());
    assert_eq!(edge.app("demo-tv").running("alice").len(), 3);

    players[0].kill();
    eventually("its place is free", || {
        edge.app("demo-tv").running("alice").len() == 2
    });
    let mut next = play(5);
    next.assert_plays();
    for player in &mut players[1..] {
        player.assert_plays();
    }
    // Whatever they asked for, on however many connections: four playbacks.
    assert_eq!(edge.metric("starts"), 4);
    assert_eq!(edge.metric("lapses"), 1);
    assert!(edge.origin.paths().iter().all(|path| !path.contains('~')));
}

#[test]
fn three_hls_players_play_the_fourth_is_refused_and_a_killed_one_makes_room() {
    let edge = edge(6);
    three_play_and_a_killed_one_makes_room(&edge, |_| {
        edge.ffmpeg(HLS, &[("x-account-id", "alice")])
    });
}

/// ffmpeg's DASH demuxer resolves segments against the URL it was given, not the one it
/// was redirected to, and goes by the cookie that came with the redirect.
#[test]
fn three_dash_players_play_the_fourth_is_refused_and_a_killed_one_makes_room() {
    let edge = edge(6);
    three_play_and_a_killed_one_makes_room(&edge, |_| {
        edge.ffmpeg(DASH, &[("x-account-id", "alice")])
    });
}

#[test]
fn players_that_name_their_playback_by_cmcd_need_no_redirect() {
    let edge = edge(6);
    three_play_and_a_killed_one_makes_room(&edge, |number| {
        let sid = format!("sid=\"playback-{number}\"");
        edge.ffmpeg(DASH, &[("x-account-id", "alice"), ("cmcd-session", &sid)])
    });
    assert_eq!(edge.metric("redirects_minted"), 0);
}

#[test]
fn a_refused_player_shows_the_slate_and_takes_no_place() {
    for (manifest, slate) in [(HLS, "slate.m3u8"), (DASH, "slate.mpd")] {
        let path = format!("/slate/{slate}");
        let kind = if manifest == HLS { "hls" } else { "dash" };
        let settings = Settings::default()
            .serving(sample())
            .with("/playback/0/refuse/slate", serde_json::json!({kind: path}));
        let edge = Edge::start(settings);
        for _ in 0..3 {
            let _ = edge.app("demo-tv").start("alice");
        }
        let mut player = edge.ffmpeg(manifest, &[("x-account-id", "alice")]);
        player.assert_plays();
        assert!(player.ends_well(), "{}", player.output());
        let seen = edge.origin.paths();
        assert!(
            seen.iter().all(|path| path.starts_with("/slate/")),
            "{seen:?}"
        );
        assert_eq!(edge.metric("starts"), 3);
    }
}

/// GStreamer follows the redirect and resolves everything from there, HLS and DASH, in
/// both generations of its demuxers.
fn three_gstreamers_play(manifest: &str) {
    // In real time it asks for a segment every four seconds.
    let edge = edge(9);
    three_play_and_a_killed_one_makes_room(&edge, |number| {
        let demuxers = match number % 2 {
            0 => Demuxers::First,
            _ => Demuxers::Second,
        };
        edge.gstreamer(demuxers, manifest, &[("x-account-id", "alice")])
    });
}

#[test]
fn three_gstreamers_play_hls_the_fourth_is_refused_and_a_killed_one_makes_room() {
    three_gstreamers_play(HLS);
}

#[test]
fn three_gstreamers_play_dash_the_fourth_is_refused_and_a_killed_one_makes_room() {
    three_gstreamers_play(DASH);
}

#[test]
fn a_dash_player_plays_under_the_prefix_of_its_session() {
    let edge = edge(6);
    let session = edge.app("demo-tv").start("alice");
    let mut player = edge.ffmpeg(&format!("{}{DASH}", session.playback_prefix), &[]);
    player.assert_plays();
    assert_eq!(edge.metric("starts"), 1);
    assert!(edge.origin.paths().iter().all(|path| !path.contains('~')));
}

#[test]
fn a_player_of_video_and_audio_renditions_is_one_stream() {
    let edge = edge(6);
    let mut player = edge.ffmpeg(HLS, &[("x-account-id", "alice")]);
    player.assert_plays();
    let asked = || edge.origin.paths();
    eventually("it has asked for every rendition", || {
        (0..3).all(|rendition| {
            let segment = format!("segment-{rendition}-002.m4s");
            asked().iter().any(|path| path.ends_with(&segment))
        })
    });
    assert_eq!(edge.metric("starts"), 1);
    assert_eq!(edge.metric("live_streams"), 1);
    assert!(asked().iter().all(|path| !path.contains('~')));
}
