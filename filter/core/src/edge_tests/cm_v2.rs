//! `compatibility: cm-v2`: the shape that clients of the reference service expect.

use serde_json::json;

use super::session_api::{create, created, heartbeat};
use super::{World, get, json};
use crate::config::Config;
use crate::testing::{NOW, config_with, test};

fn config() -> Config {
    config_with(|json| json["compatibility"] = json!("cm-v2")).unwrap()
}

#[test]
fn create_answers_with_the_bare_id_and_no_body() {
    let mut world = World::with(config);
    let answer = world.ask(create("web")).answer();
    assert_eq!((answer.status, answer.body.len()), (202, 0));
    let id = answer.header("location").unwrap();
    assert!(!id.contains('/'), "{id}");
    assert_eq!(world.running("web", "alice")[0]["sessionId"], id);
    assert_eq!(answer.header("content-type"), None);
    assert_eq!(answer.header("date"), Some(NOW.to_http_date().as_str()));
    let next = NOW.plus_ms(60_000).to_http_date();
    assert_eq!(answer.header("expires"), Some(next.as_str()));
}

#[test]
fn heartbeat_and_stop_have_no_body_either() {
    let mut world = World::with(config);
    let id = created(&mut world, create("web"));
    let url = format!("/v2/sessions/acme/alice/{id}");
    world.host.advance_ms(60_000);
    let answer = heartbeat(&mut world, "web", &url);
    assert_eq!((answer.status, answer.body.len()), (202, 0));
    let next = NOW.plus_ms(120_000).to_http_date();
    assert_eq!(answer.header("expires"), Some(next.as_str()));
    assert_eq!(answer.header("location"), None);

    let stop = get(&url).method("DELETE").application("web");
    let answer = world.ask(stop).answer();
    assert_eq!((answer.status, answer.body.len()), (202, 0));
    assert_eq!(heartbeat(&mut world, "web", &url).status, 410);
}

#[test]
fn refusals_are_explained_all_the_same() {
    let mut world = World::with(config);
    for _ in 0..3 {
        created(&mut world, create("web"));
    }
    let answer = world.ask(create("web")).answer();
    assert_eq!(answer.status, 409);
    let body = json(&answer);
    assert_eq!(body["associatedAdvice"][0]["type"], "rule-violation");
    assert_eq!(body["obligations"], json!([]));
}
