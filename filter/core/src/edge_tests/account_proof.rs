//! Who may call the session API: what proves an application, and what proves an account.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use streamgate_record::metric::Metric;
use streamgate_tokens::cat::testing::Claims;

use super::session_api::{create, created, heartbeat};
use super::{Ask, World, get, json, refused};
use crate::config::Config;
use crate::testing::{NOW, config_with, test};

/// `/vod/` and the session API go by the same claim, the accounts being `acme`'s.
fn by_claim(subject: &Value) -> impl Fn() -> Config {
    let subject = subject.clone();
    move || {
        config_with(|json| {
            json["cat"] = json!({"keys": [{"id": "new", "secret": "@".repeat(32)}]});
            json["playback"][0]["subject"] = json!([{"token": "path"}, subject]);
            json["session_api"] = json!({"subject": subject});
        })
        .unwrap()
    }
}

fn by_jwt() -> World {
    World::with(by_claim(&json!({"jwt_claim": "sub"})))
}

fn by_cat() -> World {
    World::with(by_claim(&json!({"cat": "sub"})))
}

fn alices_cat() -> Claims {
    Claims::of("alice").until(NOW.plus_ms(3_600_000))
}

fn cat(ask: Ask, claims: &Claims) -> Ask {
    ask.header("cta-common-access-token", claims.sign())
}

/// Every call about one of Alice's sessions.
fn calls(url: &str) -> [Ask; 4] {
    [
        create("web"),
        get(url).method("POST").application("web"),
        get("/v2/runningStreams/acme/alice").application("web"),
        get(url).method("DELETE").application("web"),
    ]
}

/// Answered 403 for this reason, with no token and nothing of the account.
#[track_caller]
fn forbidden(world: &mut World, ask: Ask, reason: &str) {
    let reply = world.ask(ask).reply();
    assert_eq!(reply.answer.status, 403, "{:?}", reply.answer);
    assert_eq!(json(&reply.answer)["status"], 403);
    let log_entry = reply.log_entry.unwrap();
    assert_eq!(
        (log_entry.event, log_entry.reason),
        ("refusal", Some(reason))
    );
}

#[test]
fn only_the_accounts_own_jwt_lets_anybody_call() {
    let mut world = by_jwt();
    let url = created(&mut world, create("web").claim("sub", "alice"));
    for ask in calls(&url) {
        forbidden(&mut world, ask.clone(), "no-subject");
        forbidden(&mut world, ask.clone().claim("sub", ""), "no-subject");
        for other in ["bob", "Alice", "alice ", "alic", "aliceb"] {
            let ask = ask.clone().claim("sub", other);
            forbidden(&mut world, ask, "other-account");
        }
        // A header that names the account proves nothing.
        forbidden(&mut world, ask.account("alice"), "no-subject");
    }
    assert_eq!(world.host.count(Metric::Starts), 1);
    for ask in calls(&url) {
        let status = world.ask(ask.claim("sub", "alice")).answer().status;
        assert!(matches!(status, 200 | 202), "{status}");
    }
    // What concerns no account needs no proof of one.
    let metadata = get("/v2/metadata").application("web");
    assert_eq!(world.ask(metadata).answer().status, 200);
}

#[test]
fn a_claim_is_good_for_its_own_identity_provider_alone() {
    let mut world = by_jwt();
    for idp in ["other", "ACME", "acme%20"] {
        let ask = get(format!("/v2/sessions/{idp}/alice")).method("POST");
        let ask = ask.application("web").claim("sub", "alice");
        forbidden(&mut world, ask, "other-account");
    }
    let mut world = World::with(|| {
        config_with(|json| {
            json["session_api"] = json!({"subject": {"jwt_claim": "sub"}, "idp": ["x", "y"]});
        })
        .unwrap()
    });
    for (idp, status) in [("x", 202), ("y", 202), ("acme", 403)] {
        let ask = get(format!("/v2/sessions/{idp}/alice")).method("POST");
        let ask = ask.application("web").claim("sub", "alice");
        assert_eq!(world.ask(ask).answer().status, status, "{idp}");
    }
}

#[test]
fn an_account_is_compared_as_it_is_meant_however_the_path_is_spelled() {
    let mut world = by_jwt();
    let account = "a/li ce+ü";
    for path in ["a%2Fli%20ce%2B%C3%BC", "%61%2fli%20ce+%c3%bc"] {
        let ask = get(format!("/v2/sessions/acme/{path}")).method("POST");
        let ask = ask.application("web").claim("sub", account);
        assert_eq!(world.ask(ask).answer().status, 202, "{path}");
    }
    let number = get("/v2/sessions/acme/42").method("POST");
    let number = number.application("web").claim("sub", 42_f64.to_le_bytes());
    assert_eq!(world.ask(number).answer().status, 202);
}

#[test]
fn the_account_of_a_call_is_the_account_that_plays() {
    let mut world = by_jwt();
    for _ in 0..3 {
        created(&mut world, create("web").claim("sub", "alice"));
    }
    let manifest = get("/vod/a/master.m3u8").claim("sub", "alice");
    assert_eq!(world.ask(manifest).refusal(), refused(403, "limit-reached"));
    let bobs = get("/vod/a/master.m3u8").claim("sub", "bob");
    assert_eq!(world.ask(bobs).answer().status, 307);
}

/// The prefix that a create gives.
fn prefix(world: &mut World, ask: Ask) -> String {
    let answer = world.ask(ask).answer();
    let prefix = json(&answer)["session"]["playbackPrefix"].clone();
    prefix.as_str().unwrap().to_owned()
}

#[test]
fn a_token_ends_with_the_jwt_that_it_was_issued_for() {
    #[expect(clippy::cast_precision_loss, reason = "seconds, not that many")]
    let end = (NOW.as_ms() / 1_000 + 10) as f64;
    let mut world = by_jwt();
    let ask = create("web").claim("sub", "alice");
    let short = prefix(&mut world, ask.clone().claim("exp", end.to_le_bytes()));
    let long = prefix(&mut world, ask);
    let segment = |prefix: &str| get(format!("{prefix}/vod/a/1.m4s"));
    for prefix in [&short, &long] {
        world.ask(segment(prefix)).served();
    }
    // Ten seconds and the leeway of a minute.
    world.host.advance_ms(69_999);
    world.ask(segment(&short)).served();
    world.ask(segment(&long)).served();
    world.host.advance_ms(1);
    let refusal = world.ask(segment(&short)).refusal();
    assert_eq!(refusal, refused(403, "token-expired"));
    world.ask(segment(&long)).served();
}

#[test]
fn only_the_accounts_own_common_access_token_lets_anybody_call() {
    let mut world = by_cat();
    let url = created(&mut world, cat(create("web"), &alices_cat()));
    let expired = Claims::of("alice").until(NOW).sign();
    world.host.advance_ms(30_000);
    for ask in calls(&url) {
        forbidden(&mut world, ask.clone(), "no-subject");
        let named = |token: &str| ask.clone().header("cta-common-access-token", token);
        forbidden(&mut world, named("forged"), "token-invalid");
        forbidden(&mut world, named(&expired), "token-expired");
        let forged = alices_cat().sign_with("new", &[b'#'; 32]);
        forbidden(&mut world, named(&forged), "token-invalid");
        // A cookie is not let lie: nothing else says who calls.
        let cookie = format!("CTA-Common-Access-Token={forged}");
        forbidden(
            &mut world,
            ask.clone().header("cookie", cookie),
            "token-invalid",
        );
        forbidden(
            &mut world,
            cat(ask.clone(), &Claims::of("bob")),
            "other-account",
        );
        let nobodys = Claims::default().id("one");
        forbidden(&mut world, cat(ask.clone(), &nobodys), "no-subject");
    }
    for ask in calls(&url) {
        let status = world.ask(cat(ask, &alices_cat())).answer().status;
        assert!(matches!(status, 200 | 202), "{status}");
    }
}

#[test]
fn a_tokens_restrictions_hold_for_calls_as_they_do_for_playback() {
    let mut world = by_cat();
    let restricted = |label, value: &[u8]| alices_cat().claim(label, value);
    let only_get = restricted(313, b"\x81\x63GET");
    let only_post = restricted(313, b"\x81\x64POST");
    let below_vod = restricted(312, b"\xa1\x03\xa1\x01\x65/vod/");
    let below_v2 = restricted(312, b"\xa1\x03\xa1\x01\x64/v2/");
    // 10.9.8.7
    let from_afar = restricted(311, b"\x81\xd8\x34\x44\x0a\x09\x08\x07");
    let here = |ask: Ask| ask.header("(client address)", "10.0.0.1:1");
    let create = || here(create("web"));
    let list = || here(get("/v2/runningStreams/acme/alice").application("web"));
    for claims in [&only_get, &below_vod, &from_afar] {
        forbidden(&mut world, cat(create(), claims), "token-invalid");
    }
    forbidden(&mut world, cat(list(), &only_post), "token-invalid");
    for (ask, claims, status) in [
        (create(), &only_post, 202),
        (create(), &below_v2, 202),
        (list(), &only_get, 200),
    ] {
        assert_eq!(world.ask(cat(ask, claims)).answer().status, status);
    }
}

#[test]
fn a_token_of_a_call_ends_with_the_common_access_token_and_is_stored_nowhere() {
    let mut world = by_cat();
    let claims = Claims::of("alice").until(NOW.plus_ms(10_000));
    let query = format!(
        "/v2/sessions/acme/alice?channel=1&C%41T={}&a=b",
        claims.sign()
    );
    let ask = get(query).method("POST").application("web");
    let prefix = prefix(&mut world, ask);
    let list = get("/v2/runningStreams/acme/alice").application("web");
    let streams = json(&world.ask(cat(list, &alices_cat())).answer());
    let metadata = &streams["runningStreams"][0]["metadata"];
    assert_eq!(*metadata, json!({"channel": "1", "a": "b"}));
    // Ten seconds and the leeway of thirty.
    world.host.advance_ms(39_999);
    let segment = || get(format!("{prefix}/vod/a/1.m4s"));
    world.ask(segment()).served();
    world.host.advance_ms(1);
    assert_eq!(
        world.ask(segment()).refusal(),
        refused(403, "token-expired")
    );
}

#[test]
fn an_accounts_own_limit_holds_for_its_calls_and_their_tokens() {
    let mut world = World::with(|| {
        config_with(|json| {
            json["policies"][0]["rules"][0]["max_claim"] = json!("climit");
            json["session_api"] = json!({"subject": {"jwt_claim": "sub"}, "idp": ["acme"]});
        })
        .unwrap()
    });
    let ask = |limit: f64| {
        let ask = create("web").claim("sub", "alice");
        ask.claim("climit", limit.to_le_bytes())
    };
    let first = prefix(&mut world, ask(1.0));
    assert_eq!(world.ask(ask(1.0)).answer().status, 409);
    world.ask(get(format!("{first}/vod/a/1.m4s"))).served();
    for _ in 0..4 {
        assert_eq!(world.ask(ask(5.0)).answer().status, 202);
    }
    assert_eq!(world.ask(ask(5.0)).answer().status, 409);
}

#[test]
fn without_the_section_its_paths_are_ordinary_paths() {
    let without = |prefix: &'static str| {
        move || {
            config_with(|json| {
                json.as_object_mut().unwrap().remove("session_api");
                json["playback"][1]["start"] = json!("implicit");
                json["playback"][1]["match"]["prefix"] = json!(prefix);
            })
            .unwrap()
        }
    };
    let mut world = World::with(without("/live/"));
    for path in ["/v2/sessions/acme/alice", "/v2/metadata", "/v2"] {
        let ask = get(path).method("POST").application("web");
        assert_eq!(world.ask(ask).served(), path);
    }
    // Or protected like any other.
    let mut world = World::with(without("/v2/"));
    let ask = get("/v2/sessions/acme/alice").application("web");
    assert_eq!(world.ask(ask).refusal(), refused(403, "no-subject"));
}

fn basic(application: &str, password: &str) -> String {
    format!(
        "Basic {}",
        STANDARD.encode(format!("{application}:{password}"))
    )
}

#[test]
fn an_application_with_a_secret_needs_one_of_its_secrets() {
    let mut world = World::with(|| {
        config_with(|json| {
            json["applications"][0]["secret"] =
                json!(["the new secret of web", "the old secret of web"]);
        })
        .unwrap()
    });
    let mut ask = |application: &str, password: &str| {
        let ask = get("/v2/sessions/acme/alice").method("POST");
        let ask = ask.header("authorization", basic(application, password));
        world.ask(ask).answer()
    };
    for password in ["the new secret of web", "the old secret of web"] {
        assert_eq!(ask("web", password).status, 202);
    }
    let denied = ask("web", "");
    assert_eq!(denied.status, 401);
    assert!(denied.header("www-authenticate").is_some());
    // The same answer whatever was wrong, and true in each case.
    for (application, password) in [
        ("web", "the new secret"),
        ("tv", "the new secret of web"),
        ("nobody", ""),
        ("nobody", "the new secret of web"),
    ] {
        assert_eq!(ask(application, password), denied, "{application}");
    }
    assert_eq!(ask("tv", "").status, 202);
}

#[test]
fn codes_stop_only_what_the_application_is_shown() {
    let mut world = World::new();
    created(&mut world, create("web"));
    created(&mut world, create("mobile"));
    let code = |world: &mut World, application: &str| {
        let streams = world.running(application, "alice");
        assert_eq!(streams.len(), 1);
        streams[0]["terminationCode"].as_str().unwrap().to_owned()
    };
    let (webs, mobiles) = (code(&mut world, "web"), code(&mut world, "mobile"));
    // Of another tenant, and with no policy in common.
    created(&mut world, create("web").header("x-terminate", &mobiles));
    created(&mut world, create("mobile").header("x-terminate", &webs));
    assert_eq!(world.running("web", "alice").len(), 2);
    assert_eq!(world.host.count(Metric::Kills), 0);
    // Of the same tenant, and with a policy in common.
    created(&mut world, create("tv").header("x-terminate", &webs));
    assert_eq!(world.host.count(Metric::Kills), 1);
}

#[test]
fn an_application_touches_no_other_ones_session() {
    let mut world = World::new();
    let url = created(&mut world, create("web"));
    for application in ["tv", "mobile"] {
        assert_eq!(heartbeat(&mut world, application, &url).status, 403);
        let stop = get(&url).method("DELETE").application(application);
        assert_eq!(world.ask(stop).answer().status, 403);
    }
    assert_eq!(heartbeat(&mut world, "web", &url).status, 202);
}

/// `subject`, and so many creates from one client.
fn creates(subject: Value, per_client: Option<u32>) -> World {
    World::with(move || {
        config_with(|json| {
            json["session_api"] = json!({"subject": subject, "idp": ["acme"]});
            if let Some(creates) = per_client {
                json["sessions"]["creates_per_minute_per_client"] = json!(creates);
            }
        })
        .unwrap()
    })
}

fn from(client: &str, account: usize) -> Ask {
    let ask = get(format!("/v2/sessions/acme/a{account}")).method("POST");
    let ask = ask.application("web").claim("sub", format!("a{account}"));
    ask.header("(client address)", client)
}

#[test]
fn one_client_creates_so_many_sessions_a_minute_whatever_the_accounts() {
    for subject in [json!({"jwt_claim": "sub"}), json!("trusted")] {
        let mut world = creates(subject, Some(4));
        for account in 0..4 {
            let answer = world
                .ask(from(&format!("10.0.0.1:{account}"), account))
                .answer();
            assert_eq!(answer.status, 202);
        }
        let reply = world.ask(from("10.0.0.1:9", 5)).reply();
        let answer = reply.answer;
        assert_eq!((answer.status, answer.body.len()), (429, 0));
        let next_minute = NOW.plus_ms(60_000).to_http_date();
        assert_eq!(answer.header("expires"), Some(next_minute.as_str()));
        assert_eq!(reply.log_entry.unwrap().reason, Some("throttled"));
        assert_eq!(world.host.count(Metric::RefusalsThrottled), 1);
        // Somebody else's, and what is no create.
        assert_eq!(world.ask(from("10.0.0.2:9", 5)).answer().status, 202);
        let list = get("/v2/runningStreams/acme/a0").application("web");
        let list = list
            .claim("sub", "a0")
            .header("(client address)", "10.0.0.1:9");
        assert_eq!(world.ask(list).answer().status, 200);
        world.host.advance_ms(60_000);
        assert_eq!(world.ask(from("10.0.0.1:9", 6)).answer().status, 202);
    }
}

#[test]
fn a_client_may_create_600_where_nothing_is_said_and_a_trusted_hop_any_number() {
    let mut world = creates(json!({"jwt_claim": "sub"}), None);
    for account in 0..600 {
        assert_eq!(world.ask(from("10.0.0.1:1", account)).answer().status, 202);
    }
    assert_eq!(world.ask(from("10.0.0.1:1", 600)).answer().status, 429);
    let mut world = creates(json!("trusted"), None);
    for account in 0..601 {
        assert_eq!(world.ask(from("10.0.0.1:1", account)).answer().status, 202);
    }
}
