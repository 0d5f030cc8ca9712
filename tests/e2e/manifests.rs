//! Manifests keep the token of the request for them: one playback is one stream, however its
//! packager writes URLs.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use streamgate_tests::WebPlayer::{DashJs, HlsJs, Shaka};
use streamgate_tests::{
    Answer, Browser, Demuxers, Edge, Given, Player, Settings, Urls, eventually, live, sample,
};

const MASTER: &str = "/vod/film/master.m3u8";

/// A playlist with so many segments, each URL beginning with this.
fn playlist(start: &str, segments: usize) -> String {
    let segments = (0..segments).map(|number| format!("#EXTINF:4,\n{start}segment-{number}.m4s\n"));
    format!("#EXTM3U\n{}#EXT-X-ENDLIST\n", segments.collect::<String>())
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("memory");
    encoder.finish().expect("memory")
}

/// A player that has opened a manifest that the origin gives, and what it got.
fn opened(edge: &Edge, given: Given) -> (Player, Answer) {
    edge.origin.gives(MASTER, given);
    let mut player = edge.player("alice");
    let answer = player.open(MASTER).expect(200);
    (player, answer)
}

/// Checks that the length that was told is that of the body.
fn assert_whole(answer: &Answer) {
    let length = answer.header("content-length").map(str::to_owned);
    assert_eq!(length, Some(answer.body.len().to_string()));
}

#[test]
fn absolute_urls_of_this_host_get_the_token() {
    let edge = Edge::start(Settings::default());
    let port = edge.port;
    for start in [
        "/vod/film/".to_owned(),
        format!("http://127.0.0.1:{port}/vod/film/"),
        format!("HTTP://127.0.0.1:{port}/vod/film/"),
        format!("//127.0.0.1:{port}/vod/film/"),
    ] {
        let (player, answer) = opened(&edge, Given::body(playlist(&start, 3)));
        let host = start.strip_suffix("/vod/film/").expect("a path");
        let expected = playlist(&format!("{host}/~{}/vod/film/", player.token()), 3);
        assert_eq!(answer.text(), expected);
        assert_whole(&answer);
    }
    assert_eq!(edge.metric("manifests.rewritten"), 4);
}

#[test]
fn what_needs_no_token_stays_as_it_is() {
    let edge = Edge::start(Settings::default());
    let port = edge.port;
    for start in [
        "",
        "../film/",
        "/other/",
        "https://cdn.example/vod/",
        "/~old/vod/film/",
        "/vod/../film/",
        "/v2/sessions/demo/",
        &format!("http://localhost:{port}/vod/"),
        &format!("http://127.0.0.1:{}/vod/", port.wrapping_add(1)),
    ] {
        let body = playlist(start, 3);
        let given = Given::body(body.clone()).header("etag", "\"1\"");
        let (_, answer) = opened(&edge, given);
        assert_eq!(answer.text(), body);
        assert_eq!(answer.header("etag"), Some("\"1\""));
        assert_whole(&answer);
    }
    assert_eq!(edge.metric("manifests.rewritten"), 0);
    // Without a token there is none to keep.
    let body = playlist("/vod/film/", 1);
    edge.origin.gives(MASTER, Given::body(body.clone()));
    let request = edge.get(MASTER).account("bob");
    let answer = request
        .header("cmcd-session", "sid=\"one\"")
        .send()
        .expect(200);
    assert_eq!(answer.text(), body);
    assert_eq!(edge.metric("manifests.rewritten"), 0);
}

#[test]
fn a_dash_manifest_and_its_parts_get_the_token() {
    let edge = Edge::start(Settings::default());
    let path = "/vod/film/manifest.mpd";
    let manifest = |prefix: &str| {
        format!(
            "<MPD><BaseURL>http://127.0.0.1:{}{prefix}/</BaseURL><Period><BaseURL>vod/film/</BaseURL>\
             <SegmentTemplate media=\"{prefix}/vod/film/$Number$.m4s?a=1&amp;b\" initialization=\"i.mp4\"/></Period></MPD>",
            edge.port
        )
    };
    edge.origin.gives(path, Given::body(manifest("")));
    let mut player = edge.player("alice");
    let answer = player.open(path).expect(200);
    assert_eq!(answer.text(), manifest(&format!("/~{}", player.token())));
    let list = |prefix: &str| format!("{{\"ASSETS\":[{{\"URI\":\"{prefix}/vod/ad.m3u8\"}}]}}");
    edge.origin
        .gives("/vod/film/assets.json", Given::body(list("")));
    let answer = player.get("assets.json").expect(200);
    assert_eq!(answer.text(), list(&format!("/~{}", player.token())));
}

#[test]
fn a_manifest_in_pieces_is_put_together() {
    let edge = Edge::start(Settings::default());
    for (segments, length) in [(1, 1), (100, 7), (20_000, 10_000), (30_000, 1_000_000)] {
        let body = playlist("/vod/film/", segments);
        let given = Given::body(body).in_pieces_of(length);
        let (player, answer) = opened(&edge, given);
        let expected = playlist(&format!("/~{}/vod/film/", player.token()), segments);
        assert!(answer.text() == expected, "{segments} segments");
    }
}

#[test]
fn a_packed_manifest_is_unpacked_where_it_changes() {
    let edge = Edge::start(Settings::default());
    let body = playlist("/vod/film/", 1_000);
    for coding in ["gzip", "x-gzip", "GZIP"] {
        let given = Given::body(gzip(body.as_bytes())).header("content-encoding", coding);
        let (player, answer) = opened(&edge, given.in_pieces_of(1_000));
        let expected = playlist(&format!("/~{}/vod/film/", player.token()), 1_000);
        assert_eq!(answer.text(), expected);
        assert_eq!(answer.header("content-encoding"), None);
    }
    // What is good as it is stays packed.
    let packed = gzip(playlist("", 1_000).as_bytes());
    let given = Given::body(packed.clone()).header("content-encoding", "gzip");
    let (_, answer) = opened(&edge, given);
    assert_eq!(answer.body, packed);
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert_whole(&answer);
    assert_eq!(edge.metric("manifests.unreadable"), 0);
    // What cannot be unpacked does too, and is counted.
    let bomb = gzip(&vec![b'\n'; 50_000_000]);
    for (body, coding, metric) in [
        (
            packed[..packed.len() / 2].to_vec(),
            "gzip",
            "manifests.unreadable",
        ),
        (body.clone().into_bytes(), "gzip", "manifests.unreadable"),
        (packed.clone(), "br", "manifests.unreadable"),
        (packed.clone(), "gzip, gzip", "manifests.unreadable"),
        (bomb, "gzip", "manifests.too_large"),
    ] {
        let before = edge.metric(metric);
        let given = Given::body(body.clone()).header("content-encoding", coding);
        let (_, answer) = opened(&edge, given);
        assert!(answer.body == body, "{coding}");
        assert_eq!(answer.header("content-encoding"), Some(coding));
        assert_eq!(edge.metric(metric), before + 1, "{coding}");
    }
}

#[test]
fn the_origin_is_asked_for_what_can_be_read() {
    let edge = Edge::start(Settings::default());
    edge.origin
        .gives(MASTER, Given::body(playlist("/vod/film/", 1)));
    let mut player = edge.player("alice");
    player.opens(MASTER);
    let asked = |headers: &[(&str, &str)]| {
        edge.origin.forget();
        let mut request = edge.get(&player.path("master.m3u8"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.send().expect(200);
        assert!(answer.text().contains("/~"), "{}", answer.text());
        let seen = edge.origin.seen().pop().expect("a request");
        let header = |name| {
            let mut headers = seen.headers.iter();
            headers
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
        };
        assert_eq!(header("range"), None);
        assert_eq!(header("if-range"), None);
        header("accept-encoding").unwrap_or_default()
    };
    assert_eq!(asked(&[]), "identity");
    assert_eq!(asked(&[("accept-encoding", "br, zstd")]), "identity");
    assert_eq!(asked(&[("accept-encoding", "gzip;q=0")]), "identity");
    assert_eq!(
        asked(&[("accept-encoding", "deflate, GZIP;q=0.5, br")]),
        "gzip"
    );
    // ffmpeg asks for all bytes from the first.
    assert_eq!(
        asked(&[("range", "bytes=0-"), ("if-range", "\"1\"")]),
        "identity"
    );
}

#[test]
fn what_is_no_whole_manifest_is_passed_on() {
    let edge = Edge::start(Settings::default());
    let body = playlist("/vod/film/", 1);
    edge.origin.gives(MASTER, Given::body(body.clone()));
    let mut player = edge.player("alice");
    player.opens(MASTER);
    let rewritten = edge.metric("manifests.rewritten");
    for status in [404, 500, 203, 206] {
        edge.origin
            .gives(MASTER, Given::body(body.clone()).status(status));
        assert_eq!(player.get("master.m3u8").expect(status).text(), body);
    }
    edge.origin.gives(MASTER, Given::body(body.clone()));
    let answer = player.request("HEAD", "master.m3u8").expect(200);
    // How long it would be with a token in its URLs is not known without them.
    assert_eq!(answer.header("content-length"), None);
    assert_eq!(
        player.request("POST", "master.m3u8").expect(200).text(),
        body
    );
    for (body, metric) in [
        (b"#EXTM3U\n/vod/\xff.ts".to_vec(), "manifests.unreadable"),
        (
            b"<MPD><BaseURL>/vod/</MPD>".to_vec(),
            "manifests.unreadable",
        ),
        (b"<html>/vod/</html>".to_vec(), "manifests.unreadable"),
        (Vec::new(), "manifests.unreadable"),
    ] {
        let before = edge.metric(metric);
        edge.origin.gives(MASTER, Given::body(body.clone()));
        assert_eq!(player.get("master.m3u8").expect(200).body, body);
        let given = Given::body(body.clone()).in_pieces_of(5);
        edge.origin.gives(MASTER, given);
        assert_eq!(player.get("master.m3u8").expect(200).body, body);
        assert!(edge.metric(metric) > before || body.is_empty());
    }
    assert_eq!(edge.metric("manifests.rewritten"), rewritten);
    let unknown = "#EXTM3U\n#EXT-X-DEFINE:IMPORT=\"a\"\n{$a}/1.m4s\n";
    edge.origin.gives(MASTER, Given::body(unknown));
    assert_eq!(player.get("master.m3u8").expect(200).text(), unknown);
    assert_eq!(edge.metric("manifests.urls_unknown"), 1);
}

#[test]
fn a_manifest_beyond_the_bound_is_passed_on_and_counted() {
    let settings = Settings::default().with(
        "/playback/0/manifests",
        serde_json::json!({"max_bytes": 10_000}),
    );
    let edge = Edge::start(settings);
    let small = playlist("/vod/film/", 50);
    let large = playlist("/vod/film/", 500);
    // Small enough until each URL of a few bytes has a token.
    let grows = format!("#EXTM3U\n{}", "/vod/a\n".repeat(1_400));
    assert!(small.len() < 10_000 && large.len() > 10_000 && grows.len() < 10_000);
    let (_, answer) = opened(&edge, Given::body(small.clone()));
    assert!(answer.text().contains("/~"));
    for given in [
        Given::body(large.clone()),
        Given::body(large.clone()).in_pieces_of(999),
        Given::body(large.clone()).in_pieces_of(9_999),
        Given::body(grows.clone()).in_pieces_of(999),
        Given::body(gzip(large.as_bytes())).header("content-encoding", "gzip"),
    ] {
        let before = edge.metric("manifests.too_large");
        let (_, answer) = opened(&edge, given.clone());
        let expected = match answer.header("content-encoding") {
            Some(_) => gzip(large.as_bytes()),
            None if answer.body.len() < 10_000 => grows.clone().into_bytes(),
            None => large.clone().into_bytes(),
        };
        assert!(answer.body == expected, "{} bytes", answer.body.len());
        assert_eq!(edge.metric("manifests.too_large"), before + 1);
    }
    // Larger than what Envoy itself would keep.
    let huge = playlist("/vod/film/", 200_000);
    let (_, answer) = opened(&edge, Given::body(huge.clone()).in_pieces_of(100_000));
    assert!(answer.text() == huge);

    let off =
        Settings::default().with("/playback/0/manifests", serde_json::json!({"max_bytes": 0}));
    let edge = Edge::start(off);
    let (_, answer) = opened(&edge, Given::body(small.clone()));
    assert_eq!(answer.text(), small);
    assert_eq!(edge.metric("manifests.too_large"), 0);
}

/// An edge that lets an account play once, with the sample's URLs written like this.
fn with_urls(urls: Urls) -> Edge {
    let settings = Settings::default().with("/policies/0/rules/0/max", 1);
    let edge = Edge::start(settings.serving(sample()));
    edge.writes_sample_urls(urls);
    edge
}

fn assert_one_stream(edge: &Edge) {
    eventually("all that the player needs was asked for", || {
        let paths = edge.origin.paths();
        let has = |file: &str| paths.iter().any(|path| path.contains(file));
        has("/segment-2-003") && (has("/segment-0-003") || has("/segment-1-003"))
    });
    assert_eq!(edge.metric("starts"), 1);
    assert_eq!(edge.app("demo-tv").running("alice").len(), 1);
    assert_eq!(edge.metric("refusals.limit"), 0);
    for seen in edge.origin.seen() {
        assert!(!seen.path.contains('~'), "{seen:?}");
    }
}

#[test]
fn web_players_play_absolute_urls_as_one_stream() {
    let browser = Browser::start();
    for (urls, player, manifest) in [
        (Urls::AbsolutePath, HlsJs, "master.m3u8"),
        (Urls::Absolute, HlsJs, "master.m3u8"),
        (Urls::AnyScheme, Shaka, "master.m3u8"),
        (Urls::Absolute, Shaka, "manifest.mpd"),
        (Urls::AbsolutePath, DashJs, "manifest.mpd"),
        (Urls::AnyScheme, DashJs, "manifest.mpd"),
    ] {
        let edge = with_urls(urls);
        let path = format!("/vod/sample/{manifest}");
        let tab = browser.open(player, &edge, &path).account("alice").plays();
        assert_one_stream(&edge);
        tab.close();
    }
}

#[test]
fn other_players_play_absolute_urls_as_one_stream() {
    for urls in [Urls::AbsolutePath, Urls::Absolute, Urls::AnyScheme] {
        for manifest in ["master.m3u8", "manifest.mpd"] {
            let path = format!("/vod/sample/{manifest}");
            let account = [("x-account-id", "alice")];
            let edge = with_urls(urls);
            let mut player = edge.ffmpeg(&path, &account);
            player.assert_plays();
            assert_one_stream(&edge);
            // GStreamer 1.22 takes `//host/path` for a path, with or without a token.
            if urls == Urls::AnyScheme {
                continue;
            }
            let edge = with_urls(urls);
            let mut player = edge.gstreamer(Demuxers::Second, &path, &account);
            player.assert_plays();
            assert_one_stream(&edge);
        }
    }
}

/// GStreamer asks for a live DASH manifest at its first address, and for segments where it was
/// led to. Without cookies, nothing but the edge's memory tells that it is the same player.
#[test]
fn a_live_player_that_asks_before_the_redirect_again_is_one_stream() {
    let carriers = serde_json::json!([{"token": "path"}, {"redirect": true}]);
    let settings = Settings::default().with("/playback/0/stream", carriers);
    // It sends no headers of the application's with the manifest that it asks for again.
    let account = serde_json::json!({"key": "x-account-id", "value": "alice"});
    let mutation = serde_json::json!({
        "name": "envoy.filters.http.header_mutation",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": {"request_mutations": [{"append": {"header": account}}]},
        },
    });
    let edge = Edge::start(settings.serving(live()).behind(mutation));
    for (number, demuxers) in (1..).zip([Demuxers::First, Demuxers::Second]) {
        let path = format!("/vod/live/channel-{number}/numbered.mpd");
        let minted = edge.metric("redirects_minted");
        let mut player = edge.gstreamer(demuxers, &path, &[]);
        player.assert_plays();
        eventually("it was redirected often", || {
            edge.metric("redirects_minted") >= minted + 5
        });
        player.assert_plays();
        assert_eq!(edge.metric("starts"), number);
        player.kill();
    }
}
