//! The session API.

use streamgate_policy::activity::Liveness;
use streamgate_policy::{Event, Unknown};
use streamgate_record::metric::Metric;
use streamgate_record::transact;
use streamgate_tokens::signed::read_session_id;

use super::{Ask, World, get, json};
use crate::exchange::Answer;
use crate::testing::{NOW, TIMEOUT_MS, config, play, test};

pub(super) fn create(application: &str) -> Ask {
    get("/v2/sessions/acme/alice")
        .method("POST")
        .application(application)
}

pub(super) fn created(world: &mut World, ask: Ask) -> String {
    let answer = world.ask(ask).answer();
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.header("location").unwrap().to_owned()
}

pub(super) fn heartbeat(world: &mut World, application: &str, url: &str) -> Answer {
    let ask = get(url).method("POST").application(application);
    world.ask(ask).answer()
}

fn codes(world: &mut World) -> Vec<String> {
    let streams = world.running("web", "alice");
    let code = |stream: &serde_json::Value| stream["terminationCode"].as_str().unwrap().to_owned();
    streams.iter().map(code).collect()
}

#[test]
fn create_says_by_when_the_next_heartbeat_must_come() {
    let mut world = World::new();
    let answer = world.ask(create("web")).answer();
    assert_eq!(answer.status, 202);
    assert_eq!(answer.header("date"), Some(NOW.to_http_date().as_str()));
    let next = NOW.plus_ms(60_000);
    assert_eq!(answer.header("expires"), Some(next.to_http_date().as_str()));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = json(&answer);
    let session = &body["session"];
    assert_eq!(session["expires"], next.to_rfc3339_seconds());
    assert_eq!(session["heartbeatSeconds"], 60);
    assert_eq!(session["policyCompliant"], true);
    assert_eq!(answer.header("location"), session["url"].as_str());
    let url = format!(
        "/v2/sessions/acme/alice/{}",
        session["id"].as_str().unwrap()
    );
    assert_eq!(session["url"], url);
}

#[test]
fn heartbeats_in_time_keep_a_session_and_silence_ends_it() {
    let mut world = World::new();
    let url = created(&mut world, create("web"));
    for _ in 0..10 {
        world.host.advance_ms(60_000);
        assert_eq!(heartbeat(&mut world, "web", &url).status, 202);
    }
    assert_eq!(world.host.count(Metric::Heartbeats), 10);
    world.host.advance_ms(TIMEOUT_MS);
    let answer = heartbeat(&mut world, "web", &url);
    assert_eq!((answer.status, answer.body.len()), (410, 0));
}

#[test]
fn a_session_that_lives_by_media_is_not_promised_more_time_for_a_heartbeat() {
    let mut world = World::new();
    let url = created(&mut world, create("web"));
    let config = config();
    let subject = config.hasher.subject("acme", "alice");
    let (_, id) = url.rsplit_once('/').unwrap();
    let stream = read_session_id(&config.sessions.ring, &subject, id).unwrap();
    let mut segment = play(&config.records.book, "web", stream, Unknown::Starts);
    segment.liveness = Liveness::Media;
    let segment = Event::Play(segment);
    let decided = transact(&world.host, &config.records, &subject, &segment, NOW, NOW);
    assert!(decided.is_ok());

    for (later, expected) in [(10_000, 70_000), (50_000, 90_000)] {
        world.host.advance_ms(later);
        let answer = heartbeat(&mut world, "web", &url);
        let expected = NOW.plus_ms(expected);
        assert_eq!(answer.status, 202);
        assert_eq!(
            answer.header("expires"),
            Some(expected.to_http_date().as_str())
        );
        let session = &json(&answer)["session"];
        assert_eq!(session["expires"], expected.to_rfc3339_seconds());
    }
    world.host.advance_ms(30_000);
    assert_eq!(heartbeat(&mut world, "web", &url).status, 410);
}

#[test]
fn attributes_travel_in_query_and_body_and_heartbeats_add_to_them() {
    let mut world = World::new();
    let mut ask = create("web").body("deviceName=Wohn+zimmer");
    ask.path = b"/v2/sessions/acme/alice?channel=News%201".to_vec();
    let url = created(&mut world, ask);
    heartbeat(&mut world, "web", &format!("{url}?bitrate=3000"));
    let path = "/v2/runningStreams/acme/alice";
    let answer = world.ask(get(path).application("tv")).answer();
    assert_eq!(
        json(&answer)["runningStreams"][0]["metadata"],
        serde_json::json!({"channel": "News 1", "deviceName": "Wohn zimmer", "bitrate": "3000"})
    );
}

#[test]
fn a_viewer_chooses_what_to_stop_and_the_victim_is_told_by_whom() {
    let mut world = World::new();
    let urls: Vec<_> = (0..3).map(|_| created(&mut world, create("web"))).collect();
    let conflict = world.ask(create("web")).answer();
    assert_eq!(conflict.status, 409);
    let codes = codes(&mut world);

    let newcomer = create("tv")
        .body("channel=Sport&deviceName=Kitchen")
        .header("x-terminate", format!("{}, {}", codes[0], "00000000"))
        .header("x-terminate", &codes[1]);
    created(&mut world, newcomer);
    let answer = world
        .ask(get("/v2/runningStreams/acme/alice").application("tv"))
        .answer();
    let body = json(&answer);
    let superseded = &body["runningStreams"][1]["metadata"]["superseded"];
    assert_eq!(*superseded, format!("{},{}", codes[0], codes[1]));

    for victim in &urls[..2] {
        let answer = heartbeat(&mut world, "web", victim);
        assert_eq!(answer.status, 410);
        let advice = json(&answer)["associatedAdvice"][0].clone();
        assert_eq!(advice["type"], "remote-termination");
        assert_eq!(advice["terminator"]["channel"], "Sport");
        assert_eq!(advice["terminator"]["deviceName"], "Kitchen");
        assert_eq!(advice["terminator"]["applicationName"], "tv");
    }
    assert_eq!(heartbeat(&mut world, "web", &urls[2]).status, 202);
}

#[test]
fn ids_never_issued_are_not_found_and_others_are_gone() {
    let mut world = World::new();
    let url = created(&mut world, create("web"));
    let stop = get(&url).method("DELETE").application("web");
    assert_eq!(world.ask(stop.clone()).answer().status, 202);
    assert_eq!(world.ask(stop).answer().status, 410);
    assert_eq!(heartbeat(&mut world, "web", &url).status, 410);

    let bobs = url.replace("alice", "bob");
    let other_idp = url.replace("acme", "acme2");
    let made_up = "/v2/sessions/acme/alice/AQEBAQ".to_owned();
    for unknown in [bobs, other_idp, made_up] {
        assert_eq!(
            heartbeat(&mut world, "web", &unknown).status,
            404,
            "{unknown}"
        );
        let stop = get(&unknown).method("DELETE").application("web");
        assert_eq!(world.ask(stop).answer().status, 404, "{unknown}");
    }
}

#[test]
fn after_a_restart_sessions_come_back_and_old_ones_are_gone() {
    let mut world = World::new();
    let lives = created(&mut world, create("web"));
    let dies = created(&mut world, create("web"));
    world.host.advance_ms(30_000);
    world.restart();
    assert_eq!(heartbeat(&mut world, "web", &lives).status, 202);
    world.host.advance_ms(TIMEOUT_MS + 1);
    assert_eq!(heartbeat(&mut world, "web", &dies).status, 410);
}

#[test]
fn a_session_is_its_own_applications() {
    let mut world = World::new();
    let url = created(&mut world, create("web"));
    assert_eq!(heartbeat(&mut world, "tv", &url).status, 403);
    let stop = get(&url).method("DELETE").application("mobile");
    assert_eq!(world.ask(stop).answer().status, 403);
    assert_eq!(heartbeat(&mut world, "web", &url).status, 202);
}

#[test]
fn running_streams_shows_what_shares_a_policy_or_tenant_and_counts_the_rest() {
    let mut world = World::new();
    // `web` and `tv` share a policy and a tenant, `mobile` has others.
    let applications = ["web", "mobile", "tv", "web", "mobile"];
    let ids = applications.map(|application| {
        world.host.advance_ms(1);
        let url = created(&mut world, create(application));
        url.rsplit_once('/').unwrap().1.to_owned()
    });
    // `mobile` lets its latest play alone.
    for (application, expected, others) in [
        ("web", vec![0, 2, 3], 1),
        ("tv", vec![0, 2, 3], 1),
        ("mobile", vec![4], 3),
    ] {
        let path = "/v2/runningStreams/acme/alice";
        let answer = world.ask(get(path).application(application)).answer();
        let body = json(&answer);
        let listed: Vec<_> = body["runningStreams"]
            .as_array()
            .unwrap()
            .iter()
            .map(|stream| {
                let field = |name: &str| stream[name].as_str().unwrap().to_owned();
                (field("sessionId"), field("applicationId"))
            })
            .collect();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|at: usize| (ids[at].clone(), applications[at].to_owned()))
            .collect();
        assert_eq!(listed, expected, "{application}");
        assert_eq!(body["otherStreams"], others, "{application}");
        // The first of those listed lapses first.
        let started = if application == "mobile" { 5 } else { 1 };
        let lapses = NOW.plus_ms(started + TIMEOUT_MS).to_http_date();
        assert_eq!(answer.header("expires"), Some(lapses.as_str()));
    }
    // Another account's are nobody's business here.
    let answer = world.ask(get("/v2/runningStreams/acme/bob").application("web"));
    let body = json(&answer.answer());
    assert_eq!(body["runningStreams"].as_array().map(Vec::len), Some(0));
    assert_eq!(body["otherStreams"], 0);
}

#[test]
fn whoever_is_no_application_is_told_how_to_be_one() {
    let mut world = World::new();
    let ask = get("/v2/sessions/acme/alice").method("POST");
    let answer = world.ask(ask.clone()).answer();
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").is_some());
    assert_eq!(world.ask(ask.application("nobody")).answer().status, 401);
}

#[test]
fn bad_calls_get_a_clear_status_and_change_nothing() {
    let mut world = World::new();
    let many: Vec<String> = (0..10_000).map(|n| format!("a{n}=1")).collect();
    let long = format!("/v2/sessions/acme/{}", "x".repeat(60_000));
    let post = |path: &str| get(path).method("POST").application("web");
    let cases = [
        (413, create("web").body(&"x".repeat(16 * 1024 + 1))),
        (400, create("web").body(&many.join("&")[..16 * 1024])),
        (400, create("web").body("a=%zz")),
        (400, create("web").body("a=%00")),
        (400, create("web").body("a=1&a=2")),
        (400, create("web").header("x-terminate", b"\xff")),
        (400, create("web").header("x-terminate", "1,".repeat(33))),
        (400, post("/v2/sessions/acme/%zz")),
        (400, post("/v2/sessions/acme/")),
        (400, post(&long)),
        (404, post("/v2")),
        (404, post("/v2/nothing")),
        (405, post("/v2/runningStreams/acme/alice")),
        (405, create("web").method("PUT")),
    ];
    for (status, ask) in cases {
        let shown = super::lossy(&ask.path[..ask.path.len().min(80)]);
        assert_eq!(world.ask(ask).answer().status, status, "{shown}");
    }
    assert_eq!(world.streams("alice"), 0);
}

#[test]
fn heartbeats_cannot_pile_attributes_up() {
    let mut world = World::new();
    let url = created(&mut world, create("web"));
    let add = |world: &mut World, from: u32| {
        let pairs: Vec<String> = (from..from + 8).map(|n| format!("a{n}=1")).collect();
        heartbeat(world, "web", &format!("{url}?{}", pairs.join("&"))).status
    };
    for from in [0, 8, 16, 24] {
        assert_eq!(add(&mut world, from), 202);
    }
    assert_eq!(add(&mut world, 32), 400);
    assert_eq!(add(&mut world, 0), 202, "known ones may come again");
}

#[test]
fn no_log_shows_account_or_session() {
    let mut world = World::new();
    let url = created(&mut world, create("web"));
    let reply = world
        .ask(get(&url).method("POST").application("web"))
        .reply();
    assert_eq!(
        reply.logged_path.unwrap(),
        b"/v2/sessions/{idp}/{subject}/{session}"
    );
    let log_entry = world.ask(create("web")).reply().log_entry.unwrap();
    assert_eq!(log_entry.event, "start");
    assert!(!format!("{log_entry:?}").contains("alice"));
}
