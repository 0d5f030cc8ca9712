//! What tokens are worth, to whom and until when, where Envoy has a part in it.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use streamgate_tests::{Answer, Edge, Jwt, Settings, eventually};

use super::carriers::{by_jwt, redirected, with_jwt};

const FILM: &str = "/vod/film/master.m3u8";
const SEGMENT: &str = "/vod/film/segment-1.m4s";

fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs_f64()
}

/// The account by JWT, the stream by path token, cookie or redirect, and what is said of both
/// by claims; one stream to an account whose JWT allows no more.
fn by_jwt_and_cookie() -> Settings {
    by_jwt()
        .with(
            "/playback/0/stream",
            json!([{"token": "path"}, {"token": {"cookie": "streamgate"}}, {"redirect": true}]),
        )
        .with("/policies/0/rules/0/max", 1)
        .with("/policies/0/rules/0/max_claim", "climit")
}

/// The token that a redirect leads under.
fn token(answer: &Answer) -> String {
    let location = redirected(answer);
    let (token, _) = location[2..].split_once('/').expect("a path behind it");
    token.to_owned()
}

/// The status and the text of an answer to a request on a connection of its own, with these
/// header lines.
fn by_hand(edge: &Edge, path: &str, headers: &[&str]) -> (Option<u16>, String) {
    let headers = headers.join("\r\n");
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: e\r\nConnection: close\r\n{headers}\r\n\r\n");
    edge.raw(&[request.as_bytes()])
}

#[test]
fn what_is_redirected_to_ends_with_its_jwt() {
    let edge = Edge::start(by_jwt_and_cookie().with("/jwt", json!({"leeway": "1s"})));
    let ends_at = now() + 4.0;
    let jwt = Jwt::of("alice").claim("exp", ends_at.floor()).sign();
    let answer = with_jwt(&edge, FILM, &jwt).expect(307);
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    let age = cookie
        .split("; ")
        .find_map(|part| part.strip_prefix("Max-Age="));
    let age: u64 = age.and_then(|age| age.parse().ok()).expect("an age");
    assert!(age <= 5, "{cookie}");
    let segment = redirected(&answer).replace("master.m3u8", "segment-1.m4s");
    let play = || edge.get(&segment).send();
    let _ = play().expect(200);
    eventually("it is over", || play().status != 200);
    assert!(now() >= ends_at.floor() + 1.0);
    let _ = play().expect_refusal(403, "token-expired");
    let long = Jwt::of("bob").sign();
    let answer = with_jwt(&edge, FILM, &long).expect(307);
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("; Max-Age=43200; "), "{cookie}");
}

#[test]
fn cookies_of_an_account_that_may_play_more_are_worth_nothing_to_another() {
    let edge = Edge::start(by_jwt_and_cookie());
    let rich = Jwt::of("alice").claim("climit", 10).sign();
    let poor = Jwt::of("bob").sign();
    let tokens: Vec<_> = (0..5)
        .map(|_| token(&with_jwt(&edge, FILM, &rich).expect(307)))
        .collect();
    for token in &tokens {
        let ask = |jwt: &str| {
            let ask = edge
                .get(SEGMENT)
                .header("authorization", &format!("Bearer {jwt}"));
            ask.header("cookie", &format!("streamgate={token}")).send()
        };
        let _ = ask(&rich).expect(200);
        let _ = ask(&poor).expect_refusal(403, "no-stream");
    }
    // In front of the path it is shown on purpose.
    let shown = format!("{SEGMENT}?jwt={poor}");
    let _ = edge.get(&shown).send().expect_refusal(403, "no-stream");
    assert_eq!(edge.metric("live_streams"), 5);
}

#[test]
fn a_claim_within_a_claim_says_whose_account_it_is() {
    let nested = |name: &str| {
        by_jwt().with(
            "/playback/0/subject",
            json!([{"token": "path"}, {"jwt_claim": name}]),
        )
    };
    let edge = Edge::start(nested("realm.account"));
    let jwt = |claims: Value| Jwt::of("nobody").claim("realm", claims).sign();
    let alice = jwt(json!({"account": "alice", "other": "bob"}));
    let manifest = redirected(&with_jwt(&edge, FILM, &alice).expect(307));
    let segment = manifest.replace("master.m3u8", "segment-1.m4s");
    let _ = edge.get(&segment).send().expect(200);
    assert_eq!(edge.app("demo-tv").running("alice").len(), 1);
    for (claims, status, reason) in [
        (json!({"account": {"id": "alice"}}), 400, "malformed"),
        (json!({"account": false}), 400, "malformed"),
        (
            json!({"account": 1_152_921_504_606_846_977_u64}),
            400,
            "malformed",
        ),
        (json!({"account": "a\nb"}), 400, "malformed"),
        (json!({"account": "a".repeat(257)}), 400, "malformed"),
        (json!({"other": "alice"}), 403, "no-subject"),
        (json!("alice"), 403, "no-subject"),
        (json!(["alice"]), 403, "no-subject"),
        (json!(null), 403, "no-subject"),
        (json!(7), 403, "no-subject"),
    ] {
        let answer = with_jwt(&edge, FILM, &jwt(claims.clone()));
        let found = (answer.status, answer.reason());
        assert_eq!(found, (status, reason.to_owned()), "{claims}");
    }
    // A dot in a name is not always one between two.
    let name = "https://example.com/account";
    let edge = Edge::start(nested(name));
    let jwt = Jwt::of("nobody").claim(name, "alice").sign();
    let _ = with_jwt(&edge, FILM, &jwt).expect(307);
}

/// `/vod/` with a token in a cookie or a query.
fn carried() -> Settings {
    let places = json!([
        {"token": "path"},
        {"token": {"query": "sg"}},
        {"token": {"cookie": "streamgate"}},
    ]);
    let path = json!({
        "match": {"prefix": "/vod/"},
        "application": "demo-web",
        "idp": "demo",
        "start": "implicit",
    });
    let mut path = path;
    path["subject"] = places.clone();
    path["subject"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"header": "x-account-id"}));
    path["stream"] = places;
    path["stream"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"redirect": true}));
    Settings::default().with("/playback/0", path)
}

#[test]
fn a_token_plays_however_it_is_written_and_reaches_neither_origin_nor_log() {
    let edge = Edge::start(carried());
    let begin = || {
        let ask = edge.get(FILM).header("x-account-id", "alice");
        token(&ask.send().expect(307))
    };
    let good = begin();
    let forged = format!("{}x", begin());
    let quoted = format!(r#"Cookie: $Version="1"; streamgate="{good}"; $Path="/vod/""#);
    let both = format!("Cookie: streamgate={forged}; streamgate={good}");
    let spaced = format!("Cookie: a=\"b;  c\";streamgate = {good} ; d=%22");
    let plain = format!("Cookie: streamgate={good}");
    let bad = format!("Cookie: streamgate={forged}; e=5");
    let encoded = good.replace('_', "%5F").replace('-', "%2d");
    let query = |query: &str| format!("{SEGMENT}?{query}");
    for (path, lines) in [
        (SEGMENT.to_owned(), vec![quoted.as_str()]),
        (SEGMENT.to_owned(), vec![&both]),
        (SEGMENT.to_owned(), vec![&spaced]),
        (
            SEGMENT.to_owned(),
            vec!["Cookie: a=1", &plain, "Cookie: b=2"],
        ),
        (SEGMENT.to_owned(), vec![&plain, "Cookie: a=1", &bad]),
        (SEGMENT.to_owned(), vec!["Cookie: a=1", &bad, &plain]),
        (query(&format!("sg={encoded}")), vec![]),
        (query(&format!("v=1&%73%67={encoded}&sg={forged}")), vec![]),
        (query(&format!("sg=&sg={forged}&sg={good}")), vec![&bad]),
    ] {
        for _ in 0..2 {
            let (status, text) = by_hand(&edge, &path, &lines);
            assert_eq!(status, Some(200), "{path} {lines:?}: {text}");
        }
    }
    assert_eq!(edge.metric("starts"), 1);
    let seen = edge.origin.seen();
    let cookies: Vec<_> = seen
        .iter()
        .flat_map(|seen| &seen.headers)
        .filter(|(name, _)| name == "cookie")
        .map(|(_, value)| value.as_str())
        .collect();
    let expected = [
        "a=\"b;  c\"; d=%22",
        "a=\"b;  c\"; d=%22",
        "a=1; b=2",
        "a=1; b=2",
        "a=1; e=5",
        "a=1; e=5",
        "a=1; e=5",
        "a=1; e=5",
        "e=5",
        "e=5",
    ];
    assert_eq!(cookies, expected);
    for text in [
        format!("{seen:?}"),
        edge.log(),
        edge.access_log(),
        edge.all_statistics(),
    ] {
        for token in [&good, &forged, &encoded] {
            assert!(!text.contains(token.as_str()), "{text}");
        }
    }
}

#[test]
fn a_viewer_who_was_evicted_begins_anew_with_an_old_cookie() {
    let settings = by_jwt_and_cookie().with("/playback/0/application", "demo-mobile");
    let edge = Edge::start(settings.lapsing_after(2));
    let jwt = Jwt::of("alice").sign();
    let ask = |path: &str, cookie: Option<&str>| {
        let ask = edge
            .get(path)
            .header("authorization", &format!("Bearer {jwt}"));
        match cookie {
            Some(token) => ask.header("cookie", &format!("streamgate={token}")).send(),
            None => ask.send(),
        }
    };
    let first = token(&ask(FILM, None).expect(307));
    let _ = ask(SEGMENT, Some(&first)).expect(200);
    let second = token(&ask(FILM, None).expect(307));
    let _ = ask(SEGMENT, Some(&second)).expect(200);
    let _ = ask(SEGMENT, Some(&first)).expect_refusal(403, "evicted");
    // Whatever its cookie says, and while the other still plays.
    let third = token(&ask(FILM, Some(&first)).expect(307));
    let _ = ask(SEGMENT, Some(&third)).expect(200);
    let _ = ask(SEGMENT, Some(&second)).expect_refusal(403, "evicted");
    let _ = ask(SEGMENT, Some(&first)).expect_refusal(403, "evicted");
    let app = edge.app("demo-mobile");
    eventually("nobody plays", || app.running("alice").is_empty());
    let fourth = token(&ask(FILM, Some(&second)).expect(307));
    let _ = ask(SEGMENT, Some(&fourth)).expect(200);
}
