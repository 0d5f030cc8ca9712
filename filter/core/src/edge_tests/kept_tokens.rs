//! Heads of responses to requests under a token: redirects that have to keep it, and what they say of manifests
//! that are rewritten.

use std::collections::BTreeMap;

use serde_json::json;

use super::manifests::asked;
use super::{Ask, World};
use crate::config::{Config, SubjectCarrier};
use crate::edge::Edge;
use crate::playback::Held;
use crate::testing::{config, config_with, test};

/// What of a response's headers has changed; no value: it is gone.
type Changes = BTreeMap<String, Option<String>>;

impl World {
    /// What becomes of the head of the response to a request; `None`: nobody looks at it.
    fn head(
        &mut self,
        ask: Ask,
        (status, ends): (u16, bool),
        headers: &[(&str, &str)],
    ) -> Option<Changes> {
        let worker = ask.worker;
        let rewrite = self.rewrite_of(ask)?;
        let mut changes = Changes::new();
        let header = |name: &str| {
            let mut headers = headers.iter();
            let found = headers.find(|(known, _)| *known == name)?;
            Some(found.1.as_bytes().to_vec())
        };
        let set = |name: &str, value: Option<&str>| {
            changes.insert(name.to_owned(), value.map(str::to_owned));
        };
        let Self { host, workers } = self;
        let held = workers[worker].on_response_head(host, &rewrite, (status, ends), header, set);
        assert!(matches!(held, Held::No) || status == 200);
        Some(changes)
    }

    /// Where a redirect leads, if it was changed.
    fn led(&mut self, ask: Ask, to: &str) -> Option<String> {
        let changes = self.head(ask, (302, true), &[("location", to)])?;
        changes.get("location").cloned().flatten()
    }
}

#[test]
fn a_redirect_to_a_protected_path_of_this_host_keeps_the_token() {
    for name in [
        "master.m3u8",
        "manifest.mpd",
        "ads.json",
        "1.m4s",
        "film.mp4",
        "key",
        "a.vtt",
    ] {
        let mut world = World::new();
        // On its first request at a worker, and the next.
        let token = world.play("alice");
        let ask = || asked(&format!("{token}/vod/a/{name}")).on_worker(1);
        for (before, path) in [
            ("", "/vod/b/2.m4s"),
            ("", "/vod/b/2.m4s?x=1&u=//evil/"),
            ("", "/VOD/b/2.m4s#t=1"),
            ("", "/vod/%20.m4s"),
            ("https://edge.example", "/vod/b.m3u8"),
            ("HTTPS://EDGE.example:443", "/vod/b.m3u8"),
            ("//edge.example", "/vod/b.m3u8"),
        ] {
            let led = world.led(ask(), &format!("{before}{path}"));
            assert_eq!(led, Some(format!("{before}{token}{path}")), "{name} {path}");
        }
    }
}

#[test]
fn no_token_goes_to_another_host_or_where_none_may_be() {
    let mut world = World::new();
    let token = world.play("alice");
    for to in [
        "https://other.example/vod/a.m3u8",
        "//other.example/vod/a.m3u8",
        "https://edge.example.evil/vod/a",
        "https://edge.example@evil/vod/a",
        "https://edge.example:8443/vod/a",
        // Without TLS.
        "http://edge.example/vod/a",
        "https:/vod/a",
        "\\\\edge.example/vod/a",
        "/vod\\..\\a",
        "/vod/%2e%2e/open",
        "/vod/../open",
        "/open/a.m3u8",
        "/v2/sessions/acme/alice",
        "/",
        "",
        "skd://edge.example/vod/a",
        "data:text/plain,/vod/",
        // These have it already, or inherit it.
        "/~other/vod/a.m3u8",
        "b.m3u8",
        "../b/b.m3u8",
        "?x=1",
    ] {
        let ask = asked(&format!("{token}/vod/a/master.m3u8"));
        assert_eq!(world.led(ask, to), None, "{to}");
    }
    // Nobody's token, or one that is over by now.
    let ask = asked("/vod/a/master.m3u8").account("bob");
    let ask = ask.header("cmcd-session", "sid=\"1\"");
    assert_eq!(
        world.head(ask, (302, true), &[("location", "/vod/b")]),
        None
    );
    let bare = asked(&format!("{token}/vod/a/master.m3u8"));
    let bytes = [("location", "/vod/\u{e9}")];
    assert!(world.head(bare, (302, true), &bytes).is_some());
    // What is no redirect leads nowhere.
    for status in [200, 201, 403, 503] {
        let ask = asked(&format!("{token}/vod/a/master.m3u8"));
        let changes = world.head(ask, (status, false), &[("location", "/vod/b")]);
        assert_eq!(changes.unwrap_or_default(), Changes::new(), "{status}");
    }
}

/// Whatever is good under the token keeps it, and nothing else.
#[test]
fn a_token_that_is_not_good_there_is_left_away() {
    let mut world = World::with(|| {
        let mut config = config();
        let mut gold =
            config_with(|json| json["playback"][0]["match"] = json!({"prefix": "/gold/"}));
        let mut gold = gold.as_mut().unwrap().playback.remove(0);
        gold.subject
            .retain(|carrier| !matches!(carrier, SubjectCarrier::Token(_)));
        gold.stream.clear();
        config.playback.push(gold);
        config
    });
    let token = world.play("alice");
    let ask = || asked(&format!("{token}/vod/a/master.m3u8"));
    assert_eq!(world.led(ask(), "/gold/a.m3u8"), None);
    assert_eq!(
        world.led(ask(), "/vod/a.m3u8"),
        Some(format!("{token}/vod/a.m3u8"))
    );
}

/// On the fast path no response is looked at, until one is known to lead elsewhere.
#[test]
fn a_worker_that_has_seen_a_redirect_looks_at_all_responses() {
    let mut world = World::new();
    let token = world.play("alice");
    let segment = || asked(&format!("{token}/vod/a/1.m4s"));
    assert_eq!(
        world.head(segment(), (302, true), &[("location", "/vod/b/1.m4s")]),
        None
    );
    // One to elsewhere is none of them.
    let master = || asked(&format!("{token}/vod/a/master.m3u8"));
    assert_eq!(world.led(master(), "https://other.example/vod/b"), None);
    assert_eq!(world.led(segment(), "/vod/b/1.m4s"), None);
    assert!(world.led(master(), "/vod/b/master.m3u8").is_some());
    for _ in 0..3 {
        let led = world.led(segment(), "/vod/b/1.m4s");
        assert_eq!(led, Some(format!("{token}/vod/b/1.m4s")));
        assert_eq!(world.streams("alice"), 1);
        world.host.advance_ms(40_000);
        world.tick();
    }
    // Its media are media all the same.
    let rewrite = world.rewrite_of(segment()).unwrap();
    assert!(!rewrite.is_of_manifest());
}

#[test]
fn what_one_worker_has_seen_of_redirects_all_know_and_keep_through_an_update() {
    let mut world = World::new();
    let token = world.play("alice");
    let segment = |worker| asked(&format!("{token}/vod/a/1.m4s")).on_worker(worker);
    // By the record, and then by a lease.
    world.ask(segment(1)).served();
    assert_eq!(world.led(segment(1), "/vod/b/1.m4s"), None);
    let master = asked(&format!("{token}/vod/a/master.m3u8"));
    assert!(world.led(master, "/vod/b/master.m3u8").is_some());
    world.tick();
    let kept = Some(format!("{token}/vod/b/1.m4s"));
    assert_eq!(world.led(segment(1), "/vod/b/1.m4s"), kept);
    world.workers = [(); 2].map(|()| Edge::new(config(), &world.host));
    world.tick();
    for worker in [0, 1] {
        world.ask(segment(worker)).served();
        assert_eq!(world.led(segment(worker), "/vod/b/1.m4s"), kept);
    }
}

fn etag(changes: &Changes) -> Option<&str> {
    changes.get("etag").and_then(Option::as_deref)
}

#[test]
fn what_has_not_changed_has_the_validator_that_the_viewer_knows() {
    let mut world = World::new();
    let token = world.play("alice");
    let mut told = |known: Option<&str>, tag: &str| {
        let mut ask = asked(&format!("{token}/vod/a/master.m3u8"));
        if let Some(known) = known {
            ask = ask.header("if-none-match", known);
        }
        let changes = world.head(ask, (304, true), &[("etag", tag)]).unwrap();
        let told = etag(&changes).map(str::to_owned);
        assert_eq!(changes.len(), usize::from(told.is_some()), "{changes:?}");
        told
    };
    // It was rewritten.
    assert_eq!(told(Some("W/\"1\""), "\"1\"").as_deref(), Some("W/\"1\""));
    let several = Some("\"0\", W/\"1\" ,\"2\"");
    assert_eq!(told(several, "\"1\"").as_deref(), Some("W/\"1\""));
    // It was not.
    for known in [Some("\"1\""), Some("W/\"11\""), Some("*"), Some(""), None] {
        assert_eq!(told(known, "\"1\""), None, "{known:?}");
    }
    for tag in ["W/\"1\"", "1", ""] {
        assert_eq!(told(Some("W/\"1\""), tag), None, "{tag}");
    }
    // What is no manifest is not rewritten.
    let ask = asked(&format!("{token}/vod/a/1.m4s")).on_worker(1);
    let ask = ask.header("if-none-match", "W/\"1\"");
    let changes = world.head(ask, (304, true), &[("etag", "\"1\"")]);
    assert_eq!(changes, Some(Changes::new()));
}

#[test]
fn a_head_says_nothing_that_a_rewritten_manifest_would_not() {
    let mut world = World::new();
    let token = world.play("alice");
    let headers = [("etag", "\"1\""), ("content-length", "7")];
    for name in ["master.m3u8", "ads.json"] {
        let ask = asked(&format!("{token}/vod/a/{name}")).method("HEAD");
        let changes = world.head(ask, (200, true), &headers).unwrap();
        assert_eq!(etag(&changes), Some("W/\"1\""));
        for gone in [
            "content-length",
            "content-encoding",
            "accept-ranges",
            "content-md5",
            "digest",
            "repr-digest",
            "content-digest",
        ] {
            assert_eq!(changes.get(gone), Some(&None), "{gone}");
        }
        assert_eq!(changes.len(), 8);
    }
    let ask = asked(&format!("{token}/vod/a/1.m4s")).method("HEAD");
    let changes = world.head(ask.on_worker(1), (200, true), &headers);
    assert_eq!(changes, Some(Changes::new()));
    // Of what is not rewritten, all is true.
    let off = || -> Config {
        config_with(|json| json["playback"][0]["manifests"] = json!({"max_bytes": 0})).unwrap()
    };
    let mut world = World::with(off);
    let token = world.play("alice");
    let ask = asked(&format!("{token}/vod/a/master.m3u8")).on_worker(1);
    let changes = world.head(ask.method("HEAD"), (200, true), &headers);
    assert_eq!(changes, Some(Changes::new()));
}
