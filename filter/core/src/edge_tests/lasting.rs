//! An eviction lasts until the player starts anew, whatever names its stream.

use serde_json::{Value, json};

use super::{Ask, World, get};
use crate::config::Config;
use crate::testing::{config_with, test};

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
