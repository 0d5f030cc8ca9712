//! Common Access Tokens, minted by another implementation: they play, they are limited,
//! and they are renewed.

use serde_json::json;
use streamgate_tests::{AccessToken, Answer, Edge, Request, Settings};

const SEGMENT: &str = "/vod/film/segment-1.m4s";

/// `/vod/` goes by token alone; below `/redirected/` each playback gets an id.
fn by_token() -> Settings {
    let path = json!({"token": "path"});
    Settings::default()
        .with("/cat", AccessToken::configuration())
        .with("/playback/0/subject", json!([{"cat": "sub"}]))
        .with("/playback/0/stream", json!([{"cat": "cti"}]))
        .with(
            "/playback/new",
            json!({
                "match": {"prefix": "/redirected/"},
                "application": "demo-web",
                "idp": "demo",
                "start": "implicit",
                "subject": [path, {"cat": "sub"}],
                "stream": [path, {"redirect": true}, {"token": {"cookie": "sg"}}],
            }),
        )
}

/// The same request with the token in each place.
fn everywhere(edge: &Edge, path: &str, token: &str) -> [Request; 4] {
    [
        edge.get(path).header("cta-common-access-token", token),
        edge.get(path)
            .header("CTA-Common-Access-Token", &format!("Bearer {token}")),
        edge.get(path).header(
            "cookie",
            &format!("a=1; CTA-Common-Access-Token={token}; b=2"),
        ),
        edge.get(path).query(&format!("v=1&CAT={token}")),
    ]
}

fn with_cookie(edge: &Edge, path: &str, cookie: &str) -> Answer {
    edge.get(path).header("cookie", cookie).send()
}

fn cookies(answer: &Answer) -> Vec<&str> {
    answer.values("set-cookie")
}

/// Name and value of a cookie, as it comes back.
fn returned(cookie: &str) -> &str {
    cookie.split(';').next().unwrap_or_default()
}

#[test]
fn each_token_plays_from_anywhere_as_one_stream_and_none_reaches_origin_or_log() {
    let edge = Edge::start(by_token());
    let alice = |id| AccessToken::of("alice", id);
    let tokens = AccessToken::mint([
        alice("01"),
        alice("02").claim("catu", json!({"path": {"prefix-match": "/vod/film/"}})),
        alice("03").by_private_key(),
        alice("04"),
    ]);
    let [playing @ .., fourth] = &tokens;
    for token in playing {
        for _ in 0..2 {
            for request in everywhere(&edge, SEGMENT, token) {
                let referer = format!("http://edge.example{SEGMENT}?CAT={token}");
                let _ = request.header("referer", &referer).send().expect(200);
            }
        }
    }
    assert_eq!(edge.metric("starts"), 3);
    assert_eq!(edge.app("demo-web").running("alice").len(), 3);
    for request in everywhere(&edge, SEGMENT, fourth) {
        let _ = request.send().expect_refusal(403, "limit-reached");
    }

    let seen = format!("{:?}", edge.origin.seen());
    let log = serde_json::to_string(&edge.decisions(4)).expect("JSON");
    for token in &tokens {
        let start = &token[..40];
        assert!(!seen.contains(start), "{seen}");
        assert!(!log.contains(start), "{log}");
    }
    assert!(seen.contains(r#"("cookie", "a=1; b=2")"#), "{seen}");
    assert!(seen.contains(&format!("{SEGMENT}?v=1\"")), "{seen}");
}

#[test]
fn bad_tokens_are_refused_and_good_ones_renewed_also_where_they_redirect() {
    let edge = Edge::start(by_token());
    let alice = || AccessToken::of("alice", "01");
    let renewal = json!({"type": "cookie", "expadd": 600, "cookie-params": ["Path=/"]});
    let in_film = json!({"path": {"prefix-match": "/redirected/film/"}});
    let [
        good,
        expired,
        forged,
        unknown,
        confused,
        foreign,
        elsewhere,
        head,
        due,
        narrow,
    ] = AccessToken::mint([
        alice(),
        alice().expiring_in(-31),
        alice().forged(),
        alice().named("unknown"),
        alice().named("ec"),
        alice().claim("iss", "thief"),
        alice().claim("catu", json!({"path": {"prefix-match": "/live/"}})),
        alice().claim("catm", json!(["HEAD"])),
        alice().claim("catr", renewal.clone()).expiring_in(50),
        alice()
            .claim("catr", renewal)
            .claim("catu", in_film)
            .expiring_in(50),
    ]);
    let mut flipped = good.clone().into_bytes();
    flipped[60] = if flipped[60] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).expect("text");

    for (token, reason) in [
        (&expired, "token-expired"),
        (&forged, "token-invalid"),
        (&unknown, "token-invalid"),
        (&confused, "token-invalid"),
        (&foreign, "token-invalid"),
        (&elsewhere, "token-invalid"),
        (&head, "token-invalid"),
        (&flipped, "token-invalid"),
    ] {
        for request in everywhere(&edge, SEGMENT, token) {
            let _ = request.send().expect_refusal(403, reason);
        }
    }
    assert_eq!(edge.origin.paths(), [""; 0]);
    let answer = edge.get(SEGMENT).header("cta-common-access-token", &good);
    assert_eq!(cookies(&answer.send().expect(200)), [""; 0]);

    // What is due comes back, and plays on as the same stream.
    let answer = with_cookie(&edge, SEGMENT, &format!("CTA-Common-Access-Token={due}"));
    let answer = answer.expect(200);
    let [cookie] = cookies(&answer)[..] else {
        panic!("{answer:?}");
    };
    assert!(cookie.ends_with("; Path=/"), "{cookie}");
    let answer = with_cookie(&edge, SEGMENT, returned(cookie)).expect(200);
    assert_eq!(cookies(&answer), [""; 0]);
    assert_eq!(edge.metric("starts"), 1);
    // The other implementation takes it for its own, with a later expiry.
    let (_, renewed) = returned(cookie).split_once('=').expect("a cookie");
    let [claims, before] = [renewed, &due].map(AccessToken::read);
    for same in ["iss", "sub", "aud", "cti", "catr"] {
        assert_eq!(claims[same], before[same], "{claims}");
    }
    let [expiry, before] = [&claims, &before].map(|claims| claims["exp"].as_u64());
    assert!(expiry > before.map(|before| before + 540), "{claims}");

    // A redirect brings both cookies, and leads no further than its directory.
    let manifest = format!("/redirected/film/master.m3u8?CAT={narrow}");
    let answer = edge.get(&manifest).send().expect(307);
    let names = cookies(&answer).into_iter().map(returned);
    let names: Vec<_> = names.filter_map(|one| one.split('=').next()).collect();
    assert_eq!(names, ["sg", "CTA-Common-Access-Token"]);
    let location = answer.header("location").expect("a location");
    assert!(!location.contains("CAT="), "{location}");
    let at = |path: &str| {
        let url = location.replace("/redirected/film/master.m3u8", path);
        edge.get(&url).send()
    };
    let _ = at("/redirected/film/hd/1.m4s").expect(200);
    let _ = at("/redirected/other/1.m4s").expect_refusal(403, "token-invalid");
    let log = serde_json::to_string(&edge.decisions(35)).expect("JSON");
    for token in [&expired, &forged, &flipped, &narrow] {
        assert!(!log.contains(&token[..40]), "{log}");
    }
}
