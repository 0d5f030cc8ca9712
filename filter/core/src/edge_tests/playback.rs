//! The playback gate.

use streamgate_policy::activity::ENDED_KEPT_MS;
use streamgate_record::metric::Metric;

use super::{TICKET, World, get, json, refused};
use crate::testing::{MemoryHost, TIMEOUT_MS, config_with, test};

fn segment(prefix: &str, n: u32) -> super::Ask {
    get(format!("{prefix}/vod/a/{n}.m4s"))
}

#[test]
fn an_unmodified_player_is_one_stream_and_the_fourth_is_refused_at_the_manifest() {
    let mut world = World::new();
    for _ in 0..3 {
        world.play("alice");
    }
    assert_eq!(world.streams("alice"), 3);

    let manifest = get("/vod/a/master.m3u8").account("alice");
    let answer = world.ask(manifest).answer();
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = json(&answer);
    assert_eq!(body["reason"], "limit-reached");
    let advice = &body["associatedAdvice"][0];
    assert_eq!(advice["type"], "rule-violation");
    assert_eq!(advice["threshold"], 3);
    assert_eq!(advice["conflicts"].as_object().unwrap().len(), 3);

    world.play("bob");
    assert_eq!(world.streams("alice"), 3);
}

#[test]
fn the_fast_path_looks_at_a_count_and_nothing_else() {
    let mut world = World::new();
    let prefix = world.play("alice");
    world.ask(segment(&prefix, 0)).served();
    world.tick();
    let passed = world.host.count(Metric::FastPathPasses);
    let before = world.host.calls();
    for n in 0..100 {
        world.ask(segment(&prefix, n)).served();
    }
    let after = world.host.calls();
    assert_eq!(after.generation_reads, before.generation_reads);
    assert_eq!((after.loads, after.swaps), (before.loads, before.swaps));
    world.tick();
    assert_eq!(world.host.count(Metric::FastPathPasses), passed + 100);
}

#[test]
fn two_workers_write_once_per_third_of_the_timeout() {
    let mut world = World::new();
    let prefix = world.play("alice");
    let written = world.host.calls().swaps;
    let seconds = 10 * TIMEOUT_MS / 1000;
    for second in 0..seconds {
        world.host.advance_ms(1000);
        for worker in [0, 1] {
            let path = format!("{prefix}/vod/a/{worker}/{second}.m4s");
            world.ask(get(path).on_worker(worker)).served();
        }
    }
    let writes = u64::from(world.host.calls().swaps - written);
    assert!(writes <= 30, "{writes} writes in ten timeouts");
    assert_eq!(world.streams("alice"), 1);
}

#[test]
fn only_successful_media_requests_create_or_keep_a_stream() {
    let mut world = World::new();
    let answer = world
        .ask(get("/vod/a/master.m3u8").account("alice"))
        .answer();
    let location = answer.header("location").unwrap();
    let prefix = location
        .strip_suffix("/vod/a/master.m3u8")
        .unwrap()
        .to_owned();

    let poll = |world: &mut World| {
        world
            .ask(get(format!("{prefix}/vod/a/master.m3u8")))
            .served();
        world.ask(get(format!("{prefix}/vod/a/init.mp4"))).served();
        world.ask(get(format!("{prefix}/vod/a/enc.key"))).served();
        world.ask(segment(&prefix, 1).method("HEAD")).served();
        world.ask(segment(&prefix, 1).origin_says(404)).served();
        world.ask(segment(&prefix, 1).origin_says(500)).served();
    };
    poll(&mut world);
    assert_eq!(world.streams("alice"), 0);

    world.ask(segment(&prefix, 1).origin_says(206)).served();
    assert_eq!(world.streams("alice"), 1);
    for _ in 0..9 {
        world.host.advance_ms(TIMEOUT_MS / 10);
        poll(&mut world);
        assert_eq!(world.streams("alice"), 1);
    }
    world.host.advance_ms(TIMEOUT_MS / 10);
    assert_eq!(world.streams("alice"), 0);
}

#[test]
fn no_method_fetches_media_without_counting() {
    for method in ["POST", "PUT", "get", "PROPFIND"] {
        let mut world = World::new();
        let fetch = |n: u32| {
            get("/vod/a/1.m4s")
                .method(method)
                .account("alice")
                .header("x-stream-id", n.to_string())
        };
        for n in 0..3 {
            world.ask(fetch(n)).served();
        }
        let fourth = world.ask(fetch(3));
        assert_eq!(fourth.refusal(), refused(403, "limit-reached"), "{method}");
    }
}

#[test]
fn not_modified_counts_as_watching() {
    let mut world = World::new();
    let prefix = world.play("alice");
    for n in 0..20 {
        world.host.advance_ms(TIMEOUT_MS / 2);
        world.ask(segment(&prefix, n).origin_says(304)).served();
    }
    assert_eq!(world.streams("alice"), 1);
}

#[test]
fn a_viewer_who_paused_past_the_timeout_is_judged_afresh_and_plays_on() {
    let mut world = World::new();
    let prefix = world.play("alice");
    world.host.advance_ms(TIMEOUT_MS * 3);
    assert_eq!(world.streams("alice"), 0);
    world.ask(segment(&prefix, 2)).served();
    assert_eq!(world.streams("alice"), 1);

    world.host.advance_ms(TIMEOUT_MS);
    for _ in 0..3 {
        world.play("alice");
    }
    assert_eq!(
        world.ask(segment(&prefix, 3)).refusal(),
        refused(403, "limit-reached")
    );
}

/// A stream of `mobile` (limit 1, stop_oldest), playing; its prefix and its session's URL.
fn mobile(world: &mut World) -> (String, String) {
    world.host.advance_ms(1);
    let create = get("/v2/sessions/acme/alice")
        .method("POST")
        .application("mobile");
    let session = json(&world.ask(create).answer());
    let text = |name: &str| session["session"][name].as_str().unwrap().to_owned();
    let prefix = text("playbackPrefix");
    world.ask(segment(&prefix, 1)).served();
    (prefix, text("url"))
}

#[test]
fn an_eviction_is_heard_on_every_worker_at_the_next_request() {
    for counts in [true, false] {
        let mut world = World::new();
        if !counts {
            world.host.does_not_count();
        }
        let (first, _) = mobile(&mut world);
        for worker in [0, 1] {
            world.ask(segment(&first, 2).on_worker(worker)).served();
        }
        let (second, _) = mobile(&mut world);
        for worker in [0, 1] {
            let late = segment(&first, 3).on_worker(worker);
            assert_eq!(world.ask(late).refusal(), refused(403, "evicted"));
            world.ask(segment(&second, 3).on_worker(worker)).served();
        }
        assert_eq!(world.host.count(Metric::Evictions), 1);
    }
}

#[test]
fn the_victim_of_an_eviction_stays_out_however_long_it_tries() {
    let mut world = World::new();
    let (first, _) = mobile(&mut world);
    let (second, _) = mobile(&mut world);
    // The winner leaves, too: the place is free, but not for the victim.
    world.host.advance_ms(TIMEOUT_MS);
    assert_eq!(
        world.ask(segment(&first, 2)).refusal(),
        refused(403, "evicted")
    );
    // Long after its end was forgotten, in a slot that has been written since.
    world.host.advance_ms(ENDED_KEPT_MS);
    world.ask(segment(&second, 2)).served();
    world.host.advance_ms(TIMEOUT_MS);
    world.tick();
    assert_eq!(
        world.ask(segment(&first, 3)).refusal(),
        refused(403, "stream-over")
    );
    assert_eq!(
        world.ask(get(format!("{first}/vod/a/1.m3u8"))).refusal().0,
        403
    );
}

#[test]
fn a_stopped_stream_stays_stopped_for_late_segments() {
    let mut world = World::new();
    let (prefix, url) = mobile(&mut world);
    let stop = get(&url).method("DELETE").application("mobile");
    assert_eq!(world.ask(stop).answer().status, 202);
    for worker in [0, 1] {
        let late = segment(&prefix, 2).on_worker(worker);
        assert_eq!(world.ask(late).refusal(), refused(403, "stream-over"));
    }
    assert_eq!(world.streams("alice"), 0);
}

#[test]
fn streams_from_before_a_restart_come_back_within_one_timeout_and_not_later() {
    let mut world = World::new();
    let prompt = world.play("alice");
    let late = world.play("alice");
    world.host.advance_ms(1000);
    world.restart();
    world.ask(segment(&prompt, 2)).served();
    assert_eq!(world.streams("alice"), 1);
    world.host.advance_ms(TIMEOUT_MS + 1);
    assert_eq!(
        world.ask(segment(&late, 2)).refusal(),
        refused(403, "stream-over")
    );
}

#[test]
fn where_sessions_are_required_nothing_starts_without_one() {
    let mut world = World::new();
    let cmcd = "/live/1.m4s?CMCD=sid%3D%22abc%22";
    assert_eq!(
        world.ask(get(cmcd).account("alice")).refusal(),
        refused(410, "session-required")
    );
    assert_eq!(
        world.ask(get("/live/a.m3u8").account("alice")).refusal(),
        refused(403, "no-stream")
    );
    let (prefix, _) = mobile(&mut world);
    world.ask(get(format!("{prefix}/live/1.m4s"))).served();
    // Its session lapses: over, until the app creates a new one.
    world.host.advance_ms(TIMEOUT_MS);
    assert_eq!(
        world.ask(get(format!("{prefix}/live/2.m4s"))).refusal(),
        refused(410, "stream-over")
    );
}

#[test]
fn carriers_are_tried_in_order_and_tell_streams_apart() {
    let mut world = World::new();
    let ask = |path: &str| get(path).account("alice");
    world
        .ask(ask("/vod/1.ts").header("x-stream-id", "s1"))
        .served();
    world
        .ask(ask("/vod/2.ts?CMCD=sid%3D%22s1%22").header("x-stream-id", "s1"))
        .served();
    assert_eq!(world.streams("alice"), 1, "the header comes first");
    world.ask(ask("/vod/1.ts?CMCD=sid%3D%22s1%22")).served();
    world
        .ask(ask("/vod/1.ts").header("cmcd-session", "sid=\"s2\""))
        .served();
    assert_eq!(
        world.streams("alice"),
        3,
        "ids of different carriers differ"
    );
    assert_eq!(
        world.ask(ask("/vod/1.ts")).refusal(),
        refused(403, "no-stream"),
        "a segment cannot begin a stream of its own"
    );
    assert_eq!(
        world.ask(get("/vod/1.ts")).refusal(),
        refused(403, "no-subject")
    );
}

#[test]
fn ids_that_are_no_text_are_malformed() {
    let mut world = World::new();
    for id in [&b"\xff\xfe"[..], b"", b"a\x00b", &[b'x'; 257]] {
        let ask = get("/vod/1.ts").header("x-account-id", id);
        assert_eq!(world.ask(ask).refusal(), refused(400, "malformed"));
    }
}

#[test]
fn a_bad_token_is_refused_even_where_a_header_names_the_subject() {
    let mut world = World::new();
    let prefix = world.play("alice");
    let cut = &prefix[..prefix.len() - 1];
    for token in ["/~x", "/~", cut] {
        let ask = get(format!("{token}/vod/1.m4s")).account("alice");
        assert_eq!(
            world.ask(ask).refusal(),
            refused(403, "token-invalid"),
            "{token}"
        );
    }
    world.host.advance_ms(12 * 3_600_000);
    assert_eq!(
        world.ask(segment(&prefix, 1)).refusal(),
        refused(403, "token-expired")
    );
}

#[test]
fn a_token_expires_also_for_a_worker_that_knows_it() {
    let mut world = World::with(|| {
        config_with(|json| json["sessions"]["token_lifetime"] = "100s".into()).unwrap()
    });
    let prefix = world.play("alice");
    world.host.advance_ms(80_000);
    world.ask(segment(&prefix, 2)).served();
    world.host.advance_ms(20_000);
    assert_eq!(
        world.ask(segment(&prefix, 3)).refusal(),
        refused(403, "token-expired")
    );
}

#[test]
fn of_five_players_that_race_for_three_places_the_first_three_play() {
    let mut world = World::new();
    let mut prefixes = Vec::new();
    for _ in 0..5 {
        let manifest = get("/vod/a/master.m3u8").account("alice");
        let answer = world.ask(manifest).answer();
        let location = answer.header("location").unwrap();
        prefixes.push(
            location
                .strip_suffix("/vod/a/master.m3u8")
                .unwrap()
                .to_owned(),
        );
    }
    // All five requests are let through before the first response is known.
    let World { host, workers } = &mut world;
    let mut watches = Vec::new();
    for (n, prefix) in prefixes.iter().enumerate() {
        let head = crate::testing::Headers::new(&[(":method", "GET")]);
        let path = format!("{prefix}/vod/a/1.m4s");
        let edge = &mut workers[n % 2];
        match edge.on_request(host, TICKET, &head, path.as_bytes(), true) {
            crate::step::Step::Forward(forward) => watches.push(forward.watch.unwrap()),
            other => panic!("{other:?}"),
        }
    }
    for (n, watch) in watches.iter().enumerate() {
        let step = workers[n % 2].on_response(host, TICKET, watch, 200, false);
        match step {
            crate::step::Step::Log(log_entry) => {
                assert!(n < 3 && log_entry.event == "start", "{n}")
            }
            crate::step::Step::Reply(reply) => {
                let reason = reply.answer.header("x-streamgate-reason");
                assert_eq!((n >= 3, reason), (true, Some("limit-reached")), "{n}");
            }
            other => panic!("{n}: {other:?}"),
        }
    }
    assert_eq!(world.streams("alice"), 3);
    for (n, prefix) in prefixes.iter().enumerate() {
        for worker in [0, 1] {
            let outcome = world.ask(segment(prefix, 2).on_worker(worker));
            match n < 3 {
                true => drop(outcome.served()),
                false => assert_eq!(outcome.refusal(), refused(403, "limit-reached"), "{n}"),
            }
        }
    }
    assert_eq!(world.streams("alice"), 3);
}

#[test]
fn a_known_stream_plays_on_when_the_store_fails_and_an_unknown_one_does_not_start() {
    let mut world = World::new();
    let known = world.play("alice");
    world.host.fail_swaps(true);
    world.host.advance_ms(TIMEOUT_MS / 2);
    world.ask(segment(&known, 2)).served();

    let manifest = get("/vod/a/master.m3u8").account("alice");
    let answer = world.ask(manifest).answer();
    let prefix = answer
        .header("location")
        .unwrap()
        .strip_suffix("/vod/a/master.m3u8");
    let reply = world.ask(segment(prefix.unwrap(), 1)).answer();
    assert_eq!(reply.status, 503);
    assert_eq!(reply.header("retry-after"), Some("1"));
}

#[test]
fn a_full_edge_refuses_starts_and_lets_known_streams_play() {
    let mut world =
        World::with(|| config_with(|json| json["state"]["max_streams"] = 1.into()).unwrap());
    let known = world.play("alice");
    let manifest = get("/vod/a/master.m3u8").account("bob");
    assert_eq!(world.ask(manifest).refusal(), refused(503, "edge-full"));
    world.ask(segment(&known, 2)).served();
    assert_eq!(world.host.count(Metric::RefusalsTableFull), 1);
}

#[test]
fn nothing_of_a_token_is_logged_and_none_reaches_the_origin() {
    let mut world = World::new();
    let prefix = world.play("alice");
    let token = prefix.strip_prefix("/~").unwrap();
    let served = world.ask(get(format!("{prefix}/vod/a/1.m4s"))).served();
    assert_eq!(served, "/vod/a/1.m4s");
    let elsewhere = world.ask(get(format!("{prefix}/elsewhere/1.m4s"))).reply();
    assert_eq!(elsewhere.answer.status, 400);
    assert!(!String::from_utf8_lossy(&elsewhere.logged_path.unwrap()).contains(token));
    world.host.advance_ms(12 * 3_600_000);
    let reply = world.ask(segment(&prefix, 1)).reply();
    assert!(!String::from_utf8_lossy(&reply.logged_path.unwrap()).contains(token));
    let double = world
        .ask(get(format!("{prefix}{prefix}/vod/a/1.m4s")))
        .reply();
    assert_eq!(double.answer.status, 400);
    let bare = world.ask(get(&prefix)).reply();
    assert_eq!(bare.answer.status, 400);
    assert!(!String::from_utf8_lossy(&bare.logged_path.unwrap()).contains(token));
    assert!(!String::from_utf8_lossy(&double.logged_path.unwrap()).contains(token));
}

#[test]
fn requests_outside_protected_paths_cost_no_call_of_the_store() {
    let mut world = World::new();
    for path in ["/", "/index.html", "/v20/x", "/x~y"] {
        assert_eq!(world.ask(get(path)).served(), path);
    }
    assert_eq!(world.host.calls(), MemoryHost::new().calls());
}
