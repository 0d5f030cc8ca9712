//! One stream that many use: told apart by network and agent where `sharing` is configured.

use serde_json::{Value, json};
use streamgate_record::metric::Metric;
use streamgate_record::ports::StoreKey;

use super::{Ask, World, get, refused};
use crate::config::Config;
use crate::testing::{TIMEOUT_MS, config_with, test};

fn sharing(sharing: Value) -> impl Fn() -> Config {
    move || {
        config_with(|json| {
            json["playback"][0]["sharing"] = sharing.clone();
            json["playback"][0]["stream"] =
                json!([{"token": "path"}, {"cmcd": "sid"}, {"redirect": true}]);
        })
        .unwrap()
    }
}

/// A segment of the playback under `prefix`, from this address, by this agent.
fn segment(prefix: &str, address: &str, agent: &str) -> Ask {
    get(format!("{prefix}/vod/a/1.m4s"))
        .account("alice")
        .header("(client address)", address)
        .header("user-agent", agent)
}

/// The prefix of a playback that began at the first of these addresses.
fn begins(world: &mut World, address: &str, agent: &str) -> String {
    let manifest = get("/vod/a/master.m3u8")
        .account("alice")
        .header("(client address)", address)
        .header("user-agent", agent);
    let answer = world.ask(manifest).answer();
    let location = answer.header("location").unwrap();
    let prefix = location.strip_suffix("/vod/a/master.m3u8").unwrap();
    world.ask(segment(prefix, address, agent)).served();
    prefix.to_owned()
}

fn network(n: u32) -> String {
    format!("10.0.{n}.7:4711")
}

#[test]
fn the_later_networks_are_refused_and_the_first_go_on() {
    let mut world = World::with(sharing(json!({"networks": 3, "action": "refuse"})));
    let prefix = begins(&mut world, &network(0), "a");
    for round in 0..40 {
        for n in 0..5 {
            let worker = usize::try_from(n + round).unwrap() % 2;
            let ask = segment(&prefix, &network(n), "a").on_worker(worker);
            let outcome = world.ask(ask);
            match n {
                0..3 => assert_eq!(outcome.served(), "/vod/a/1.m4s", "{round} {n}"),
                _ => assert_eq!(outcome.refusal(), refused(403, "shared"), "{round} {n}"),
            }
        }
        world.host.advance_ms(6_000);
        if round % 2 == 0 {
            world.tick();
        }
    }
    assert_eq!(world.streams("alice"), 1);
    assert!(world.host.count(Metric::RefusalsShared) >= 80);
    assert_eq!(world.host.count(Metric::SharedMonitored), 0);
}

#[test]
fn a_manifest_is_refused_as_well_and_says_when_to_try_again() {
    let mut world = World::with(sharing(json!({"agents": 1, "action": "refuse"})));
    let prefix = begins(&mut world, &network(0), "a");
    let manifest = get(format!("{prefix}/vod/a/video.m3u8"))
        .header("(client address)", network(0))
        .header("user-agent", "b");
    let answer = world.ask(manifest).answer();
    assert_eq!(answer.status, 403);
    let retry: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    // A timeout, and the third of it in which a request may not be heard of.
    assert!((1..=TIMEOUT_MS / 750).contains(&retry), "{retry}");
}

#[test]
fn six_agents_with_one_sid_are_noticed_and_nobody_is_refused() {
    let mut world = World::with(sharing(
        json!({"networks": 3, "agents": 2, "action": "monitor"}),
    ));
    for round in 0..10 {
        for n in 0..6 {
            let ask = get("/vod/a/1.m4s?CMCD=sid%3D%22one%22")
                .account("alice")
                .header("(client address)", network(0))
                .header("user-agent", format!("player {n}"))
                .on_worker(round % 2);
            world.ask(ask).served();
        }
        world.host.advance_ms(10_000);
    }
    assert_eq!(world.streams("alice"), 1);
    // The four beyond, each when it came and whenever it renewed.
    let noticed = world.host.count(Metric::SharedMonitored);
    assert!((8..=4 * 10).contains(&noticed), "{noticed}");
    assert_eq!(world.host.count(Metric::RefusalsShared), 0);
}

#[test]
fn a_phone_on_the_move_and_a_television_that_takes_over_pass() {
    let mut world = World::with(sharing(
        json!({"networks": 3, "agents": 2, "action": "refuse"}),
    ));
    let prefix = begins(&mut world, &network(0), "phone");
    for n in 1..20 {
        let agent = ["phone", "tv", "tablet"][usize::try_from(n / 7).unwrap()];
        // Each network for two thirds of a timeout.
        for _ in 0..6 {
            world.host.advance_ms(10_000);
            world.ask(segment(&prefix, &network(n), agent)).served();
        }
    }
    assert_eq!(world.host.count(Metric::RefusalsShared), 0);
}

#[test]
fn whoever_falls_silent_makes_room_and_not_before() {
    let mut world = World::with(sharing(json!({"networks": 1, "action": "refuse"})));
    let prefix = begins(&mut world, &network(0), "a");
    let last = segment(&prefix, &network(0), "a");
    world.host.advance_ms(TIMEOUT_MS - 1_000);
    let next = segment(&prefix, &network(1), "a");
    assert_eq!(world.ask(next.clone()).refusal(), refused(403, "shared"));
    world.ask(last.clone()).served();
    world.host.advance_ms(TIMEOUT_MS - 1_000);
    assert_eq!(world.ask(next.clone()).refusal(), refused(403, "shared"));
    world.ask(last).served();
}

/// Requests that pass by a lease are not recorded; whoever made one has not been silent.
#[test]
fn a_request_that_nobody_wrote_down_holds_a_place_among_the_first() {
    for (asked_ms, silent_ms) in [
        (0, TIMEOUT_MS - 1),
        (TIMEOUT_MS / 3 - 1_000, TIMEOUT_MS - 1_000),
        (TIMEOUT_MS / 3 - 1_000, TIMEOUT_MS / 3 * 2 + 2_000),
    ] {
        let mut world = World::with(sharing(json!({"networks": 1, "action": "refuse"})));
        let prefix = begins(&mut world, &network(0), "a");
        let [first, other] = [0, 1].map(|n| segment(&prefix, &network(n), "a"));
        world.tick();
        world.host.advance_ms(asked_ms);
        world.tick();
        world.ask(first.clone()).served();
        // The stream itself lives on by the session API.
        let id = world.running("web", "alice")[0]["sessionId"].clone();
        let url = format!("/v2/sessions/acme/alice/{}", id.as_str().unwrap());
        for _ in 0..2 {
            world.host.advance_ms(silent_ms / 2);
            world.tick();
            let heartbeat = get(&url).method("POST").application("web");
            assert_eq!(world.ask(heartbeat).answer().status, 202);
        }
        assert_eq!(world.ask(other).refusal(), refused(403, "shared"));
        world.ask(first).served();
    }
}

/// A player with a full buffer is silent, and watches.
#[test]
fn a_full_buffer_holds_a_place_among_the_first() {
    const BUFFER_MS: u64 = 120_000;
    let mut world = World::with(sharing(json!({"networks": 1, "action": "refuse"})));
    let prefix = begins(&mut world, &network(0), "a");
    let at = |n: u32| {
        get(format!("{prefix}/vod/a/2.m4s?CMCD=bl%3D{BUFFER_MS}"))
            .header("(client address)", network(n))
            .header("user-agent", "a")
    };
    world.ask(at(0)).served();
    world.host.advance_ms(TIMEOUT_MS + BUFFER_MS - 1_000);
    world.tick();
    assert_eq!(world.ask(at(1)).refusal(), refused(403, "shared"));
    world.ask(at(0)).served();
}

/// Somebody who has got hold of a token cannot push its viewer out, however he disguises.
#[test]
fn a_thousand_agents_push_nobody_out_and_take_no_room() {
    for action in ["monitor", "refuse"] {
        let sharing = sharing(json!({"networks": 2, "agents": 2, "action": action}));
        let mut world = World::with(sharing);
        let prefix = begins(&mut world, &network(0), "viewer");
        for n in 0..1_000 {
            let _ = world.ask(segment(
                &prefix,
                &network(n % 250 + 1),
                &format!("agent {n}"),
            ));
            if n % 10 == 0 {
                world.host.advance_ms(1_000);
                world.ask(segment(&prefix, &network(0), "viewer")).served();
            }
        }
        let mut bytes = 0;
        let slots = (0..65_536).map(StoreKey::Slot);
        for value in slots.filter_map(|key| world.host.stored(key)) {
            bytes += value.len();
            let text = String::from_utf8_lossy(&value);
            assert!(!text.contains("agent") && !text.contains("10.0."), "{text}");
        }
        assert!(bytes < 1_500, "{bytes}");
    }
}

#[test]
fn addresses_of_one_network_are_one_however_they_are_written() {
    let mut world = World::with(sharing(json!({"networks": 1, "action": "refuse"})));
    let same = [
        "192.0.2.1:5",
        "192.0.2.254",
        "[::ffff:192.0.2.3]:443",
        "::ffff:c000:0204",
    ];
    let prefix = begins(&mut world, same[0], "a");
    for address in same {
        world.ask(segment(&prefix, address, "a")).served();
    }
    for address in ["192.0.3.1:5", "[2001:db8::1]:443", "nonsense", "[", ""] {
        let outcome = world.ask(segment(&prefix, address, "a"));
        assert_eq!(outcome.refusal(), refused(403, "shared"), "{address:?}");
    }
    let mut world = World::with(sharing(json!({"networks": 1, "action": "refuse"})));
    let prefix = begins(&mut world, "[2001:db8:0:100::1]:443", "a");
    let same = segment(&prefix, "2001:db8:0:1ff:ffff::", "a");
    world.ask(same).served();
    let other = segment(&prefix, "[2001:db8:0:200::1]:443", "a");
    assert_eq!(world.ask(other).refusal(), refused(403, "shared"));
}

/// An agent that is left out is one, too: leaving it out is no way around.
#[test]
fn no_agent_is_an_agent() {
    let mut world = World::with(sharing(json!({"agents": 1, "action": "refuse"})));
    let prefix = begins(&mut world, &network(0), "a");
    let without = get(format!("{prefix}/vod/a/1.m4s")).account("alice");
    assert_eq!(world.ask(without).refusal(), refused(403, "shared"));
    let other = segment(&prefix, &network(0), "\u{fc}\u{1}");
    assert_eq!(world.ask(other).refusal(), refused(403, "shared"));
}

#[test]
fn a_network_is_an_attribute_that_rules_count() {
    let mut world = World::with(|| {
        config_with(|json| {
            json["playback"][0]["attributes"] = json!({"network": {"client": "network"}});
            for policy in json["policies"].as_array_mut().unwrap() {
                policy["rules"] = json!([{
                    "name": "places", "max": 2, "count": {"distinct": "network"}, "on_conflict": "deny_new",
                    "message": "Too many places",
                }]);
            }
        })
        .unwrap()
    });
    for n in [0, 1, 0, 1] {
        begins(&mut world, &network(n), "a");
    }
    let mut third = |address: &str| {
        let sid = get("/vod/a/master.m3u8")
            .account("alice")
            .header("(client address)", address);
        world.ask(sid).answer().status
    };
    assert_eq!([third(&network(1)), third(&network(2))], [307, 403]);
    let running = world.running("web", "alice");
    let text = Value::from(running).to_string();
    assert!(!text.contains("10.0."), "{text}");
}

#[test]
fn what_is_wrong_about_sharing_is_said() {
    let said = |sharing: Value| {
        let wrong = config_with(|json| json["playback"][0]["sharing"] = sharing);
        wrong.expect_err("it is wrong").to_string()
    };
    for (sharing, field) in [
        (json!({"action": "refuse"}), "playback[0].sharing"),
        (
            json!({"networks": 0, "action": "refuse"}),
            "playback[0].sharing.networks",
        ),
        (
            json!({"agents": 8, "action": "monitor"}),
            "playback[0].sharing.agents",
        ),
        (json!({"agents": 2}), "action"),
        (json!({"agents": 2, "action": "evict"}), "evict"),
        (json!({"agent": 2, "action": "refuse"}), "agent"),
    ] {
        let told = said(sharing);
        assert!(told.contains(field), "{told}");
    }
}
