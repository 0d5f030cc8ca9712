//! A refusal that is asked for again is answered from memory, to the same stream alone, and right again after a tick.

use serde_json::json;
use streamgate_record::metric::Metric;

use super::{Ask, World, get, json, refused};
use crate::exchange::Answer;
use crate::testing::{config_with, test};

/// A stream of an account whose latest stream wins; its playback prefix.
fn latest(world: &mut World, account: &str) -> String {
    world.host.advance_ms(1);
    let create = get(format!("/v2/sessions/acme/{account}")).method("POST");
    let answer = world.ask(create.application("mobile")).answer();
    let prefix = json(&answer)["session"]["playbackPrefix"]
        .as_str()
        .map(str::to_owned);
    prefix.unwrap()
}

fn segment(prefix: &str, n: u32) -> Ask {
    get(format!("{prefix}/vod/a/{n}.m4s"))
}

/// A stream that was evicted and has been told so.
fn evicted(world: &mut World, account: &str) -> (String, Answer) {
    let victim = latest(world, account);
    world.ask(segment(&victim, 1)).served();
    latest(world, account);
    let answer = world.ask(segment(&victim, 2)).answer();
    assert_eq!(answer.header("x-streamgate-reason"), Some("evicted"));
    (victim, answer)
}

#[test]
fn the_same_bytes_again_and_no_look_at_the_record() {
    let mut world = World::new();
    let (victim, first) = evicted(&mut world, "alice");
    let before = world.host.calls();
    for n in 3..50 {
        let reply = world.ask(segment(&victim, n)).reply();
        assert_eq!(reply.answer, first);
        let path = format!("/vod/a/{n}.m4s");
        assert_eq!(reply.logged_path.as_deref(), Some(path.as_bytes()));
        assert_eq!(reply.log_entry, None);
    }
    assert_eq!(world.host.calls(), before);
    world.tick();
    assert_eq!(
        world.host.count(Metric::RefusalsEvicted),
        48,
        "all are counted"
    );
    let before = world.host.calls();
    assert_eq!(world.ask(segment(&victim, 50)).answer(), first);
    assert!(
        world.host.calls().loads > before.loads,
        "judged after a tick"
    );
}

/// The first of them has its line, and those within a second none.
#[test]
fn the_next_line_says_how_many_were_left_out_of_whoever_was_pushed_out_meanwhile() {
    let mut world = World::new();
    let victims: Vec<_> = (0..300)
        .map(|n| evicted(&mut world, &format!("account {n}")).0)
        .collect();
    // Of 300 streams 128 at most are remembered at once, and each is judged whenever it is not.
    for round in 3..6 {
        for victim in &victims {
            for n in 0..round {
                let _ = world.ask(segment(victim, n)).refusal();
            }
        }
    }
    world.tick();
    assert_eq!(world.host.count(Metric::RefusalsEvicted), 300 * 13);
    world.host.advance_ms(1_000);
    let told: Vec<u32> = victims
        .iter()
        .filter_map(|victim| world.ask(segment(victim, 9)).reply().log_entry)
        .map(|log_entry| log_entry.repeated)
        .collect();
    assert_eq!(told.len(), 300);
    // Few share the place where it is kept what a line was told of. Where somebody's start had taken
    // the place of the first line, there was one more line.
    let full = told.iter().filter(|repeated| **repeated >= 11).count();
    assert!(full > 120, "{full} {told:?}");
    assert!(told.iter().all(|repeated| *repeated <= 12));
}

#[test]
fn nobody_is_given_anothers() {
    let mut world = World::new();
    let victims: Vec<_> = (0..300)
        .map(|n| evicted(&mut world, &format!("account {n}")))
        .collect();
    let playing = latest(&mut world, "somebody else");
    for (victim, first) in &victims {
        assert_eq!(world.ask(segment(victim, 9)).answer(), *first);
        world.ask(segment(&playing, 9)).served();
    }
    // Nor does who makes a token up meet one, nor is a token good where it is not.
    let (victim, _) = &victims[299];
    for (forged, reason) in [
        (format!("{victim}x/vod/a/1.m4s"), "token-invalid"),
        (
            format!("{}/vod/a/1.m4s", &victim[..victim.len() - 1]),
            "token-invalid",
        ),
    ] {
        assert_eq!(world.ask(get(forged)).refusal(), refused(403, reason));
    }
}

#[test]
fn only_media_requests_are_answered_from_memory() {
    let mut world = World::new();
    let (victim, first) = evicted(&mut world, "alice");
    for file in ["master.m3u8", "key.bin"] {
        let before = world.host.calls().loads;
        let _ = world.ask(get(format!("{victim}/vod/a/{file}"))).answer();
        assert!(world.host.calls().loads > before, "{file}");
    }
    let preflight = segment(&victim, 3)
        .method("OPTIONS")
        .header("origin", "https://page.example")
        .header("access-control-request-method", "GET");
    let answer = world.ask(preflight).answer();
    assert_ne!(
        answer.status, first.status,
        "a page may ask whether it may ask"
    );
}

/// A session of an account with room for three; its URL.
fn session(world: &mut World) -> String {
    let create = get("/v2/sessions/acme/alice")
        .method("POST")
        .application("web");
    let answer = world.ask(create).answer();
    json(&answer)["session"]["url"].as_str().unwrap().to_owned()
}

fn stop(world: &mut World, url: &str) {
    let stop = get(url).method("DELETE").application("web");
    assert_eq!(world.ask(stop).answer().status, 202);
}

/// A fourth stream of an account beside three sessions: its prefix, and the URL of one of them.
fn fourth(world: &mut World) -> (String, String) {
    let manifest = get("/vod/a/master.m3u8").account("alice");
    let opened = world.ask(manifest).answer();
    let opened = opened.header("location").unwrap();
    let prefix = opened.strip_suffix("/vod/a/master.m3u8").unwrap();
    let [url, _, _] = [(); 3].map(|()| session(world));
    (prefix.to_owned(), url)
}

#[test]
fn who_was_refused_for_a_limit_once_and_tries_again_is_judged() {
    let mut world = World::new();
    let (fourth, url) = fourth(&mut world);
    let limit = refused(403, "limit-reached");
    assert_eq!(world.ask(segment(&fourth, 1)).refusal(), limit);
    stop(&mut world, &url);
    world.ask(segment(&fourth, 2)).served();
}

#[test]
fn who_kept_asking_has_the_place_that_was_freed_within_a_tick() {
    let mut world = World::new();
    let (fourth, url) = fourth(&mut world);
    let limit = refused(403, "limit-reached");
    for n in 0..2 {
        assert_eq!(world.ask(segment(&fourth, n)).refusal(), limit);
    }
    stop(&mut world, &url);
    assert_eq!(world.ask(segment(&fourth, 2)).refusal(), limit);
    world.tick();
    world.ask(segment(&fourth, 3)).served();
}

#[test]
fn each_language_is_told_its_own() {
    let mut world = World::with(|| {
        config_with(|json| {
            json["policies"][1]["rules"][0]["message"] =
                json!({"en": "Elsewhere", "de": "Anderswo"});
        })
        .unwrap()
    });
    let (victim, english) = evicted(&mut world, "alice");
    let german = segment(&victim, 3).header("accept-language", "de");
    let german = world.ask(german).answer();
    assert_ne!(german, english);
    assert!(String::from_utf8_lossy(&german.body).contains("Anderswo"));
    assert_eq!(world.ask(segment(&victim, 4)).answer(), english);
}
