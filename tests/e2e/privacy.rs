//! What is written down, and what never is.

use serde_json::{Value, json};
use streamgate_tests::{Edge, IDP, Settings, subject_key};

const FILM: &str = "/vod/film/master.m3u8";
const ACCOUNT: &str = "alice-whose-name-is-nobodys-business";

#[test]
fn each_decision_has_one_line_in_the_access_log() {
    let edge = Edge::start(Settings::default());
    let app = edge.app("demo-tv");
    let session = app.start(ACCOUNT);
    let code = session.termination_code();
    let player = edge.player(ACCOUNT).playing(FILM);
    let third = app.start(ACCOUNT);
    let _ = app.create(ACCOUNT).send().expect(409);
    let _ = edge.player(ACCOUNT).open(FILM).expect(403);
    let _ = session.stop().expect(202);
    // What only goes on is no decision.
    let _ = third.heartbeat().expect(202);
    player.plays();
    let _ = edge
        .get("/~nonsense/vod/film/segment-1.m4s")
        .send()
        .expect(403);

    let decisions = edge.decisions(7);
    let field =
        |name: &str| -> Vec<Value> { decisions.iter().map(|line| line[name].clone()).collect() };
    let start_refusal_stop = [
        "start", "start", "start", "refusal", "refusal", "stop", "refusal",
    ];
    assert_eq!(field("event"), start_refusal_stop);
    let status = [202, 200, 202, 409, 403, 202, 403];
    assert_eq!(field("status"), status);
    let none = Value::Null;
    let reason = |code: &str| Value::from(code);
    let limit = reason("limit-reached");
    assert_eq!(
        field("reason"),
        [
            none.clone(),
            none.clone(),
            none.clone(),
            limit.clone(),
            limit,
            none.clone(),
            reason("token-invalid")
        ]
    );
    let [tv, web] = ["demo-tv", "demo-web"].map(Value::from);
    let applications = [
        tv.clone(),
        web.clone(),
        tv.clone(),
        tv.clone(),
        web,
        tv,
        none.clone(),
    ];
    assert_eq!(field("application"), applications);

    // One account is one hash, and streams go by their termination codes.
    let hash = Value::from(subject_key().subject(IDP, ACCOUNT).to_string());
    let mut subjects = vec![hash; 6];
    subjects.push(none);
    assert_eq!(field("subject"), subjects);
    assert_eq!(decisions[0]["stream"], code.as_str());
    assert_eq!(decisions[5]["stream"], code.as_str());
    assert_eq!(decisions[0]["path"], "/v2/sessions/{idp}/{subject}");
    assert_eq!(decisions[1]["path"], "/vod/film/segment-1.m4s");
    assert_eq!(
        decisions[5]["path"],
        "/v2/sessions/{idp}/{subject}/{session}"
    );
    assert_eq!(decisions[6]["path"], "/vod/film/segment-1.m4s");
}

#[test]
fn refused_tokens_are_written_down_from_nowhere() {
    let places = json!([
        {"token": "path"},
        {"token": {"query": "sg"}},
        {"token": {"header": "x-playback-token"}},
        {"token": {"cookie": "sg"}},
    ]);
    let settings = Settings::default()
        .with("/playback/0/subject", places.clone())
        .with("/playback/0/stream", places);
    let edge = Edge::start(settings);
    // Of one stream, the first refusal in a second would have the only line.
    let tokens = [(); 5].map(|()| {
        let session = edge.app("demo-tv").start(ACCOUNT);
        let _ = session.stop().expect(202);
        session.playback_prefix.trim_start_matches("/~").to_owned()
    });
    let segment = "/vod/film/segment-1.m4s";
    let manifest = "/vod/film/master.m3u8";
    let client = edge.client();
    // The stream is over, the token still genuine; and then one that is not.
    for (more, reason) in [("", "stream-over"), ("x", "token-invalid")] {
        let [a, b, c, d, e] = tokens.clone().map(|token| format!("{token}{more}"));
        for (ask, token) in [
            (client.get(&format!("/~{a}{segment}")), &a),
            (client.get(&format!("{segment}?v=1&sg={b}")), &b),
            (client.get(&format!("{manifest}?%73g={c}")), &c),
            (client.get(segment).header("x-playback-token", &d), &d),
            (client.get(segment).header("cookie", &format!("sg={e}")), &e),
        ] {
            let referer = format!("http://edge.example/~{token}{segment}");
            let ask = ask.header("referer", &referer);
            let _ = ask.send().expect_refusal(403, reason);
        }
    }
    let decisions = edge.decisions(20);
    let paths: Vec<_> = decisions.iter().map(|line| &line["path"]).collect();
    let with_query = format!("{segment}?v=1");
    let expected = [segment, &with_query, manifest, segment, segment];
    assert_eq!(paths[10..], [expected, expected].concat());
    for text in [edge.log(), edge.access_log(), edge.all_statistics()] {
        let holds = |token: &String| text.contains(token);
        let holds_one = tokens.iter().any(holds);
        assert!(!holds_one && !text.contains(ACCOUNT), "{text}");
    }
}

#[test]
fn no_log_and_no_statistic_holds_an_account_a_session_id_or_a_token() {
    let edge = Edge::start(Settings::default());
    let app = edge.app("demo-tv");
    let session = app.create(ACCOUNT).query("note=the-secret-note").start();
    let token = session.playback_prefix.trim_start_matches("/~").to_owned();
    let latest = [(); 2].map(|()| edge.player(ACCOUNT).playing("/latest/film/master.m3u8"));
    let player = edge.player(ACCOUNT).playing(FILM);
    let ask = |path: &str| edge.get(path).account(ACCOUNT).send();

    let _ = latest[0].refused("evicted");
    let _ = ask(&format!("{}/vod/a.m4s", session.playback_prefix)).expect(200);
    let _ = ask(&format!("/~{token}x/vod/a.m4s")).expect_refusal(403, "token-invalid");
    let _ = ask(&format!("/~{token}/~{token}/vod/a.m4s")).expect(400);
    let _ = ask(&format!("/~{token}")).expect(400);
    let _ = ask("/vod/a.m4s").expect_refusal(403, "no-stream");
    let _ = app
        .heartbeat(ACCOUNT, &format!("{}x", session.id))
        .expect(404);
    let _ = app.heartbeat("bob", &session.id).expect(404);
    let _ = app.call("PUT", &session.url).send().expect(405);
    let _ = app
        .call("POST", &format!("{}/x", session.url))
        .send()
        .expect(404);
    let _ = app.create(ACCOUNT).query("a=%zz").send().expect(400);
    let _ = edge.app("nobody").create(ACCOUNT).send().expect(401);
    let _ = edge
        .app("demo-web")
        .call("POST", &session.url)
        .send()
        .expect(403);
    let _ = session.stop().expect(202);
    let _ = session.heartbeat().expect(410);
    let _ = ask(&format!("{}/vod/a.m4s", session.playback_prefix)).expect(403);

    let _ = edge.decisions(9);
    let written = [edge.log(), edge.access_log(), edge.all_statistics()];
    let secrets = [
        ACCOUNT,
        &session.id,
        &token,
        player.token(),
        latest[0].token(),
        "the-secret-note",
        // "demo-tv:"
        "ZGVtby10djo=",
        "demo-only-signing-key",
        "demo-only-subject-key",
    ];
    for secret in secrets {
        for text in &written {
            assert!(!text.contains(secret), "{secret} is written down:\n{text}");
        }
    }
}
