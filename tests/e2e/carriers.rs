//! Whatever says who watches, where Envoy has a part in it: JWTs it checks, cookies and
//! queries it routes, the cache behind the gate.

use serde_json::{Value, json};
use streamgate_tests::{Answer, Edge, Jwt, Settings};

const FILM: &str = "/vod/film/master.m3u8";

/// Envoy's `jwt_authn`: an account's JWT on `/vod/`, signed with [`Jwt::KEY`].
pub(super) fn jwt_authn() -> Value {
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"accounts": {
                "issuer": "https://accounts.example",
                "payload_in_metadata": "jwt",
                "local_jwks": {"inline_string": Jwt::key_set()},
                "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}],
                "from_params": ["jwt"],
            }},
            "rules": [{"match": {"prefix": "/vod/"}, "requires": {"provider_name": "accounts"}}],
        },
    })
}

pub(super) fn by_jwt() -> Settings {
    Settings::default()
        .behind(jwt_authn())
        .with(
            "/playback/0/subject",
            json!([{"token": "path"}, {"jwt_claim": "sub"}]),
        )
        .with(
            "/playback/0/attributes",
            json!({"deviceId": {"jwt_claim": "device_id"}}),
        )
}

pub(super) fn with_jwt(edge: &Edge, path: &str, jwt: &str) -> Answer {
    let request = edge.get(path);
    request
        .header("authorization", &format!("Bearer {jwt}"))
        .send()
}

/// The path a manifest request is redirected to.
pub(super) fn redirected(answer: &Answer) -> String {
    let location = answer.header("location");
    location
        .unwrap_or_else(|| panic!("no redirect: {answer:?}"))
        .to_owned()
}

#[test]
fn a_jwt_that_envoy_has_checked_says_whose_account_and_device_it_is() {
    let edge = Edge::start(by_jwt());
    let jwt = Jwt::of("alice").claim("device_id", "tv-1").sign();
    let manifest = redirected(&with_jwt(&edge, FILM, &jwt).expect(307));
    // The redirect leads past the JWT: what it said is in the token.
    let segment = manifest.replace("master.m3u8", "segment-1.m4s");
    let _ = edge.get(&manifest).send().expect(200);
    let _ = edge.get(&segment).send().expect(200);
    let running = edge.app("demo-tv").running("alice");
    assert_eq!(running.len(), 1);
    assert_eq!(running[0]["metadata"]["deviceId"], "tv-1");
    // In a query, too, and nothing of it reaches the origin.
    let _ = edge.get(&format!("{FILM}?jwt={jwt}")).send().expect(307);
    assert!(!format!("{:?}", edge.origin.seen()).contains(&jwt));
}

#[test]
fn no_jwt_passes_that_is_expired_forged_unsigned_or_of_the_wrong_key() {
    let edge = Edge::start(by_jwt());
    let good = Jwt::of("alice").sign();
    let mut flipped = good.clone().into_bytes();
    let last = flipped.len() - 3;
    flipped[last] = if flipped[last] == b'A' { b'B' } else { b'A' };
    let bad = [
        Jwt::of("alice").expired().sign(),
        Jwt::of("alice")
            .signed_with(b"another key of some length")
            .sign(),
        Jwt::of("alice").algorithm("none").sign(),
        Jwt::of("alice").algorithm("ES256").sign(),
        String::from_utf8(flipped).expect("text"),
    ];
    for jwt in bad {
        assert_eq!(with_jwt(&edge, FILM, &jwt).status, 401, "{jwt}");
    }
    let _ = edge.get(FILM).send().expect(401);
    let _ = with_jwt(&edge, FILM, &good).expect(307);
}

#[test]
fn a_token_in_query_cookie_or_header_plays_and_never_reaches_origin_or_log() {
    let edge = Edge::start(by_token());
    let session = edge.app("demo-tv").start("alice");
    let token = session.playback_prefix.trim_start_matches("/~").to_owned();
    let referer = format!("http://edge.example{}{FILM}", session.playback_prefix);
    let segment = "/vod/film/segment-1.m4s";
    let client = edge.client();
    for _ in 0..2 {
        let asks = [
            client.get(&format!("/~{token}{segment}")),
            client.get(&format!("{segment}?v=1&sg={token}")),
            client
                .get(segment)
                .header("cookie", &format!("a=1; sg={token}; b=2")),
            client.get(segment).header("x-playback-token", &token),
        ];
        for ask in asks {
            let _ = ask.header("referer", &referer).send().expect(200);
        }
    }
    assert_eq!(edge.metric("starts"), 1);
    assert_eq!(edge.metric("live_streams"), 1);
    let seen = format!("{:?}", edge.origin.seen());
    assert!(!seen.contains(&token), "{seen}");
    let paths = edge.origin.paths();
    let expected = [segment, "/vod/film/segment-1.m4s?v=1", segment, segment];
    assert_eq!(paths, [expected, expected].concat());
    let cookies: Vec<_> = edge
        .origin
        .seen()
        .into_iter()
        .flat_map(|seen| seen.headers)
        .collect();
    assert!(
        cookies.contains(&("cookie".to_owned(), "a=1; b=2".to_owned())),
        "{cookies:?}"
    );
    assert!(!edge.access_log().contains(&token));
}

/// `/vod/` with tokens wherever they may stand.
fn by_token() -> Settings {
    let places = json!([
        {"token": "path"},
        {"token": {"query": "sg"}},
        {"token": {"cookie": "sg"}},
        {"token": {"header": "x-playback-token"}},
    ]);
    Settings::default()
        .with("/playback/0/subject", places.clone())
        .with("/playback/0/stream", places)
}

#[test]
fn repeated_headers_hide_no_token_from_the_gate_nor_show_one_to_the_origin() {
    let edge = Edge::start(by_token());
    let session = edge.app("demo-tv").start("alice");
    let token = session.playback_prefix.trim_start_matches("/~");
    let by_hand = |headers: &[String]| {
        let headers = headers.join("\r\n");
        let segment = "/vod/film/segment-1.m4s";
        let request =
            format!("GET {segment} HTTP/1.1\r\nHost: e\r\nConnection: close\r\n{headers}\r\n\r\n");
        edge.raw(&[request.as_bytes()])
    };
    for headers in [
        vec![format!("Cookie: sg={token}"), "Cookie: b=2".to_owned()],
        vec![
            format!("Cookie: a=1; sg={token}"),
            format!("Cookie: sg={token}"),
        ],
        vec![
            format!("X-Playback-Token: {token}"),
            format!("X-Playback-Token: {token}"),
        ],
        vec![
            format!("X-Playback-Token: {token}"),
            format!("Referer: http://e/~{token}/a"),
            format!("Referer: http://e/~{token}/b"),
        ],
    ] {
        let (status, text) = by_hand(&headers);
        assert_eq!(status, Some(200), "{headers:?}: {text}");
        let seen = format!("{:?}", edge.origin.seen());
        assert!(!seen.contains(token), "{headers:?}: {seen}");
    }
}

#[test]
fn a_token_in_a_referer_reaches_the_origin_from_no_path() {
    let edge = Edge::start(by_token().with("/referer", "filter"));
    no_token_in_a_referer_reaches_the_origin(&edge);
    let page = "https://www.example/watch?v=1";
    let _ = edge.get("/open/a.png").header("referer", page).send();
    let seen = format!("{:?}", edge.origin.seen());
    assert!(seen.contains(page), "what is no token stays: {seen}");
}

#[test]
fn nor_does_one_where_the_routes_take_it_off() {
    let edge = Edge::start(by_token().with("/referer", "route"));
    no_token_in_a_referer_reaches_the_origin(&edge);
}

fn no_token_in_a_referer_reaches_the_origin(edge: &Edge) {
    let session = edge.app("demo-tv").start("alice");
    let token = session.playback_prefix.trim_start_matches("/~");
    for page in [
        format!("http://edge.example/~{token}/vod/film/index.html"),
        format!("http://edge.example/vod/film/index.html?sg={token}"),
    ] {
        for path in [
            format!("/~{token}/vod/film/segment-1.m4s"),
            format!("/~{token}/vod/film/segment-2.m4s"),
            "/open/logo.png".to_owned(),
            "/".to_owned(),
        ] {
            let _ = edge.get(&path).header("referer", &page).send().expect(200);
        }
    }
    let seen = format!("{:?}", edge.origin.seen());
    assert!(!seen.contains(token), "{seen}");
}

#[test]
fn what_stands_in_front_of_a_path_leads_around_no_jwt() {
    let mut filter = jwt_authn();
    let jwt = json!({"provider_name": "accounts"});
    filter["typed_config"]["rules"] = json!([
        {"match": {"prefix": "/vod/"}, "requires": jwt},
        {"match": {"prefix": "/account/"}, "requires": jwt},
    ]);
    let subject = json!([{"token": "path"}, {"jwt_claim": "sub"}]);
    let settings = Settings::default().behind(filter);
    let edge = Edge::start(settings.with("/playback/0/subject", subject));
    let jwt = Jwt::of("alice").sign();
    let manifest = redirected(&with_jwt(&edge, FILM, &jwt).expect(307));
    let _ = edge.get(&manifest).send().expect(200);
    let prefix = manifest.strip_suffix(FILM).expect("a redirect to itself");
    for (front, expected) in [("", 401), ("/~x", 400), (prefix, 400)] {
        for path in ["/account/bill", "/vod/../account/bill"] {
            let request =
                format!("GET {front}{path} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n");
            let (status, answer) = edge.raw(&[request.as_bytes()]);
            assert_eq!(status, Some(expected), "{front}{path}: {answer}");
        }
    }
    let _ = edge.get("/~x/vod/film/1.m4s").send().expect(403);
}

#[test]
fn claims_of_any_type_trap_nothing() {
    let edge = Edge::start(by_jwt().with("/policies/0/rules/0/max_claim", "climit"));
    let odd = [
        json!(null),
        json!({"a": [1]}),
        json!([1, "a"]),
        json!([]),
        json!({}),
        json!(true),
        json!(-1.5e300),
        json!(""),
        json!("\u{0}"),
        json!("x".repeat(4000)),
    ];
    for value in odd {
        let jwt = Jwt::of("alice")
            .claim("device_id", value.clone())
            .claim("climit", value.clone())
            .sign();
        // No attribute has so many bytes, wherever it is from.
        let is_too_long = value.as_str().is_some_and(|text| text.len() > 256);
        let status = if is_too_long { 400 } else { 307 };
        let _ = with_jwt(&edge, FILM, &jwt).expect(status);
        let jwt = Jwt::of("alice").claim("sub", value).sign();
        let answer = with_jwt(&edge, FILM, &jwt);
        assert!(matches!(answer.status, 307 | 400..=403), "{answer:?}");
    }
}

/// Envoy's own cache, in memory.
fn cache() -> Value {
    json!({
        "name": "envoy.filters.http.cache",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.cache.v3.CacheConfig",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.http.cache.simple_http_cache.v3.SimpleHttpCacheConfig",
            },
        },
    })
}

#[test]
fn two_viewers_of_one_segment_share_the_cache_and_hits_count_as_watching() {
    let edge = Edge::start(Settings::default().before(cache()));
    let segment = "segment-1.m4s";
    edge.origin.is_cacheable();
    let players = ["alice", "bob", "carol"].map(|account| edge.player(account).playing(FILM));
    for player in &players {
        let _ = player
            .get(&format!("{segment}?CMCD=sid%3D%22{}%22", player.token()))
            .expect(200);
    }
    let asked = edge.origin.paths();
    let segments = asked.iter().filter(|path| path.contains(segment)).count();
    assert_eq!(segments, 1, "{asked:?}");
    assert_eq!(edge.metric("starts"), 3);
}

#[test]
fn without_other_means_address_and_agent_tell_players_apart() {
    let stream = json!([{"client": "address_and_agent"}]);
    let edge = Edge::start(Settings::default().with("/playback/0/stream", stream));
    let ask = |agent: &str| {
        let request = edge
            .get("/vod/film/segment-1.m4s")
            .header("x-account-id", "alice");
        request.header("user-agent", agent).send()
    };
    // Each on a connection, so from a port, of its own.
    for agent in ["tv", "tv", "phone", "tablet"] {
        let _ = ask(agent).expect(200);
    }
    assert_eq!(edge.metric("live_streams"), 3);
    let _ = ask("another").expect(403);
}

#[test]
fn a_limit_claim_overrides_the_rules_max() {
    let edge = Edge::start(by_jwt().with("/policies/0/rules/0/max_claim", "climit"));
    let play = |jwt: &str| {
        let answer = with_jwt(&edge, FILM, jwt);
        if answer.status == 307 {
            let segment = redirected(&answer).replace("master.m3u8", "segment-1.m4s");
            let _ = edge.get(&segment).send().expect(200);
        }
        answer.status
    };
    for (claim, admitted) in [(json!(5), 5), (json!("1"), 1)] {
        let account = format!("account-{admitted}");
        let jwt = Jwt::of(&account).claim("climit", claim).sign();
        for _ in 0..admitted {
            assert_eq!(play(&jwt), 307);
        }
        assert_eq!(play(&jwt), 403);
        let without = Jwt::of(&account).sign();
        assert_eq!(play(&without), if admitted < 3 { 307 } else { 403 });
    }
}
