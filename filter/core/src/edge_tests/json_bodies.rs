//! Bodies of the session API: forms, flat JSON objects, and what is neither.

use serde_json::{Value, json};

use super::session_api::{create, created};
use super::{Ask, World, get};
use crate::testing::test;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn typed(ask: Ask, content_type: &str, body: &str) -> Ask {
    ask.header("content-type", content_type).body(body)
}

/// What is known of Alice's only stream.
fn metadata(world: &mut World) -> Value {
    let mut streams = world.running("web", "alice");
    assert_eq!(streams.len(), 1);
    streams[0]["metadata"].take()
}

#[test]
fn a_flat_json_object_is_read_as_attributes() {
    for content_type in [
        JSON,
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\" ; x=y",
    ] {
        let mut world = World::new();
        let body = r#"{"deviceId": "tv1", "bitrate": 4500, "hba": false, "name": "Wohnzimmer ü"}"#;
        let url = created(&mut world, typed(create("web"), content_type, body));
        let known =
            json!({"deviceId": "tv1", "bitrate": "4500", "hba": "false", "name": "Wohnzimmer ü"});
        assert_eq!(metadata(&mut world), known, "{content_type}");
        // A heartbeat brings more.
        let ask = get(&url).method("POST").application("web");
        let ask = typed(ask, content_type, r#"{"quality": 2.5}"#);
        assert_eq!(world.ask(ask).answer().status, 202);
        assert_eq!(metadata(&mut world)["quality"], "2.5");
    }
}

#[test]
fn json_that_is_not_flat_is_malformed_and_nothing_is_kept() {
    let mut world = World::new();
    for body in [
        r#"{"deviceId": {"id": "tv1"}}"#,
        r#"{"deviceId": ["tv1"]}"#,
        r#"{"deviceId": null}"#,
        r#"["deviceId"]"#,
        r#"{"deviceId": "a", "deviceId": "b"}"#,
        r#""deviceId""#,
        "deviceId=tv1",
        "{",
        " ",
    ] {
        let answer = world.ask(typed(create("web"), JSON, body)).answer();
        assert_eq!(answer.status, 400, "{body}");
    }
    let twice = get("/v2/sessions/acme/alice?a=1").method("POST");
    let twice = typed(twice.application("web"), JSON, r#"{"a": 1}"#);
    assert_eq!(world.ask(twice).answer().status, 400);
    assert_eq!(world.streams("alice"), 0);
}

#[test]
fn another_content_type_is_not_read() {
    let mut world = World::new();
    for content_type in [
        "text/plain",
        "text/json",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/xml",
        "application/json, text/plain",
        "",
        ";",
    ] {
        let answer = world
            .ask(typed(create("web"), content_type, "a=1"))
            .answer();
        assert_eq!(answer.status, 415, "{content_type}");
    }
    assert_eq!(world.streams("alice"), 0);
    // Without a body there is nothing to read.
    created(&mut world, typed(create("web"), "text/plain", ""));
    created(
        &mut world,
        create("web").header("content-type", "text/plain"),
    );
    created(&mut world, typed(create("web"), JSON, ""));
}

#[test]
fn what_is_no_form_is_never_stored_as_one() {
    let mut world = World::new();
    for body in [
        r#"{"deviceId":"tv1"}"#,
        " {\"deviceId\": \"tv1\"}",
        "<deviceId>tv1</deviceId>",
        "some text",
        "tv1",
        "42",
        "true",
        "null",
        "a&b",
        "dHYx",
        // JSON that was encoded as a whole.
        "%7B%22deviceId%22%3A%22tv1%22%7D",
        // As `URLSearchParams` does it: all of it is the name of one pair.
        "%7B%22deviceId%22%3A%22tv1%22%7D=",
        "%5B%22deviceId%22%5D=",
        "%22deviceId%22=",
        "a=b&%7B%22c%22:%22d=e%22%7D",
    ] {
        for ask in [create("web").body(body), typed(create("web"), FORM, body)] {
            assert_eq!(world.ask(ask).answer().status, 400, "{body}");
        }
    }
    for query in [r#"{"deviceId":"tv1"}"#, "%7B%22deviceId%22%3A%22tv1%22%7D"] {
        let query = get(format!("/v2/sessions/acme/alice?{query}")).method("POST");
        assert_eq!(world.ask(query.application("web")).answer().status, 400);
    }
    assert_eq!(world.streams("alice"), 0);
    // A form is one also where nothing says so.
    created(&mut world, create("web").body("deviceId=tv1&name=a+b%7B"));
    assert_eq!(
        metadata(&mut world),
        json!({"deviceId": "tv1", "name": "a b{"})
    );
    created(&mut world, typed(create("web"), FORM, "&"));
    // A query may hold a word alone, and so may a form beside what it says.
    let query = get("/v2/sessions/acme/bob?debug").method("POST");
    created(
        &mut world,
        typed(query.application("web"), FORM, "muted&deviceId="),
    );
}
