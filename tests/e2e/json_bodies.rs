//! Bodies of the session API as apps send them.

use serde_json::json;
use streamgate_tests::{Edge, Settings};

fn demanding() -> Edge {
    let device = json!({"distinct": "deviceId"});
    Edge::start(Settings::default().with("/policies/0/rules/0/count", device))
}

#[test]
fn a_flat_json_object_says_what_a_form_says() {
    let edge = demanding();
    let app = edge.app("demo-web");
    for content_type in ["application/json", "application/json;charset=UTF-8"] {
        let body = br#"{"deviceId":"tv1","bitrate":4500,"live":true}"#;
        let ask = app.call("POST", "/v2/sessions/demo/alice");
        let answer = ask.header("content-type", content_type).body(body).send();
        let session = app.session(&answer.expect(202));
        let metadata = session.listed().expect("a live session")["metadata"].take();
        assert_eq!(
            metadata,
            json!({"deviceId": "tv1", "bitrate": "4500", "live": "true"})
        );
        let _ = session.stop().expect(202);
    }
}

#[test]
fn what_is_neither_form_nor_json_is_refused_and_never_stored() {
    let edge = Edge::start(Settings::default());
    let app = edge.app("demo-web");
    let json_text = r#"{"deviceId":"tv1"}"#;
    for (content_type, body, status) in [
        (Some("text/plain"), json_text, 415),
        (Some("multipart/form-data; boundary=x"), "--x--", 415),
        (Some("application/xml"), "<a/>", 415),
        (Some("application/x-www-form-urlencoded"), json_text, 400),
        (None, json_text, 400),
        (None, "<a/>", 400),
        (Some("application/json"), r#"{"a":{"b":1}}"#, 400),
        (Some("application/json"), r#"{"a":null}"#, 400),
        (Some("application/json"), "a=1", 400),
    ] {
        let ask = app
            .call("POST", "/v2/sessions/demo/alice")
            .body(body.as_bytes());
        let ask = match content_type {
            Some(content_type) => ask.header("content-type", content_type),
            None => ask,
        };
        let _ = ask.send().expect(status);
    }
    let two = app.call("POST", "/v2/sessions/demo/alice").form("a=1");
    let _ = two
        .header("content-type", "application/json")
        .send()
        .expect(415);
    assert_eq!(app.running("alice").len(), 0);
}

#[test]
fn an_empty_device_is_a_missing_one() {
    let edge = demanding();
    for form in ["deviceId=", "deviceId=+", "deviceId&a=", "deviceId=%20"] {
        for _ in 0..2 {
            let answer = edge.app("demo-web").create("alice").form(form).send();
            let obligation = &answer.expect(400).json()["obligations"][0];
            assert_eq!(obligation["arguments"], json!(["metadata"]), "{form}");
        }
    }
    assert_eq!(edge.metric("starts"), 0);
}
