//! Whatever is refused leaves a line in the access log, which says why and of whom only a
//! keyed hash.

use streamgate_tests::{Edge, Settings, eventually};

/// Reason and status of every line.
fn lines(edge: &Edge) -> Vec<(String, u64)> {
    let lines = edge.decisions(0).into_iter();
    let told = lines.map(|line| {
        let reason = line["reason"].as_str().unwrap_or_default().to_owned();
        (reason, line["status"].as_u64().unwrap_or_default())
    });
    told.collect()
}

#[test]
fn every_refusal_of_the_session_api_leaves_a_line_that_names_nobody() {
    let edge = Edge::start(Settings::default().with("/sessions/creates_per_minute", 3));
    let app = edge.app("demo-tv");
    let session = app.start("MARKED-alice");
    let base = "/v2/sessions/demo/MARKED-alice";
    let _ = edge.app("nobody").create("MARKED-alice").send().expect(401);
    let _ = edge.client().request("POST", base).send().expect(401);
    let _ = app
        .call("POST", &format!("{base}/MARKED-session"))
        .send()
        .expect(404);
    let _ = app.call("GET", "/v2/MARKED-nothing").send().expect(404);
    let _ = app.call("PUT", &session.url).send().expect(405);
    let _ = app
        .call("POST", "/v2/sessions/demo/MARKED%zz")
        .send()
        .expect(400);
    let _ = app
        .create("MARKED-alice")
        .query("MARKED=%zz")
        .send()
        .expect(400);
    let _ = app
        .create("MARKED-alice")
        .form("MARKED=%zz")
        .send()
        .expect(400);
    let _ = app
        .create("MARKED-alice")
        .form(&"a".repeat(20_000))
        .send()
        .expect(413);
    let _ = app
        .call("POST", base)
        .header("content-type", "text/MARKED")
        .body(b"MARKED")
        .send()
        .expect(415);
    let _ = edge
        .app("demo-mobile")
        .call("POST", &session.url)
        .send()
        .expect(403);
    let _ = [(); 2].map(|()| app.start("MARKED-alice"));
    let _ = app.create("MARKED-alice").send().expect(429);
    let _ = edge.get("/~MARKED-token").send().expect(400);
    let _ = edge.get("/~MARKED-token/elsewhere").send().expect(400);

    let expected = [
        ("unauthorized", 401, 2),
        ("not-found", 404, 2),
        ("method-not-allowed", 405, 1),
        ("malformed", 400, 5),
        ("body-too-large", 413, 1),
        ("unsupported-media-type", 415, 1),
        ("foreign-stream", 403, 1),
        ("throttled", 429, 1),
    ];
    let count = |reason: &str, status: u64| {
        let one = |(told, with): &(String, u64)| told == reason && *with == status;
        lines(&edge).into_iter().filter(|line| one(line)).count()
    };
    eventually("every refusal has its line", || {
        expected
            .iter()
            .all(|(reason, status, times)| count(reason, *status) == *times)
    });
    let log = edge.access_log();
    assert!(!log.contains("MARKED"), "{log}");
    assert!(!log.contains(&session.id), "{log}");
}

/// yt-dlp asks thousands of times in seconds when it was evicted.
#[test]
fn a_player_that_asks_without_a_pause_is_a_line_a_second_with_a_count() {
    const ASKS: u64 = 1_000;
    let edge = Edge::start(Settings::default());
    let victim = edge.player("alice").playing("/latest/film/master.m3u8");
    std::thread::sleep(std::time::Duration::from_millis(5));
    let winner = edge.player("alice").playing("/latest/film/master.m3u8");
    let path = victim.path("segment-1.m4s");
    let workers = edge.one_client_per_worker();
    for worker in &workers {
        eventually("this worker has heard of the eviction", || {
            worker.get(&path).send().status == 403
        });
    }
    let before = edge.metric("refusals.evicted");
    let began = std::time::Instant::now();
    for n in 0..ASKS {
        let worker = &workers[usize::try_from(n).expect("a number") % workers.len()];
        let _ = worker.get(&path).send().expect_refusal(403, "evicted");
    }
    let seconds = began.elapsed().as_secs();
    // What is answered from memory is told when the worker ticks.
    eventually("each is counted", || {
        edge.metric("refusals.evicted") - before == ASKS
    });
    // One for each worker and second that was begun.
    let at_most = (seconds + 3) * workers.len() as u64;
    let told = || {
        let lines = edge.decisions(0).into_iter();
        let lines = lines.filter(|line| line["reason"] == "evicted");
        lines
            .map(|line| line["repeated"].as_u64().unwrap_or_default())
            .collect::<Vec<u64>>()
    };
    // The last of them is told with the next refusal, a second later.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    for worker in &workers {
        let _ = worker.get(&path).send().expect_refusal(403, "evicted");
    }
    eventually("the log tells of all", || {
        let told = told();
        told.len() as u64 + told.iter().sum::<u64>() >= ASKS + workers.len() as u64
    });
    let told = told();
    assert!(
        told.len() as u64 <= at_most + workers.len() as u64,
        "{told:?}"
    );
    winner.plays();
}
