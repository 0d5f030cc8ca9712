//! What is rewritten and what is not. In the manifests here a `^` stands where the prefix is
//! to be inserted.

mod dash;
#[cfg(not(target_arch = "wasm32"))]
mod golden;
mod hls;
mod json;
#[cfg(not(target_arch = "wasm32"))]
mod properties;
#[cfg(not(target_arch = "wasm32"))]
mod speed;
mod variables;

use crate::{Carries, Origin, Rewriting, Rewritten, Unreadable, rewrite, test};

const PREFIX: &str = "/~TOKEN";

/// Rewrites a manifest of `/vod/film/`, of which all under `/vod/` carries the prefix, as one
/// that was asked for at `http://edge.example`.
fn rewritten(body: &[u8]) -> Result<Rewritten, Unreadable> {
    rewrite_at("/vod/film/manifest", body, usize::MAX)
}

fn rewrite_at(path: &str, body: &[u8], max: usize) -> Result<Rewritten, Unreadable> {
    let hosts = [Origin::new("http", "edge.example").expect("a name")];
    let rewriting = Rewriting {
        path,
        hosts: &hosts,
        prefix: PREFIX,
        carries: &|path| match path.starts_with("/vod/") {
            true => Carries::YesWithNeighbours,
            false => Carries::No,
        },
        max,
    };
    rewrite(body, &rewriting)
}

/// Checks that the prefix is inserted where marked and nowhere else, that no URL is told to
/// be unknown, and that nothing is to be done a second time.
fn check(marked: &str) {
    check_with_unknown(marked, 0);
}

fn check_with_unknown(marked: &str, unknown: usize) {
    let original = marked.replace('^', "");
    let expected = marked.replace('^', PREFIX);
    let found = rewritten(original.as_bytes()).expect("a manifest");
    let body = found.body.unwrap_or_else(|| original.clone().into_bytes());
    assert_eq!(String::from_utf8(body).as_deref(), Ok(&*expected));
    assert_eq!(found.unknown, unknown, "{marked}");
    let again = rewritten(expected.as_bytes()).expect("a manifest");
    assert_eq!(again.body, None, "a second time: {marked}");
}

#[test]
fn what_is_no_manifest_is_left_alone() {
    for body in [
        "",
        "\u{feff}",
        "/vod/a.ts",
        "{\"a\": \"/vod/\"}",
        "#EXTINF:4\n/vod/a.ts",
    ] {
        assert_eq!(
            rewritten(body.as_bytes()),
            Err(Unreadable::UnknownFormat),
            "{body}"
        );
    }
    assert_eq!(
        rewritten(b"#EXTM3U\n/vod/\xff.ts"),
        Err(Unreadable::NotUtf8)
    );
    let utf16: Vec<u8> = "<MPD/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(
        rewritten(&[b"\xff\xfe", &utf16[..]].concat()),
        Err(Unreadable::NotUtf8)
    );
    assert_eq!(rewritten(&utf16), Err(Unreadable::UnknownFormat));
}

#[test]
fn a_manifest_that_would_become_too_large_is_left_alone() {
    let body = b"#EXTM3U\n/vod/a.ts\n/vod/b.ts\n";
    let size = body.len() + 2 * PREFIX.len();
    assert_eq!(
        rewrite_at("/vod/a", body, size - 1),
        Err(Unreadable::TooLarge)
    );
    let found = rewrite_at("/vod/a", body, size).expect("room");
    assert_eq!(found.body.map(|body| body.len()), Some(size));
    // What needs nothing is never too large.
    let found = rewrite_at("/vod/a", b"#EXTM3U\na.ts", 0).expect("nothing to do");
    assert_eq!(found.body, None);
}

#[test]
fn nothing_shows_the_token() {
    let rewriting = Rewriting {
        path: "/vod/a",
        hosts: &[],
        prefix: "/~secret",
        carries: &|_| Carries::Yes,
        max: 1,
    };
    assert!(!format!("{rewriting:?}").contains("secret"));
}
