//! The same programme in many packagings: each played is one stream, and of each only
//! the media counts.

use std::thread;

use streamgate_tests::{Demuxers, Edge, Player, RealPlayer, Settings, eventually, packagings};

const HLS: [&str; 5] = [
    "hls-ts/master.m3u8",
    "hls-ranges/master.m3u8",
    "hls-aes/master.m3u8",
    "hls-subtitles/master.m3u8",
    "ll-hls/master.m3u8",
];
const DASH: [&str; 4] = [
    "dash-number/manifest.mpd",
    "dash-timeline/manifest.mpd",
    "dash-list/manifest.mpd",
    "dash-base/manifest.mpd",
];
const SMOOTH: &str = "film.ism/Manifest";

fn settings() -> Settings {
    // Few slots, so that a round of the sweep takes less than a second.
    let settings = Settings::default().serving(packagings());
    settings.with("/state/slots", 4)
}

fn path(of: &str) -> String {
    format!("/vod/packagings/{of}")
}

/// Starts a player for each manifest and checks that each is one stream. The accounts
/// are named after the order.
fn each_is_one_stream(edge: &Edge, manifests: &[&str], play: impl Fn(&str, &str) -> RealPlayer) {
    let accounts: Vec<String> = (0..manifests.len())
        .map(|number| format!("alice-{number}"))
        .collect();
    let mut players: Vec<RealPlayer> = accounts
        .iter()
        .zip(manifests)
        .map(|(account, manifest)| play(&path(manifest), account))
        .collect();
    for (player, manifest) in players.iter_mut().zip(manifests) {
        eprintln!("{manifest}");
        player.assert_plays();
    }
    for account in &accounts {
        assert_eq!(edge.app("demo-tv").running(account).len(), 1, "{account}");
    }
    let all = u64::try_from(manifests.len()).expect("a number");
    assert_eq!(edge.metric("starts"), all);
    assert_eq!(edge.metric("live_streams"), all);
}

#[test]
fn ffmpeg_plays_each_packaging_as_one_stream() {
    let edge = Edge::start(settings());
    let manifests = [HLS.as_slice(), DASH.as_slice()].concat();
    each_is_one_stream(&edge, &manifests, |manifest, account| {
        let account = ("x-account-id", account);
        // Its DASH player does not stay where it was redirected to.
        let session = ("cmcd-session", "sid=\"one\"");
        match manifest.ends_with(".mpd") {
            true => edge.ffmpeg(manifest, &[account, session]),
            false => edge.ffmpeg(manifest, &[account]),
        }
    });
}

#[test]
fn gstreamer_plays_each_packaging_as_one_stream() {
    let edge = Edge::start(settings());
    let manifests = [HLS.as_slice(), DASH.as_slice(), &[SMOOTH]].concat();
    each_is_one_stream(&edge, &manifests, |manifest, account| {
        edge.gstreamer(Demuxers::Second, manifest, &[("x-account-id", account)])
    });
}

/// A whole film in one file has no manifest that could be redirected.
#[test]
fn a_film_in_one_file_plays_under_the_prefix_of_its_session() {
    let edge = Edge::start(settings());
    let session = edge.app("demo-tv").start("alice");
    let film = format!("{}{}", session.playback_prefix, path("film.mp4"));
    edge.ffmpeg(&film, &[]).assert_plays();
    edge.gstreamer(Demuxers::Second, &film, &[]).assert_plays();
    assert_eq!(edge.metric("starts"), 1);
    assert_eq!(edge.metric("live_streams"), 1);
}

/// Manifest, what else is not media, and media.
const NOT_MEDIA: [(&str, &[&str], &str); 5] = [
    ("hls-aes/master.m3u8", &["video.key"], "master0.ts"),
    (
        "hls-subtitles/master.m3u8",
        &["media.m3u8", "media_vtt.m3u8", "media0.vtt"],
        "media0.ts",
    ),
    (
        "dash-number/manifest.mpd",
        &["init-stream0.m4s", "init-stream1.m4s"],
        "chunk-stream0-00001.m4s",
    ),
    (
        SMOOTH,
        &["Manifest"],
        "QualityLevels(153823)/Fragments(video=0)",
    ),
    (
        "ll-hls/master.m3u8",
        &["init.mp4", "master.m3u8?_HLS_msn=5&_HLS_part=2"],
        "part-5.2.m4s",
    ),
];

/// A player for each of [`NOT_MEDIA`].
fn opened(edge: &Edge) -> [Player; 5] {
    NOT_MEDIA.map(|(manifest, ..)| {
        let mut player = edge.player(manifest);
        player.opens(&path(manifest));
        player
    })
}

/// Asks for all that is not media, and has to be answered.
fn poll(players: &[Player]) {
    for (player, (manifest, others, _)) in players.iter().zip(NOT_MEDIA) {
        let (_, manifest) = manifest.rsplit_once('/').expect("a directory");
        for file in [&[manifest], others].concat() {
            let _ = player.get(file).expect(200);
        }
    }
}

#[test]
fn manifests_keys_subtitles_and_init_segments_create_nothing() {
    let edge = Edge::start(settings());
    let players = opened(&edge);
    poll(&players);
    poll(&players);
    assert_eq!(edge.metric("starts"), 0);
    for (player, (.., media)) in players.iter().zip(NOT_MEDIA) {
        let _ = player.get(media).expect(200);
    }
    assert_eq!(edge.metric("starts"), 5);
}

#[test]
fn manifests_keys_subtitles_and_init_segments_keep_nothing() {
    let edge = Edge::start(settings().lapsing_after(2));
    let players = opened(&edge);
    for (player, (.., media)) in players.iter().zip(NOT_MEDIA) {
        let _ = player.get(media).expect(200);
    }
    assert_eq!(edge.metric("starts"), 5);
    eventually("all streams have lapsed", || {
        poll(&players);
        edge.metric("lapses") == 5
    });
    assert_eq!(edge.metric("starts"), 5);
}

#[test]
fn ranges_and_parts_keep_a_stream_and_playlist_reloads_do_not() {
    let edge = Edge::start(settings().lapsing_after(3));
    let open = |account: &str, manifest: &str| {
        let mut player = edge.player(account);
        player.opens(&path(manifest));
        player
    };
    let [ranges, parts, reloads] = [
        open("ranges", "hls-ranges/master.m3u8"),
        open("parts", "ll-hls/master.m3u8"),
        open("reloads", "ll-hls/master.m3u8"),
    ];
    // Each time another range, another part.
    let mut asked = 0;
    let mut watch = || {
        let from = 1354 + asked * 100;
        let request = edge.get(&ranges.path("master.m4s"));
        let request = request.header("range", &format!("bytes={from}-{}", from + 99));
        let _ = request.send().expect(206);
        let part = asked % 20;
        let part = format!("part-{}.{}.m4s", part / 4, part % 4);
        let _ = parts.get(&part).expect(200);
        asked += 1;
    };
    watch();
    let _ = reloads.get("part-0.0.m4s").expect(200);
    assert_eq!(edge.metric("starts"), 3);
    for lapses in [1, 2] {
        eventually("what only reloads has lapsed", || {
            watch();
            let _ = reloads.get("master.m3u8?_HLS_msn=5&_HLS_part=2");
            edge.metric("lapses") == lapses
        });
        // Once more, so that the others have been watched for twice their timeout.
        let _ = reloads.get("part-0.0.m4s").expect(200);
    }
    assert_eq!(edge.app("demo-tv").running("ranges").len(), 1);
    assert_eq!(edge.app("demo-tv").running("parts").len(), 1);
    assert_eq!(edge.metric("starts"), 5);
    assert_eq!(edge.metric("lapses"), 2);
}

#[test]
fn a_playlist_that_is_waited_for_keeps_nothing_and_arrives() {
    let edge = Edge::start(settings().lapsing_after(2));
    let mut player = edge.player("alice");
    player.opens(&path("ll-hls/master.m3u8"));
    let _ = player.get("part-5.2.m4s").expect(200);
    let reload = "master.m3u8?_HLS_msn=5&_HLS_part=3";
    let held = path(&format!("ll-hls/{reload}"));
    edge.origin.holds(&held);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| player.get(reload));
        eventually("the origin was asked", || {
            edge.origin.paths().contains(&held)
        });
        eventually("the stream has lapsed", || edge.metric("lapses") == 1);
        assert!(!waiting.is_finished());
        edge.origin.releases(&held);
        let _ = waiting.join().expect("an answer").expect(200);
    });
    assert_eq!(edge.metric("starts"), 1);
    // And the part it was about begins the stream again.
    let _ = player.get("part-5.3.m4s").expect(200);
    assert_eq!(edge.metric("starts"), 2);
    assert_eq!(edge.metric("live_streams"), 1);
}
