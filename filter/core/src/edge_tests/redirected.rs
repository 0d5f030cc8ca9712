//! Players that ask for their manifest before the redirect, again and again.

use super::manifests::asked;
use super::{World, get};
use crate::testing::test;
use streamgate_record::metric::Metric;

const MASTER: &str = "/vod/a/master.m3u8";

/// A live playlist, and one that is not.
const LIVE: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n1.ts\n";
const WHOLE: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n1.ts\n#EXT-X-ENDLIST\n";
const LIST: &str = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720.m3u8\n";

/// A player, by what is seen of it.
#[derive(Clone, Copy)]
struct Player<'a> {
    agent: &'a str,
    address: &'a str,
    is_browser: bool,
}

const PLAYER: Player<'_> = Player {
    agent: "tv",
    address: "10.0.0.1:1000",
    is_browser: false,
};

impl Player<'_> {
    /// Asks at the address before the redirect; the prefix that it is led to.
    fn asks(self, world: &mut World, path: &str) -> String {
        let mut ask = asked(path)
            .account("alice")
            .header("user-agent", self.agent);
        ask = ask.header("(client address)", self.address);
        if self.is_browser {
            ask = ask.header("sec-fetch-mode", "cors");
        }
        let answer = world.ask(ask).answer();
        assert_eq!(answer.status, 307, "{answer:?}");
        let location = answer.header("location").unwrap();
        location.strip_suffix(path).unwrap().to_owned()
    }

    /// The same, and goes where it is led, and plays.
    fn plays(self, world: &mut World, path: &str, manifest: &str) -> String {
        let prefix = self.asks(world, path);
        world.manifest(&format!("{prefix}{path}"), manifest);
        world.ask(get(format!("{prefix}/vod/a/1.m4s"))).served();
        prefix
    }
}

#[test]
fn a_player_that_asks_before_the_redirect_over_and_over_is_one_stream() {
    let mut world = World::new();
    for second in 0..100 {
        let path = format!("{MASTER}?_HLS_msn={second}");
        PLAYER.plays(&mut world, &path, LIVE);
        world.host.advance_ms(4_000);
        world.tick();
    }
    assert_eq!(world.streams("alice"), 1);
    assert_eq!(world.host.count(Metric::Starts), 1);
}

impl Player<'_> {
    /// The same where the origin redirects what is asked for there, to this address once and once again.
    fn is_led_on(self, world: &mut World, path: &str, to: &[&str], manifest: &str) -> String {
        let prefix = self.asks(world, path);
        let mut at = path.to_owned();
        for to in to {
            world.origin_redirects(&format!("{prefix}{at}"), to);
            at = match to.starts_with('/') {
                true => (*to).to_owned(),
                false => format!("/vod/a/{to}"),
            };
        }
        world.manifest(&format!("{prefix}{at}"), manifest);
        world.ask(get(format!("{prefix}/vod/a/1.m4s"))).served();
        prefix
    }
}

impl World {
    /// The origin's response to a request under a token is a redirect.
    fn origin_redirects(&mut self, path: &str, to: &str) {
        let rewrite = self.rewrite_of(asked(path)).expect("a rewrite");
        let header = |name: &str| (name == "location").then(|| to.as_bytes().to_vec());
        let Self { host, workers } = self;
        let _ = workers[0].on_response_head(host, &rewrite, (302, true), header, |_, _| ());
    }
}

#[test]
fn a_player_that_is_led_on_by_the_origin_and_goes_back_over_and_over_is_one_stream() {
    for to in [
        &["/vod/b/live.m3u8"][..],
        &["/vod/b/live.m3u8", "/vod/c/live.m3u8?now"],
        &["live.m3u8?now"],
    ] {
        let mut world = World::new();
        for _ in 0..50 {
            PLAYER.is_led_on(&mut world, MASTER, to, LIVE);
            world.host.advance_ms(4_000);
            world.tick();
        }
        assert_eq!(world.streams("alice"), 1, "{to:?}");
        assert_eq!(world.host.count(Metric::Starts), 1, "{to:?}");
    }
}

#[test]
fn two_players_that_are_led_on_by_the_origin_are_two_streams() {
    let to = &["/vod/b/live.m3u8"][..];
    // At the same time.
    let mut world = World::new();
    let prefixes = [(); 2].map(|()| PLAYER.is_led_on(&mut world, MASTER, to, LIVE));
    assert_ne!(prefixes[0], prefixes[1]);
    assert_eq!(world.streams("alice"), 2);
    // One that stays where the edge has led it, or where the origin has, and another.
    for stays_at in [MASTER, "/vod/b/live.m3u8"] {
        let mut world = World::new();
        let prefix = PLAYER.is_led_on(&mut world, MASTER, to, LIVE);
        world.host.advance_ms(4_000);
        if stays_at == MASTER {
            world.origin_redirects(&format!("{prefix}{MASTER}"), to[0]);
        }
        world.manifest(&format!("{prefix}{}", to[0]), LIVE);
        world.ask(get(format!("{prefix}/vod/a/2.m4s"))).served();
        PLAYER.is_led_on(&mut world, MASTER, to, LIVE);
        assert_eq!(world.streams("alice"), 2, "{stays_at}");
    }
    // A list of playlists is asked for once.
    for manifest in [WHOLE, LIST] {
        let mut world = World::new();
        PLAYER.is_led_on(&mut world, MASTER, to, manifest);
        world.host.advance_ms(4_000);
        PLAYER.is_led_on(&mut world, MASTER, to, manifest);
        assert_eq!(world.streams("alice"), 2, "{manifest}");
    }
}

#[test]
fn two_players_of_one_manifest_are_two_streams() {
    let browser = Player {
        is_browser: true,
        ..PLAYER
    };
    let phone = Player {
        agent: "phone",
        ..PLAYER
    };
    let next_door = Player {
        address: "10.0.0.2:1000",
        ..PLAYER
    };
    for (first, second) in [
        (browser, browser),
        (PLAYER, phone),
        (PLAYER, next_door),
        (browser, PLAYER),
    ] {
        let mut world = World::new();
        first.plays(&mut world, MASTER, LIVE);
        second.plays(&mut world, MASTER, LIVE);
        assert_eq!(world.streams("alice"), 2);
    }
    // What does not change is asked for once.
    for manifest in [WHOLE, LIST, "<MPD type=\"static\"/>", "some bytes"] {
        let mut world = World::new();
        PLAYER.plays(&mut world, MASTER, manifest);
        PLAYER.plays(&mut world, MASTER, manifest);
        assert_eq!(world.streams("alice"), 2, "{manifest}");
    }
    // At the same time.
    let mut world = World::new();
    let prefixes = [(); 2].map(|()| PLAYER.asks(&mut world, MASTER));
    for prefix in &prefixes {
        world.manifest(&format!("{prefix}{MASTER}"), LIVE);
    }
    for prefix in &prefixes {
        world.ask(get(format!("{prefix}/vod/a/1.m4s"))).served();
    }
    assert_eq!(world.streams("alice"), 2);
    // One that stays, and another.
    let mut world = World::new();
    let prefix = PLAYER.plays(&mut world, MASTER, LIVE);
    world.manifest(&format!("{prefix}{MASTER}"), LIVE);
    PLAYER.plays(&mut world, MASTER, LIVE);
    assert_eq!(world.streams("alice"), 2);
}

/// Both ask before the redirect again, whenever their playlist is due.
#[test]
fn two_alike_that_ask_before_the_redirect_over_and_over_are_two_streams() {
    // By how much later the second begins, in milliseconds; the playlist is due after 4 s.
    for later_ms in [0, 100, 1_000, 1_700] {
        let mut world = World::new();
        for round in 0..30 {
            if later_ms > 0 {
                PLAYER.plays(&mut world, MASTER, LIVE);
                world.host.advance_ms(later_ms);
                PLAYER.plays(&mut world, MASTER, LIVE);
            } else {
                // Each step of both at once.
                let prefixes = [(); 2].map(|()| PLAYER.asks(&mut world, MASTER));
                for prefix in &prefixes {
                    world.manifest(&format!("{prefix}{MASTER}"), LIVE);
                }
                for prefix in &prefixes {
                    world.ask(get(format!("{prefix}/vod/a/1.m4s"))).served();
                }
                assert_ne!(prefixes[0], prefixes[1], "{round}");
            }
            world.host.advance_ms(4_000 - later_ms);
            world.tick();
        }
        assert_eq!(world.streams("alice"), 2, "{later_ms}");
        assert_eq!(world.host.count(Metric::Starts), 2, "{later_ms}");
    }
}

/// The second comes when the first is due and has not asked yet: it is taken for the first, but
/// not for long.
#[test]
fn two_alike_are_told_apart_as_soon_as_both_have_asked() {
    let mut world = World::new();
    PLAYER.plays(&mut world, MASTER, LIVE);
    world.host.advance_ms(3_000);
    PLAYER.plays(&mut world, MASTER, LIVE);
    for _ in 0..20 {
        world.host.advance_ms(1_000);
        PLAYER.plays(&mut world, MASTER, LIVE);
        world.host.advance_ms(3_000);
        PLAYER.plays(&mut world, MASTER, LIVE);
        world.tick();
    }
    assert_eq!(world.streams("alice"), 2);
    assert_eq!(world.host.count(Metric::Starts), 2);
}

/// Players may ask again after half the time if nothing has changed, and with low latency for each
/// part.
#[test]
fn one_that_asks_as_often_as_it_may_is_one_stream() {
    let with_parts = format!("{LIVE}#EXT-X-PART-INF:PART-TARGET=0.5\n");
    let mpd = "<MPD type=\"dynamic\" minimumUpdatePeriod=\"PT2S\"/>";
    let any_time = "<MPD type=\"dynamic\" minimumUpdatePeriod=\"PT0H0M1.5S\"/>";
    for (manifest, each_ms) in [
        (LIVE, 2_000),
        (&with_parts, 300),
        (mpd, 1_900),
        (any_time, 700),
    ] {
        let mut world = World::new();
        for _ in 0..200 {
            PLAYER.plays(&mut world, MASTER, manifest);
            world.host.advance_ms(each_ms);
            world.tick();
        }
        assert_eq!(world.streams("alice"), 1, "{manifest}");
        assert_eq!(world.host.count(Metric::Starts), 1, "{manifest}");
    }
}

#[test]
fn a_playback_that_is_over_is_not_taken_up_again() {
    let mut world = World::new();
    let first = PLAYER.plays(&mut world, MASTER, LIVE);
    world.host.advance_ms(crate::testing::TIMEOUT_MS + 1_000);
    world.tick();
    let second = PLAYER.plays(&mut world, MASTER, LIVE);
    assert_ne!(first, second);
    assert_eq!(world.streams("alice"), 1);
    assert_eq!(world.host.count(Metric::Starts), 2);
    // One that was stopped on purpose plays anew.
    let running = world.running("web", "alice");
    let id = running[0]["sessionId"].as_str().unwrap().to_owned();
    let stop = get(format!("/v2/sessions/acme/alice/{id}"))
        .method("DELETE")
        .application("web");
    assert_eq!(world.ask(stop).answer().status, 202);
    PLAYER.plays(&mut world, MASTER, LIVE);
    assert_eq!(world.host.count(Metric::Starts), 3);
}
