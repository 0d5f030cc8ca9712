//! A machine's clock that is set while streams play at an edge alone.

use serde_json::json;
use streamgate_record::ports::Clock;
use streamgate_tokens::cat::testing::Claims;

use super::session_api::{create, created, heartbeat};
use super::{World, get, refused};
use crate::config::Config;
use crate::testing::{NOW, TIMEOUT_MS, config_with, test};

const JUMPS_MS: [i64; 6] = [
    -5_000,
    5_000,
    -3_600_000,
    3_600_000,
    -3 * 86_400_000,
    3 * 86_400_000,
];

impl World {
    fn clock_is_set(&mut self, ahead_ms: i64) {
        self.host.set_machine_ahead(ahead_ms);
        self.tick();
    }
}

#[test]
fn nobody_is_thrown_out_no_ghost_stays_and_the_limit_holds() {
    let mut world = World::new();
    world.tick();
    for jump in JUMPS_MS {
        let url = created(&mut world, create("web"));
        let prefixes = [(); 2].map(|()| world.play("alice"));
        world.clock_is_set(jump);
        for _ in 0..6 {
            world.host.advance_ms(TIMEOUT_MS / 3);
            world.tick();
            assert_eq!(heartbeat(&mut world, "web", &url).status, 202);
            for prefix in &prefixes {
                world.ask(get(format!("{prefix}/vod/a/2.m4s"))).served();
            }
            assert_eq!(world.ask(create("web")).answer().status, 409, "{jump}");
        }
        world.host.advance_ms(TIMEOUT_MS);
        world.tick();
        assert_eq!(world.streams("alice"), 0, "{jump}");
    }
}

#[test]
fn an_operator_is_told_of_it() {
    let mut world = World::new();
    world.tick();
    assert_eq!(world.workers[0].clock_difference(&world.host), None);
    world.clock_is_set(-61_000);
    let told = world.workers[1].clock_difference(&world.host).unwrap();
    assert_eq!((told.ahead_ms, told.is_alarming), (-61_000, true));
    assert_eq!(world.workers[0].clock_difference(&world.host), None);
}

#[test]
fn leases_from_before_own_time_was_set_are_looked_at_again() {
    let mut world = World::new();
    let prefix = world.play("alice");
    let segment = || get(format!("{prefix}/vod/a/2.m4s"));
    world.ask(segment()).served();
    world.tick();
    let reads = |world: &mut World| {
        let before = world.host.calls().loads;
        world.ask(segment()).served();
        world.host.calls().loads - before
    };
    assert_eq!(reads(&mut world), 0, "by its lease");
    // As the store of a fleet does it, whose clock was set back.
    let entry = [&(-3_600_000_i64).to_be_bytes()[..], &[0; 16]].concat();
    world
        .host
        .plant(streamgate_record::ports::StoreKey::OwnTime, &entry);
    world.tick();
    assert_eq!(world.host.now(), NOW.shifted_ms(-3_600_000));
    assert!(reads(&mut world) > 0);
}

fn by_jwt() -> Config {
    config_with(|json| {
        json["jwt"] = json!({"leeway": "0s"});
        json["playback"][0]["subject"] = json!([{"token": "path"}, {"jwt_claim": "sub"}]);
    })
    .unwrap()
}

/// Envoy has found a JWT good by its machine's clock; what is minted for it ends with it by that.
#[test]
fn what_is_given_out_for_a_jwt_ends_with_it_by_the_machines_clock() {
    for jump in JUMPS_MS {
        let mut world = World::with(by_jwt);
        world.tick();
        world.clock_is_set(jump);
        let ends = world.host.machine().plus_ms(10_000).as_ms() as f64 / 1000.0;
        let manifest = get("/vod/a/master.m3u8").claim("sub", "alice");
        let answer = world
            .ask(manifest.claim("exp", ends.to_le_bytes()))
            .answer();
        assert_eq!(answer.status, 307, "{jump}: {answer:?}");
        let location = answer.header("location").unwrap();
        let prefix = location
            .strip_suffix("/vod/a/master.m3u8")
            .unwrap()
            .to_owned();
        let segment = || get(format!("{prefix}/vod/a/1.m4s"));
        world.host.advance_ms(9_990);
        world.tick();
        world.ask(segment()).served();
        world.host.advance_ms(10);
        world.tick();
        assert_eq!(
            world.ask(segment()).refusal(),
            refused(403, "token-expired"),
            "{jump}"
        );
    }
}

fn by_cat() -> Config {
    config_with(|json| {
        json["cat"] = json!({"keys": [{"id": "new", "secret": "@".repeat(32)}], "leeway": "0s"});
        json["playback"][0]["subject"] = json!([{"cat": "sub"}]);
        json["playback"][0]["stream"] = json!([{"cat": "cti"}]);
    })
    .unwrap()
}

#[test]
fn a_common_access_token_ends_by_the_machines_clock() {
    for jump in JUMPS_MS {
        let mut world = World::with(by_cat);
        world.tick();
        world.clock_is_set(jump);
        let ends = world.host.machine().plus_ms(10_000);
        let token = Claims::of("alice").id("this one").until(ends).sign();
        let segment = || get("/vod/a/1.m4s").header("cta-common-access-token", &token);
        world.ask(segment()).served();
        world.host.advance_ms(9_990);
        world.tick();
        world.ask(segment()).served();
        world.host.advance_ms(10);
        world.tick();
        assert_eq!(
            world.ask(segment()).refusal(),
            refused(403, "token-expired"),
            "{jump}"
        );
    }
}
