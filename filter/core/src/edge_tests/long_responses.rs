//! A stream lives while bytes of its responses flow to the viewer.

use serde_json::json;
use streamgate_record::fleet::Ticket;
use streamgate_record::metric::Metric;

use super::{TICKET, World, get, json};
use crate::exchange::LogEntry;
use crate::playback::Cut;
use crate::testing::{Headers, TIMEOUT_MS, config_with, test};

const SECOND_MS: u64 = 1_000;
const PIECE: usize = 16 * 1024;

impl World {
    /// A second passes, in which these pieces of the response at hand went to the viewer.
    fn second(&mut self, pieces: usize) -> Vec<Cut> {
        self.second_of(TICKET, pieces, 200)
    }

    fn second_of(&mut self, ticket: Ticket, pieces: usize, status: u16) -> Vec<Cut> {
        let flows = self.workers[0].flows();
        (0..pieces).for_each(|_| flows.note(ticket, PIECE));
        self.host.advance_ms(SECOND_MS);
        self.tick();
        self.workers[0].cuts(&self.host, |_| Some(status))
    }

    fn begins(&mut self, path: &str, ticket: Ticket) {
        let head = Headers::default().with(":method", b"GET");
        let step = self.workers[0].on_request(&self.host, ticket, &head, path.as_bytes(), true);
        let crate::step::Step::Forward(forward) = step else {
            panic!("{step:?}");
        };
        if let Some(watch) = forward.watch {
            let _ = self.workers[0].on_response(&self.host, ticket, &watch, 200, false);
        }
    }

    /// A film runs under a session's token; its termination code.
    fn film(&mut self, application: &str, account: &str) -> String {
        let create = get(format!("/v2/sessions/acme/{account}"))
            .method("POST")
            .application(application);
        let session = json(&self.ask(create).answer());
        let prefix = session["session"]["playbackPrefix"].as_str().unwrap();
        self.ask(get(format!("{prefix}/vod/film.mp4"))).served();
        self.running(application, account)[0]["terminationCode"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

fn only(cuts: Vec<Cut>) -> LogEntry {
    let [cut] = <[Cut; 1]>::try_from(cuts).unwrap();
    let log_entry = cut.log_entry.unwrap();
    assert_eq!(log_entry.event, "cut");
    log_entry
}

const TIMEOUT_S: u64 = TIMEOUT_MS / SECOND_MS;

#[test]
fn a_film_in_one_response_lives_to_its_end_and_is_recorded_each_third_of_the_timeout() {
    let mut world = World::new();
    world.play("alice");
    let before = world.host.count(Metric::RecordWrites);
    for _ in 0..TIMEOUT_S * 5 {
        assert!(world.second(8).is_empty());
        assert_eq!(world.streams("alice"), 1);
    }
    let writes = world.host.count(Metric::RecordWrites) - before;
    assert!((13..=15).contains(&writes), "{writes}");
    assert_eq!(world.host.count(Metric::Starts), 1);
    world.workers[0].flows().end(TICKET);
    for _ in 0..=TIMEOUT_S {
        let _ = world.second(8);
    }
    assert_eq!(world.streams("alice"), 0);
}

/// The second of its segments passes by a lease.
#[test]
fn a_film_that_passes_by_a_lease_lives_as_well() {
    let mut world = World::new();
    let prefix = world.play("alice");
    world.tick();
    world.begins(&format!("{prefix}/vod/a/film.mp4"), Ticket(9));
    for _ in 0..TIMEOUT_S * 2 {
        assert!(world.second_of(Ticket(9), 8, 206).is_empty());
    }
    assert_eq!(world.streams("alice"), 1);
}

#[test]
fn what_fails_or_is_no_media_keeps_nothing() {
    for (file, status) in [
        ("film.mp4", 404),
        ("film.mp4", 503),
        ("long.m3u8", 200),
        ("a.key", 200),
    ] {
        let mut world = World::new();
        let prefix = world.play("alice");
        world.tick();
        world.begins(&format!("{prefix}/vod/a/{file}"), Ticket(9));
        for _ in 0..=TIMEOUT_S {
            assert!(world.second_of(Ticket(9), 8, status).is_empty());
        }
        assert_eq!(world.streams("alice"), 0, "{file} {status}");
    }
}

#[test]
fn a_viewer_who_stops_reading_lapses_however_much_was_sent_at_once() {
    let mut world = World::new();
    world.play("alice");
    let _ = world.second(1);
    let _ = world.second(100_000);
    let mut seconds = 0;
    while world.streams("alice") == 1 {
        assert!(world.second(0).is_empty());
        seconds += 1;
    }
    assert!(
        (TIMEOUT_S * 2 / 3..=TIMEOUT_S + 40).contains(&seconds),
        "{seconds}"
    );
    // It reads on: somebody else may play by now.
    let cut = only(world.second(8));
    assert_eq!(cut.reason, Some("stream-over"));
    assert!(world.second(8).is_empty(), "cut twice");
}

#[test]
fn bursts_count_for_as_long_as_they_last_on_a_slow_line() {
    let mut world = World::new();
    world.play("alice");
    // 5 MB each 95 s, which is longer than the timeout.
    for _ in 0..4 {
        for second in 0..95 {
            assert!(world.second(if second < 3 { 102 } else { 0 }).is_empty());
        }
        assert_eq!(world.streams("alice"), 1);
    }
}

#[test]
fn an_evicted_streams_response_is_cut_at_the_next_tick() {
    let mut world = World::new();
    world.film("mobile", "alice");
    assert!(world.second(8).is_empty());
    let flows = world.workers[0].flows();
    let create = get("/v2/sessions/acme/alice")
        .method("POST")
        .application("mobile");
    assert_eq!(world.ask(create).answer().status, 202);
    flows.note(TICKET, PIECE);
    let cut = only(world.second(1));
    assert_eq!(cut.reason, Some("evicted"));
    assert!(cut.subject.is_some() && cut.stream.is_some());
    assert_eq!(world.host.count(Metric::Cuts), 1);
}

#[test]
fn a_killed_streams_response_is_cut() {
    let mut world = World::new();
    let code = world.film("web", "alice");
    assert!(world.second(8).is_empty());
    let create = get("/v2/sessions/acme/alice")
        .method("POST")
        .application("web")
        .header("x-terminate", code)
        .on_worker(1);
    assert_eq!(world.ask(create).answer().status, 202);
    assert_eq!(only(world.second(8)).reason, Some("remote-termination"));
}

/// However lately its response was found in order: another stream of the account was ended just before.
#[test]
fn a_killed_stream_whose_player_is_refused_first_is_cut_at_the_next_tick() {
    let mut world = World::new();
    let create = || {
        let create = get("/v2/sessions/acme/alice").method("POST");
        create.application("web")
    };
    let other = json(&world.ask(create()).answer())["session"]["id"].clone();
    let code = |world: &mut World, is_other: bool| {
        let running = world.running("web", "alice").into_iter();
        let one = running
            .clone()
            .find(|one| (one["sessionId"] == other) == is_other);
        one.unwrap()["terminationCode"].as_str().unwrap().to_owned()
    };
    let film = json(&world.ask(create()).answer())["session"]["playbackPrefix"].clone();
    let prefix = film.as_str().unwrap();
    world.ask(get(format!("{prefix}/vod/film.mp4"))).served();
    let (other, film) = (code(&mut world, true), code(&mut world, false));
    assert!(world.second(8).is_empty());
    let kill = |world: &mut World, code: &str| {
        let kill = create().header("x-terminate", code);
        assert_eq!(world.ask(kill).answer().status, 202);
    };
    let tick = |world: &mut World| {
        world.workers[0].flows().note(TICKET, PIECE);
        world.host.advance_ms(100);
        world.tick();
        world.workers[0].cuts(&world.host, |_| Some(200))
    };
    kill(&mut world, &other);
    assert!(tick(&mut world).is_empty());
    kill(&mut world, &film);
    let segment = world.ask(get(format!("{prefix}/vod/a/1.m4s"))).refusal();
    assert_eq!(segment, super::refused(403, "remote-termination"));
    assert_eq!(only(tick(&mut world)).reason, Some("remote-termination"));
}

#[test]
fn a_stopped_streams_response_is_cut() {
    for worker in [0, 1] {
        let mut world = World::new();
        let _ = world.film("web", "alice");
        assert!(world.second(8).is_empty());
        let id = world.running("web", "alice")[0]["sessionId"].clone();
        let url = format!("/v2/sessions/acme/alice/{}", id.as_str().unwrap());
        let stop = get(url).method("DELETE").application("web");
        assert_eq!(world.ask(stop.on_worker(worker)).answer().status, 202);
        assert_eq!(only(world.second(8)).reason, Some("stream-over"));
    }
}

/// A second film on the same device, and a tab that ended its session.
#[test]
fn the_response_of_a_stream_that_its_device_replaced_is_cut() {
    let mut world = World::new();
    let create = |film: &str| {
        get(format!(
            "/v2/sessions/acme/alice?deviceId=tv&channel={film}"
        ))
        .method("POST")
        .application("web")
    };
    let session = json(&world.ask(create("one")).answer());
    let prefix = session["session"]["playbackPrefix"].as_str().unwrap();
    world.ask(get(format!("{prefix}/vod/film.mp4"))).served();
    assert!(world.second(8).is_empty());
    assert_eq!(world.ask(create("two")).answer().status, 202);
    assert_eq!(only(world.second(8)).reason, Some("remote-termination"));
}

/// Whoever watches a film in one response asks for nothing, and is no less the first.
#[test]
fn a_film_in_one_response_holds_its_network_among_the_first() {
    let mut world = World::with(|| {
        config_with(|json| {
            json["playback"][0]["sharing"] = json!({"networks": 1, "action": "refuse"});
        })
        .unwrap()
    });
    let home = |path: String| get(path).header("(client address)", "10.0.0.7:4711");
    let manifest = home("/vod/a/master.m3u8".to_owned()).account("alice");
    let answer = world.ask(manifest).answer();
    let location = answer.header("location").unwrap();
    let segment = location.replace("master.m3u8", "2.m4s");
    world.ask(home(segment.clone())).served();
    for _ in 0..TIMEOUT_S * 3 {
        assert!(world.second(8).is_empty());
    }
    let elsewhere = get(&segment).header("(client address)", "10.0.1.7:4711");
    let told = world.ask(elsewhere.on_worker(1)).refusal();
    assert_eq!(told, (403, "shared".to_owned()));
    world.ask(home(segment)).served();
}

/// More than there are places for.
#[test]
fn a_response_that_lost_its_place_in_the_list_is_remembered() {
    let mut world = World::new();
    let prefix = world.play("alice");
    world.tick();
    let film = format!("{prefix}/vod/a/film.mp4");
    for ticket in 9..9 + 3 * 512 {
        world.begins(&film, Ticket(ticket));
    }
    for _ in 0..TIMEOUT_S * 2 {
        assert!(world.second_of(Ticket(9), 8, 200).is_empty());
    }
    assert_eq!(world.streams("alice"), 1);
    for ticket in 9..9 + 3 * 512 {
        world.workers[0].flows().end(Ticket(ticket));
    }
    for _ in 0..=TIMEOUT_S {
        let _ = world.second_of(Ticket(9), 8, 200);
    }
    assert_eq!(world.streams("alice"), 0);
}
