//! Pages of other origins read what the edge answers, with Envoy's CORS filter in front and
//! without it, and never two words about who may.

use serde_json::json;
use streamgate_tests::WebPlayer::{HlsJs, Shaka};
use streamgate_tests::{Answer, Browser, Edge, Settings, eventually, sample};

const HLS: &str = "/vod/sample/master.m3u8";
const SITE: &str = "https://player.example";

/// The smallest edge: nothing but streamgate adds a header.
fn alone() -> Edge {
    Edge::start(Settings::shipped("smallest.yaml"))
}

fn behind_cors() -> Edge {
    Edge::start(Settings::shipped("edge.yaml"))
}

#[track_caller]
fn assert_readable(answer: &Answer, allowed: &str) {
    let said = answer.values("access-control-allow-origin");
    assert_eq!(said, [allowed], "{answer:?}");
    let exposed = answer.values("access-control-expose-headers");
    assert_eq!(exposed.len(), 1, "{answer:?}");
    let exposed = exposed[0].to_ascii_lowercase();
    for header in ["location", "retry-after", "x-streamgate-reason"] {
        assert!(exposed.contains(header), "{exposed}");
    }
    assert!(answer.values("access-control-allow-credentials").is_empty());
}

#[test]
fn redirects_refusals_and_options_are_readable_with_envoys_cors_filter_and_without() {
    for (edge, allowed) in [(alone(), "*"), (behind_cors(), SITE)] {
        let get = |path: &str| edge.get(path).header("origin", SITE);
        let open = || get("/vod/film/master.m3u8").account("alice").send();
        let mut prefixes = Vec::new();
        for _ in 0..3 {
            let redirect = open().expect(307);
            assert_readable(&redirect, allowed);
            let location = redirect.header("location").expect("a place").to_owned();
            let prefix = location.strip_suffix("/vod/film/master.m3u8");
            prefixes.push(prefix.expect("a token").to_owned());
            let segment = format!("{}/vod/film/1.m4s", prefixes[prefixes.len() - 1]);
            let _ = get(&segment).send().expect(200);
        }
        assert_readable(&open().expect_refusal(403, "limit-reached"), allowed);
        assert_readable(&get("/vod/film/1.m4s").send().expect(403), allowed);
        let unsound = get("/~bad/vod/film/1.m4s").account("alice").send();
        assert_readable(&unsound.expect_refusal(403, "token-invalid"), allowed);
        let opaque = edge.get("/vod/film/1.m4s").header("origin", "null");
        let opaque = opaque
            .account("alice")
            .send()
            .expect_refusal(403, "no-stream");
        let anybody = if allowed == "*" { "*" } else { "null" };
        assert_readable(&opaque, anybody);

        let client = edge.client();
        let path = format!("{}/vod/film/2.m4s?x", prefixes[0]);
        let preflight = client
            .request("OPTIONS", "/vod/film/2.m4s")
            .header("origin", SITE);
        let preflight = preflight
            .header("access-control-request-method", "GET")
            .send();
        assert!(matches!(preflight.status, 200 | 204), "{preflight:?}");
        assert_eq!(preflight.values("access-control-allow-origin"), [SITE]);
        // What reaches the origin is the origin's to allow; nothing is said twice.
        let media = client.get(&path).header("origin", SITE).send().expect(200);
        let said = media.values("access-control-allow-origin").len();
        assert_eq!(said, usize::from(allowed == SITE), "{media:?}");
    }
}

/// It takes the place of the origin's answer, and is no answer of the filter's own to Envoy.
#[test]
fn so_is_a_refusal_after_the_origins_answer() {
    const SEGMENT: &str = "/vod/film/late.m4s";
    for (edge, allowed) in [(alone(), "*"), (behind_cors(), SITE)] {
        edge.origin.is_open();
        let open = || {
            let answer = edge.get("/vod/film/master.m3u8").account("alice").send();
            let location = answer
                .expect(307)
                .header("location")
                .expect("a place")
                .to_owned();
            location.replace("/vod/film/master.m3u8", "")
        };
        let [first, second, third, late] = [(); 4].map(|()| open());
        edge.origin.holds(SEGMENT);
        let ask = edge.get(&format!("{late}{SEGMENT}")).header("origin", SITE);
        let answer = std::thread::spawn(|| ask.send());
        eventually("the origin is asked", || !edge.origin.seen().is_empty());
        for prefix in [first, second, third] {
            let _ = edge
                .get(&format!("{prefix}/vod/film/1.m4s"))
                .send()
                .expect(200);
        }
        edge.origin.releases(SEGMENT);
        let answer = answer.join().expect("an answer");
        assert_readable(&answer.expect_refusal(403, "limit-reached"), allowed);
    }
}

/// The account is one that every browser names unasked, as behind a hop that signs viewers in.
#[test]
fn players_in_pages_of_another_origin_play_with_the_smallest_configuration() {
    let settings = Settings::shipped("smallest.yaml")
        .serving(sample())
        .with(
            "/playback/0/subject/1",
            json!({"header": "accept-encoding"}),
        )
        .with("/policies/0/rules/0/max", 2);
    let (edge, browser) = (Edge::start(settings), Browser::start());
    edge.origin.is_open();
    let tabs = [HlsJs, Shaka].map(|player| browser.open(player, &edge, HLS).plays());
    let shown = browser.open(HlsJs, &edge, HLS).go().refusal();
    assert_eq!(shown.reason, "limit-reached");
    assert_eq!(shown.message, "Too many streams on this account");
    for tab in &tabs {
        tab.assert_plays();
    }
    assert_eq!(edge.metric("starts"), 2);
}
