//! The gate in front of manifests and segments: for every player, cooperating or not.

use serde_json::json;
use streamgate_tests::{Answer, Edge, Player, Settings, awaited, eventually};

const FILM: &str = "/vod/film/master.m3u8";
const LATEST: &str = "/latest/film/master.m3u8";
const MEMBERS: &str = "/members/film/master.m3u8";

fn edge() -> Edge {
    Edge::start(Settings::default())
}

/// Players that fill an account's three places.
fn three_playing(edge: &Edge, account: &str) -> [Player; 3] {
    [(); 3].map(|()| edge.player(account).playing(FILM))
}

#[test]
fn each_playback_is_redirected_to_a_stream_of_its_own() {
    let edge = edge();
    let answer = edge.get(FILM).account("alice").send().expect(307);
    let location = answer.header("location").expect("a location");
    assert!(
        location.starts_with("/~") && location.ends_with(FILM),
        "{location}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    let first = edge.player("alice").playing(FILM);
    let second = edge.player("alice").playing(FILM);
    assert_ne!(first.token(), second.token());
    assert_eq!(edge.metric("starts"), 2);
    assert_eq!(edge.metric("redirects_minted"), 3);

    // However many requests, renditions and connections: one playback is one stream.
    for worker in edge.one_client_per_worker() {
        let first = first.on(&worker);
        for path in [
            "video/hd/segment-9.m4s",
            "audio/segment-9.m4s",
            "master.m3u8",
        ] {
            let _ = first.get(path).expect(200);
        }
    }
    assert_eq!(edge.metric("starts"), 2);
    assert_eq!(edge.app("demo-tv").running("alice").len(), 2);
}

#[test]
fn a_query_survives_the_redirect() {
    let edge = edge();
    let path = format!("{FILM}?quality=hd&x=%2F");
    let mut player = edge.player("alice");
    player.opens(&path);
    assert_eq!(edge.origin.paths(), [path]);
}

#[test]
fn an_unmodified_player_starts_its_stream_with_the_first_segment_it_gets() {
    let edge = edge();
    let app = edge.app("demo-tv");
    let mut player = edge.player("alice");
    player.opens(FILM);
    assert_eq!(app.running("alice").len(), 0, "a manifest starts nothing");
    player.plays();
    let [stream] = app.running("alice").try_into().expect("one stream");
    assert_eq!(stream["applicationId"], "demo-web");
    player.plays();
    assert_eq!(edge.metric("starts"), 1);
}

#[test]
fn three_play_and_the_fourth_is_refused_at_its_manifest() {
    let edge = edge();
    let _players = three_playing(&edge, "alice");
    let mut fourth = edge.player("alice");
    let answer = fourth.open(FILM).expect_refusal(403, "limit-reached");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    let advice = &body["associatedAdvice"][0];
    assert_eq!(advice["type"], "rule-violation");
    assert_eq!(advice["message"], "Too many streams on this account");
    assert_eq!(advice["threshold"], 3);
    assert_eq!(advice["conflicts"].as_object().expect("streams").len(), 3);
    assert_eq!(body["obligations"], json!([]));
    assert!(!body["detail"].as_str().expect("a text").is_empty());

    // Other accounts are other accounts.
    let _ = three_playing(&edge, "bob");
    assert_eq!(edge.metric("refusals.limit"), 1);
}

#[test]
fn whoever_opened_in_time_but_starts_too_late_is_refused_at_the_segment() {
    let edge = edge();
    let mut late = edge.player("alice");
    late.opens(FILM);
    let _players = three_playing(&edge, "alice");
    let answer = late.segment().expect_refusal(403, "limit-reached");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(
        !answer.text().contains("media"),
        "nothing of the media leaks"
    );
    let _ = late.get("master.m3u8").expect_refusal(403, "limit-reached");
    let _ = late.get("init.mp4").expect_refusal(403, "limit-reached");
}

#[test]
fn sessions_and_players_fill_the_same_places() {
    let edge = edge();
    let app = edge.app("demo-tv");
    let session = app.start("alice");
    let _players = [(); 2].map(|()| edge.player("alice").playing(FILM));
    let _ = app.create("alice").send().expect(409);
    let _ = edge
        .player("alice")
        .open(FILM)
        .expect_refusal(403, "limit-reached");
    let _ = session.stop().expect(202);
    let _ = edge.player("alice").playing(FILM);
}

#[test]
fn a_web_player_may_read_why_it_is_refused() {
    let edge = edge();
    let players = three_playing(&edge, "alice");
    let mut late = edge.player("alice");
    let site = "https://player.example";
    let readable = |answer: &Answer| {
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some(site),
            "{answer:?}"
        );
        let exposed = answer
            .header("access-control-expose-headers")
            .expect("a list");
        for header in ["Date", "Expires", "Location"] {
            assert!(exposed.contains(header), "{exposed}");
        }
    };
    let ask = |path: &str| {
        edge.get(path)
            .account("alice")
            .header("origin", site)
            .send()
    };

    // At the manifest, under a bad token, at a segment that comes too late, and at the
    // session API.
    readable(&ask(FILM).expect(403));
    readable(&ask("/~nonsense/vod/film/segment-1.m4s").expect(403));
    let _ = players[0].segment().expect(200);
    let session = edge.app("demo-tv").list("alice").json()["runningStreams"][0].clone();
    assert!(session.is_object());
    late.open(FILM);
    let api = edge.app("demo-tv").call("POST", "/v2/sessions/demo/alice");
    readable(&api.header("origin", site).send().expect(409));
    // And what it is allowed.
    readable(&ask(&players[0].path("segment-2.m4s")).expect(200));

    let preflight = edge
        .client()
        .request("OPTIONS", "/v2/sessions/demo/alice")
        .header("origin", site)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,x-terminate",
        )
        .send()
        .expect(200);
    assert_eq!(preflight.header("access-control-allow-origin"), Some(site));
    let methods = preflight
        .header("access-control-allow-methods")
        .expect("a list");
    assert!(methods.contains("DELETE"), "{methods}");
}

#[test]
fn a_path_may_refuse_with_another_status() {
    let edge = edge();
    let _players = three_playing(&edge, "alice");
    let mut player = edge.player("alice");
    let _ = player
        .open("/gone/film/master.m3u8")
        .expect_refusal(410, "limit-reached");
}

#[test]
fn a_trusted_header_may_name_the_stream() {
    let edge = edge();
    let ask = |path: &str, stream: &str| {
        let request = edge.get(path).account("alice");
        request.header("x-stream-id", stream).send()
    };
    for stream in ["a", "b", "c"] {
        let _ = ask("/carried/film/master.m3u8", stream).expect(200);
        let _ = ask("/carried/film/segment-1.m4s", stream).expect(200);
        let _ = ask("/carried/film/segment-2.m4s", stream).expect(200);
    }
    let _ = ask("/carried/film/master.m3u8", "d").expect_refusal(403, "limit-reached");
    let _ = ask("/carried/film/segment-1.m4s", "d").expect_refusal(403, "limit-reached");
    assert_eq!(edge.metric("starts"), 3);

    // Without one there is no stream, and no redirect was configured.
    let nameless = edge.get("/carried/film/master.m3u8").account("bob").send();
    let _ = nameless.expect_refusal(403, "no-stream");
}

#[test]
fn a_players_own_session_id_names_the_stream() {
    let edge = edge();
    let in_query = |path: &str, sid: &str| {
        let path = format!("{path}?CMCD=bl%3D100%2Csid%3D%22{sid}%22");
        edge.get(&path).account("alice").send()
    };
    let in_header = |path: &str, sid: &str| {
        let data = format!("cid=\"x\",sid=\"{sid}\",st=v");
        edge.get(path)
            .account("alice")
            .header("cmcd-session", &data)
            .send()
    };
    for sid in ["one", "two", "three"] {
        // Named already, so nothing is redirected; query and header are the same id.
        let _ = in_query("/vod/film/master.m3u8", sid).expect(200);
        let _ = in_query("/vod/film/segment-1.m4s", sid).expect(200);
        let _ = in_header("/vod/film/segment-2.m4s", sid).expect(200);
    }
    assert_eq!(edge.metric("starts"), 3);
    let _ = in_query("/vod/film/master.m3u8", "four").expect_refusal(403, "limit-reached");
    let _ = in_header("/vod/film/segment-1.m4s", "four").expect_refusal(403, "limit-reached");

    // It tells streams apart, not accounts: no subject, no stream.
    let path = "/vod/film/segment-1.m4s?CMCD=sid%3D%22one%22";
    let _ = edge.get(path).send().expect_refusal(403, "no-subject");
}

#[test]
fn a_request_that_names_nobody_is_refused() {
    let edge = edge();
    let _ = edge.get(FILM).send().expect_refusal(403, "no-subject");
    let _ = edge
        .get("/vod/film/segment-1.m4s")
        .send()
        .expect_refusal(403, "no-subject");
    // An account, but no stream: playback begins at the manifest.
    let segment = edge.get("/vod/film/segment-1.m4s").account("alice").send();
    let _ = segment.expect_refusal(403, "no-stream");
    assert!(edge.origin.paths().is_empty(), "the origin is not asked");
    assert_eq!(edge.metric("refusals.unidentified"), 3);
}

#[test]
fn the_prefix_from_the_session_api_plays() {
    let edge = edge();
    let session = edge.app("demo-tv").start("alice");
    let path = |rest: &str| format!("{}{rest}", session.playback_prefix);
    for rest in [
        FILM,
        "/vod/film/segment-1.m4s",
        "/members/film/segment-1.m4s",
    ] {
        let _ = edge.get(&path(rest)).send().expect(200);
    }
    let _ = session.heartbeat().expect(202);
    assert_eq!(edge.metric("starts"), 1);

    let _ = session.stop().expect(202);
    for rest in [
        FILM,
        "/vod/film/segment-1.m4s",
        "/members/film/segment-1.m4s",
    ] {
        // Workers hear of it at their ticks.
        let refusal = awaited("it is over", || {
            let answer = edge.get(&path(rest)).send();
            (answer.status == 403).then_some(answer)
        });
        let _ = refusal.expect_refusal(403, "stream-over");
    }
}

#[test]
fn where_a_session_is_required_nothing_else_plays() {
    let edge = edge();
    let _ = edge
        .player("alice")
        .open(MEMBERS)
        .expect_refusal(403, "session-required");
    let cmcd = "/members/film/segment-1.m4s?CMCD=sid%3D%22mine%22";
    let named = edge.get(cmcd).account("alice").send();
    let _ = named.expect_refusal(403, "session-required");
    // A token minted where streams may start by themselves does not help here.
    let mut player = edge.player("alice");
    player.opens(FILM);
    let elsewhere = player.path("segment-1.m4s").replace("/vod/", "/members/");
    let _ = edge.get(&elsewhere).send().expect(403);
    assert_eq!(edge.metric("starts"), 0);
    assert_eq!(edge.metric("refusals.session_required"), 2);

    let session = edge.app("demo-web").start("alice");
    let path = format!("{}/members/film/segment-1.m4s", session.playback_prefix);
    let _ = edge.get(&path).send().expect(200);
}

#[test]
fn only_media_that_arrives_starts_a_stream() {
    let edge = edge();
    edge.origin.answers("/vod/film/missing.m4s", 404);
    edge.origin.answers("/vod/film/broken.m4s", 500);
    edge.origin.answers("/vod/film/moved.m4s", 302);
    let mut player = edge.player("alice");
    player.opens(FILM);
    for (method, path, status) in [
        ("HEAD", "segment-1.m4s", 200),
        ("OPTIONS", "segment-1.m4s", 204),
        ("POST", "missing.m4s", 404),
        ("GET", "missing.m4s", 404),
        ("GET", "broken.m4s", 500),
        ("GET", "moved.m4s", 302),
        ("GET", "master.m3u8", 200),
        ("GET", "manifest.mpd", 200),
        ("GET", "init.mp4", 200),
        ("GET", "video.key", 200),
        ("GET", "english.vtt", 200),
        ("GET", "thumbnail.jpg", 200),
    ] {
        let _ = player.request(method, path).expect(status);
        assert_eq!(edge.metric("starts"), 0, "{method} {path}");
    }
    // An origin may answer any method with the file.
    let _ = player.request("POST", "segment-1.m4s").expect(200);
    assert_eq!(edge.metric("starts"), 1);
}

#[test]
fn parts_and_unchanged_media_count_as_watching() {
    let edge = edge();
    for (account, header, value, status) in [
        ("alice", "range", "bytes=0-3", 206),
        ("bob", "if-none-match", "\"x\"", 304),
    ] {
        let mut player = edge.player(account);
        player.opens(FILM);
        let segment = edge.get(&player.path("segment-1.m4s"));
        let _ = segment.header(header, value).send().expect(status);
        assert_eq!(edge.app("demo-tv").running(account).len(), 1, "{header}");
    }
}

#[test]
fn the_origin_never_sees_a_token() {
    let edge = edge();
    let player = edge.player("alice").playing(FILM);
    let token = player.token();
    let ask = |path: &str| edge.get(&path.replace("TOKEN", token)).send();

    let _ = ask("/~TOKEN/vod/film/segment-1.m4s?a=b").expect(200);
    let path = "/vod/film/segment-1.m4s?a=b".to_owned();
    assert!(edge.origin.paths().contains(&path));
    // What takes no token is asked for without one.
    let _ = ask("/~TOKEN/elsewhere/picture.png").expect(400);
    // Spellings that no player makes.
    for path in [
        "//~TOKEN/vod/film/segment-1.m4s",
        "/%7ETOKEN/vod/film/segment-1.m4s",
        "/%7eTOKEN/elsewhere",
        "/./~TOKEN/vod/film/segment-1.m4s",
        "/vod/../~TOKEN/elsewhere",
        "/~TOKEN/~TOKEN/vod/film/segment-1.m4s",
        "/~TOKEN//~TOKEN/elsewhere",
        "/~TOKEN",
        "/~TOKEN?a=b",
        "/~TOKEN/",
    ] {
        let _ = ask(path);
    }
    let _ = edge
        .client()
        .request("OPTIONS", &player.path("segment-1.m4s"))
        .send();
    let _ = edge
        .client()
        .request("HEAD", &player.path("segment-1.m4s"))
        .send();
    for seen in edge.origin.seen() {
        assert!(!format!("{seen:?}").contains(token), "{seen:?}");
    }
}

/// Envoy chooses a route before the filter is asked, for the path with the token.
#[test]
fn the_route_is_that_of_the_path_without_its_token() {
    let edge = Edge::start(Settings::default().answering_itself());
    let _ = edge.get("/~token").send().expect(400);
    let _ = edge.player("alice").playing(FILM);
    assert_eq!(edge.metric("starts"), 1);
}

#[test]
fn no_spelling_of_a_protected_path_gets_around_the_gate() {
    let edge = edge();
    for path in [
        "//vod/film/segment-1.m4s",
        "/%76od/film/segment-1.m4s",
        "/%76%6f%64/film/segment-1.m4s",
        "/./vod/film/segment-1.m4s",
        "/elsewhere/../vod/film/segment-1.m4s",
        "/elsewhere/%2e%2e/vod/film/segment-1.m4s",
        "/elsewhere/..%2fvod/film/segment-1.m4s",
        "/%2fvod/film/segment-1.m4s",
        "/vod%2ffilm/segment-1.m4s",
        "/vod%5cfilm/segment-1.m4s",
        "\\vod\\film\\segment-1.m4s",
        "/vod/film/segment-1.m4s;/elsewhere",
        "/vod/film/segment-1.m4s#/elsewhere",
        "/~x/../vod/film/segment-1.m4s",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n");
        let (status, answer) = edge.raw(&[request.as_bytes()]);
        assert!(matches!(status, Some(400..=499)), "{path}: {answer}");
    }
    assert!(edge.origin.paths().is_empty(), "{:?}", edge.origin.paths());
}

#[test]
fn what_is_not_protected_passes_untouched() {
    let edge = edge();
    let answer = edge
        .client()
        .request("POST", "/elsewhere/%7Bx%7D/a?b=%2F&c")
        .header("x-terminate", "12345678")
        .header("authorization", "Basic bm9ib2R5Og==")
        .form("a=1")
        .send()
        .expect(200);
    assert_eq!(answer.text(), "some bytes of media");
    let [seen] = edge.origin.seen().try_into().expect("one request");
    assert_eq!(seen.path, "/elsewhere/%7Bx%7D/a?b=%2F&c");
    let has = |name: &str, value: &str| {
        let wanted = (name.to_owned(), value.to_owned());
        assert!(seen.headers.contains(&wanted), "{seen:?}");
    };
    has("x-terminate", "12345678");
    has("authorization", "Basic bm9ib2R5Og==");
    let _ = edge.get("/vodka").send().expect(200);
    let _ = edge.get("/v20/sessions/demo/alice").send().expect(200);
    assert_eq!(edge.access_log(), "", "no decision, no line");
}

#[test]
fn a_victim_is_refused_on_every_worker() {
    let edge = edge();
    let workers = edge.one_client_per_worker();
    let first = edge.player("alice").playing(LATEST);
    for worker in &workers {
        // Each worker now remembers that it plays.
        first.on(worker).plays();
        first.on(worker).plays();
    }
    let second = edge.player("alice").playing(LATEST);
    for _late in 0..3 {
        for worker in &workers {
            let answer = first.on(worker).refused("evicted");
            let advice = &answer.json()["associatedAdvice"][0];
            assert_eq!(advice["policyName"], "latest-wins");
            assert_eq!(
                advice["message"],
                "This account plays on another device now"
            );
            let _ = first
                .on(worker)
                .get("master.m3u8")
                .expect_refusal(403, "evicted");
        }
    }
    for worker in &workers {
        second.on(worker).plays();
    }
    assert_eq!(edge.metric("evictions"), 1);
    assert_eq!(edge.metric("starts"), 2);
}

/// Workers count bumps in Envoy's statistics, which an operator may have Envoy not keep.
#[test]
fn a_victim_is_refused_where_envoy_keeps_no_statistics() {
    let edge = Edge::start(Settings::default().keeping_no_statistics());
    let workers = edge.one_client_per_worker();
    let first = edge.player("alice").playing(LATEST);
    for worker in &workers {
        first.on(worker).plays();
        first.on(worker).plays();
    }
    let second = edge.player("alice").playing(LATEST);
    for worker in &workers {
        let _ = first.on(worker).refused("evicted");
        second.on(worker).plays();
    }
}

#[test]
fn a_victim_that_starts_anew_is_judged_afresh() {
    let edge = edge();
    let mut first = edge.player("alice").playing(LATEST);
    let second = edge.player("alice").playing(LATEST);
    let _ = first.refused("evicted");
    // Its viewer presses play again: now the other one loses.
    first.opens(LATEST);
    first.plays();
    let _ = second.refused("evicted");
    first.plays();
    assert_eq!(edge.metric("starts"), 3);
}

#[test]
fn a_stopped_stream_stays_gone_on_every_worker() {
    let edge = edge();
    let workers = edge.one_client_per_worker();
    let session = edge.app("demo-tv").start("alice");
    let segment = format!("{}/vod/film/segment-1.m4s", session.playback_prefix);
    for worker in &workers {
        let _ = worker.get(&segment).send().expect(200);
    }
    let _ = session.stop().expect(202);
    // Each hears of it at its tick.
    for worker in &workers {
        eventually("it is over", || worker.get(&segment).send().status == 403);
    }
    for _late in 0..3 {
        for worker in &workers {
            let _ = worker
                .get(&segment)
                .send()
                .expect_refusal(403, "stream-over");
        }
    }
    assert_eq!(edge.app("demo-tv").running("alice").len(), 0);
    assert_eq!(edge.metric("live_streams"), 0);
}

#[test]
fn a_stream_stopped_from_another_device_stays_gone_and_is_told() {
    let edge = edge();
    let workers = edge.one_client_per_worker();
    let app = edge.app("demo-tv");
    let victim = edge.player("alice").playing(FILM);
    for worker in &workers {
        victim.on(worker).plays();
    }
    let code = app.running("alice")[0]["terminationCode"].clone();
    let code = code.as_str().expect("a code");
    let _ = app
        .create("alice")
        .query("deviceName=Bedroom")
        .terminate(code)
        .start();
    for _late in 0..2 {
        for worker in &workers {
            let body = victim.on(worker).refused("remote-termination").json();
            let advice = &body["associatedAdvice"][0];
            assert_eq!(advice["type"], "remote-termination");
            assert_eq!(advice["terminator"]["deviceName"], "Bedroom");
        }
    }
    assert_eq!(edge.metric("kills"), 1);
}

#[test]
fn a_stream_that_plays_on_is_passed_without_a_write() {
    let edge = edge();
    let player = edge.player("alice").playing(FILM);
    for worker in edge.one_client_per_worker() {
        let player = player.on(&worker);
        for _ in 0..50 {
            player.plays();
        }
    }
    // Each worker counts what it passed when it ticks.
    eventually("all but one look at the record per worker passed", || {
        edge.metric("fast_path_passes") >= 98
    });
    assert_eq!(edge.metric("lease_renewals"), 0);
}
