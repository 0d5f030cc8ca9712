//! Names as packagers and servers give them, and spellings as somebody might try them.

use super::*;
use crate::testing::test;

use Class::{Init, Key, Manifest, Media, Side};

/// With no operator's patterns. What has no reading is answered before anybody asks.
fn classify(path: &[u8]) -> Class {
    Reading::of(path).map_or(Media, |path| Classes::default().classify(&path))
}

/// What gives names of this kind, and the names.
type Rows = &'static [(&'static str, &'static [(Class, &'static str)])];

const NAMES: Rows = &[
    (
        "Apple's tools: bipbop examples, mediafilesegmenter's manual page",
        &[
            (Manifest, "/bipbop/bipbop_16x9_variant.m3u8"),
            (Manifest, "/bipbop/gear1/prog_index.m3u8"),
            (Manifest, "/bipbop/gear1/iframe_index.m3u8"),
            (Media, "/bipbop/gear1/fileSequence0.ts"),
            (Media, "/bipbop/gear0/fileSequence0.aac"),
            (Side, "/bipbop/subtitles/eng/fileSequence0.webvtt"),
            (Key, "/bipbop/gear1/crypt0.key"),
            (Media, "/bipbop/v5/main.mp4"),
            (Media, "/bipbop/a1/main.mp4a"),
        ],
    ),
    (
        "Low-Latency HLS: examples of draft-pantos-hls-rfc8216bis; parts as servers name them",
        &[
            (Manifest, "/ll/waitForMSN.m3u8?_HLS_msn=273&_HLS_part=2"),
            (Manifest, "/ll/playlist.m3u8?_HLS_skip=YES"),
            (Init, "/ll/init.mp4"),
            (Media, "/ll/fileSequence266.mp4"),
            (Media, "/ll/filePart273.0.mp4"),
            (Media, "/ll/filePart273.4.mp4?preload-hint"),
            (Media, "/ll/seg_12.3.part"),
            (Media, "/ll/part12.3.m4s"),
        ],
    ),
    (
        "ffmpeg: defaults of dashenc.c, hlsenc.c and the webm_chunk muxer",
        &[
            (Manifest, "/f/out.mpd"),
            (Init, "/f/init-stream0.m4s"),
            (Media, "/f/chunk-stream0-00001.m4s"),
            (Init, "/f/init-stream1.webm"),
            (Media, "/f/chunk-stream1-00001.webm"),
            (Init, "/f/init_0.mp4"),
            (Media, "/f/out0.ts"),
            (Init, "/f/video_360.hdr"),
            (Media, "/f/video_360_1.chk"),
            (Side, "/f/out0.vtt"),
        ],
    ),
    (
        "Shaka Packager: tutorials, Shaka Player's assets",
        &[
            (Manifest, "/s/h264_master.m3u8"),
            (Init, "/s/h264_360p_init.mp4"),
            (Init, "/s/h264_baseline_360p_600/init.mp4"),
            (Media, "/s/h264_baseline_360p_600/1.m4s"),
            (Init, "/s/a-eng-0128k-aac-2c-init.mp4"),
            (Media, "/s/a-eng-0128k-aac-2c-s1.mp4"),
            (Media, "/s/output_video.mp4"),
            (Side, "/s/text/en/1.vtt"),
        ],
    ),
    (
        "Bento4: mp4-dash.py, mp4-hls.py",
        &[
            (Manifest, "/b/stream.mpd"),
            (Manifest, "/b/media-1/iframes.m3u8"),
            (Init, "/b/video/avc1/1/init.mp4"),
            (Media, "/b/video/avc1/1/seg-1.m4s"),
            (Media, "/b/media-video-avc1-1.mp4"),
            (Media, "/b/media-1/segment-0.ts"),
            (Manifest, "/b/stream.ismc"),
        ],
    ),
    (
        "GPAC: the dasher's and MP4Box's documentation",
        &[
            // The whole film, unless a profile says otherwise.
            (Media, "/g/counter_dashinit.mp4"),
            (Media, "/g/counter_dash1.m4s"),
            (Media, "/g/counter_track1_dash.mp4"),
            (Init, "/g/live_init.mp4"),
            (Media, "/g/live_1.m4s"),
        ],
    ),
    (
        "Unified Streaming: Origin's manifests of versions 1.7 and 1.13",
        &[
            (Manifest, "/u/tears.ism/.m3u8"),
            (Manifest, "/u/tears.ism/.mpd"),
            (Manifest, "/u/tears.ism/Manifest"),
            (
                Manifest,
                "/u/tears.ism/tears-audio=128000-video=401000.m3u8",
            ),
            (Media, "/u/tears.ism/tears-audio=128000-video=401000-1.ts"),
            (Init, "/u/tears.ism/dash/tears-video=401000.dash"),
            (Media, "/u/tears.ism/dash/tears-video=401000-0.dash"),
            (Init, "/u/live.isml/hls/5245-video=5000000.m4s"),
            (Media, "/u/live.isml/hls/5245-video=5000000-455767831.m4s"),
            (Media, "/u/tears.ism/dash/tears-textstream_eng=1000-0.dash"),
            // Elsewhere a number behind `=` may count segments.
            (Media, "/u/tears/video=401000.m4s"),
        ],
    ),
    (
        "Smooth Streaming ([MS-SSTR]) and Azure Media Services' formats",
        &[
            (Manifest, "/a/film.ism/Manifest"),
            (Manifest, "/a/film.ism/manifest(format=mpd-time-csf)"),
            (Manifest, "/a/film.ism/Manifest(format=m3u8-aapl)"),
            (Manifest, "/a/film.ism/manifest(format=m3u8-aapl-v3.1)"),
            (Manifest, "/a/film.ism/manifest(format=m3u8-cmaf).m3u8"),
            (
                Manifest,
                "/a/film.ism/QualityLevels(2000000)/Manifest(video,format=m3u8-aapl)",
            ),
            (
                Media,
                "/a/film.ism/QualityLevels(2000000)/Fragments(video=0)",
            ),
            (
                Media,
                "/a/film.ism/QualityLevels(2000000)/Fragments(video=0,format=m3u8-aapl)",
            ),
            // Initialisation; taken for media, which costs nothing.
            (
                Media,
                "/a/film.ism/QualityLevels(2000000)/Fragments(video=i,format=mpd-time-csf)",
            ),
        ],
    ),
    (
        "Wowza Streaming Engine: playback URLs in its documentation",
        &[
            (Manifest, "/vod/_definst_/mp4:sample.mp4/playlist.m3u8"),
            (Manifest, "/live/myStream/chunklist_w56824014.m3u8"),
            (Manifest, "/live/myStream/manifest.mpd"),
            (Media, "/live/myStream/media_w56824014_0.ts"),
            (Media, "/vod/mp4:sample.mp4/media_w1_12.aac"),
            (Media, "/live/myStream/media_w1620423594_b1487091_59.ts"),
        ],
    ),
    (
        "AWS Elemental: MediaPackage, MediaLive and MediaConvert user guides",
        &[
            (Manifest, "/out/v1/8f1/index.mpd"),
            (Manifest, "/out/v1/8f1/index_1.m3u8"),
            (Init, "/out/v1/8f1/index_video_1_0_init.mp4?m=1122792372"),
            (
                Media,
                "/out/v1/8f1/index_video_1_0_2937928.mp4?m=1122792372",
            ),
            (
                Init,
                "/out/v1/8f1/index_subtitles_4_0_init.mp4?m=1532451703",
            ),
            (Media, "/out/v1/8f1/index_1_4.ts?m=1566416212"),
            (Media, "/sports/delivery/curling_high_00230.ts"),
            (Init, "/mc/film_init.cmfv"),
            (Media, "/mc/film_000000001.cmfv"),
            (Media, "/mc/film_000000001.cmfa"),
            (Side, "/frameoutput/file.0000036.jpg"),
        ],
    ),
    (
        "nginx-vod-module: README, default file names",
        &[
            (Manifest, "/hls/film.mp4/master.m3u8"),
            (Manifest, "/hls/film.mp4/index-v1-a1.m3u8"),
            (Manifest, "/hls/film.mp4/iframes-v1.m3u8"),
            (Init, "/hls/film.mp4/init-v1.mp4"),
            (Media, "/hls/film.mp4/seg-1-v1-a1.ts"),
            (Key, "/hls/film.mp4/encryption.key"),
            (Manifest, "/dash/film.mp4/manifest-f1.mpd"),
            (Media, "/dash/film.mp4/fragment-1-f1-v1-x3.m4s"),
            (Manifest, "/hds/film.mp4/manifest.f4m"),
            (Media, "/hds/film.mp4/frag-f1-v1-Seg1-Frag1"),
            (Manifest, "/mss/film.mp4/manifest"),
            (Media, "/mss/film.mp4/QualityLevels(1)/Fragments(video=0)"),
            (Side, "/thumb/film.mp4/thumb-1000-w150-h100.jpg"),
            (Side, "/volume/film.mp4/volume_map.csv"),
        ],
    ),
    (
        "Broadpeak, Nimble, Flussonic: addresses of channels in public playlists",
        &[
            (Manifest, "/bpk-tv/HubSports5HD/output/manifest.mpd"),
            (
                Manifest,
                "/bpk-tv/1702/output/1702-audio_113322_eng=113200-video=442000.m3u8",
            ),
            (Media, "/bpk-tv/1702/output/1702-video=442000-1234.ts"),
            (Init, "/Content/DASH/Live/channel(TV9)/init-video=1.dash"),
            (
                Media,
                "/Content/DASH/Live/channel(TV9)/media-video=1-7.dash",
            ),
            (
                Manifest,
                "/vod/en__720p.mp4_chunk.m3u8?nimblesessionid=728188",
            ),
            (
                Media,
                "/vod/smil:a.smil/a__hd1.mp4-n_0_0_0.ts?nimblesessionid=7",
            ),
            (Manifest, "/vod/bunny.mp4/tracks-v1a1/mono.m3u8"),
        ],
    ),
    (
        "CMAF (ISO/IEC 23000-19) and packed audio (RFC 8216, section 3.4)",
        &[
            (Init, "/c/video_init.cmfv"),
            (Init, "/c/initialization.cmfa"),
            (Media, "/c/1.cmfv"),
            (Media, "/c/1.cmfa"),
            (Side, "/c/subtitles.cmft"),
            (Media, "/c/1.m4f"),
            (Media, "/c/1.aac"),
            (Media, "/c/1.ac3"),
            (Media, "/c/1.ec3"),
            (Media, "/c/1.mp3"),
            (Media, "/c/chunk-1-2.m4s"),
        ],
    ),
    (
        "subtitles, thumbnails, metadata",
        &[
            (Side, "/x/en.VTT"),
            (Side, "/x/en.ttml"),
            (Side, "/x/en.dfxp"),
            (Side, "/x/en.stpp"),
            (Side, "/x/sprite_001.jpg"),
            (Side, "/x/roku.bif"),
            (Side, "/x/chapters.json"),
        ],
    ),
    (
        "content steering: players' examples and steering services",
        &[
            (Side, "/vod/steering.dcsm"),
            (
                Side,
                "/vod/steering.dcsm?_DASH_pathway=a&_DASH_throughput=1",
            ),
            (Side, "/vod/steer?_HLS_pathway=a"),
            (Side, "/vod/steering"),
            (Side, "/vod/content-steering"),
            (Side, "/vod/film.steering"),
            (Side, "/vod/steering/"),
            (Side, "/vod/steering/?_HLS_pathway=a"),
            (Side, "/vod/content-steering//"),
            (Side, "/vod/steering.dcsm/"),
            (Media, "/vod/1.ts/steering/"),
            (Media, "/vod/steering/1.ts/"),
            (Side, "/vod/steering.json"),
            // What is only asked for as if it were steering, or lies beside it.
            (Media, "/vod/1.ts?_HLS_pathway=a"),
            (Media, "/vod/1.ts?x=/steer"),
            (Media, "/vod/1.ts/steering.dcsm"),
            (Media, "/vod/1.m4s/steer"),
            (Media, "/vod/steering/1.ts"),
            (Media, "/vod/steer/1"),
            (Media, "/vod/steering.dcsm/1.m4s"),
            (Media, "/vod/steering.ts"),
            (Media, "/vod/steering-1.m4s"),
            (Media, "/vod/steering.mp4"),
            (Media, "/vod/oversteer"),
            (Media, "/vod/steer-1"),
        ],
    ),
    (
        "keys, licences and certificates: players' examples",
        &[
            (Key, "/k/hls/key?token=1"),
            (Key, "/k/key1.bin"),
            (Key, "/k/crypt0.bin"),
            (Key, "/k/fairplay.cer"),
            (Key, "/k/playready/rightsmanager.asmx"),
            (Key, "/k/AcquireLicense?id=1"),
            (Key, "/k/widevine"),
            (Key, "/k/license/?id=1"),
            // A `.bin` that does not say so may be anything.
            (Media, "/k/0001.bin"),
        ],
    ),
    (
        "whatever else",
        &[
            (Media, "/vod/"),
            (Media, "/vod"),
            (Media, ""),
            (Media, "/vod/seg"),
            (Media, "/vod/film.mp4"),
            (Media, "/vod/initiative-1.m4s"),
            (Media, "/vod/init.ts"),
            (Media, "/vod/reinit.mp4"),
            (Media, "/vod/keyboard-1.ts"),
            (Media, "/vod/monkey.bin"),
        ],
    ),
];

#[test]
fn names_of_packagers_and_servers_are_told_apart() {
    for (source, rows) in NAMES {
        for (class, path) in *rows {
            assert_eq!(classify(path.as_bytes()), *class, "{path} ({source})");
        }
    }
}

#[test]
fn case_and_needless_encoding_change_nothing() {
    for (source, rows) in NAMES {
        for (class, path) in *rows {
            let (path, _) = path.split_once('?').unwrap_or((path, ""));
            let shouted = path.to_ascii_uppercase();
            assert_eq!(classify(shouted.as_bytes()), *class, "{shouted} ({source})");
            let encode = |byte: u8| match byte {
                b'/' => "/".to_owned(),
                byte => format!("%{byte:02x}"),
            };
            let encoded: String = path.bytes().map(encode).collect();
            assert_eq!(classify(encoded.as_bytes()), *class, "{encoded} ({source})");
        }
    }
}

/// Each of these is how some server, or a layer in front of it, finds `/vod/1.ts` or
/// another segment.
#[test]
fn no_spelling_carries_a_segment_under_another_name() {
    for path in [
        // Queries, fragments, path parameters: cut off before the file is looked up.
        "/vod/1.ts?x=.m3u8",
        "/vod/1.ts?/a.m3u8",
        "/vod/1.ts#.m3u8",
        "/vod/1.ts#/a.m3u8",
        "/vod/1.ts;.m3u8",
        "/vod/1.ts;x=/a.m3u8",
        "/vod/1.ts;/a.m3u8",
        // The same, decoded before they are cut off.
        "/vod/1.ts%3f.m3u8",
        "/vod/1.ts%3F/a.m3u8",
        "/vod/1.ts%23.m3u8",
        "/vod/1.ts%3b.m3u8",
        // Decoded twice.
        "/vod/1.ts%253f.m3u8",
        "/vod/1.ts%2500.m3u8",
        // Ends of strings and of lines.
        "/vod/1.ts%00.m3u8",
        "/vod/1.ts\0.m3u8",
        "/vod/1.ts%0a.m3u8",
        "/vod/1.ts%0d%0a/a.m3u8",
        "/vod/1.ts%7f.m3u8",
        // Slashes and dots at the end.
        "/vod/1.ts/",
        "/vod/1.ts//",
        "/vod/1.ts/.",
        "/vod/1.ts%2f",
        "/vod/1.ts.",
        "/vod/1.ts%2e",
        "/vod/1.ts%20",
        // Climbing.
        "/vod/a.m3u8/../1.ts",
        "/vod/a.m3u8/%2e%2e/1.ts",
        "/vod/1.ts/a.m3u8/..",
        "/vod/1.ts/./a.m3u8",
        "/vod/a.m3u8/..%2f1.ts",
        "/vod/1.ts%2f..%2fa.m3u8",
        "/vod/1.ts/..;/a.m3u8",
        "/vod/1.ts/.. /a.m3u8",
        "/x.ism/../vod/video=1.m4s",
        // Other separators, other encodings of them.
        "/vod/1.ts\\..\\a.m3u8",
        "/vod/1.ts%5ca.m3u8",
        "/vod/1.ts%2fa.m3u8",
        "/vod/1.ts%c0%afa.m3u8",
        "/vod/1.ts%c1%9ca.m3u8",
        "/vod/1.ts%u002fa.m3u8",
        "/vod/1.ts%.m3u8",
        "/vod/1.ts%2",
        // Path information behind a file that is there.
        "/vod/1.ts/a.m3u8",
        "/vod/1.TS/b/a.mpd",
        "/vod/1.m4s/init.mp4",
        "/vod/1.cmfv/key",
        "/vod/1.t%73/a.vtt",
        "/segment.php/a.m3u8?n=1",
        "/vod/x.ism/QualityLevels(1)/Fragments(video=0)/Manifest",
        "/vod/x.ism/QualityLevels(1)/Fragments(video=0).m3u8",
        "/vod/x.ism/QualityLevels(1)/Fragments(manifest(video=0)",
    ] {
        assert_eq!(classify(path.as_bytes()), Media, "{path}");
    }
}

#[test]
fn long_paths_are_read_to_their_end_up_to_4_kib() {
    for (length, class) in [
        (511, Manifest),
        (512, Manifest),
        (513, Manifest),
        (4_096, Manifest),
        (4_097, Media),
    ] {
        let path = format!("/{}/a.m3u8?x", "x".repeat(length - 8));
        assert_eq!(classify(path.as_bytes()), class, "{length}");
        let path = format!("/{}/a.m4s?.m3u8", "x".repeat(length - 7));
        assert_eq!(classify(path.as_bytes()), Media, "{length}");
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn patterns(texts: &[&str]) -> PathPatterns {
        let parse = |text: &&str| PathPattern::parse(text).unwrap();
        texts.iter().map(parse).collect()
    }

    proptest! {
        #[test]
        fn no_path_is_too_odd(path in vec(any::<u8>(), 0..700)) {
            let classes = Classes::new([
                (Manifest, patterns(&["**/*a*/**/b*", "/*", "**"])),
            ]);
            if let Ok(path) = Reading::of(&path) {
                prop_assert!(matches!(classes.classify(&path), Manifest | Media));
                let class = Classes::default().classify(&path);
                let all = Exclusions::from(patterns(&["**"]));
                prop_assert!(all.hold(&path) || class == Media);
            }
        }

        /// Any name that the file system of an origin can hold, whatever follows it.
        #[test]
        fn what_follows_a_segments_name_never_changes_what_it_is(
            tail in "(\\?|#|;|%00|%0a|%3f|%23|%3b|%2f|%5c|/)[ -~]{0,20}",
        ) {
            prop_assume!(!tail.starts_with('/') || !tail.contains(".."));
            let path = format!("/vod/1.ts{tail}");
            prop_assert_eq!(classify(path.as_bytes()), Media, "{}", path);
        }

        #[test]
        fn a_pattern_reads_or_says_why_not(text in "[/*a-c.?%{};!\\[\\]\\\\]{0,12}", path in "[/a-c.]{0,30}") {
            if let Ok(pattern) = PathPattern::parse(&text) {
                let patterns: PathPatterns = [pattern].into_iter().collect();
                patterns.fit(path.as_bytes());
            }
        }
    }
}
