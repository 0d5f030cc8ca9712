//! The session API's wire: what a cooperating application sends and gets.

use std::time::Duration;

use serde_json::{Value, json};
use streamgate_tests::{Answer, Edge, Session, Settings};

fn edge() -> Edge {
    Edge::start(Settings::default())
}

/// What lies between an answer's `Date` and its `Expires`.
#[track_caller]
fn time_to_expiry(answer: &Answer) -> Duration {
    let date = |name: &str| {
        let text = answer
            .header(name)
            .unwrap_or_else(|| panic!("no {name}: {answer:?}"));
        httpdate::parse_http_date(text).expect("an HTTP date")
    };
    let expires = date("expires").duration_since(date("date"));
    expires.expect("to expire in the future")
}

#[test]
fn create_tells_where_the_session_is_and_when_to_come_back() {
    let edge = edge();
    let answer = edge.app("demo-tv").create("alice").send().expect(202);
    assert_eq!(time_to_expiry(&answer), Duration::from_secs(60));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));

    let body = answer.json();
    let session = &body["session"];
    let id = session["id"].as_str().expect("an id");
    let url = format!("/v2/sessions/demo/alice/{id}");
    assert_eq!(session["url"], url.as_str());
    assert_eq!(answer.header("location"), Some(url.as_str()));
    assert_eq!(session["heartbeatSeconds"], 60);
    assert_eq!(session["policyCompliant"], true);
    let prefix = session["playbackPrefix"].as_str().expect("a prefix");
    assert!(prefix.starts_with("/~"), "{prefix}");

    // The two ways to say when it expires agree.
    let expires = answer.header("expires").expect("a header");
    let expires = httpdate::parse_http_date(expires).expect("an HTTP date");
    let in_body = session["expires"].as_str().expect("a moment");
    assert_eq!(
        humantime::format_rfc3339_seconds(expires).to_string(),
        in_body
    );
}

#[test]
fn create_and_heartbeat_say_how_many_streams_play_of_how_many() {
    let edge = edge();
    let counts = |answer: &Answer| {
        let session = answer.json()["session"].clone();
        json!([session["activeStreams"], session["maxStreams"]])
    };
    let first = edge.app("demo-tv").start("alice");
    let second = edge.app("demo-web").create("alice").send().expect(202);
    assert_eq!(counts(&second), json!([2, 3]));
    assert_eq!(counts(&first.heartbeat().expect(202)), json!([2, 3]));
}

#[test]
fn a_heartbeat_keeps_the_session_and_says_when_to_come_again() {
    let edge = edge();
    let session = edge.app("demo-tv").start("alice");
    for _ in 0..3 {
        let answer = session.heartbeat().expect(202);
        assert_eq!(time_to_expiry(&answer), Duration::from_secs(60));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.json()["session"]["id"], session.id.as_str());
    }
    assert_eq!(edge.metric("heartbeats"), 3);
    assert_eq!(edge.metric("starts"), 1);
}

#[test]
fn a_stop_frees_the_place_at_once_and_stays() {
    let edge = edge();
    let app = edge.app("demo-tv");
    let sessions: Vec<Session> = (0..3).map(|_| app.start("alice")).collect();
    let _ = app.create("alice").send().expect(409);

    let _ = sessions[0].stop().expect(202);
    let _ = app.start("alice");
    let _ = app.create("alice").send().expect(409);

    for answer in [sessions[0].stop(), sessions[0].heartbeat()] {
        assert!(answer.expect(410).body.is_empty());
    }
    assert_eq!(edge.metric("stops"), 1);
}

#[test]
fn attributes_travel_in_the_query_and_in_the_body() {
    let edge = edge();
    let app = edge.app("demo-tv");
    let session = app
        .create("alice")
        .query("channel=News+1&assetId=a%2F1")
        .form("deviceName=Wohnzimmer+%C3%BC&package=premium")
        .start();
    let metadata = session.listed().expect("a session")["metadata"].clone();
    assert_eq!(
        metadata,
        json!({
            "channel": "News 1", "assetId": "a/1",
            "deviceName": "Wohnzimmer ü", "package": "premium",
        })
    );

    let _ = session
        .heartbeat_with("quality=hd&deviceName=Kitchen")
        .expect(202);
    let metadata = session.listed().expect("a session")["metadata"].clone();
    assert_eq!(metadata["quality"], "hd");
    assert_eq!(metadata["deviceName"], "Kitchen");
    assert_eq!(metadata["channel"], "News 1");
}

#[test]
fn a_body_that_arrives_in_pieces_is_read_whole() {
    let edge = edge();
    let head = b"POST /v2/sessions/demo/alice HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\
        Authorization: Basic ZGVtby10djo=\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let chunked: &[&[u8]] = &[
        head,
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"c\r\nchannel=News\r\n",
        b"10\r\n+1&deviceName=TV\r\n",
        b"0\r\n\r\n",
    ];
    let counted: &[&[u8]] = &[
        head,
        b"Content-Length: 28\r\n\r\nchannel=News",
        b"+1&deviceName=TV",
    ];
    for pieces in [chunked, counted] {
        let (status, answer) = edge.raw(pieces);
        assert_eq!(status, Some(202), "{answer}");
    }
    let streams = edge.app("demo-tv").running("alice");
    assert_eq!(streams.len(), 2);
    for stream in streams {
        assert_eq!(
            stream["metadata"],
            json!({"channel": "News 1", "deviceName": "TV"})
        );
    }
}

#[test]
fn running_streams_are_listed_with_what_is_known_of_them() {
    let edge = edge();
    let tv = edge.app("demo-tv");
    let empty = tv.list("alice").expect(200);
    assert_eq!(
        empty.json(),
        json!({"runningStreams": [], "otherStreams": 0})
    );
    assert_eq!(empty.header("expires"), None);
    assert_eq!(empty.header("cache-control"), Some("no-store"));

    let first = tv.create("alice").query("channel=News").start();
    // Streams that start in the same millisecond have no order.
    std::thread::sleep(Duration::from_millis(5));
    let second = edge.app("demo-web").start("alice");
    let _ = tv.start("bob");

    let answer = tv.list("alice").expect(200);
    // A session lives for 90 s from its last sign of life.
    assert!(time_to_expiry(&answer) > Duration::from_secs(60));
    let body = answer.json();
    let streams = body["runningStreams"].as_array().expect("a list");
    let ids: Vec<&Value> = streams.iter().map(|stream| &stream["sessionId"]).collect();
    assert_eq!(ids, [first.id.as_str(), second.id.as_str()], "oldest first");
    assert_eq!(streams[0]["applicationId"], "demo-tv");
    assert_eq!(streams[0]["applicationName"], "Demo TV app");
    assert_eq!(streams[0]["metadata"], json!({"channel": "News"}));
    assert!(streams[0]["startTime"].as_u64() > Some(1_700_000_000_000));
    let code = streams[0]["terminationCode"].as_str().expect("a code");
    assert_eq!(code.len(), 8);
    assert!(code.bytes().all(|byte| byte.is_ascii_hexdigit()));

    let _ = first.stop().expect(202);
    let _ = second.stop().expect(202);
    assert_eq!(tv.running("alice"), Vec::<Value>::new());
}

#[test]
fn a_refusal_names_the_rule_and_the_streams_in_the_way() {
    let edge = edge();
    let app = edge.app("demo-tv");
    let sessions = [
        app.create("alice")
            .query("channel=News&deviceName=Kitchen")
            .start(),
        app.start("alice"),
        edge.app("demo-web").start("alice"),
    ];
    let answer = app.create("alice").send().expect(409);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body["obligations"], json!([]));
    let [advice] = body["associatedAdvice"]
        .as_array()
        .expect("a list")
        .as_slice()
    else {
        panic!("one advice, not {body}");
    };
    assert_eq!(advice["type"], "rule-violation");
    assert_eq!(advice["message"], "Too many streams on this account");
    assert_eq!(advice["policyName"], "household");
    assert_eq!(advice["ruleName"], "three-streams");
    assert_eq!(advice["attribute"], "streamId");
    assert_eq!(advice["threshold"], 3);
    assert_eq!(advice["scope"], json!([]));
    let conflicts = advice["conflicts"].as_object().expect("an object");
    assert_eq!(conflicts.len(), 3);
    for session in &sessions {
        let [conflict] = conflicts[&session.id]
            .as_array()
            .expect("a list")
            .as_slice()
        else {
            panic!("one conflict for each stream, not {body}");
        };
        assert_eq!(conflict["terminationCode"], session.termination_code());
    }
    let known = &conflicts[&sessions[0].id][0];
    assert_eq!(known["channel"], "News");
    assert_eq!(known["deviceName"], "Kitchen");
    assert_eq!(known["applicationName"], "Demo TV app");
    assert_eq!(known["metadata"]["channel"], "News");
    let started = known["startedAt"].as_str().expect("a moment");
    assert!(humantime::parse_rfc3339(started).is_ok(), "{started}");
    let unknown = &conflicts[&sessions[2].id][0];
    assert_eq!(unknown["channel"], "Unknown");
    assert_eq!(unknown["deviceName"], "Unknown");
    assert_eq!(unknown["applicationName"], "Demo web player");

    assert_eq!(app.running("alice").len(), 3, "nobody else is touched");
    assert_eq!(edge.metric("refusals.limit"), 1);
}

#[test]
fn a_viewer_chooses_what_to_stop_and_the_stopped_one_is_told() {
    let edge = edge();
    let app = edge.app("demo-tv");
    let victim = edge.app("demo-web").start("alice");
    let others = [app.start("alice"), app.start("alice")];
    let code = victim.termination_code();

    let winner = app
        .create("alice")
        .query("channel=Sports&deviceName=Bedroom")
        .terminate(&code)
        .start();
    let listed = winner.listed().expect("a session");
    assert_eq!(listed["metadata"]["superseded"], code.as_str());

    // Again and again: it never comes back to life.
    for answer in [victim.heartbeat(), victim.heartbeat(), victim.stop()] {
        let body = answer.expect(410).json();
        let advice = &body["associatedAdvice"][0];
        assert_eq!(advice["type"], "remote-termination");
        assert!(!advice["message"].as_str().expect("a message").is_empty());
        let terminator = &advice["terminator"];
        assert_eq!(terminator["channel"], "Sports");
        assert_eq!(terminator["deviceName"], "Bedroom");
        assert_eq!(terminator["applicationName"], "Demo TV app");
        let started = terminator["startedAt"].as_str().expect("a moment");
        assert!(humantime::parse_rfc3339(started).is_ok(), "{started}");
        assert_eq!(body["obligations"], json!([]));
    }
    for other in others {
        let _ = other.heartbeat().expect(202);
    }
    assert_eq!(edge.metric("kills"), 1);
}

#[test]
fn termination_codes_come_in_repeated_headers_and_in_lists() {
    let edge = edge();
    let app = edge.app("demo-tv");
    let victims: Vec<Session> = (0..3).map(|_| app.start("alice")).collect();
    let codes: Vec<String> = victims.iter().map(Session::termination_code).collect();

    let winner = app
        .create("alice")
        .terminate(&format!(
            "{} ,00000000,{}",
            codes[0],
            codes[1].to_uppercase()
        ))
        .terminate(&codes[2])
        .start();
    for victim in &victims {
        let _ = victim.heartbeat().expect(410);
    }
    assert_eq!(app.running("alice").len(), 1);
    let listed = winner.listed().expect("a session");
    let superseded = listed["metadata"]["superseded"].as_str().expect("codes");
    let mut superseded: Vec<&str> = superseded.split(',').collect();
    superseded.sort_unstable();
    let mut expected = codes.clone();
    expected.sort_unstable();
    assert_eq!(superseded, expected);
}

#[test]
fn codes_that_do_not_make_enough_room_stop_nobody() {
    let edge = edge();
    let app = edge.app("demo-tv");
    let sessions: Vec<Session> = (0..3).map(|_| app.start("alice")).collect();
    let other = app.start("bob");
    // Another account's code is worth nothing here.
    let foreign = other.termination_code();
    let _ = app.create("alice").terminate(&foreign).send().expect(409);
    for session in sessions.iter().chain([&other]) {
        let _ = session.heartbeat().expect(202);
    }
    assert_eq!(edge.metric("kills"), 0);
}

#[test]
fn where_the_latest_wins_the_oldest_is_refused_from_its_next_heartbeat_on() {
    let edge = edge();
    let app = edge.app("demo-mobile");
    let first = app.start("alice");
    let second = app.start("alice");
    for _ in 0..2 {
        let body = first.heartbeat().expect(409).json();
        let advice = &body["associatedAdvice"][0];
        assert_eq!(advice["policyName"], "latest-wins");
        assert_eq!(advice["threshold"], 1);
        assert!(advice["conflicts"][&second.id].is_array(), "{body}");
    }
    let _ = second.heartbeat().expect(202);
    let superseded = second.listed().expect("a session")["metadata"]["superseded"].clone();
    assert!(superseded.is_string());
    assert_eq!(edge.metric("evictions"), 1);
}

#[test]
fn ids_this_service_never_issued_are_not_found() {
    let edge = edge();
    let app = edge.app("demo-tv");
    let session = app.start("alice");
    let mut forged = session.id.clone();
    let last = if forged.ends_with('A') { 'B' } else { 'A' };
    forged.pop();
    forged.push(last);
    let cut = &session.id[..session.id.len() - 1];
    for id in ["nonsense", "0", forged.as_str(), cut, "%20"] {
        assert!(app.heartbeat("alice", id).expect(404).body.is_empty());
        let stop = app.call("DELETE", &format!("/v2/sessions/demo/alice/{id}"));
        let _ = stop.send().expect(404);
    }
    // Another account's, or the same account's at another provider.
    let _ = app.heartbeat("bob", &session.id).expect(404);
    let elsewhere = format!("/v2/sessions/other/alice/{}", session.id);
    let _ = app.call("POST", &elsewhere).send().expect(404);
    let _ = session.heartbeat().expect(202);
}

#[test]
fn whoever_names_no_known_application_is_not_let_in() {
    let edge = edge();
    let client = edge.client();
    let path = "/v2/sessions/demo/alice";
    let calls = [
        client.request("POST", path),
        // "nobody:", "demo-tv:password", "demo-tv", and another scheme
        client
            .request("POST", path)
            .header("authorization", "Basic bm9ib2R5Og=="),
        client
            .request("POST", path)
            .header("authorization", "Basic ZGVtby10djpwYXNzd29yZA=="),
        client
            .request("POST", path)
            .header("authorization", "Basic ZGVtby10dg=="),
        client
            .request("POST", path)
            .header("authorization", "Bearer ZGVtby10djo="),
        client.get("/v2/metadata"),
        client.get("/v2/runningStreams/demo/alice"),
        client.request("POST", "/v2/sessions/demo/alice/x"),
        client.request("DELETE", "/v2/sessions/demo/alice/x"),
    ];
    for call in calls {
        let answer = call.send().expect(401);
        let challenge = answer.header("www-authenticate").expect("a challenge");
        assert!(challenge.starts_with("Basic "), "{challenge}");
    }
    assert_eq!(edge.metric("starts"), 0);
    assert!(edge.origin.paths().is_empty(), "the origin is not asked");
}

#[test]
fn another_applications_session_is_not_to_be_touched() {
    let edge = edge();
    let session = edge.app("demo-tv").start("alice");
    let web = edge.app("demo-web");
    let _ = web.heartbeat("alice", &session.id).expect(403);
    let _ = web.call("DELETE", &session.url).send().expect(403);
    let _ = session.heartbeat().expect(202);
}

#[test]
fn methods_and_paths_that_mean_nothing_are_told_so() {
    let edge = edge();
    let app = edge.app("demo-tv");
    let session = app.start("alice");
    for (method, path, allowed) in [
        ("GET", "/v2/sessions/demo/alice", "POST"),
        ("PUT", session.url.as_str(), "POST, DELETE"),
        ("DELETE", "/v2/runningStreams/demo/alice", "GET"),
        ("POST", "/v2/runningStreams/demo/alice", "GET"),
    ] {
        let answer = app.call(method, path).send().expect(405);
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
    }
    for path in [
        "/v2",
        "/v2/",
        "/v2/sessions",
        "/v2/sessions/demo",
        "/v2/nothing/demo/alice",
        "/v2/sessions/demo/alice/x/y",
    ] {
        let _ = app.call("POST", path).send().expect(404);
    }
    assert!(edge.origin.paths().is_empty(), "the origin is not asked");
}

#[test]
fn a_body_may_have_16_kib_and_no_byte_more() {
    let edge = edge();
    let app = edge.app("demo-tv");
    let body = |bytes: usize| "&".repeat(bytes);
    let _ = app
        .create("alice")
        .form(&body(16 * 1024))
        .send()
        .expect(202);
    let _ = app
        .create("alice")
        .form(&body(16 * 1024 + 1))
        .send()
        .expect(413);
    assert_eq!(edge.metric("starts"), 1);
    assert_eq!(edge.metric("refusals.malformed"), 1);
}

#[test]
fn malformed_calls_are_told_so_and_change_nothing() {
    let edge = edge();
    let app = edge.app("demo-tv");
    let long = "x".repeat(257);
    let many: Vec<String> = (0..33).map(|n| format!("a{n}=1")).collect();
    for query in [
        "a=%zz",
        "a=%ff",
        "a=%0a",
        "a=1&a=2",
        "=1",
        &format!("a={long}"),
        &format!("{long}=1"),
        &many.join("&"),
    ] {
        let _ = app.create("alice").query(query).send().expect(400);
        let _ = app.create("alice").form(query).send().expect(400);
    }
    for account in ["%zz", "%ff", "%0a", &long] {
        let _ = app.create(account).send().expect(400);
    }
    let codes = vec!["00000000"; 33].join(",");
    let _ = app.create("alice").terminate(&codes).send().expect(400);
    // Once in the query and once in the body is twice.
    let _ = app
        .create("alice")
        .query("a=1")
        .form("a=2")
        .send()
        .expect(400);
    assert_eq!(edge.metric("starts"), 0);

    let session = app.start("alice");
    let _ = session.heartbeat_with("good=1&bad=%zz").expect(400);
    assert_eq!(session.listed().expect("a session")["metadata"], json!({}));
}

#[test]
fn ids_in_the_path_are_decoded_and_their_case_counts() {
    let edge = edge();
    let app = edge.app("demo-tv");
    let session = app.start("J%C3%BCrgen%20%2B1");
    assert!(
        session
            .url
            .starts_with("/v2/sessions/demo/J%C3%BCrgen%20%2B1/")
    );
    let _ = session.heartbeat().expect(202);
    // Another spelling of the same account, and another account.
    assert_eq!(app.running("%4a%c3%bcrgen%20+1").len(), 1);
    assert_eq!(app.running("j%C3%BCrgen%20%2B1").len(), 0);
}

#[test]
fn a_call_whose_body_is_followed_by_trailers_is_answered() {
    let head = "POST /v2/sessions/demo/alice HTTP/1.1\r\nHost: edge\r\n\
                Authorization: Basic ZGVtby10djo=\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n\
                Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n";
    for settings in [Settings::default(), Settings::default().with_trailers()] {
        let edge = Edge::start(settings);
        // At once, and piece by piece.
        let whole = format!("{head}d\r\ndeviceName=tv\r\n0\r\nX-Sum: 1\r\n\r\n");
        let pieces: [&[&[u8]]; 3] = [
            &[whole.as_bytes()],
            &[
                head.as_bytes(),
                b"d\r\ndeviceName=tv\r\n",
                b"0\r\nX-Sum: 1\r\n\r\n",
            ],
            &[head.as_bytes(), b"0\r\nX-Sum: 1\r\n\r\n"],
        ];
        for pieces in pieces {
            let (status, answer) = edge.raw(pieces);
            assert_eq!(status, Some(202), "{answer}");
        }
        let running = edge.app("demo-tv").running("alice");
        let named = |stream: &&Value| stream["metadata"]["deviceName"] == "tv";
        assert_eq!(running.len(), 3);
        assert_eq!(running.iter().filter(named).count(), 2, "{running:?}");
        // Too long a body, with trailers.
        let long = format!(
            "{head}20001\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n",
            "a".repeat(0x20001)
        );
        let (status, answer) = edge.raw(&[long.as_bytes()]);
        assert_eq!(status, Some(413), "{answer}");
    }
}
