//! What rewriting a large manifest takes of a worker, in a real Envoy.

use std::time::Duration;

use streamgate_tests::{Edge, Given, Settings};

const MANIFESTS: u32 = 60;

/// The CPU time that Envoy takes for one such answer, once V8 has compiled what is called often.
fn each(edge: &Edge, path: &str) -> Duration {
    let client = edge.client();
    let ask = || {
        let answer = client.get(path).account("alice").send().expect(200);
        assert!(answer.body.len() >= 1_000_000);
    };
    (0..MANIFESTS).for_each(|_| ask());
    let before = edge.cpu_time();
    (0..MANIFESTS).for_each(|_| ask());
    (edge.cpu_time() - before) / MANIFESTS
}

/// A playlist of 23,000 absolute URLs, and as many in a DASH manifest: what costs most.
#[test]
fn a_megabyte_is_rewritten_in_less_than_20_ms() {
    let edge = Edge::start(Settings::default().alone());
    let times = |line: &str| line.repeat(1_000_000 / line.len() + 1);
    let hls = format!(
        "#EXTM3U\n{}",
        times("#EXTINF:4.000,\n/vod/film/segment-12345.m4s\n")
    );
    let dash = format!(
        "<MPD><Period><AdaptationSet><Representation><SegmentList>{}</SegmentList></Representation>\
         </AdaptationSet></Period></MPD>",
        times("<SegmentURL media=\"/vod/film/segment-12345.m4s\"/>\n")
    );
    let mut player = edge.player("alice");
    player.opens("/vod/film/master.m3u8");
    for (name, manifest) in [("large.m3u8", hls), ("large.mpd", dash)] {
        for directory in ["/vod/film/", "/elsewhere/"] {
            edge.origin
                .gives(&format!("{directory}{name}"), Given::body(manifest.clone()));
        }
        let rewritten = each(&edge, &player.path(name));
        let passed = each(&edge, &format!("/elsewhere/{name}"));
        let took = rewritten.saturating_sub(passed);
        println!("{name}: {rewritten:?} rewritten, {passed:?} passed on");
        // On a machine that does much else, each core does less in its time.
        assert!(took < Duration::from_millis(20 * 2), "{name}: {took:?}");
    }
    assert_eq!(edge.metric("manifests.rewritten"), u64::from(MANIFESTS) * 4);
}
