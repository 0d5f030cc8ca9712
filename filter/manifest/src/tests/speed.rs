//! What large manifests cost. Times are bounded far above what they are: a slow machine is
//! not to fail, an algorithm that is quadratic is.

use std::time::Duration;

use super::rewritten;

const MEGABYTE: usize = 1_000_000;

fn times(line: &str) -> String {
    line.repeat(MEGABYTE.div_ceil(line.len()))
}

/// Manifests of a megabyte, of kinds that cost most.
fn large() -> [(&'static str, String); 5] {
    let segments = times("<SegmentURL media=\"/vod/film/segment-1.m4s\"/>");
    let timeline = times("<S t=\"1\" d=\"51200\" r=\"4\" />\n");
    let representations = times(
        "<Representation id=\"1\"><BaseURL>/vod/1/</BaseURL><SegmentTemplate media=\"$Number$\"/></Representation>",
    );
    let wrap = |content: &str| {
        format!(
            "<MPD><BaseURL>/</BaseURL><Period><AdaptationSet>{content}</AdaptationSet></Period></MPD>"
        )
    };
    [
        (
            "hls",
            format!(
                "#EXTM3U\n{}",
                times("#EXTINF:4,\n/vod/film/segment-1.m4s\n")
            ),
        ),
        (
            "hls with variables",
            format!(
                "#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"/vod/film\"\n{}",
                times("#EXTINF:4,\n{$a}/segment-1.m4s\n")
            ),
        ),
        ("dash list", wrap(&segments)),
        ("dash timeline", wrap(&timeline)),
        ("dash representations", wrap(&representations)),
    ]
}

/// How long the fastest of some turns takes.
// `Instant` is for the product's code to avoid; a test may look at a clock.
#[allow(clippy::disallowed_types)]
fn fastest(turns: usize, mut turn: impl FnMut()) -> Duration {
    let timed = |_| {
        let began = std::time::Instant::now();
        turn();
        began.elapsed()
    };
    (0..turns).map(timed).min().unwrap_or_default()
}

#[test]
fn a_megabyte_is_read_in_a_bounded_time() {
    for (name, body) in large() {
        let took = fastest(3, || {
            let found = rewritten(body.as_bytes()).expect("a manifest");
            assert!(found.body.is_some() || name == "dash timeline", "{name}");
        });
        eprintln!("{name}: {took:?}, {} bytes", body.len());
        assert!(took < Duration::from_secs(2), "{name}: {took:?}");
    }
}
