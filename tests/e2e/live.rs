//! Live programmes with real players: a viewer is one stream, however often its player
//! asks for the manifest again.

use streamgate_tests::WebPlayer::{DashJs, HlsJs, Shaka};
use streamgate_tests::{Browser, Demuxers, Edge, Settings, eventually, eventually_within, live};

const HLS: &str = "master.m3u8";
const DASH: &str = "manifest.mpd";
/// For GStreamer 1.22, which loses its place in a timeline that slides.
const NUMBERED: &str = "numbered.mpd";

/// How many manifests a player asks for before it is believed to stay one stream.
const REFRESHES: usize = 10;

/// What a player is to play; its channel tells its requests from those of others.
fn path(channel: &str, manifest: &str) -> String {
    format!("/vod/live/{channel}/{manifest}")
}

/// Manifests and segments that the origin has been asked for on a channel.
fn asked(edge: &Edge, channel: &str) -> [usize; 2] {
    let below = format!("/vod/live/{channel}/");
    let paths = edge.origin.paths();
    let files = || paths.iter().filter_map(|path| path.strip_prefix(&below));
    let is_manifest = |file: &&str| file.ends_with(".m3u8") || file.ends_with(".mpd");
    let manifests = files().filter(is_manifest).count();
    let segments = files().filter(|file| file.starts_with("segment-")).count();
    [manifests, segments]
}

/// Waits until so many more manifests and another segment were asked for on each channel.
#[track_caller]
fn all_play_on(edge: &Edge, channels: &[&str]) {
    let before: Vec<_> = channels.iter().map(|one| asked(edge, one)).collect();
    for (channel, before) in channels.iter().zip(before) {
        eventually_within(60, &format!("{channel} plays on"), || {
            let now = asked(edge, channel);
            now[0] >= before[0] + REFRESHES && now[1] > before[1]
        });
    }
}

fn assert_the_origin_saw_no_token(edge: &Edge) {
    for seen in edge.origin.seen() {
        let mut headers = seen.headers.iter();
        let is_clean = |value: &str| !value.contains('~') && !value.contains("streamgate=");
        assert!(is_clean(&seen.path), "{seen:?}");
        assert!(headers.all(|(_, value)| is_clean(value)), "{seen:?}");
    }
}

#[test]
fn three_live_players_are_three_streams_and_a_fourth_is_refused() {
    let edge = Edge::start(Settings::default().serving(live()));
    let (hls, dash) = ([("x-account-id", "hls")], [("x-account-id", "dash")]);
    let gstreamer = |demuxers, channel: &str, manifest: &str, account: &[_; 1]| {
        edge.gstreamer(demuxers, &path(channel, manifest), account)
    };
    let _players = [
        edge.ffmpeg_live(&path("ffmpeg-hls", HLS), &hls),
        gstreamer(Demuxers::First, "hlsdemux", HLS, &hls),
        gstreamer(Demuxers::Second, "hlsdemux2", HLS, &hls),
        edge.ffmpeg_live(&path("ffmpeg-dash", DASH), &dash),
        gstreamer(Demuxers::First, "dashdemux", NUMBERED, &dash),
        gstreamer(Demuxers::Second, "dashdemux2", NUMBERED, &dash),
    ];
    let channels = [
        "ffmpeg-hls",
        "hlsdemux",
        "hlsdemux2",
        "ffmpeg-dash",
        "dashdemux",
        "dashdemux2",
    ];
    eventually("all have started", || edge.metric("starts") == 6);
    for (manifest, account) in [(HLS, hls), (DASH, dash)] {
        let mut fourth = edge.ffmpeg_live(&path("fourth", manifest), &account);
        assert!(!fourth.ends_well());
        assert!(fourth.output().contains("403"), "{}", fourth.output());
    }
    all_play_on(&edge, &channels);
    assert_eq!(asked(&edge, "fourth"), [0, 0]);
    for account in ["hls", "dash"] {
        assert_eq!(edge.app("demo-tv").running(account).len(), 3, "{account}");
    }
    assert_eq!(edge.metric("starts"), 6);
    assert_eq!(edge.metric("live_streams"), 6);
    assert_the_origin_saw_no_token(&edge);
}

#[test]
fn three_live_tabs_are_three_streams_and_a_fourth_shows_why_not() {
    let (edge, browser) = (
        Edge::start(Settings::default().serving(live())),
        Browser::start(),
    );
    let open = |player, channel: &str, manifest: &str| {
        let path = path(channel, manifest);
        browser.open(player, &edge, &path).account("alice")
    };
    let tabs = [
        open(HlsJs, "hls-js", HLS).plays(),
        open(DashJs, "dash-js", DASH).plays(),
        open(Shaka, "shaka", DASH).plays(),
    ];
    let fourth = open(HlsJs, "fourth", HLS).go();
    assert_eq!(fourth.refusal().reason, "limit-reached");
    all_play_on(&edge, &["hls-js", "dash-js", "shaka"]);
    for tab in &tabs {
        tab.assert_plays();
    }
    assert_eq!(asked(&edge, "fourth"), [0, 0]);
    assert_eq!(edge.metric("starts"), 3);
    assert_eq!(edge.metric("live_streams"), 3);
    assert_the_origin_saw_no_token(&edge);
}

/// A live player asks again and again by itself, and is refused each time.
#[test]
fn a_live_player_that_is_evicted_does_not_start_again() {
    let settings = Settings::default().with("/playback/0/application", "demo-mobile");
    let (edge, browser) = (Edge::start(settings.serving(live())), Browser::start());
    let (hls, dash) = ([("x-account-id", "hls")], [("x-account-id", "dash")]);
    let tab = |channel: &str| {
        let opening = browser.open(HlsJs, &edge, &path(channel, HLS));
        opening.account("web").plays()
    };
    let mut hls_victim = edge.ffmpeg_live(&path("hls-victim", HLS), &hls);
    let mut dash_victim = edge.ffmpeg_live(&path("dash-victim", DASH), &dash);
    let web_victim = tab("web-victim");
    eventually("all victims play", || edge.metric("starts") == 3);

    let _dash_winner = edge.ffmpeg_live(&path("dash-winner", DASH), &dash);
    // It ends at no refusal, and asks again without a pause.
    eventually("it was refused often", || {
        edge.metric("refusals.evicted") > 100
    });
    assert_eq!(edge.metric("starts"), 4);
    dash_victim.kill();

    let _hls_winner = edge.ffmpeg_live(&path("hls-winner", HLS), &hls);
    // It takes that for the end of the programme.
    let _ = hls_victim.ends_well();
    assert!(
        hls_victim.output().contains("403"),
        "{}",
        hls_victim.output()
    );
    let web_winner = tab("web-winner");
    assert_eq!(web_victim.refusal().reason, "evicted");

    let victims = ["hls-victim", "dash-victim", "web-victim"];
    let asked_before = victims.map(|victim| asked(&edge, victim));
    all_play_on(&edge, &["hls-winner", "dash-winner", "web-winner"]);
    web_winner.assert_plays();
    assert_eq!(victims.map(|victim| asked(&edge, victim)), asked_before);
    assert_eq!(edge.metric("starts"), 6);
    assert_eq!(edge.metric("evictions"), 3);
    assert_eq!(edge.metric("live_streams"), 3);
    assert_the_origin_saw_no_token(&edge);
}
