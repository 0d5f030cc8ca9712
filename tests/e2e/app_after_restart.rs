//! A lone edge is killed and started again while an app of the reference service's shape plays: it has forgotten
//! whose player is whose, and the viewer plays on, or the app creates its session again at once.

use serde_json::json;
use streamgate_tests::{Answer, Edge, Settings};

/// One stream at most. The player is redirected, or says a stream of its own, and says its device.
fn settings() -> Settings {
    let attributes = json!({"deviceId": {"header": "x-device-id"}});
    Settings::default()
        .with("/compatibility", "cm-v2")
        .with("/policies/0/rules/0/max", 1)
        .with("/playback/0/attributes", attributes.clone())
        .with("/playback/3/attributes", attributes)
}

fn create(edge: &Edge, account: &str) -> String {
    let created = edge.app("demo-web").create(account).query("deviceId=tv");
    let answer = created.send().expect(202);
    answer.header("location").expect("an id").to_owned()
}

fn ask(edge: &Edge, account: &str, path: &str) -> Answer {
    let request = edge.get(path).account(account);
    let request = request.header("x-stream-id", "own");
    request.header("x-device-id", "tv").send()
}

/// The path of its segments.
fn opened(edge: &Edge, account: &str, is_redirected: bool) -> String {
    if !is_redirected {
        return "/carried/film/segment-1.m4s".to_owned();
    }
    let answer = ask(edge, account, "/vod/film/master.m3u8").expect(307);
    let location = answer.header("location").expect("a location");
    location.replace("master.m3u8", "segment-1.m4s")
}

#[test]
fn an_app_and_its_player_are_one_stream_before_and_after() {
    let mut edge = Edge::start(settings());
    let cases = [
        ("alice", true, true),
        ("bob", true, false),
        ("carol", false, true),
        ("dave", false, false),
    ];
    let playing = cases.map(|(account, is_redirected, _)| {
        let id = create(&edge, account);
        let segment = opened(&edge, account, is_redirected);
        let _ = ask(&edge, account, &segment).expect(200);
        let _ = edge.app("demo-web").heartbeat(account, &id).expect(202);
        (id, segment)
    });
    edge.restart();
    let app = edge.app("demo-web");
    for ((account, _, heartbeat_first), (mut id, segment)) in cases.into_iter().zip(playing) {
        if heartbeat_first {
            let _ = app.heartbeat(account, &id).expect(202);
            let _ = ask(&edge, account, &segment).expect(200);
        } else {
            let _ = ask(&edge, account, &segment).expect(200);
            let over = app.heartbeat(account, &id).expect(410);
            assert!(over.body.is_empty(), "the app starts anew without a word");
            id = create(&edge, account);
        }
        for _ in 0..2 {
            let _ = ask(&edge, account, &segment).expect(200);
            let _ = app.heartbeat(account, &id).expect(202);
        }
        let running = app.running(account);
        assert_eq!(running.len(), 1, "{running:?}");
        assert_eq!(running[0]["sessionId"], id.as_str());
        // Nobody else gets its place.
        let other = app.create(account).query("deviceId=phone");
        let _ = other.send().expect(409);
        let stop = format!("/v2/sessions/demo/{account}/{id}");
        let _ = app.call("DELETE", &stop).send().expect(202);
    }
    edge.assert_sound();
}
