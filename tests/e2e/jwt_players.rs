//! `envoy/jwt.yaml` as players use it: their JWT is in the address they are given, and some of them go
//! on without it.

use streamgate_tests::{Edge, Jwt, Settings};

const FILM: &str = "/vod/film/manifest.mpd";
const SEGMENT: &str = "/vod/film/segment-1.m4s";

fn edge() -> Edge {
    Edge::start(Settings::shipped("jwt.yaml").with_filter(
        "envoy.filters.http.jwt_authn",
        "/providers/accounts/local_jwks/inline_string",
        Jwt::key_set(),
    ))
}

/// ffmpeg's DASH, and mpv with it.
#[test]
fn the_redirects_cookie_plays_without_the_jwt_and_nothing_else_does() {
    let edge = edge();
    let jwt = Jwt::of("alice").sign();
    let redirect = edge
        .get(FILM)
        .query(&format!("account_token={jwt}"))
        .send()
        .expect(307);
    let cookies = redirect.values("set-cookie");
    let cookie = cookies.last().and_then(|cookie| cookie.split(';').next());
    let cookie = cookie.expect("a cookie");
    let _ = edge
        .get(SEGMENT)
        .header("cookie", cookie)
        .send()
        .expect(200);

    for path in [FILM, SEGMENT] {
        let _ = edge.get(path).send().expect_refusal(403, "no-subject");
        let stale = edge.get(path).header("cookie", "streamgate=x");
        let _ = stale.send().expect_refusal(403, "token-invalid");
        for bad in ["x", &Jwt::of("alice").expired().sign()] {
            let _ = edge
                .get(path)
                .header("x-account-token", bad)
                .header("cookie", cookie)
                .send()
                .expect(401);
        }
    }
}

#[test]
fn a_page_of_another_origin_may_send_its_jwt_in_a_header() {
    let edge = edge();
    let asks = |path: &str| {
        edge.client()
            .request("OPTIONS", path)
            .header("origin", "https://page.example")
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "x-account-token")
    };
    for path in [FILM, SEGMENT] {
        let may = asks(path).send().expect(200);
        let allowed = may
            .header("access-control-allow-headers")
            .unwrap_or_default();
        assert!(allowed.contains("X-Account-Token"), "{allowed}");
    }
    // Nobody calls the session API by what looks like a preflight: with an origin that Envoy's CORS filter
    // knows it ends there, with none it is a call.
    let create = "/v2/sessions/me/alice";
    let answer = asks(create)
        .header("authorization", "Basic d2ViOg==")
        .send();
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, ""),
        "{answer:?}"
    );
    let ask = edge.client().request("OPTIONS", create);
    let ask = ask.header("authorization", "Basic d2ViOg==");
    let ask = ask.header("access-control-request-method", "POST");
    let answer = ask.send();
    assert!(matches!(answer.status, 401 | 403 | 405), "{answer:?}");
    assert_eq!(edge.metric("live_streams"), 0);
}
