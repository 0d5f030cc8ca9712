//! An eviction lasts until the player starts anew, whatever names its stream.

use serde_json::{Value, json};
use streamgate_tokens::cat::testing::Claims;

use super::session_api::{created, heartbeat};
use super::{Ask, World, get, refused};
use crate::config::Config;
use crate::testing::{NOW, config_with, test};

/// The latest of an account's streams wins, and `stream` names them.
fn latest_wins(stream: &Value) -> Config {
    config_with(|json| {
        let rule = &mut json["policies"][0]["rules"][0];
        rule["max"] = json!(1);
        rule["on_conflict"] = json!("stop_oldest");
        json["playback"][0]["stream"] = json!([stream]);
    })
    .unwrap()
}

fn by_cmcd(id: &str) -> Ask {
    get(format!("/vod/a/1.m4s?CMCD=sid%3D%22{id}%22")).account("alice")
}

fn by_header(id: &str) -> Ask {
    get("/vod/a/1.m4s")
        .account("alice")
        .header("x-stream-id", id)
}

#[test]
fn who_was_evicted_is_refused_until_it_begins_anew_however_many_came_after() {
    type Segment = fn(&str) -> Ask;
    let cases: [(Value, Segment); 2] = [
        (json!({"cmcd": "sid"}), by_cmcd),
        (json!({"header": "x-stream-id"}), by_header),
    ];
    for (stream, segment) in cases {
        let mut world = World::with(move || latest_wins(&stream));
        world.ask(segment("tv")).served();
        for n in 0..40 {
            world.host.advance_ms(1_000);
            let phone = format!("phone-{n}");
            world.ask(segment(&phone).on_worker(n % 2)).served();
            let answer = world.ask(segment("tv")).answer();
            assert_eq!(answer.status, 403, "{n}");
            assert_eq!(world.running("web", "alice").len(), 1);
            world.ask(segment(&phone)).served();
        }
        world.ask(segment("tv-again")).served();
        let answer = world.ask(segment("phone-39")).answer();
        assert_eq!(answer.status, 403);
    }
}

/// It asks once in a while, for hours, and others come and go all the time.
#[test]
fn who_asks_on_stays_refused_for_as_long_as_it_does() {
    let mut world = World::with(|| latest_wins(&json!({"cmcd": "sid"})));
    world.ask(by_cmcd("tv")).served();
    for n in 0..300 {
        world.host.advance_ms(40_000);
        world.ask(by_cmcd(&format!("phone-{n}"))).served();
        let answer = world.ask(by_cmcd("tv")).answer();
        assert_eq!(answer.status, 403, "{n}");
    }
}

/// The latest wins, whatever of these names its stream.
fn any_carrier() -> Config {
    let path = json!({"token": "path"});
    let query = json!({"token": {"query": "sg"}});
    let cookie = json!({"token": {"cookie": "sg"}});
    let header = json!({"token": {"header": "x-token"}});
    config_with(|json| {
        json["cat"] = json!({"keys": [{"id": "new", "secret": "@".repeat(32)}]});
        json["playback"][0]["application"] = json!("mobile");
        let subject =
            json!([path, query, header, {"header": "x-account-id"}, {"cat": "sub"}, cookie]);
        json["playback"][0]["subject"] = subject;
        let stream = json!([
            path, query, header, {"cat": "cti"}, {"jwt_claim": "sid"}, {"header": "x-stream-id"},
            {"cmcd": "sid"}, cookie, {"redirect": true},
        ]);
        json["playback"][0]["stream"] = stream;
    })
    .unwrap()
}

/// A minted token, of which nobody else knows.
fn token(world: &mut World) -> String {
    let answer = world
        .ask(get("/vod/a/master.m3u8").account("alice"))
        .answer();
    assert_eq!(answer.status, 307, "{answer:?}");
    let location = answer.header("location").unwrap();
    location[2..].split_once('/').unwrap().0.to_owned()
}

const SEGMENT: &str = "/vod/a/1.m4s";

/// Of an end that was long ago, the record no longer knows why; that it was is known for all that.
#[test]
fn an_end_whose_reason_has_faded_is_an_end_whatever_names_the_stream() {
    type Named = fn(&mut World) -> Ask;
    let kinds: [(&str, Named); 8] = [
        ("path", |world| get(format!("/~{}{SEGMENT}", token(world)))),
        ("query", |world| {
            get(format!("{SEGMENT}?sg={}", token(world)))
        }),
        ("header token", |world| {
            get(SEGMENT).header("x-token", token(world))
        }),
        ("cookie", |world| {
            let cookie = format!("sg={}", token(world));
            get(SEGMENT).account("alice").header("cookie", cookie)
        }),
        ("cmcd", |_| by_cmcd("tv")),
        ("header", |_| by_header("tv")),
        ("claim", |_| {
            get(SEGMENT).account("alice").claim("sid", "tv")
        }),
        ("cat", |_| {
            let until = NOW.plus_ms(86_400_000);
            let token = Claims::of("alice").until(until).id("tv").sign();
            get(SEGMENT).header("cta-common-access-token", token)
        }),
    ];
    for (kind, named) in kinds {
        let mut world = World::with(any_carrier);
        let segment = named(&mut world);
        world.ask(segment.clone()).served();
        let running = |world: &mut World| world.running("mobile", "alice").len();
        // More than are remembered with their reason, and more than are remembered one by one
        // of those whose ids say when they were issued.
        let mut last = String::new();
        for n in 0..60 {
            world.host.advance_ms(1_000);
            world.tick();
            last = match n % 2 {
                0 => format!("/~{}{SEGMENT}", token(&mut world)),
                _ => format!("{SEGMENT}?CMCD=sid%3D%22phone-{n}%22"),
            };
            world.ask(get(&last).account("alice")).served();
            let reason = if n < 8 { "evicted" } else { "stream-over" };
            if n == 0 || n == 30 || n == 59 {
                for worker in [0, 1] {
                    let asks = segment.clone().on_worker(worker);
                    assert_eq!(
                        world.ask(asks).refusal(),
                        refused(403, reason),
                        "{kind} {n}"
                    );
                }
                assert_eq!(running(&mut world), 1);
            }
        }
        // The last one plays on.
        world.ask(get(&last).account("alice")).served();
        // With an old cookie one begins anew; with nothing else.
        let manifest = Ask {
            path: segment.path.replace_file("master.m3u8"),
            ..segment
        };
        let begins = world.ask(manifest).answer().status;
        assert_eq!(begins, if kind == "cookie" { 307 } else { 403 }, "{kind}");
    }
}

trait ReplaceFile {
    fn replace_file(&self, name: &str) -> Vec<u8>;
}

impl ReplaceFile for Vec<u8> {
    fn replace_file(&self, name: &str) -> Vec<u8> {
        String::from_utf8_lossy(self).replace("1.m4s", name).into()
    }
}

/// A session is told why while that is known, and afterwards that it is over: its app starts
/// another one.
#[test]
fn a_session_whose_end_has_faded_is_over() {
    let mut world = World::new();
    let create = || {
        get("/v2/sessions/acme/alice")
            .method("POST")
            .application("mobile")
    };
    let victim = created(&mut world, create());
    let mut last = String::new();
    for n in 0..30 {
        world.host.advance_ms(1_000);
        last = created(&mut world, create());
        let answer = heartbeat(&mut world, "mobile", &victim);
        let told = (answer.status, answer.body.is_empty());
        assert_eq!(told, if n < 8 { (409, false) } else { (410, true) }, "{n}");
    }
    assert_eq!(world.running("mobile", "alice").len(), 1);
    assert_eq!(heartbeat(&mut world, "mobile", &last).status, 202);
}

/// Whoever stopped it, in which way ever.
#[test]
fn a_killed_and_a_stopped_playback_stay_over_as_well() {
    for kills in [true, false] {
        let mut world = World::new();
        let prefix = world.play("alice");
        let code = world.running("web", "alice")[0]["terminationCode"].clone();
        let id = world.running("web", "alice")[0]["sessionId"].clone();
        let ended = if kills {
            get("/v2/sessions/acme/alice")
                .method("POST")
                .header("x-terminate", code.as_str().unwrap())
        } else {
            let id = id.as_str().unwrap();
            get(format!("/v2/sessions/acme/alice/{id}")).method("DELETE")
        };
        assert_eq!(world.ask(ended.application("web")).answer().status, 202);
        for n in 0..30 {
            world.host.advance_ms(1_000);
            world.tick();
            let id = created(
                &mut world,
                get("/v2/sessions/acme/alice")
                    .method("POST")
                    .application("web"),
            );
            let stop = get(&id).method("DELETE").application("web");
            assert_eq!(world.ask(stop).answer().status, 202);
            let reason = match kills && n < 8 - 1 {
                true => "remote-termination",
                false => "stream-over",
            };
            let segment = get(format!("{prefix}/vod/a/2.m4s"));
            let told = world.ask(segment.on_worker(n % 2)).refusal();
            assert_eq!(told, refused(403, reason), "{n}");
        }
    }
}
