//! Who may call the session API of the shipped configurations that clients may reach:
//! `envoy/jwt.yaml` and `envoy/cat.yaml`, as they are but for ports and keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use streamgate_tests::{AccessToken, Answer, Edge, Jwt, Request, Settings, secret_of};

const FILM: &str = "/vod/film/master.m3u8";

/// `envoy/jwt.yaml`, with a key that the tests can sign with.
fn by_jwt() -> Edge {
    Edge::start(Settings::shipped("jwt.yaml").with_filter(
        "envoy.filters.http.jwt_authn",
        "/providers/accounts/local_jwks/inline_string",
        Jwt::key_set(),
    ))
}

/// `envoy/cat.yaml`, with an issuer's keys that the tests can sign with.
fn by_cat() -> Edge {
    Edge::start(Settings::shipped("cat.yaml").with("/cat", AccessToken::configuration()))
}

/// A call in the name of the application of viewers' own devices.
fn call(edge: &Edge, method: &str, path: &str) -> Request {
    call_as(edge, "web:", method, path)
}

fn call_as(edge: &Edge, application: &str, method: &str, path: &str) -> Request {
    let authorization = format!("Basic {}", STANDARD.encode(application));
    let request = edge.client().request(method, path);
    request.header("authorization", &authorization)
}

fn create(edge: &Edge, account: &str) -> Request {
    call(edge, "POST", &format!("/v2/sessions/me/{account}"))
}

fn session(answer: &Answer, field: &str) -> String {
    let session = &answer.json()["session"];
    session[field].as_str().expect("a text").to_owned()
}

/// Nothing of an account, and no way to its video.
#[track_caller]
fn expect_nothing(answer: Answer) {
    assert!(matches!(answer.status, 401 | 403), "{answer:?}");
    let text = answer.text();
    assert!(
        !text.contains("/~") && !text.contains("terminationCode"),
        "{text}"
    );
}

/// An outsider who knows an application's id tries to act for Alice, who plays, with what
/// `others` adds to the calls.
fn outsider(edge: &Edge, alice: &dyn Fn(Request) -> Request, others: &dyn Fn(Request) -> Request) {
    let created = alice(create(edge, "alice")).send().expect(202);
    let url = session(&created, "url");
    let film = format!(
        "{}/vod/film/segment-1.m4s",
        session(&created, "playbackPrefix")
    );
    let list = || call(edge, "GET", "/v2/runningStreams/me/alice");
    let streams = alice(list()).send().expect(200).json();
    let code = streams["runningStreams"][0]["terminationCode"].clone();
    let code = code.as_str().expect("a code");

    for spelling in ["alice", "%61lice", "alic%65"] {
        for _ in 0..4 {
            expect_nothing(others(create(edge, spelling)).send());
        }
        let path = format!("/v2/runningStreams/me/{spelling}");
        expect_nothing(others(call(edge, "GET", &path)).send());
    }
    for _ in 0..250 {
        let kill = create(edge, "alice").header("x-terminate", code);
        expect_nothing(others(kill).send());
    }
    expect_nothing(others(call(edge, "POST", &url)).send());
    expect_nothing(others(call(edge, "DELETE", &url)).send());

    // Alice plays on, has her places, and her app is not throttled.
    let _ = edge.get(&film).send().expect(200);
    let _ = alice(call(edge, "POST", &url)).send().expect(202);
    let second = alice(create(edge, "alice")).send().expect(202);
    let streams = alice(list()).send().expect(200).json();
    assert_eq!(streams["runningStreams"].as_array().map(Vec::len), Some(2));
    for url in [url, session(&second, "url")] {
        let _ = alice(call(edge, "DELETE", &url)).send().expect(202);
    }
}

#[test]
fn whoever_proves_no_account_gets_nothing_of_it() {
    let edge = by_jwt();
    // curl -u web: -X POST /v2/sessions/me/invented
    expect_nothing(create(&edge, "invented").send());
    let jwt = |account: &str| Jwt::of(account).sign();
    let (alices, malls) = (jwt("alice"), jwt("mallory"));
    let forged = Jwt::of("alice")
        .signed_with(b"a key of mallory's own")
        .sign();
    let expired = Jwt::of("alice").expired().sign();
    let alice = |ask: Request| ask.header("x-account-token", &alices);
    outsider(&edge, &alice, &|ask| ask);
    outsider(&edge, &alice, &|ask| ask.header("x-account-token", &malls));
    for bad in [&forged, &expired, &"x".to_owned()] {
        expect_nothing(create(&edge, "alice").header("x-account-token", bad).send());
    }
    // Headers that name an account are nobody's word here.
    for name in ["x-account-id", "x-jwt-sub", "jwt", "sub"] {
        expect_nothing(create(&edge, "alice").header(name, "alice").send());
    }
    let bearer = create(&edge, "alice").header("authorization", &format!("Bearer {alices}"));
    expect_nothing(bearer.send());
    // Another provider's Alice is not this one's.
    let other = call(&edge, "POST", "/v2/sessions/other/alice");
    expect_nothing(alice(other).send());
    let log = edge.access_log();
    for token in [&alices, &malls, &forged, &expired] {
        assert!(!log.contains(&token[..40]), "{log}");
    }
}

#[test]
fn a_jwt_plays_and_creates_from_header_and_query_and_is_stored_nowhere() {
    let edge = by_jwt();
    let jwt = Jwt::of("alice").sign();
    let carried: [&dyn Fn(Request) -> Request; 2] =
        [&|ask| ask.header("x-account-token", &jwt), &|ask| {
            ask.query(&format!("channel=7&account_token={jwt}"))
        }];
    for carry in carried {
        let created = carry(create(&edge, "alice")).send().expect(202);
        let segment = format!(
            "{}/vod/film/segment-1.m4s",
            session(&created, "playbackPrefix")
        );
        let _ = edge.get(&segment).send().expect(200);
        // Though it need not, the client sends its JWT with this, too.
        let _ = carried[0](edge.get(&segment)).send().expect(200);
    }
    let _ = carried[0](create(&edge, "alice")).send().expect(202);
    let streams = carried[0](call(&edge, "GET", "/v2/runningStreams/me/alice"));
    let streams = streams.send().expect(200).text();
    assert!(!streams.contains(&jwt[..40]), "{streams}");
    assert!(!streams.contains("account_token"), "{streams}");
    // One account, whichever way it plays.
    for carry in carried {
        let _ = carry(edge.get(FILM))
            .send()
            .expect_refusal(403, "limit-reached");
    }
    let _ = edge.get(FILM).send().expect_refusal(403, "no-subject");
    let bob = Jwt::of("bob").sign();
    let redirect = edge
        .get(FILM)
        .header("x-account-token", &bob)
        .send()
        .expect(307);
    let manifest = redirect.header("location").expect("a location").to_owned();
    let _ = edge.get(&manifest).send().expect(200);
    let seen = format!("{:?}", edge.origin.seen());
    assert!(
        !seen.contains(&jwt[..40]) && !seen.contains(&bob[..40]),
        "{seen}"
    );
}

#[test]
fn an_application_with_a_secret_is_let_in_by_it_alone() {
    let edge = by_jwt();
    let jwt = Jwt::of("alice").sign();
    let secret = secret_of("STREAMGATE_BOX_SECRET");
    let ask = |credentials: &str| {
        let ask = call_as(&edge, credentials, "POST", "/v2/sessions/me/alice");
        ask.header("x-account-token", &jwt).send()
    };
    let _ = ask(&format!("box:{secret}")).expect(202);
    for credentials in ["box:", "box:guess", &format!("web:{secret}"), "nobody:"] {
        let answer = ask(credentials).expect(401);
        assert!(answer.header("www-authenticate").is_some());
        assert!(!answer.text().contains(&secret));
    }
    let _ = ask("web:").expect(202);
}

#[test]
fn a_token_of_a_call_plays_no_longer_than_its_credential() {
    let edge = by_cat();
    let [short, long] = AccessToken::mint([
        AccessToken::of("alice", "01").expiring_in(-26),
        AccessToken::of("alice", "02"),
    ]);
    // Past its time, and within the leeway of 30 seconds for some more.
    let prefix = |token: &str| {
        let ask = create(&edge, "alice").header("cta-common-access-token", token);
        session(&ask.send().expect(202), "playbackPrefix")
    };
    let (short, long) = (prefix(&short), prefix(&long));
    let segment = |prefix: &str| edge.get(&format!("{prefix}/vod/film/segment-1.m4s")).send();
    let _ = segment(&short).expect(200);
    streamgate_tests::eventually("the token ends", || segment(&short).status == 403);
    let _ = segment(&short).expect_refusal(403, "token-expired");
    let _ = segment(&long).expect(200);
}

#[test]
fn a_common_access_token_is_checked_for_calls_as_it_is_for_playback() {
    let edge = by_cat();
    let alice = || AccessToken::of("alice", "01");
    let [good, mallorys, forged, expired, foreign, reading] = AccessToken::mint([
        alice(),
        AccessToken::of("mallory", "02"),
        alice().forged(),
        alice().expiring_in(-31),
        alice().claim("iss", "thief"),
        alice().claim("catm", json!(["GET"])),
    ]);
    let alice = |ask: Request| ask.header("cta-common-access-token", &good);
    outsider(&edge, &alice, &|ask| ask);
    outsider(&edge, &alice, &|ask| {
        ask.header("cta-common-access-token", &mallorys)
    });
    for bad in [&forged, &expired, &foreign, &reading] {
        let ask = create(&edge, "alice").header("cta-common-access-token", bad);
        expect_nothing(ask.send());
    }
    let cookie = format!("CTA-Common-Access-Token={good}");
    for ask in [
        create(&edge, "alice").header("cookie", &cookie),
        create(&edge, "bob").query(&format!(
            "CAT={}",
            AccessToken::mint([AccessToken::of("bob", "03")])[0]
        )),
    ] {
        let status = ask.send().status;
        assert!(matches!(status, 202 | 409), "{status}");
    }
    let log = edge.access_log();
    for token in [&good, &mallorys, &forged, &reading] {
        assert!(!log.contains(&token[..40]), "{log}");
    }
}

#[test]
fn no_client_chooses_the_address_that_a_token_is_bound_to() {
    let edge = by_cat();
    let bound_to = |network: &str| AccessToken::of("alice", "01").claim("catnip", json!([network]));
    let [afar, here] = AccessToken::mint([bound_to("10.9.8.7/32"), bound_to("127.0.0.1/32")]);
    for (name, value) in [
        ("x-forwarded-for", "10.9.8.7"),
        ("x-forwarded-for", "10.9.8.7, 10.9.8.7"),
        ("x-real-ip", "10.9.8.7"),
        ("x-envoy-external-address", "10.9.8.7"),
        ("forwarded", "for=10.9.8.7"),
        ("true-client-ip", "10.9.8.7"),
    ] {
        let with = |ask: Request, token: &str| {
            let ask = ask.header("cta-common-access-token", token);
            ask.header(name, value).send()
        };
        let _ = with(edge.get(FILM), &afar).expect_refusal(403, "token-invalid");
        expect_nothing(with(create(&edge, "alice"), &afar));
        let _ = with(edge.get(FILM), &here).expect(307);
    }
}

/// The demo's edge goes by `trusted`, and by its word alone.
#[test]
fn without_the_section_no_call_is_answered() {
    let mut paths = Settings::shipped("edge.yaml").without("/session_api");
    paths = paths.with("/playback/0/start", "implicit");
    let edge = Edge::start(paths);
    for path in [
        "/v2/sessions/demo/invented",
        "/v2/runningStreams/demo/alice",
        "/v2/metadata",
    ] {
        let answer = call_as(&edge, "demo-web:", "POST", path).send().expect(200);
        assert!(!answer.text().contains("/~"), "{answer:?}");
    }
    assert_eq!(edge.metric("starts"), 0);
    let asked: Vec<Value> = edge.origin.paths().into_iter().map(Value::from).collect();
    assert_eq!(
        asked.len(),
        3,
        "the origin is asked like for any other path: {asked:?}"
    );
}
