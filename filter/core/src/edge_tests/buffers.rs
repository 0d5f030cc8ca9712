//! A player that can play on from its buffer is silent, and keeps its place so much longer.

use serde_json::json;
use streamgate_record::metric::Metric;

use super::{Ask, World, get, refused};
use crate::config::Config;
use crate::testing::{TIMEOUT_MS, config_with, test};

/// What counts of a buffer where nothing is configured: five minutes.
const MAX_MS: u64 = 300_000;

fn by_cmcd() -> Config {
    config_with(|json| json["playback"][0]["stream"] = json!([{"cmcd": "sid"}])).unwrap()
}

/// A segment of a player that sends CMCD in its query, under its path token.
fn in_query(prefix: &str, ms: u64) -> Ask {
    get(format!("{prefix}/vod/a/2.m4s?CMCD=bl%3D{ms}%2Cot%3Dv"))
}

fn in_headers(ms: u64) -> Ask {
    get("/vod/a/2.m4s")
        .account("alice")
        .header("cmcd-session", "sid=\"tv\"")
        .header("cmcd-request", format!("bl={ms}"))
}

/// Whether the stream lives that long and no longer, give or take the third of a timeout in which
/// a renewal may be left out.
fn lives_for(world: &mut World, ms: u64) {
    world.host.advance_ms(ms - TIMEOUT_MS / 3 - 1);
    assert_eq!(world.streams("alice"), 1, "gone before {ms}");
    world.host.advance_ms(TIMEOUT_MS / 3 + 2);
    assert_eq!(world.streams("alice"), 0, "there after {ms}");
}

#[test]
fn a_silent_player_lives_for_its_timeout_and_its_buffer() {
    for ms in [0, 20_000, 120_000, MAX_MS] {
        let mut world = World::new();
        let prefix = world.play("alice");
        world.ask(in_query(&prefix, ms)).served();
        lives_for(&mut world, TIMEOUT_MS + ms);
    }
}

/// A film that is fetched at once: all of it while the lease is fresh.
#[test]
fn the_last_request_before_the_silence_is_what_counts_though_the_lease_is_fresh() {
    for on_other_worker in [0, 1] {
        let mut world = World::new();
        let prefix = world.play("alice");
        for n in 0..=20 {
            world.host.advance_ms(50);
            world.tick();
            let segment = in_query(&prefix, n * 6_000).on_worker(on_other_worker);
            world.ask(segment).served();
        }
        lives_for(&mut world, TIMEOUT_MS + 120_000);
    }
    let mut world = World::with(by_cmcd);
    for n in 0..=20 {
        world.host.advance_ms(50);
        world.tick();
        world.ask(in_headers(n * 6_000)).served();
    }
    lives_for(&mut world, TIMEOUT_MS + 120_000);
}

#[test]
fn no_number_makes_a_ghost_beyond_the_bound() {
    for ms in [MAX_MS + 1, 1_000_000_000, 999_999_999_999_999] {
        let mut world = World::new();
        let prefix = world.play("alice");
        for _ in 0..3 {
            world.ask(in_query(&prefix, ms)).served();
        }
        lives_for(&mut world, TIMEOUT_MS + MAX_MS);
    }
    let none = || config_with(|json| json["playback"][0]["buffer_max"] = json!("0s")).unwrap();
    let mut world = World::with(none);
    let prefix = world.play("alice");
    world.ask(in_query(&prefix, 120_000)).served();
    lives_for(&mut world, TIMEOUT_MS);
}

#[test]
fn what_is_no_successful_media_request_keeps_nothing_by_its_buffer() {
    let asks: [fn(&str) -> Ask; 4] = [
        |prefix| in_query(prefix, 120_000).method("HEAD"),
        |prefix| in_query(prefix, 120_000).origin_says(404),
        |prefix| get(format!("{prefix}/vod/a/master.m3u8?CMCD=bl%3D120000")),
        |prefix| get(format!("{prefix}/vod/a/k.key?CMCD=bl%3D120000")),
    ];
    for ask in asks {
        let mut world = World::new();
        let prefix = world.play("alice");
        // Its lease knows where the player's CMCD stands.
        world.ask(in_query(&prefix, 0)).served();
        world.ask(ask(&prefix)).served();
        lives_for(&mut world, TIMEOUT_MS);
    }
}

#[test]
fn a_place_held_by_a_buffer_is_free_at_once_when_it_is_stopped_or_taken() {
    let mut world = World::with(|| {
        config_with(|json| {
            json["policies"][0]["rules"][0]["on_conflict"] = json!("stop_oldest");
            json["policies"][0]["rules"][0]["max"] = json!(1);
        })
        .unwrap()
    });
    let prefix = world.play("alice");
    world.ask(in_query(&prefix, MAX_MS)).served();
    world.play("alice");
    assert_eq!(world.streams("alice"), 1);
    let refusal = world.ask(in_query(&prefix, MAX_MS)).refusal();
    assert_eq!(refusal, refused(403, "evicted"));
}

/// A full buffer that stays full is told to the record no more often than any sign of life.
#[test]
fn a_buffer_that_stays_as_full_costs_no_write_more() {
    let mut world = World::new();
    let prefix = world.play("alice");
    world.ask(in_query(&prefix, 60_000)).served();
    let before = world.host.count(Metric::LeaseRenewals);
    for _ in 0..20 {
        world.host.advance_ms(TIMEOUT_MS / 100);
        world.tick();
        world.ask(in_query(&prefix, 60_000)).served();
    }
    assert_eq!(world.host.count(Metric::LeaseRenewals), before);
    assert!(world.host.count(Metric::FastPathPasses) >= 19);
}
