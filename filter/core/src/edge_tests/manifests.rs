//! Manifests that keep the token of their request.

use streamgate_record::metric::Metric;

use super::{Ask, TICKET, World, get};
use crate::config::Config;
use crate::playback::{Coding, Forward, Held, Rewrite};
use crate::step::Step;
use crate::testing::{config, config_with, test};

const MASTER: &str = "/vod/a/master.m3u8";

/// The tests' configuration with another value at a new place.
fn with(pointer: &str, value: &serde_json::Value) -> Config {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let changed = config_with(|json| json.pointer_mut(parent).unwrap()[name] = value.clone());
    changed.unwrap()
}

impl World {
    fn forward(&mut self, ask: Ask) -> Forward {
        let head = ask.headers.clone().with(":method", ask.method.as_bytes());
        let Self { host, workers } = self;
        match workers[ask.worker].on_request(host, TICKET, &head, &ask.path, true) {
            Step::Forward(forward) => forward,
            other => panic!("{other:?}"),
        }
    }

    /// What is to become of a response, or of a manifest that answers a request.
    pub(super) fn rewrite_of(&mut self, ask: Ask) -> Option<Box<Rewrite>> {
        self.forward(ask).rewrite
    }

    /// A manifest as the viewer gets it.
    pub(super) fn manifest(&mut self, path: &str, manifest: &str) -> String {
        let rewrite = self.rewrite_of(asked(path)).expect("a rewrite");
        let Self { host, workers } = self;
        let body = manifest.as_bytes();
        let rewritten = workers[0].rewrite_manifest(host, &rewrite, Coding::Identity, body);
        rewritten.map_or_else(
            || manifest.to_owned(),
            |body| String::from_utf8(body).unwrap(),
        )
    }
}

pub(super) fn asked(path: &str) -> Ask {
    get(path)
        .header(":scheme", "https")
        .header(":authority", "edge.example")
}

#[test]
fn only_manifests_that_came_by_get_under_a_token_are_rewritten() {
    let mut world = World::new();
    let token = world.play("alice");
    for name in [
        "master.m3u8",
        "a.M3U8?x=1",
        "a.m3u",
        "manifest.mpd",
        "b.MPD",
        "manifest",
        "film.ism/Manifest(format=mpd-time-csf)",
        "manifest/",
        "ads.json",
    ] {
        for _ in 0..2 {
            let ask = asked(&format!("{token}/vod/a/{name}"));
            assert!(world.rewrite_of(ask).is_some(), "{name}");
        }
        let post = asked(&format!("{token}/vod/a/{name}")).method("POST");
        assert!(world.rewrite_of(post).is_none(), "{name}");
    }
    for name in [
        "1.m4s",
        "1.ts",
        "key",
        "a.vtt",
        "segment",
        "a.m3u8/1.ts",
        "1.ts;.m3u8",
        "init.mp4",
        "json",
        "a.dat",
    ] {
        let ask = asked(&format!("{token}/vod/a/{name}"));
        assert!(world.rewrite_of(ask).is_none(), "{name}");
    }
    let named = asked(MASTER)
        .account("bob")
        .header("cmcd-session", "sid=\"1\"");
    assert!(world.rewrite_of(named).is_none());

    let mut off = World::with(|| {
        with(
            "/playback/0/manifests",
            &serde_json::json!({"max_bytes": 0}),
        )
    });
    let token = off.play("alice");
    assert!(off.rewrite_of(asked(&format!("{token}{MASTER}"))).is_none());
}

#[test]
fn an_operators_manifests_are_rewritten_whatever_their_names() {
    let classes = serde_json::json!({"manifest": ["**/play*"]});
    let mut world = World::with(|| with("/playback/0/classes", &classes.clone()));
    let token = world.play("alice");
    assert!(
        world
            .rewrite_of(asked(&format!("{token}/vod/a/play1")))
            .is_some()
    );
    assert!(
        world
            .rewrite_of(asked(&format!("{token}/vod/a/1.m4s")))
            .is_none()
    );
}

#[test]
fn the_origin_is_asked_for_all_of_it_in_a_form_that_can_be_read() {
    let mut world = World::new();
    let token = world.play("alice");
    let mut scrubbed = |ask: Ask| {
        let forward = world.forward(ask);
        let header = |name: &str| {
            let mut headers = forward.scrub.headers.iter();
            let found = headers
                .find(|(known, _)| known == name)
                .expect("to be changed");
            found
                .1
                .clone()
                .map(|value| String::from_utf8(value).unwrap())
        };
        assert_eq!(header("range"), None);
        assert_eq!(header("if-range"), None);
        header("accept-encoding").expect("a coding")
    };
    let master = format!("{token}{MASTER}");
    for (accepted, expected) in [
        ("gzip, deflate, br", "gzip"),
        ("br;q=1.0, GZIP;q=0.8", "gzip"),
        ("deflate,gzip ; q=0.001", "gzip"),
        ("br", "identity"),
        ("gzip;q=0", "identity"),
        ("gzip; q=0.000", "identity"),
        ("x-gzipped", "identity"),
        ("", "identity"),
        ("*", "identity"),
    ] {
        let ask = asked(&master).header("accept-encoding", accepted);
        assert_eq!(scrubbed(ask), expected, "{accepted}");
    }
    assert_eq!(
        scrubbed(asked(&master).header("range", "bytes=0-")),
        "identity"
    );
}

#[test]
fn urls_get_the_token_where_the_edge_takes_it() {
    let mut world = World::new();
    let token = world.play("alice");
    let master = format!("{token}{MASTER}");
    let line = |url: &str| format!("#EXTM3U\n#EXTINF:4,\n{url}\n");
    for (before, path) in [
        ("", "/vod/a/1.m4s"),
        ("", "/vod/other/1.m4s?x=1"),
        ("https://edge.example", "/vod/a/1.m4s"),
        ("//EDGE.example:443", "/vod/a/%20.m4s"),
        ("", "/vod/"),
    ] {
        let manifest = world.manifest(&master, &line(&format!("{before}{path}")));
        assert_eq!(manifest, line(&format!("{before}{token}{path}")));
    }
    for url in [
        "/open/1.m4s",
        "/v2/sessions/a/b",
        "/",
        "/vo",
        "http://edge.example/vod/1.m4s",
        "/vod/a/%2e%2e/1.m4s",
        "/vod;x/../a.m4s",
    ] {
        assert_eq!(world.manifest(&master, &line(url)), line(url));
    }
    assert_eq!(world.host.count(Metric::ManifestsRewritten), 5);
}

#[test]
fn what_a_token_is_not_good_for_does_not_get_it() {
    let mut world = World::with(|| {
        with(
            "/playback/0/match",
            &serde_json::json!({"prefix": "/vod/a/"}),
        )
    });
    let token = world.play("alice");
    let manifest = "#EXTM3U\n/vod/b/1.ts\n/vod/a/2.ts\n/vod/b/3.ts\n/vod/a/4.ts\n";
    let expected = manifest.replace("/vod/a/", &format!("{token}/vod/a/"));
    assert_eq!(
        world.manifest(&format!("{token}{MASTER}"), manifest),
        expected
    );
}

#[test]
fn what_is_left_out_and_stands_behind_a_token_may_keep_it() {
    let exclude = serde_json::json!({"prefix": "/vod/", "exclude": ["/vod/ads/**"]});
    let mut world = World::with(|| with("/playback/0/match", &exclude.clone()));
    let token = world.play("alice");
    let manifest = "#EXTM3U\n/vod/ads/1.ts\n/vod/a/1.ts\n";
    let expected = manifest.replace("/vod/", &format!("{token}/vod/"));
    assert_eq!(
        world.manifest(&format!("{token}{MASTER}"), manifest),
        expected
    );
    assert_eq!(
        world.ask(get(format!("{token}/vod/ads/1.ts"))).served(),
        "/vod/ads/1.ts"
    );
}

#[test]
fn prefixes_that_divide_a_directory_are_told_apart() {
    let mut world = World::with(|| {
        let mut config = config();
        let mut gold = with(
            "/playback/0/match",
            &serde_json::json!({"prefix": "/vod/a/gold"}),
        );
        let mut gold = gold.playback.remove(0);
        gold.subject
            .retain(|carrier| !matches!(carrier, crate::config::SubjectCarrier::Token(_)));
        gold.stream.clear();
        config.playback.insert(0, gold);
        config
    });
    let token = world.play("alice");
    let manifest = "#EXTM3U\n/vod/a/1.ts\n/vod/a/gold.ts\n/vod/a/2.ts\n";
    let expected = manifest.replace("/vod/a/", &format!("{token}/vod/a/"));
    let expected = expected.replace(&format!("{token}/vod/a/gold"), "/vod/a/gold");
    assert_eq!(
        world.manifest(&format!("{token}{MASTER}"), manifest),
        expected
    );
}

#[test]
fn what_is_held_is_told_by_the_responses_head() {
    let mut world = World::new();
    let token = world.play("alice");
    let rewrite = world
        .rewrite_of(asked(&format!("{token}{MASTER}")))
        .unwrap();
    let World { host, workers } = &world;
    let held = |status, headers: &[(&str, &str)]| {
        let header = |name: &str| {
            let mut headers = headers.iter();
            let found = headers.find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_bytes().to_vec())
        };
        let set = |name: &str, _: Option<&str>| panic!("{name} is set");
        match workers[0].on_response_head(host, &rewrite, (status, false), header, set) {
            Held::Until(end, coding) => Some((end.length, coding)),
            Held::No => None,
        }
    };
    let plain = Some((None, Coding::Identity));
    assert_eq!(held(200, &[]), plain);
    assert_eq!(
        held(200, &[("content-length", "2097152")]),
        Some((Some(2_097_152), Coding::Identity))
    );
    assert_eq!(held(200, &[("content-length", "nonsense")]), plain);
    assert_eq!(
        held(200, &[("content-encoding", " GZip ")]),
        Some((None, Coding::Gzip))
    );
    for status in [0, 203, 204, 206, 301, 304, 404, 503] {
        assert_eq!(held(status, &[]), None, "{status}");
    }
    assert_eq!(host.count(Metric::ManifestsTooLarge), 0);
    assert_eq!(held(200, &[("content-length", "2097153")]), None);
    assert_eq!(
        held(200, &[("content-length", "99999999999999999999")]),
        plain
    );
    assert_eq!(host.count(Metric::ManifestsTooLarge), 1);
    assert_eq!(host.count(Metric::ManifestsUnreadable), 0);
    assert_eq!(held(200, &[("content-encoding", "br")]), None);
    assert_eq!(held(200, &[("content-encoding", "gzip, br")]), None);
    assert_eq!(host.count(Metric::ManifestsUnreadable), 2);
    assert!(!format!("{rewrite:?}").contains(token.trim_start_matches("/~")));
}

#[test]
fn what_says_something_of_the_old_bytes_is_gone() {
    let described = |etag: Option<&[u8]>| {
        let mut set = Vec::new();
        Rewrite::describe(Some(7), etag.map(<[u8]>::to_vec), |name, value| {
            set.push((name.to_owned(), value.map(str::to_owned)));
        });
        let mut kept = set.into_iter().filter(|(_, value)| value.is_some());
        assert_eq!(
            kept.next(),
            Some(("content-length".to_owned(), Some("7".to_owned())))
        );
        kept.next().map(|(_, value)| value.unwrap())
    };
    for (etag, told) in [
        (Some(&b"\"1\""[..]), Some("W/\"1\"")),
        (Some(b"\"\""), Some("W/\"\"")),
        (Some(b"W/\"1\""), None),
        (Some(b"\"\xff\""), None),
        (Some(b""), None),
        (None, None),
    ] {
        assert_eq!(described(etag).as_deref(), told, "{etag:?}");
    }
}

#[test]
fn a_token_that_ends_meanwhile_is_not_handed_on() {
    let mut world = World::new();
    let token = world.play("alice");
    let rewrite = world
        .rewrite_of(asked(&format!("{token}{MASTER}")))
        .unwrap();
    world.host.advance_ms(31 * 24 * 3_600_000);
    let World { host, workers } = &world;
    let body = b"#EXTM3U\n/vod/a/1.ts\n";
    assert_eq!(
        workers[0].rewrite_manifest(host, &rewrite, Coding::Identity, body),
        None
    );
}
