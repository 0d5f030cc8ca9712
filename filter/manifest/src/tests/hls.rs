//! HLS playlists, tag by tag.

use super::{check, rewritten};
use crate::{reload_wait_ms, test};

/// A playlist of these lines.
fn playlist(lines: &str) -> String {
    format!("#EXTM3U\n{lines}\n")
}

#[test]
fn lines_that_are_urls() {
    check(&playlist("#EXT-X-STREAM-INF:BANDWIDTH=1\n^/vod/720.m3u8"));
    check(&playlist("#EXTINF:4,\n^/vod/film/1.ts?a=/vod/&b=#c"));
    check(&playlist("#EXTINF:4,\nhttp://edge.example^/vod/1.ts"));
    check(&playlist("#EXTINF:4,\nHTTPS://EDGE.example:443^/vod/1.ts"));
    check(&playlist("#EXTINF:4,\n//edge.example:80^/vod/1.ts"));
    check(&playlist("  ^/vod/1.ts  \n\t^/vod/2.ts"));
    check("#EXTM3U\r\n#EXTINF:4,\r\n^/vod/1.ts\r\n\r\n^/vod/2.ts");
    check("#EXTM3U\r#EXTINF:4,\r^/vod/1.ts\r");
    check("\u{feff}#EXTM3U\n^/vod/1.ts");
    check("#EXTM3U\n^/vod/ünïcødé.ts\n^/vod/a%20b.ts");
}

#[test]
fn attributes_that_are_urls() {
    for line in [
        "#EXT-X-KEY:METHOD=AES-128,URI=\"^/vod/key\",IV=0x0",
        "#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"http://edge.example^/vod/key\"",
        "#EXT-X-MAP:URI=\"^/vod/init.mp4\",BYTERANGE=\"1@0\"",
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a,URI=b\",URI=\"^/vod/audio.m3u8\"",
        "#EXT-X-MEDIA:NAME=\"a=\",URI=\"^/vod/audio.m3u8\",DEFAULT=YES",
        "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"^/vod/i.m3u8\"",
        "#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=1,URI=\"^/vod/pictures.m3u8\"",
        "#EXT-X-PART:DURATION=1,URI=\"^/vod/p.m4s\",INDEPENDENT=YES",
        "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"^/vod/p.m4s\"",
        "#EXT-X-RENDITION-REPORT:URI=\"^/vod/480.m3u8\",LAST-MSN=3",
        "#EXT-X-DATERANGE:ID=\"ad\",CLASS=\"com.apple.hls.interstitial\",X-ASSET-URI=\"^/vod/ad.m3u8\"",
        "#EXT-X-DATERANGE:ID=\"ad\",X-ASSET-LIST=\"http://edge.example^/vod/ads.json\"",
        "#EXT-X-SESSION-DATA:DATA-ID=\"a\",URI=\"^/vod/data.json\"",
        "#EXT-X-CONTENT-STEERING:SERVER-URI=\"^/vod/steering\",PATHWAY-ID=\"a\"",
        "#EXT-X-MEDIA: TYPE=AUDIO , URI=\"^/vod/audio.m3u8\"",
        "#EXT-X-MAP:URI=^/vod/init.mp4,BYTERANGE=\"1@0\"",
    ] {
        check(&playlist(line));
    }
}

#[test]
fn what_is_no_url_is_left_alone() {
    for line in [
        "#/vod/comment.ts",
        "# URI=\"/vod/comment.ts\"",
        "#EXTINF:4,URI=\"/vod/title.ts\"",
        "#EXT-X-SESSION-DATA:DATA-ID=\"a\",VALUE=\"/vod/text\"",
        "#EXT-X-DATERANGE:ID=\"/vod/id\",X-COM-EXAMPLE=\"/vod/a\"",
        "#EXT-X-MEDIA:NAME=\"URI=\",GROUP-ID=\"/vod/\"",
        "#EXT-X-MEDIA:NAME=\"x\",YURI=\"/vod/a.m3u8\"",
        "#EXT-X-MAP:URI=\"/vod/unclosed",
        "#EXT-X-MAP",
        "#EXT-X-MAP:URI",
        "#EXT-X-MAP:=",
        "#EXTM3U:URI=\"/vod/a\"",
    ] {
        check(&playlist(line));
    }
}

#[test]
fn what_leads_elsewhere_is_left_alone() {
    for url in [
        "a.ts",
        "../vod/a.ts",
        "vod/a.ts",
        "/other/a.ts",
        "/vodx/a.ts",
        "/",
        "https://cdn.example/vod/a.ts",
        "//cdn.example/vod/a.ts",
        "http://edge.example:8080/vod/a.ts",
        "http://edge.example.evil/vod/a.ts",
        "http://edge.example@cdn.example/vod/a.ts",
        "http://edge.example",
        "data:application/octet-stream;base64,/vod/",
        "skd://edge.example/vod/key",
        "/~OLD/vod/a.ts",
        "http://edge.example/~OLD/vod/a.ts",
        "/vod/../a.ts",
        "/vod/../../vod/a.ts",
        "/../vod/a.ts",
        "/vod/%2e%2e/vod/a.ts",
        "/vod/..;/a.ts",
        "/vod\\a.ts",
        "/\\edge.example/vod/a.ts",
        "http:/vod/a.ts",
        "http:vod/a.ts",
        "?/vod/",
        "{$",
    ] {
        check(&playlist(&format!("#EXTINF:4,\n{url}")));
        check(&playlist(&format!(
            "#EXT-X-KEY:METHOD=AES-128,URI=\"{url}\""
        )));
    }
    check(&playlist("^/other/../vod/a.ts"));
    check(&playlist("^/vod/./a/../b.ts"));
}

#[test]
fn what_needs_nothing_is_not_copied() {
    let found = rewritten(playlist("#EXTINF:4,\n1.ts").as_bytes()).expect("a playlist");
    assert_eq!(found.body, None);
}

#[test]
fn how_long_players_wait_until_they_ask_again() {
    for (manifest, wait_ms) in [
        (
            "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n1.ts\n",
            Some(2_700),
        ),
        ("#EXTM3U\r\n#EXT-X-TARGETDURATION:10\r\n", Some(4_500)),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:x\n", Some(0)),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:", Some(0)),
        (
            "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-PART-INF:PART-TARGET=1\n",
            Some(0),
        ),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-ENDLIST\n", None),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720.m3u8\n", None),
        (
            "<MPD type=\"dynamic\" minimumUpdatePeriod=\"PT2S\"/>",
            Some(900),
        ),
        ("<MPD minimumUpdatePeriod=\"PT5.25S\"/>", Some(2_250)),
        ("<MPD minimumUpdatePeriod=\"PT1H\"/>", Some(0)),
        ("<MPD minimumUpdatePeriod=\"P0DT0H0M2S\"/>", Some(0)),
        ("<MPD minimumUpdatePeriod='PT2S'/>", Some(0)),
        ("<MPD minimumUpdatePeriod=\"PT", Some(0)),
        ("<MPD minimumUpdatePeriod", Some(0)),
        ("<MPD type=\"static\"/>", None),
        ("some bytes", None),
        ("", None),
    ] {
        assert_eq!(reload_wait_ms(manifest.as_bytes()), wait_ms, "{manifest}");
    }
    let endless = format!("#EXTM3U\n#EXT-X-TARGETDURATION:{}", "9".repeat(99));
    assert_eq!(reload_wait_ms(endless.as_bytes()), Some(u64::MAX));
}
