//! Whose streams an application may have stopped by their codes.

use serde_json::json;
use streamgate_record::metric::Metric;

use super::World;
use super::session_api::{create, created};
use crate::testing::{config_with, test};

/// `web` and `partner` share a policy across tenants. `kiosk` is of the tenant of `web`, and no policy
/// of the one sees streams of the other.
fn world() -> World {
    World::with(|| {
        config_with(|json| {
            let tenant = json["applications"][0]["tenant"].clone();
            let rule = json!({"name": "two", "max": 2, "on_conflict": "deny_new"});
            let policies = json["policies"].as_array_mut().unwrap();
            policies.push(json!({"name": "alone", "rules": [rule]}));
            let applications = json["applications"].as_array_mut().unwrap();
            applications.push(json!({"id": "kiosk", "tenant": tenant, "policies": ["alone"]}));
            applications
                .push(json!({"id": "partner", "tenant": "else", "policies": ["household"]}));
        })
        .unwrap()
    })
}

fn code_of(world: &mut World, application: &str) -> String {
    let streams = world.running(application, "alice");
    let mut own = streams
        .iter()
        .filter(|stream| stream["applicationId"] == application);
    own.next().unwrap()["terminationCode"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_code_of_a_stream_that_is_not_shown_is_like_one_that_nobody_has() {
    for (caller, other) in [("mobile", "web"), ("mobile", "kiosk"), ("partner", "kiosk")] {
        let mut world = world();
        created(&mut world, create(other));
        let code = code_of(&mut world, other);
        for code in [code.as_str(), "ffffffff"] {
            let ask = create(caller).header("x-terminate", code);
            let answer = world.ask(ask).answer();
            assert_eq!(answer.status, 202);
            let streams = world.running(caller, "alice");
            let is_victim = |stream: &serde_json::Value| stream["metadata"]["superseded"] == code;
            assert!(!streams.iter().any(is_victim), "{streams:?}");
        }
        assert_eq!(world.host.count(Metric::Kills), 0, "{caller} {other}");
        assert_eq!(code_of(&mut world, other), code);
    }
}

#[test]
fn a_code_of_the_tenants_other_application_stops_and_so_does_one_that_a_policy_sees() {
    for caller in ["kiosk", "partner"] {
        let mut world = world();
        created(&mut world, create("web"));
        let code = code_of(&mut world, "web");
        created(&mut world, create(caller).header("x-terminate", &code));
        assert_eq!(world.host.count(Metric::Kills), 1, "{caller}");
        assert_eq!(world.running(caller, "alice").len(), 1, "{caller}");
    }
}

/// It would make no room: nothing is stopped in vain.
#[test]
fn nothing_that_no_policy_counts_is_stopped_for_a_stream_that_may_not_start() {
    let mut world = world();
    created(&mut world, create("web"));
    let code = code_of(&mut world, "web");
    for _ in 0..2 {
        created(&mut world, create("kiosk"));
    }
    let answer = world
        .ask(create("kiosk").header("x-terminate", &code))
        .answer();
    assert_eq!(answer.status, 409);
    assert_eq!(world.host.count(Metric::Kills), 0);
    assert_eq!(code_of(&mut world, "web"), code);
}
