//! What a device is told of which it was itself that started again.

use serde_json::json;

use super::session_api::{created, heartbeat};
use super::{World, get, json};
use crate::config::Config;
use crate::testing::{config_with, test};

fn config(compatibility: Option<&str>) -> Config {
    config_with(|json| {
        json["policies"][0]["rules"][0]["same_device"] = json!("replace");
        if let Some(compatibility) = compatibility {
            json["compatibility"] = json!(compatibility);
        }
    })
    .unwrap()
}

#[test]
fn an_old_session_is_told_that_its_own_device_has_started_again() {
    for compatibility in [None, Some("cm-v2")] {
        let mut world = World::with(|| config(compatibility));
        let create = |device: &str| {
            let path = format!("/v2/sessions/acme/alice?deviceId={device}&deviceName={device}");
            get(path).method("POST").application("web")
        };
        let start = |world: &mut World, device: &str| {
            let location = created(world, create(device));
            match location.starts_with('/') {
                true => location,
                false => format!("/v2/sessions/acme/alice/{location}"),
            }
        };
        let old = start(&mut world, "tv");
        let phone = start(&mut world, "phone");
        start(&mut world, "tv");
        let answer = heartbeat(&mut world, "web", &old);
        assert_eq!(answer.status, 410);
        let advice = &json(&answer)["associatedAdvice"][0];
        assert_eq!(advice["type"], "remote-termination");
        let message = "Playback has started again on this device";
        assert_eq!(advice["message"], message);
        let told = compatibility.is_none().then_some(json!(true));
        assert_eq!(advice.get("sameDevice").cloned(), told);

        let code = world.running("web", "alice");
        let code = code
            .iter()
            .find(|stream| stream["metadata"]["deviceId"] == "phone");
        let code = code.unwrap()["terminationCode"]
            .as_str()
            .unwrap()
            .to_owned();
        let killer = create("tablet").header("x-terminate", code);
        assert_eq!(world.ask(killer).answer().status, 202);
        let answer = heartbeat(&mut world, "web", &phone);
        let advice = &json(&answer)["associatedAdvice"][0];
        assert_eq!(
            advice["message"],
            "Playback was stopped from another device"
        );
        assert_eq!(advice.get("sameDevice"), None);
    }
}
