//! What policies can say, through a real Envoy. That each rule judges right is shown
//! natively; here, that it does so for real sessions and segments.

use serde_json::json;
use streamgate_tests::{Edge, Settings};

/// `demo-tv` under one policy with these rules.
fn edge(rules: serde_json::Value) -> Edge {
    Edge::start(with_rules(Settings::default(), rules))
}

fn with_rules(settings: Settings, rules: serde_json::Value) -> Settings {
    settings.with("/policies/0/rules", rules)
}

#[test]
fn a_third_device_pushes_out_all_streams_of_the_first() {
    let edge = edge(json!([{
        "name": "two-devices", "max": 2, "count": {"distinct": "deviceId"},
        "on_conflict": "stop_oldest",
    }]));
    let app = edge.app("demo-tv");
    let on = |device: &str| {
        app.create("alice")
            .form(&format!("deviceId={device}"))
            .start()
    };
    let (first, again, second) = (on("d1"), on("d1"), on("d2"));
    let third = on("d3");
    for loser in [first, again] {
        let _ = loser.heartbeat().expect(409);
    }
    for winner in [second, third] {
        let _ = winner.heartbeat().expect(202);
    }
    assert_eq!(edge.metric("evictions"), 2);
}

#[test]
fn a_target_and_a_scope_narrow_a_rule() {
    let edge = edge(json!([{
        "name": "live-per-channel", "max": 1, "per": ["channel"],
        "when": {"contentType": ["live", "event"]}, "on_conflict": "deny_new",
    }]));
    let app = edge.app("demo-tv");
    let watch = |form: &str| app.create("alice").form(form).send();
    let _ = watch("contentType=live&channel=News").expect(202);
    let _ = watch("contentType=live&channel=Sport").expect(202);
    let _ = watch("contentType=vod&channel=News").expect(202);
    let refused = watch("contentType=event&channel=News").expect(409);
    let advice = &refused.json()["associatedAdvice"][0];
    assert_eq!(advice["scope"], json!(["channel"]));
    assert_eq!(advice["conflicts"].as_object().expect("conflicts").len(), 1);
}

#[test]
fn what_a_policy_needs_to_know_is_asked_for() {
    let edge = edge(json!([{
        "name": "live", "max": 1, "when": {"contentType": "live"}, "on_conflict": "deny_new",
    }]));
    let app = edge.app("demo-tv");
    let names = app.call("GET", "/v2/metadata").send().expect(200);
    assert_eq!(names.json(), json!(["contentType"]));
    let refused = app.create("alice").send().expect(400);
    assert_eq!(
        refused.json(),
        json!({"associatedAdvice": [], "obligations": [{
            "namespace": "adobe.primetime.cm", "action": "refresh", "arguments": ["metadata"],
        }]})
    );
    assert!(app.running("alice").is_empty());
}

#[test]
fn a_device_that_starts_again_replaces_its_own_stream() {
    let edge = Edge::start(Settings::default());
    let app = edge.app("demo-tv");
    let on = |device: &str| {
        app.create("alice")
            .form(&format!("deviceId={device}"))
            .start()
    };
    let crashed = on("tv");
    let others = [on("phone"), on("tablet")];
    let restarted = on("tv");
    let told = crashed.heartbeat().expect(410);
    assert_eq!(
        told.json()["associatedAdvice"][0]["type"],
        "remote-termination"
    );
    for session in [&others[0], &others[1], &restarted] {
        let _ = session.heartbeat().expect(202);
    }
    assert_eq!(edge.metric("replacements"), 1);
}

#[test]
fn a_policy_that_only_watches_refuses_nobody_and_counts() {
    let edge = Edge::start(Settings::default().with("/policies/0/mode", "monitor"));
    let app = edge.app("demo-tv");
    for _ in 0..5 {
        let _ = app.start("alice");
    }
    assert_eq!(app.running("alice").len(), 5);
    assert_eq!(edge.metric("monitored_breaches"), 2);
}

#[test]
fn a_lowered_limit_takes_the_surplus_at_its_next_sign_of_life() {
    let settings = Settings::default().by_lds();
    let mut edge = Edge::start(settings.clone());
    let sessions: Vec<_> = (0..3).map(|_| edge.app("demo-tv").start("alice")).collect();
    let player = edge.player("bob").playing("/vod/film/master.m3u8");
    edge.update(settings.with("/policies/0/rules/0/max", 1))
        .expect("a good update");
    let answers = sessions
        .iter()
        .rev()
        .map(|session| session.heartbeat().status);
    assert_eq!(
        answers.collect::<Vec<_>>(),
        [409, 409, 202],
        "the newest lose"
    );
    player.plays();
}

#[test]
fn the_viewer_is_told_in_the_viewers_language() {
    let edge = Edge::start(Settings::default().with(
        "/policies/0/rules/0",
        json!({
            "name": "one", "max": 1, "on_conflict": "deny_new",
            "message": {"en": "Only {limit}: {device} plays", "de": "Nur {limit}: {device} spielt"},
        }),
    ));
    let app = edge.app("demo-tv");
    let _ = app.create("alice").form("deviceName=TV").start();
    let message = |language: &str| {
        let call = app.call("POST", "/v2/sessions/demo/alice");
        let refused = call.header("accept-language", language).send().expect(409);
        refused.json()["associatedAdvice"][0]["message"].clone()
    };
    assert_eq!(message("de-CH, en;q=0.5"), "Nur 1: TV spielt");
    assert_eq!(message("fr"), "Only 1: TV plays");
    let manifest = edge.get("/vod/film/master.m3u8").account("alice");
    let refused = manifest.header("accept-language", "de").send().expect(403);
    assert_eq!(
        refused.json()["associatedAdvice"][0]["message"],
        "Nur 1: TV spielt"
    );
}

#[test]
fn calls_over_the_limit_are_told_when_one_counts_again() {
    let settings = Settings::default()
        .with("/sessions/creates_per_minute", 2)
        .with("/policies/0/rules/0/max", 100);
    let edge = Edge::start(settings);
    let app = edge.app("demo-tv");
    // The minute may turn once while this runs, and then two more count.
    let answers: Vec<_> = (0..6).map(|_| app.create("alice").send()).collect();
    let refused: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 429)
        .collect();
    assert!(refused.len() >= 2, "{answers:?}");
    for answer in refused {
        assert!(answer.body.is_empty());
        let date = |name| httpdate::parse_http_date(answer.header(name).expect("a date"));
        let date = |name| date(name).expect("an HTTP date");
        let left = date("expires").duration_since(date("date"));
        let left_s = left.expect("a time to come").as_secs();
        let retry_s = answer.header("retry-after").expect("a time");
        let retry_s: u64 = retry_s.parse().expect("whole seconds");
        assert_eq!(retry_s, left_s.max(1), "the dates are cut to whole seconds");
        assert!((1..=60).contains(&retry_s), "{retry_s}");
    }
    let admitted = answers.iter().filter(|answer| answer.status == 202).count();
    assert_eq!(app.running("alice").len(), admitted);
}

#[test]
fn existing_clients_of_the_reference_service_find_its_shape() {
    let edge = Edge::start(Settings::default().with("/compatibility", "cm-v2"));
    let app = edge.app("demo-tv");
    let created = app.create("alice").send().expect(202);
    assert!(created.body.is_empty());
    let id = created.header("location").expect("a location").to_owned();
    assert!(!id.contains('/'), "{id}");
    let beaten = app.heartbeat("alice", &id).expect(202);
    assert!(beaten.body.is_empty());
    assert!(beaten.header("expires").is_some());
}

#[test]
fn heartbeats_and_stops_are_counted_together() {
    let edge = Edge::start(Settings::default().with("/sessions/calls_per_minute", 1));
    let session = edge.app("demo-tv").start("alice");
    // The minute may turn once while this runs, and then one more counts.
    let answers: Vec<u16> = (0..3).map(|_| session.heartbeat().status).collect();
    assert_eq!(answers[0], 202);
    assert!(answers.contains(&429), "{answers:?}");
    let stop = session.stop();
    assert!([202, 429].contains(&stop.status), "{stop:?}");
    if stop.status == 429 {
        assert!(stop.header("expires").is_some());
        assert!(
            session.listed().is_some(),
            "a call that does not count does nothing"
        );
    }
}

#[test]
fn attributes_that_stay_as_they_are_cannot_be_changed() {
    let edge = Edge::start(Settings::default());
    let session = edge
        .app("demo-tv")
        .create("alice")
        .form("channel=News")
        .start();
    let _ = session
        .heartbeat_with("channel=News&quality=hd")
        .expect(202);
    let _ = session.heartbeat_with("channel=Sport").expect(400);
    let listed = session.listed().expect("it plays on");
    assert_eq!(listed["metadata"]["channel"], "News");
}

#[test]
fn an_attribute_that_policies_came_to_need_is_asked_for_by_heartbeat() {
    let settings = Settings::default().by_lds();
    let mut edge = Edge::start(settings.clone());
    let session = edge.app("demo-tv").start("alice");
    edge.update(settings.with("/policies/0/rules/0/per", json!(["channel"])))
        .expect("a good update");
    let asked = session.heartbeat().expect(400);
    assert_eq!(asked.json()["obligations"][0]["action"], "refresh");
    let _ = session.heartbeat_with("channel=News").expect(202);
    let _ = session.heartbeat().expect(202);
}

#[test]
fn what_a_path_says_of_a_stream_is_judged() {
    let rules = json!([
        {"name": "each-channel-once", "max": 1, "per": ["channel"], "on_conflict": "deny_new"}
    ]);
    let settings = Settings::default()
        .with("/policies/0/rules", rules)
        .with("/playback/0/template", "/vod/{channel}/{assetId}/*");
    let edge = Edge::start(settings);
    let _ = edge.player("alice").playing("/vod/news/7/master.m3u8");
    let _ = edge.player("alice").playing("/vod/sport/7/master.m3u8");
    let second = edge.player("alice").open("/vod/news/8/master.m3u8");
    let refused = second.expect_refusal(403, "limit-reached").json();
    assert_eq!(refused["associatedAdvice"][0]["scope"], json!(["channel"]));
    let running = edge.app("demo-tv").running("alice");
    assert_eq!(running[0]["metadata"]["channel"], "news");
    assert_eq!(running[0]["metadata"]["assetId"], "7");
}
