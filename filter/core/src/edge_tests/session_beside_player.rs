//! An app of the reference service's shape and its player, which nobody changed but for the session's id
//! that it sends along: one playback, one stream.

use serde_json::{Value, json};
use streamgate_record::metric::Metric;

use super::session_api::{create, created, heartbeat};
use super::{Ask, World, get, refused};
use crate::config::Config;
use crate::testing::{TIMEOUT_MS, config_with, test};

fn config(stream: &Value, max: u32) -> Config {
    config_with(|json| {
        json["compatibility"] = json!("cm-v2");
        json["policies"][0]["rules"][0]["max"] = json!(max);
        json["playback"][0]["stream"] = json!([stream]);
    })
    .unwrap()
}

type Segment = fn(&str) -> Ask;

fn carriers() -> [(Value, Segment); 3] {
    [
        (json!({"header": "x-session-id"}), |id| {
            get("/vod/a/1.m4s")
                .account("alice")
                .header("x-session-id", id)
        }),
        (json!({"cmcd": "sid"}), |id| {
            get(format!("/vod/a/1.m4s?CMCD=sid%3D%22{id}%22")).account("alice")
        }),
        (json!({"cmcd": "sid"}), |id| {
            let sid = format!("sid=\"{id}\"");
            get("/vod/a/1.m4s")
                .account("alice")
                .header("cmcd-session", sid)
        }),
    ]
}

#[test]
fn an_app_and_its_player_are_one_stream_by_the_sessions_id() {
    for max in [1, 2] {
        for (stream, segment) in carriers() {
            let mut world = World::with(|| config(&stream, max));
            let id = created(&mut world, create("web"));
            let url = format!("/v2/sessions/acme/alice/{id}");
            for _ in 0..4 {
                world.ask(segment(&id)).served();
                assert_eq!(heartbeat(&mut world, "web", &url).status, 202);
                world.host.advance_ms(TIMEOUT_MS / 2);
            }
            assert_eq!(world.streams("alice"), 1);
            for n in 1..max {
                world.ask(segment(&format!("other-{n}"))).served();
            }
            let answer = world.ask(segment("one-more")).refusal();
            assert_eq!(answer, refused(403, "limit-reached"));
            // The app stops: so has its player.
            let stop = get(&url).method("DELETE").application("web");
            assert_eq!(world.ask(stop).answer().status, 202);
            let answer = world.ask(segment(&id)).refusal();
            assert_eq!(answer, refused(403, "stream-over"));
        }
    }
}

/// Whoever has learned an id plays by it for its own account alone, and a damaged one is as good as
/// any other text.
#[test]
fn a_sessions_id_is_one_for_its_own_account_only() {
    for (stream, segment) in carriers() {
        let mut world = World::with(|| config(&stream, 2));
        let id = created(&mut world, create("web"));
        let mallory = Ask {
            headers: segment(&id)
                .headers
                .replaced("x-account-id", Some(b"mallory")),
            ..segment(&id)
        };
        world.ask(mallory).served();
        assert_eq!([world.streams("alice"), world.streams("mallory")], [1, 1]);
        let last = if id.ends_with('A') { 'B' } else { 'A' };
        let damaged = format!("{}{last}", &id[..id.len() - 1]);
        world.ask(segment(&damaged)).served();
        assert_eq!(world.streams("alice"), 2);
    }
}

/// Nobody changed the player: all it says is which device it is on, as its app does.
#[test]
fn an_app_and_its_player_are_one_stream_by_their_device() {
    let by_redirect = || {
        config_with(|json| {
            json["compatibility"] = json!("cm-v2");
            json["policies"][0]["rules"][0]["max"] = json!(2);
            json["playback"][0]["stream"] =
                json!([{"token": "path"}, {"cmcd": "sid"}, {"redirect": true}]);
            json["playback"][0]["attributes"] = json!({"deviceId": {"header": "x-device-id"}});
        })
        .unwrap()
    };
    let create = |device: &str| {
        get(format!("/v2/sessions/acme/alice?deviceId={device}"))
            .method("POST")
            .application("web")
    };
    for by_cmcd in [false, true] {
        let mut world = World::with(by_redirect);
        let id = created(&mut world, create("tv"));
        let url = format!("/v2/sessions/acme/alice/{id}");
        let on_tv = |path: String| get(path).account("alice").header("x-device-id", "tv");
        let segment = if by_cmcd {
            "/vod/a/1.m4s?CMCD=sid%3D%22own%22".to_owned()
        } else {
            let answer = world.ask(on_tv("/vod/a/master.m3u8".to_owned())).answer();
            assert_eq!(answer.status, 307);
            let location = answer.header("location").unwrap();
            location.replace("master.m3u8", "1.m4s")
        };
        for round in 0..4 {
            world
                .ask(on_tv(segment.clone()).on_worker(round % 2))
                .served();
            assert_eq!(world.streams("alice"), 1, "{round}");
            assert_eq!(heartbeat(&mut world, "web", &url).status, 202);
            world.host.advance_ms(TIMEOUT_MS / 2);
            world.tick();
        }
        let phone = get("/vod/a/1.m4s?CMCD=sid%3D%22phone%22").account("alice");
        world.ask(phone).served();
        let third = get("/vod/a/1.m4s?CMCD=sid%3D%22third%22").account("alice");
        assert_eq!(world.ask(third).refusal(), refused(403, "limit-reached"));
        // The app stops: so has its player, at once and by no lease.
        let stop = get(&url).method("DELETE").application("web");
        assert_eq!(world.ask(stop).answer().status, 202);
        for worker in [0, 1] {
            let told = world
                .ask(on_tv(segment.clone()).on_worker(worker))
                .refusal();
            assert_eq!(told, refused(403, "stream-over"));
        }
        // The device starts again, app and player.
        let again = created(&mut world, create("tv"));
        let next = "/vod/a/1.m4s?CMCD=sid%3D%22next%22".to_owned();
        world.ask(on_tv(next)).served();
        assert_eq!(world.streams("alice"), 2);
        let url = format!("/v2/sessions/acme/alice/{again}");
        assert_eq!(heartbeat(&mut world, "web", &url).status, 202);
    }
}

/// The player is faster than its app: what it plays is the session that is created.
#[test]
fn a_player_that_begins_before_its_app_creates_is_one_stream_with_it() {
    let config = || {
        config_with(|json| {
            json["compatibility"] = json!("cm-v2");
            json["policies"][0]["rules"][0]["max"] = json!(2);
            json["playback"][0]["stream"] =
                json!([{"token": "path"}, {"cmcd": "sid"}, {"redirect": true}]);
            json["playback"][0]["attributes"] = json!({"deviceId": {"header": "x-device-id"}});
        })
        .unwrap()
    };
    for (by_cmcd, stops_first) in [(false, false), (true, false), (true, true)] {
        let mut world = World::with(config);
        let on_tv = |path: String| get(path).account("alice").header("x-device-id", "tv");
        let segment = if by_cmcd {
            "/vod/a/1.m4s?CMCD=sid%3D%22own%22".to_owned()
        } else {
            let answer = world.ask(on_tv("/vod/a/master.m3u8".to_owned())).answer();
            let location = answer.header("location").unwrap();
            location.replace("master.m3u8", "1.m4s")
        };
        world.ask(on_tv(segment.clone())).served();
        world.host.advance_ms(3_000);
        let create = |device: &str| {
            get(format!(
                "/v2/sessions/acme/alice?deviceId={device}&channel=News"
            ))
            .method("POST")
            .application("web")
        };
        let id = created(&mut world, create("tv").on_worker(1));
        let running = world.running("web", "alice");
        assert_eq!(running.len(), 1);
        // The app knows its stream again, and what it said of it is shown.
        assert_eq!(running[0]["sessionId"], id);
        assert_eq!(running[0]["metadata"]["channel"], "News");
        let url = format!("/v2/sessions/acme/alice/{id}");
        for round in 0..4 {
            world
                .ask(on_tv(segment.clone()).on_worker(round % 2))
                .served();
            assert_eq!(heartbeat(&mut world, "web", &url).status, 202);
            world.host.advance_ms(TIMEOUT_MS / 2);
            world.tick();
        }
        assert_eq!(world.streams("alice"), 1);
        assert_eq!(world.host.count(Metric::Starts), 1);
        // Another device's app is another stream, and so is its player.
        let phone = created(&mut world, create("phone"));
        assert_ne!(phone, id);
        assert_eq!(world.streams("alice"), 2);
        if stops_first {
            let stop = get(&url).method("DELETE").application("web");
            assert_eq!(world.ask(stop).answer().status, 202);
            for worker in [0, 1] {
                let told = world.ask(on_tv(segment.clone()).on_worker(worker));
                assert_eq!(told.refusal(), refused(403, "stream-over"));
            }
            assert_eq!(heartbeat(&mut world, "web", &url).status, 410);
        } else {
            // Chosen to be stopped from the phone: both are told.
            let code = world.running("web", "alice");
            let code = code
                .iter()
                .find(|stream| stream["sessionId"] == id)
                .unwrap();
            let code = code["terminationCode"].as_str().unwrap().to_owned();
            let choose = create("tablet").header("x-terminate", code);
            assert_eq!(world.ask(choose).answer().status, 202);
            assert_eq!(heartbeat(&mut world, "web", &url).status, 410);
            let told = world.ask(on_tv(segment)).refusal();
            assert_eq!(told, refused(403, "remote-termination"));
        }
    }
}
