//! What real players do by themselves and no client of these tests would: be silent while they play
//! from a full buffer, and ask thousands of times for what they may not have.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::Value;
use streamgate_tests::{
    Browser, Edge, Given, Program, Settings, WebPlayer, eventually, eventually_within, sample,
};

const HLS: &str = "/vod/sample/master.m3u8";

/// How long a film of the sample is, and how long streams live without a sign of life.
const FILM_S: f64 = 120.0;
const TIMEOUT_S: u32 = 4;

/// hls.js fetches a short film early, whatever it has been told of seconds, and is silent from then on.
#[test]
#[ignore = "takes long: make trials"]
fn hls_js_keeps_its_place_while_it_plays_from_its_buffer_where_it_says_so() {
    let settings = Settings::default()
        .serving(sample())
        .lapsing_after(TIMEOUT_S)
        .with("/state/slots", 4)
        .with("/policies/0/rules/0/max", 1);
    let (edge, browser) = (Edge::start(settings), Browser::start());
    let open = |account: &str| {
        let opening = browser.open(WebPlayer::HlsJs, &edge, HLS);
        opening.account(account).loading_as_it_likes()
    };
    let all = [
        ("alice", open("alice").cmcd_in_query("playback-1").plays()),
        ("bob", open("bob").cmcd_in_headers("playback-2").plays()),
        ("carol", open("carol").plays()),
    ];
    for (account, tab) in &all {
        eventually_within(60, &format!("{account}'s film is fetched"), || {
            let buffered = "(({ buffered }) => buffered.length && buffered.end(buffered.length - 1))\
                            (document.querySelector('video'))";
            let end = tab.evaluate(buffered);
            end.as_f64().is_some_and(|end| end > FILM_S - 2.0)
        });
    }
    let quiet = Instant::now();
    let asked = edge.origin.paths().len();
    let running = |account: &str| edge.app("demo-web").running(account).len();
    // Who does not say how far the buffer goes is gone after the timeout.
    let lapses_within = u64::from(TIMEOUT_S) * 5;
    eventually_within(lapses_within, "carol's has lapsed", || {
        running("carol") == 0
    });
    let mut next = edge.player("carol");
    next.opens(HLS);
    let _ = next.get("segment-0-001.m4s").expect(200);
    // The others keep their places for several timeouts, though they ask for nothing.
    while quiet.elapsed() < Duration::from_secs(u64::from(TIMEOUT_S) * 4) {
        for account in ["alice", "bob"] {
            assert_eq!(running(account), 1, "{account} after {:?}", quiet.elapsed());
            let refused = edge.player(account).open(HLS);
            assert_eq!(refused.expect(403).reason(), "limit-reached");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let since = edge.origin.paths().split_off(asked);
    let segments = since.iter().filter(|path| path.contains("/segment-"));
    assert_eq!(segments.count(), 1, "only the next one's: {since:?}");
    for (_, tab) in &all {
        tab.assert_plays();
    }
    assert_eq!(edge.metric("starts"), 4);
}

/// yt-dlp tries each of a film's segments eleven times, and has no pause between them.
#[test]
#[ignore = "takes long: make trials"]
fn yt_dlp_that_was_evicted_is_a_line_a_second_however_often_it_asks() {
    const SEGMENTS: usize = 400;
    let edge = Edge::start(Settings::default());
    let mut list = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n".to_owned();
    for n in 0..SEGMENTS {
        let _ = writeln!(list, "#EXTINF:4,\nsegment-{n}.ts");
        let path = format!("/latest/film/segment-{n}.ts");
        edge.origin.gives(&path, Given::body(vec![0x47; 188 * 64]));
    }
    list.push_str("#EXT-X-ENDLIST\n");
    let media = || {
        let given = Given::body(list.clone());
        given.header("content-type", "application/vnd.apple.mpegurl")
    };
    edge.origin.gives("/latest/film/media.m3u8", media());
    let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS=\"avc1.64001f\"\nmedia.m3u8\n";
    let master = Given::body(master).header("content-type", "application/vnd.apple.mpegurl");
    edge.origin.gives("/latest/film/master.m3u8", master);
    // It stands at this one until another has taken its place.
    edge.origin.holds("/latest/film/segment-20.ts");
    let edge_of = &edge;
    let mut victim = edge.program_with(
        Program::YtDlp,
        "/latest/film/master.m3u8",
        &["--format", "best", "--add-headers", "x-account-id:alice"],
    );
    let at = "/latest/film/segment-20.ts";
    eventually_within(60, "it is in mid-film", || {
        let has_ended = victim.has_ended();
        assert!(!has_ended, "{}", victim.output());
        edge_of.origin.paths().iter().any(|path| path == at)
    });
    let winner = edge.player("alice").playing("/latest/other/master.m3u8");
    let began = Instant::now();
    edge.origin.releases(at);
    eventually_within(120, "it has given up", || victim.has_ended());
    let seconds = began.elapsed().as_secs() + 1;
    // What is asked again within a tick is counted at the tick.
    eventually("all its refusals are counted", || {
        edge.metric("refusals.evicted") > SEGMENTS as u64
    });
    let refused = edge.metric("refusals.evicted");
    // Each is counted; the lines are one for each worker, path of a second and the stream.
    let workers = 2;
    let told = || {
        let log = edge.access_log();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let lines = lines.filter(|line| line["reason"] == "evicted");
        let mut by_stream: BTreeMap<String, u64> = BTreeMap::new();
        for line in lines {
            let stream = line["stream"].as_str().unwrap_or_default().to_owned();
            *by_stream.entry(stream).or_default() += 1;
        }
        by_stream
    };
    eventually("there is a line", || !told().is_empty());
    let told = told();
    assert_eq!(told.len(), 1, "{told:?}");
    let most = (seconds + 2) * workers;
    assert!(
        told.values().all(|lines| *lines <= most),
        "{told:?}, not {most}"
    );
    assert!(
        refused / most > 5,
        "{refused} refusals in {seconds} s say nothing"
    );
    winner.plays();
    assert_eq!(edge.metric("starts"), 2);
}
