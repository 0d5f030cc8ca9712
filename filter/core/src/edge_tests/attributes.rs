//! Attributes that requests say of their streams, and limits that credentials say.

use serde_json::{Value, json};

use super::{Ask, World, get, refused};
use crate::config::Config;
use crate::testing::{config_with, test};

/// `/vod/` with this said about its requests, and a policy of these rules.
fn edge(change: Value, rules: Value) -> impl Fn() -> Config {
    move || {
        config_with(|json| {
            for (name, value) in change.as_object().unwrap() {
                json["playback"][0][name] = value.clone();
            }
            json["policies"][0]["rules"] = rules.clone();
        })
        .unwrap()
    }
}

/// One stream for each channel.
fn by_channel() -> Value {
    json!([{"name": "one-each", "max": 1, "per": ["channel"], "on_conflict": "deny_new"}])
}

/// A limit that these tests do not reach.
fn any() -> Value {
    json!([{"name": "ten", "max": 10, "on_conflict": "deny_new"}])
}

fn on(path: &str, stream: &str) -> Ask {
    get(path).account("alice").header("x-stream-id", stream)
}

#[test]
fn path_query_header_claim_and_constant_feed_the_policies() {
    let sources = [
        json!({"template": "/vod/{channel}/*"}),
        json!({"attributes": {"channel": {"path_segment": 2}}}),
        json!({"attributes": {"channel": {"query": "ch"}}}),
        json!({"attributes": {"channel": {"header": "X-Channel"}}}),
        json!({"attributes": {"channel": {"jwt_claim": "channel"}}}),
        json!({"attributes": {"channel": {"cookie": "channel"}}}),
        json!({"attributes": {"channel": {"cmcd": "cid"}}}),
    ];
    for source in sources {
        let mut world = World::with(edge(source.clone(), by_channel()));
        let segment = |channel: &str, stream: &str| {
            let cmcd = format!("cid=\"{channel}\"");
            on(&format!("/vod/{channel}/1.ts?ch={channel}"), stream)
                .header("x-channel", channel)
                .header("cookie", format!("a=b; channel={channel}"))
                .header("cmcd-session", cmcd)
                .claim("channel", channel)
        };
        world.ask(segment("news", "a")).served();
        world.ask(segment("sport", "b")).served();
        assert_eq!(
            world.ask(segment("news", "c")).refusal(),
            refused(403, "limit-reached"),
            "{source}"
        );
        let running = world.running("web", "alice");
        let mut channels: Vec<_> = running
            .iter()
            .map(|stream| stream["metadata"]["channel"].as_str().unwrap())
            .collect();
        channels.sort_unstable();
        assert_eq!(channels, ["news", "sport"], "{source}");
    }
    let constant = json!({"attributes": {"channel": {"value": "all"}}});
    let mut world = World::with(edge(constant, by_channel()));
    world.ask(on("/vod/news/1.ts", "a")).served();
    let second = world.ask(on("/vod/sport/1.ts", "b"));
    assert_eq!(second.refusal(), refused(403, "limit-reached"));
}

#[test]
fn a_template_that_does_not_fit_says_nothing() {
    let template = json!({"template": "/vod/live/{channel}/{assetId}"});
    let mut world = World::with(edge(template, any()));
    for (path, stream) in [
        ("/vod/live/n%20ews/7/1.ts", "fits"),
        ("/vod/film/news/7/1.ts", "another-text"),
        ("/vod/live/1.ts", "too-short"),
    ] {
        world.ask(on(path, stream)).served();
    }
    let metadata: Vec<Value> = world.running("web", "alice");
    let with: Vec<_> = metadata
        .iter()
        .filter(|stream| stream["metadata"]["channel"] != Value::Null)
        .collect();
    assert_eq!(with.len(), 1);
    assert_eq!(with[0]["metadata"]["channel"], "n ews");
    assert_eq!(with[0]["metadata"]["assetId"], "7");
}

#[test]
fn no_spelling_of_a_path_hides_what_it_says() {
    let template = json!({"template": "/vod/{channel}/*"});
    let mut world = World::with(edge(template, by_channel()));
    world.ask(on("/vod/news/1.ts", "a")).served();
    for path in [
        "/vod//news/1.ts",
        "/vod/n%65ws/1.ts",
        "/vod/n%2565ws/1.ts",
        "/vod/news;x/1.ts",
        "/vod/news./1.ts",
        "/vod/news%20/1.ts",
        "/vod%5cnews%2f1.ts",
        "/VOD/news/1.ts",
    ] {
        assert_eq!(
            world.ask(on(path, "b")).refusal(),
            refused(403, "limit-reached"),
            "{path}"
        );
    }
}

#[test]
fn what_the_manifest_request_says_travels_in_its_token() {
    let attributes = json!({"attributes": {"deviceId": {"header": "x-device"}}});
    let rules = json!([{"name": "three", "max": 3, "on_conflict": "deny_new"}]);
    let mut world = World::with(edge(attributes, rules));
    for _ in 0..5 {
        // A player that crashes and starts again: the same device replaces its stream.
        world.host.advance_ms(1);
        let manifest = get("/vod/a/m.m3u8")
            .account("alice")
            .header("x-device", "tv-1");
        let answer = world.ask(manifest).answer();
        assert_eq!(answer.status, 307, "{answer:?}");
        let location = answer.header("location").unwrap();
        let prefix = location.strip_suffix("/vod/a/m.m3u8").unwrap();
        world.ask(get(format!("{prefix}/vod/a/1.m4s"))).served();
    }
    let running = world.running("web", "alice");
    assert_eq!(running.len(), 1);
    assert_eq!(running[0]["metadata"]["deviceId"], "tv-1");
}

#[test]
fn it_travels_there_also_where_something_else_says_whose_account_it_is() {
    let change = json!({
        "attributes": {"deviceId": {"header": "x-device"}},
        "subject": [{"header": "x-account-id"}],
    });
    let mut world = World::with(edge(change, any()));
    let manifest = get("/vod/a/m.m3u8")
        .account("alice")
        .header("x-device", "tv");
    let answer = world.ask(manifest).answer();
    let location = answer.header("location").unwrap();
    let segment = get(location.replace("m.m3u8", "1.ts")).account("alice");
    world.ask(segment).served();
    let running = world.running("web", "alice");
    assert_eq!(running[0]["metadata"]["deviceId"], "tv");
}

#[test]
fn zapping_under_one_token_is_judged_by_the_new_channel_at_once() {
    let template = json!({"template": "/vod/{channel}/*"});
    let mut world = World::with(edge(template, by_channel()));
    let play = |world: &mut World, channel: &str| {
        let path = format!("/vod/{channel}/m.m3u8");
        let answer = world.ask(get(&path).account("alice")).answer();
        let location = answer.header("location").unwrap();
        location.strip_suffix(&path).unwrap().to_owned()
    };
    let first = play(&mut world, "news");
    world.ask(get(format!("{first}/vod/news/1.ts"))).served();
    let second = play(&mut world, "sport");
    world.ask(get(format!("{second}/vod/sport/1.ts"))).served();
    assert_eq!(
        world.ask(get(format!("{second}/vod/news/2.ts"))).refusal(),
        refused(403, "limit-reached")
    );
}

#[test]
fn zapping_on_one_client_replaces_its_stream_where_the_operator_says_so() {
    let change = json!({"attributes": {"deviceId": {"client": "address_and_agent"}}});
    let rules = json!([{"name": "one", "max": 1, "on_conflict": "deny_new"}]);
    let mut world = World::with(edge(change, rules));
    let zap = |world: &mut World, agent: &str, film: u32| {
        world.host.advance_ms(1);
        let path = format!("/vod/{film}/m.m3u8");
        let manifest = get(&path)
            .account("alice")
            .header("user-agent", agent)
            .header("(client address)", "10.0.0.1:1234");
        let answer = world.ask(manifest).answer();
        let location = answer.header("location")?.replace("m.m3u8", "1.ts");
        // Whoever fetches segments is known by the token.
        Some(world.ask(get(location)).served())
    };
    for film in 0..6 {
        assert!(zap(&mut world, "tv", film).is_some());
    }
    assert_eq!(world.streams("alice"), 1);
    assert_eq!(zap(&mut world, "phone", 7), None);
    let shown = format!("{:?}", world.running("web", "alice"));
    assert!(
        !shown.contains("10.0.0.1") && !shown.contains("tv"),
        "{shown}"
    );
}

#[test]
fn a_claim_says_the_accounts_own_limit_for_as_long_as_the_stream_lives() {
    let rules = json!([
        {"name": "three", "max": 3, "max_claim": "climit", "on_conflict": "deny_new"}
    ]);
    let mut world = World::with(edge(json!({}), rules));
    let play = |world: &mut World, limit: Option<f64>| {
        let manifest = get("/vod/a/m.m3u8").account("alice");
        let manifest = match limit {
            Some(limit) => manifest.claim("climit", limit.to_le_bytes()),
            None => manifest,
        };
        let answer = world.ask(manifest).answer();
        let location = answer.header("location")?;
        let prefix = location.strip_suffix("/vod/a/m.m3u8").unwrap().to_owned();
        // The segments carry the token, no JWT.
        world.ask(get(format!("{prefix}/vod/a/1.m4s"))).served();
        Some(prefix)
    };
    for _ in 0..5 {
        assert!(play(&mut world, Some(5.0)).is_some());
    }
    assert_eq!(play(&mut world, Some(5.0)), None);
    assert_eq!(play(&mut world, None), None);
    assert_eq!(world.streams("alice"), 5);
    assert!(play(&mut world, Some(6.0)).is_some());
}
