//! Configurations: handed over in either form, updated while streams play, refused
//! with what is wrong.

use serde_json::{Value, json};
use streamgate_tests::{Edge, Settings};

const FILM: &str = "/vod/film/master.m3u8";

#[test]
fn both_ways_to_write_a_configuration_work() {
    for settings in [Settings::default(), Settings::default().as_text()] {
        let edge = Edge::start(settings);
        let app = edge.app("demo-tv");
        let _ = [(); 3].map(|()| app.start("alice"));
        let _ = app.create("alice").send().expect(409);
    }
}

#[test]
fn an_update_loses_no_stream_and_holds_from_then_on() {
    let mut edge = Edge::start(Settings::default().by_lds());
    let session = edge.app("demo-tv").start("alice");
    let players = [(); 2].map(|()| edge.player("alice").playing(FILM));
    let _ = edge.app("demo-tv").create("alice").send().expect(409);

    let four = edge.settings().with("/policies/0/rules/0/max", 4);
    edge.update(four).expect("to be taken over");
    // Connections of the old listener are closed by now.
    let (client, app) = (edge.client(), edge.app("demo-tv"));
    assert_eq!(app.running("alice").len(), 3);
    let _ = session.on(&client).heartbeat().expect(202);
    for player in &players {
        player.on(&client).plays();
    }
    assert_eq!(edge.metric("starts"), 3, "nobody had to start anew");
    assert_eq!(edge.metric("live_streams"), 3);
    assert_eq!(edge.metric("lapses"), 0);

    let _fourth = edge.player("alice").playing(FILM);
    let _ = app.create("alice").send().expect(409);
    assert_eq!(edge.metric("starts"), 4);
    assert_eq!(edge.metric("live_streams"), 4);
    assert_eq!(edge.metric("refusals.limit"), 2, "counters go on");
}

#[test]
fn a_lowered_limit_takes_exactly_the_surplus_away() {
    let mut edge = Edge::start(Settings::default().by_lds());
    let sessions = [(); 3].map(|()| {
        std::thread::sleep(std::time::Duration::from_millis(5));
        edge.app("demo-tv").start("alice")
    });
    let two = edge.settings().with("/policies/0/rules/0/max", 2);
    edge.update(two).expect("to be taken over");
    let client = edge.client();
    let [first, second, newest] = sessions.map(|session| session.on(&client));
    let _ = first.heartbeat().expect(202);
    let _ = newest.heartbeat().expect(409);
    let _ = second.heartbeat().expect(202);
    let _ = newest.heartbeat().expect(409);
    assert_eq!(edge.app("demo-tv").running("alice").len(), 2);
}

#[test]
fn a_rotated_key_invalidates_nothing_until_it_is_taken_out() {
    let mut edge = Edge::start(Settings::default().by_lds());
    let session = edge.app("demo-tv").start("alice");
    let player = edge.player("alice").playing(FILM);
    let old = json!({"id": "demo-1", "secret": {"env": "STREAMGATE_SIGNING_KEY"}});
    let new = json!({"id": "demo-2", "secret": "a secret of the second year"});

    let both = edge
        .settings()
        .with("/sessions/signing_keys", json!([new, old]));
    edge.update(both).expect("to be taken over");
    let client = edge.client();
    let _ = session.on(&client).heartbeat().expect(202);
    player.on(&client).plays();
    let later = edge.app("demo-tv").start("bob");

    let only_new = edge.settings().with("/sessions/signing_keys", json!([new]));
    edge.update(only_new).expect("to be taken over");
    let client = edge.client();
    let _ = session.on(&client).heartbeat().expect(404);
    let _ = player
        .on(&client)
        .segment()
        .expect_refusal(403, "token-invalid");
    let _ = later.on(&client).heartbeat().expect(202);
}

#[test]
fn a_broken_update_is_refused_and_the_edge_goes_on_as_before() {
    let mut edge = Edge::start(Settings::default().by_lds());
    let session = edge.app("demo-tv").start("alice");
    let good = edge.settings();

    let log = edge
        .update(good.clone().with("/policies/0/rules/0/max", "many"))
        .expect_err("must be refused");
    assert!(log.contains("policies[0].rules[0].max"), "{log}");
    assert_eq!(edge.lds().rejected, 1);
    // Also on a new connection, on every worker.
    for client in edge.one_client_per_worker() {
        let _ = session.on(&client).heartbeat().expect(202);
    }
    let app = edge.app("demo-tv");
    let _ = [(); 2].map(|()| app.start("alice"));
    let _ = app.create("alice").send().expect(409);

    edge.update(good.with("/policies/0/rules/0/max", 4))
        .expect("a good one is taken over afterwards");
    let _ = edge.app("demo-tv").start("alice");
}

#[test]
fn each_mistake_is_told_with_its_place_what_was_found_and_what_is_allowed() {
    let mut edge = Edge::start(Settings::default().by_lds());
    let good = edge.settings();
    let mistakes: [(&str, Value, &[&str]); 14] = [
        (
            "/sessions/timeout",
            json!("soon"),
            &["sessions.timeout", "\"soon\"", "\"90s\"", "1day"],
        ),
        (
            "/sessions/timeout",
            json!("60s"),
            &["sessions.timeout", "\"60s\"", "longer than", "60s"],
        ),
        (
            "/sessions/heartbeat",
            json!(60),
            &["sessions.heartbeat", "a number `60`", "a text"],
        ),
        (
            "/sessions/signing_keys",
            json!([]),
            &["sessions.signing_keys", "none", "one key"],
        ),
        (
            "/sessions/signing_keys/0/secret",
            json!({"env": "NOT_THERE"}),
            &[
                "sessions.signing_keys[0].secret.env",
                "no value",
                "environment_variables",
            ],
        ),
        (
            "/policies/0/rules/0/max",
            json!(-1),
            &["policies[0].rules[0].max", "-1", "a whole number"],
        ),
        (
            "/policies/0/rules/0/max",
            json!(1001),
            &["policies[0].rules[0].max", "1001", "0 to 1000"],
        ),
        (
            "/policies/0/rules/0/on_conflict",
            json!("deny"),
            &[
                "policies[0].rules[0].on_conflict",
                "`deny`",
                "`deny_new`",
                "`stop_oldest`",
            ],
        ),
        (
            "/policies/0/rules/0/limit",
            json!(3),
            &["policies[0].rules[0]", "`limit`", "`max`"],
        ),
        (
            "/applications/0/policies/0",
            json!("househould"),
            &[
                "applications[0].policies[0]",
                "\"househould\"",
                "\"household\"",
            ],
        ),
        (
            "/applications/1/id",
            json!("demo-web"),
            &["applications[1].id", "second time"],
        ),
        (
            "/playback/0/match/prefix",
            json!("vod"),
            &["playback[0].match.prefix", "\"vod\"", "\"/vod/\""],
        ),
        (
            "/playback/0/refuse/status",
            json!(200),
            &["playback[0].refuse.status", "200", "403, 409 or 410"],
        ),
        (
            "/state/slots",
            json!(0),
            &["state.slots", "found 0", "1 to 1048576"],
        ),
    ];
    let told = mistakes.len() as u64;
    for (pointer, value, expected) in mistakes {
        let log = edge
            .update(good.clone().with(pointer, value))
            .expect_err("must be refused");
        for part in expected {
            assert!(log.contains(part), "{pointer}: no {part} in {log}");
        }
    }
    assert_eq!(edge.lds().rejected, told);

    // Several at once are told at once, and a secret is never repeated.
    let log = edge
        .update(
            good.with("/state/slots", 0)
                .with("/sessions/timeout", "1s")
                .with("/privacy/subject_key", "hunter2"),
        )
        .expect_err("must be refused");
    for part in [
        "state.slots",
        "sessions.timeout",
        "privacy.subject_key",
        "16 bytes or more",
    ] {
        assert!(log.contains(part), "no {part} in {log}");
    }
    assert!(!edge.log().contains("hunter2"));
    let _ = edge.app("demo-tv").start("alice");
}

#[test]
fn an_edge_with_a_wrong_configuration_does_not_start() {
    for settings in [Settings::default(), Settings::default().as_text()] {
        let log = Edge::try_start(settings.with("/playback/0/application", "nobody"))
            .expect_err("must not start");
        assert!(log.contains("playback[0].application"), "{log}");
        assert!(log.contains("\"nobody\""), "{log}");
    }
}
