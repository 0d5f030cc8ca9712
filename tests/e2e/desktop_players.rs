//! Players of desktops and command lines, each as it is: one stream, however a packager writes
//! URLs. `make players` lets every player play every way; here plays one of each family that
//! no other test has.

use streamgate_tests::{Edge, Program, Settings, Urls, eventually_within, sample};

const HLS: &str = "/vod/sample/master.m3u8";
const DASH: &str = "/vod/sample/manifest.mpd";

/// An edge that lets an account play once. The account is one that an earlier hop has found
/// out: VLC can be given no header.
fn edge() -> Edge {
    let settings = Settings::default().with("/policies/0/rules/0/max", 1);
    Edge::start(settings.serving(sample()).signed_in("alice"))
}

fn is_one_stream(program: Program, manifest: &str, urls: Urls) {
    let edge = edge();
    edge.writes_sample_urls(urls);
    let mut player = edge.program(program, manifest);
    eventually_within(60, "it has fetched picture and sound", || {
        let paths = edge.origin.paths();
        let has = |file: &str| paths.iter().any(|path| path.contains(file));
        let has_both = has("/segment-2-003") && (has("/segment-0-003") || has("/segment-1-003"));
        let has_ended = !has_both && player.has_ended();
        assert!(!has_ended, "it has ended:\n{}", player.output());
        has_both
    });
    player.kill();
    let what = format!("{program:?} {manifest} {urls:?}");
    assert_eq!(edge.metric("starts"), 1, "{what}");
    assert_eq!(edge.app("demo-tv").running("alice").len(), 1, "{what}");
    assert_eq!(edge.metric("refusals.limit"), 0, "{what}");
    let paths = edge.origin.paths();
    assert!(paths.iter().all(|path| !path.contains('~')), "{paths:?}");
}

#[test]
fn vlc_is_one_stream_however_urls_are_written() {
    is_one_stream(Program::Vlc, HLS, Urls::Absolute);
    is_one_stream(Program::Vlc, DASH, Urls::AbsolutePath);
}

#[test]
fn yt_dlp_is_one_stream_however_urls_are_written() {
    is_one_stream(Program::YtDlp, HLS, Urls::AbsolutePath);
    is_one_stream(Program::YtDlp, DASH, Urls::Absolute);
}
