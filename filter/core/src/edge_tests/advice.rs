//! What a viewer is told, and of whom.

use serde_json::{Value, json};

use super::session_api::{create, created, heartbeat};
use super::{Ask, World, get, json};
use crate::config::Config;
use crate::testing::{NOW, config_with, test};

/// The configuration of tests with another first rule of `household`.
fn with_rule(rule: Value) -> impl Fn() -> Config {
    move || {
        let mut rule = rule.clone();
        rule["name"] = json!("rule");
        config_with(|json| json["policies"][0]["rules"] = json!([rule])).unwrap()
    }
}

/// A world whose `household` has this one rule.
fn under(rule: Value) -> World {
    World::with(with_rule(rule))
}

/// The advice that a create is refused with.
#[track_caller]
fn refused(world: &mut World, ask: Ask) -> Value {
    let answer = world.ask(ask).answer();
    assert_eq!(answer.status, 409, "{answer:?}");
    let advice = json(&answer)["associatedAdvice"].clone();
    assert_eq!(advice.as_array().unwrap().len(), 1, "{advice}");
    advice[0].clone()
}

fn names(object: &Value) -> Vec<&str> {
    let names = object.as_object().unwrap().keys();
    names.map(String::as_str).collect()
}

#[test]
fn the_viewers_language_is_chosen_and_placeholders_are_filled() {
    let mut world = under(json!({
        "max": 1, "on_conflict": "deny_new", "count": {"distinct": "deviceId"},
        "message": {
            "de": "{limit} × {attribute}: {device} spielt",
            "en": "{limit} × {attribute}: {device} plays"
        }
    }));
    created(&mut world, create("web").body("deviceId=1&deviceName=TV"));
    let message = |world: &mut World, languages: Option<&str>| {
        let ask = create("web").body("deviceId=2");
        let ask = match languages {
            Some(languages) => ask.header("accept-language", languages),
            None => ask,
        };
        refused(world, ask)["message"].as_str().unwrap().to_owned()
    };
    let german = "1 × deviceId: TV spielt";
    let english = "1 × deviceId: TV plays";
    for (languages, expected) in [
        (Some("de"), german),
        (Some("de-AT,de;q=0.9,en;q=0.1"), german),
        (Some("fr, en;q=0.2, de;q=0.8"), german),
        (Some("en-GB"), english),
        (Some("fr"), english),
        (Some(""), english),
        (None, english),
    ] {
        assert_eq!(message(&mut world, languages), expected, "{languages:?}");
    }
}

#[test]
fn an_unmodified_players_refusal_speaks_the_viewers_language_too() {
    let mut world = under(json!({
        "max": 0, "on_conflict": "deny_new", "message": {"en": "None", "de": "Keiner"}
    }));
    let manifest = get("/vod/a/master.m3u8").account("alice");
    let answer = world.ask(manifest.header("accept-language", "de"));
    let body = json(&answer.answer());
    assert_eq!(body["associatedAdvice"][0]["message"], "Keiner");
}

#[test]
fn of_a_stream_limit_conflicts_are_told_by_stream_id() {
    let mut world = World::new();
    let urls: Vec<_> = ["News 1", "Sport", ""]
        .iter()
        .map(|channel| {
            world.host.advance_ms(1_000);
            let body = match *channel {
                "" => String::new(),
                channel => format!("channel={channel}&deviceName=TV&package=gold"),
            };
            created(&mut world, create("web").body(&body.replace(' ', "+")))
        })
        .collect();
    let advice = refused(&mut world, create("tv"));
    assert_eq!(advice["type"], "rule-violation");
    assert_eq!(advice["policyName"], "household");
    assert_eq!(advice["ruleName"], "three-streams");
    assert_eq!(advice["attribute"], "streamId");
    assert_eq!(advice["threshold"], 3);
    assert_eq!(advice["scope"], json!([]));
    let mut ids: Vec<_> = urls
        .iter()
        .map(|url| url.rsplit('/').next().unwrap())
        .collect();
    let code =
        |n: usize, world: &mut World| world.running("web", "alice")[n]["terminationCode"].clone();
    let expected = json!([{
        "terminationCode": code(0, &mut world),
        "metadata": {"channel": "News 1", "deviceName": "TV", "package": "gold"},
        "channel": "News 1",
        "startedAt": NOW.plus_ms(1_000).to_rfc3339_millis(),
        "deviceName": "TV",
        "applicationName": "Web player"
    }]);
    assert_eq!(advice["conflicts"][ids[0]], expected);
    let nameless = &advice["conflicts"][ids[2]][0];
    assert_eq!(nameless["channel"], "Unknown");
    assert_eq!(nameless["deviceName"], "Unknown");
    assert_eq!(nameless["metadata"], json!({}));
    ids.sort_unstable();
    assert_eq!(names(&advice["conflicts"]), ids);
}

#[test]
fn of_a_limit_of_values_conflicts_are_told_by_value() {
    let mut world = under(json!({
        "max": 2, "on_conflict": "deny_new", "count": {"distinct": "deviceId"}
    }));
    for device in ["tv", "phone", "tv"] {
        world.host.advance_ms(1_000);
        created(
            &mut world,
            create("web").body(&format!("deviceId={device}")),
        );
    }
    let advice = refused(&mut world, create("web").body("deviceId=tablet"));
    assert_eq!(advice["attribute"], "deviceId");
    assert_eq!(advice["threshold"], 2);
    assert_eq!(names(&advice["conflicts"]), ["phone", "tv"]);
    let running = world.running("web", "alice");
    let codes = |of: &[usize]| {
        let codes = of.iter().map(|n| running[*n]["terminationCode"].clone());
        codes.collect::<Vec<_>>()
    };
    let told = |value: &str| {
        let streams = advice["conflicts"][value].as_array().unwrap();
        let codes = streams.iter().map(|one| one["terminationCode"].clone());
        codes.collect::<Vec<_>>()
    };
    assert_eq!(told("phone"), codes(&[1]));
    assert_eq!(told("tv"), codes(&[0, 2]));
}

#[test]
fn advice_names_the_scope_and_the_streams_within_it() {
    let mut world = under(json!({
        "max": 1, "on_conflict": "deny_new", "per": ["channel", "deviceType"]
    }));
    let on = |channel: &str| create("web").body(&format!("channel={channel}&deviceType=tv"));
    created(&mut world, on("Sport"));
    created(&mut world, on("News"));
    let advice = refused(&mut world, on("News"));
    assert_eq!(advice["scope"], json!(["channel", "deviceType"]));
    assert_eq!(advice["attribute"], "streamId");
    let conflicts = advice["conflicts"].as_object().unwrap();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts.values().next().unwrap()[0]["channel"], "News");
}

#[test]
fn a_code_from_the_advice_makes_room() {
    let mut world = under(json!({
        "max": 1, "on_conflict": "deny_new", "count": {"distinct": "deviceId"}
    }));
    let first = created(&mut world, create("web").body("deviceId=tv"));
    let second = created(&mut world, create("web").body("deviceId=tv"));
    let advice = refused(&mut world, create("web").body("deviceId=phone"));
    let code = |n: usize| {
        let code = &advice["conflicts"]["tv"][n]["terminationCode"];
        code.as_str().unwrap().to_owned()
    };
    // The device has another stream: one is not enough, and nobody is stopped for it.
    let newcomer = create("web").body("deviceId=phone");
    let half = newcomer.clone().header("x-terminate", code(0));
    refused(&mut world, half.clone());
    assert_eq!(heartbeat(&mut world, "web", &first).status, 202);
    created(&mut world, half.header("x-terminate", code(1)));
    for victim in [first, second] {
        assert_eq!(heartbeat(&mut world, "web", &victim).status, 410);
    }
    let running = world.running("web", "alice");
    assert_eq!(running.len(), 1);
    let mut superseded = [code(0), code(1)];
    superseded.sort();
    let metadata = &running[0]["metadata"]["superseded"];
    let mut named: Vec<_> = metadata.as_str().unwrap().split(',').collect();
    named.sort_unstable();
    assert_eq!(named, superseded);
}

#[test]
fn a_device_that_starts_again_names_what_it_replaced_and_the_victim_is_told() {
    let mut world = World::new();
    let on = |device: &str, channel: &str| {
        let body = format!("deviceId={device}&deviceName=TV&channel={channel}");
        create("web").body(&body)
    };
    let news = created(&mut world, on("tv", "News"));
    let code = world.running("web", "alice")[0]["terminationCode"].clone();
    world.host.advance_ms(1_000);
    created(&mut world, on("tv", "Sport"));
    let running = world.running("web", "alice");
    assert_eq!(running.len(), 1);
    assert_eq!(running[0]["metadata"]["superseded"], code);
    let answer = heartbeat(&mut world, "web", &news);
    assert_eq!(answer.status, 410);
    let advice = &json(&answer)["associatedAdvice"][0];
    assert_eq!(advice["type"], "remote-termination");
    let terminator = json!({
        "channel": "Sport",
        "startedAt": NOW.plus_ms(1_000).to_rfc3339_millis(),
        "deviceName": "TV",
        "applicationName": "Web player"
    });
    assert_eq!(advice["terminator"], terminator);
}

#[test]
fn no_app_says_of_its_stream_whom_it_superseded() {
    let mut world = World::new();
    created(&mut world, create("web").body("superseded=51fd351f&a=b"));
    let running = world.running("web", "alice");
    assert_eq!(running[0]["metadata"], json!({"a": "b"}));
}

#[test]
fn an_eviction_names_its_victim_and_the_victim_is_told_the_rule() {
    let mut world = World::new();
    let first = created(&mut world, create("mobile"));
    let code = world.running("mobile", "alice")[0]["terminationCode"].clone();
    world.host.advance_ms(1_000);
    let second = created(&mut world, create("mobile").body("channel=Sport"));
    let running = world.running("mobile", "alice");
    assert_eq!(running.len(), 1);
    assert_eq!(running[0]["metadata"]["superseded"], code);
    assert_eq!(running[0]["metadata"]["channel"], "Sport");

    let answer = heartbeat(&mut world, "mobile", &first);
    assert_eq!(answer.status, 409);
    let advice = &json(&answer)["associatedAdvice"][0];
    assert_eq!(advice["type"], "rule-violation");
    assert_eq!(advice["message"], "Plays elsewhere");
    let winner = second.rsplit('/').next().unwrap();
    assert_eq!(names(&advice["conflicts"]), [winner]);
    assert_eq!(heartbeat(&mut world, "mobile", &second).status, 202);
}

#[test]
fn streams_of_other_tenants_that_share_a_policy_are_listed() {
    let mut world = World::with(|| {
        config_with(|json| json["applications"][2]["policies"] = json!(["household"])).unwrap()
    });
    for application in ["web", "mobile", "tv"] {
        world.host.advance_ms(1_000);
        created(&mut world, create(application));
    }
    let listed = |world: &mut World, by: &str| {
        let streams = world.running(by, "alice");
        let applications = streams.iter().map(|one| one["applicationId"].clone());
        applications.collect::<Vec<_>>()
    };
    for application in ["web", "mobile", "tv"] {
        assert_eq!(listed(&mut world, application), ["web", "mobile", "tv"]);
    }
    // And they are counted and shown where a fourth one is refused.
    let advice = refused(&mut world, create("mobile"));
    let conflicts = advice["conflicts"].as_object().unwrap().values();
    let mut applications: Vec<_> = conflicts
        .map(|one| one[0]["applicationName"].as_str().unwrap())
        .collect();
    applications.sort_unstable();
    assert_eq!(applications, ["Web player", "mobile", "tv"]);
}

/// A rule with a way out, in two languages.
fn with_action() -> Value {
    json!({
        "max": 1, "on_conflict": "deny_new",
        "action": {
            "label": {"en": "More than {limit}", "de": "Mehr als {limit}"},
            "url": {"en": "https://example.com/en?{limit}", "de": "https://example.com/de"}
        }
    })
}

#[test]
fn the_way_out_travels_with_the_advice_in_the_viewers_language() {
    let mut world = under(with_action());
    created(&mut world, create("web"));
    let action = |world: &mut World, languages: &str| {
        let ask = create("web").header("accept-language", languages);
        refused(world, ask)["action"].clone()
    };
    let german = json!({"label": "Mehr als 1", "url": "https://example.com/de"});
    assert_eq!(action(&mut world, "de-AT"), german);
    // A URL has no placeholders.
    let english = json!({"label": "More than 1", "url": "https://example.com/en?{limit}"});
    assert_eq!(action(&mut world, "fr"), english);
}

#[test]
fn a_players_refusal_has_the_way_out_and_one_without_has_none() {
    let mut world = under(with_action());
    created(&mut world, create("web"));
    let manifest = get("/vod/a/master.m3u8").account("alice");
    let answer = world.ask(manifest).answer();
    let action = &json(&answer)["associatedAdvice"][0]["action"];
    assert_eq!(action["label"], "More than 1");

    let mut world = under(json!({"max": 0, "on_conflict": "deny_new"}));
    let advice = refused(&mut world, create("web"));
    assert!(!names(&advice).contains(&"action"), "{advice}");
}

#[test]
fn an_evicted_streams_refusal_has_the_way_out() {
    let mut rule = with_action();
    rule["on_conflict"] = json!("stop_oldest");
    let mut world = under(rule);
    let url = created(&mut world, create("web"));
    created(&mut world, create("web"));
    let answer = heartbeat(&mut world, "web", &url);
    assert_eq!(answer.status, 409);
    let action = &json(&answer)["associatedAdvice"][0]["action"];
    assert_eq!(action["url"], "https://example.com/en?{limit}");
}

#[test]
fn clients_of_the_old_shape_are_told_no_way_out() {
    let config = || {
        config_with(|json| {
            json["compatibility"] = json!("cm-v2");
            json["policies"][0]["rules"][0]["action"] = with_action()["action"].clone();
            json["policies"][0]["rules"][0]["max"] = json!(0);
        })
    };
    let mut world = World::with(move || config().unwrap());
    let advice = refused(&mut world, create("web"));
    assert!(!names(&advice).contains(&"action"), "{advice}");
}
