//! What holds for all manifests, and for all bytes.

use proptest::prelude::*;

use super::{PREFIX, rewritten};

/// Pieces that URLs of manifests are made of.
fn url() -> impl Strategy<Value = String> {
    let start = prop::sample::select(vec![
        "",
        "/",
        "//",
        "http://edge.example",
        "https://EDGE.example:443",
        "//edge.example/",
        "http://cdn.example",
        "//cdn.example/",
        "/vod",
        "/vod/",
        "/other/",
        "/~OLD/vod/",
        "data:",
        "{$a}",
        "{$b}",
        "{$c}",
        "../",
        "/../",
        "\\",
        "&amp;",
        "&#47;",
        "vod/",
    ]);
    let middle = prop::sample::select(vec![
        "",
        "a",
        "/a/b",
        "/vod/a",
        "/../",
        "/./",
        "$Number$",
        "{$a}",
        "/vod/{$b}",
        "%2e%2e",
        ";",
        "ü",
        " ",
    ]);
    let end = prop::sample::select(vec!["", ".ts", "?x=/vod/", "#/vod/", "/", "?a=1&amp;b=2"]);
    (start, middle, end).prop_map(|(start, middle, end)| format!("{start}{middle}{end}"))
}

fn hls() -> impl Strategy<Value = String> {
    let line = (0..9_usize, url()).prop_map(|(kind, url)| match kind {
        0 => format!("#EXT-X-MAP:URI=\"{url}\",BYTERANGE=\"1@0\""),
        1 => format!("#EXT-X-MEDIA:NAME=\"{url}\",URI=\"{url}\""),
        2 => format!("#EXT-X-DEFINE:NAME=\"a\",VALUE=\"{url}\""),
        3 => format!("#EXT-X-DEFINE:NAME=\"b\",VALUE=\"{url}\""),
        4 => "#EXT-X-DEFINE:IMPORT=\"c\"".to_owned(),
        5 => format!("#EXT-X-SESSION-DATA:DATA-ID=\"a\",VALUE=\"{url}\""),
        6 => format!("#EXT-X-DATERANGE:X-ASSET-LIST={url}"),
        _ => url,
    });
    let end = prop::sample::select(vec!["\n", "\r\n", "\r", "\n\n", " \n"]);
    prop::collection::vec((line, end), 0..12).prop_map(|lines| {
        let lines: Vec<String> = lines
            .iter()
            .map(|(line, end)| format!("{line}{end}"))
            .collect();
        format!("#EXTM3U\n{}", lines.concat())
    })
}

fn dash() -> impl Strategy<Value = String> {
    let leaf = (0..8_usize, url()).prop_map(|(kind, url)| match kind {
        0 | 1 => format!("<BaseURL>{url}</BaseURL>"),
        2 => format!("<BaseURL><![CDATA[{url}]]></BaseURL>"),
        3 => format!("<SegmentTemplate media=\"{url}\" initialization='{url}'/>"),
        4 => format!("<SegmentList><SegmentURL media=\"{url}\"/></SegmentList>"),
        5 => format!("<Location> {url} </Location>"),
        6 => format!("<!-- {url} -->"),
        _ => format!("<UTCTiming value=\"{url}\"/>"),
    });
    let names = prop::sample::select(vec!["Period", "AdaptationSet", "Representation", "x:Other"]);
    let content = leaf.prop_recursive(4, 40, 5, move |inner| {
        (names.clone(), prop::collection::vec(inner, 0..5))
            .prop_map(|(name, inner)| format!("<{name}>{}</{name}>", inner.concat()))
    });
    prop::collection::vec(content, 0..4).prop_map(|all| format!("<MPD>\r\n{}</MPD>", all.concat()))
}

/// What holds for every body, whatever it is.
fn check(body: &[u8]) {
    let Ok(found) = rewritten(body) else {
        return;
    };
    let Some(rewritten_body) = found.body else {
        return;
    };
    let text = String::from_utf8(rewritten_body.clone()).expect("UTF-8, as before");
    assert_ne!(text.as_bytes(), body);
    assert_eq!(text.replace(PREFIX, "").as_bytes(), body);
    // Idempotent.
    assert_eq!(
        rewritten(&rewritten_body).expect("a manifest still").body,
        None
    );
    // No other host is told of the token.
    assert!(!text.contains("cdn.example/~TOKEN"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn only_the_prefix_is_inserted_into_playlists(playlist in hls()) {
        check(playlist.as_bytes());
    }

    #[test]
    fn only_the_prefix_is_inserted_into_dash_manifests(manifest in dash()) {
        check(manifest.as_bytes());
    }

    #[test]
    fn whatever_bytes_come_are_borne(
        start in prop::sample::select(vec!["", "#EXTM3U\n", "{\"ASSETS\":[{\"URI\":\"", "<MPD>", "<MPD><BaseURL>", "<Patch>"]),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        text in "[<>/&;\\\\\"'=!\\[\\]A-Za-z{}$:#\n ^-]{0,200}",
    ) {
        check(&[start.as_bytes(), &bytes].concat());
        check(&[start.as_bytes(), text.as_bytes()].concat());
    }

    #[test]
    fn damaged_manifests_are_borne(manifest in prop_oneof![hls(), dash()], cut in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = manifest.into_bytes();
        let at = cut.index(body.len());
        check(&body[..at]);
        body[at] = byte;
        check(&body);
    }

    #[test]
    fn what_has_no_absolute_url_stays_as_it_is(names in prop::collection::vec("[a-z0-9_-]{1,9}(/[a-z0-9.]{1,5}){0,2}", 0..20)) {
        let playlist = format!("#EXTM3U\n{}", names.join("\n"));
        prop_assert_eq!(rewritten(playlist.as_bytes()).expect("a playlist").body, None);
        let bases: String = names.iter().map(|name| format!("<BaseURL>{name}</BaseURL>")).collect();
        let manifest = format!("<MPD><Period>{bases}</Period></MPD>");
        if names.len() <= 16 {
            prop_assert_eq!(rewritten(manifest.as_bytes()).expect("a manifest").body, None);
        }
    }
}
