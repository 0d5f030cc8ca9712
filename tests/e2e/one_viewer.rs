//! What one viewer does on one device is one stream: retries, ranges, reconnecting,
//! handing over to a television. A programme begun anew is another one.

use streamgate_tests::{Demuxers, Edge, Settings, eventually, sample};

const FILM: &str = "/vod/sample/master.m3u8";
const SEGMENT: &str = "segment-0-001.m4s";

fn edge() -> Edge {
    let settings = Settings::default().serving(sample()).lapsing_after(6);
    // Few slots, so that a round of the sweep takes less than a second.
    Edge::start(settings.with("/state/slots", 4))
}

#[test]
fn retries_heads_ranges_and_reconnecting_are_one_stream() {
    let edge = edge();
    let mut player = edge.player("alice");
    player.opens(FILM);
    let origin = format!("/vod/sample/{SEGMENT}");
    edge.origin.answers(&origin, 503);
    let _ = player.request("HEAD", SEGMENT).expect(503);
    for _ in 0..3 {
        let _ = player.get(SEGMENT).expect(503);
    }
    assert_eq!(edge.metric("starts"), 0, "nothing has arrived");
    edge.origin.recovers(&origin);
    let _ = player.request("HEAD", SEGMENT).expect(200);
    assert_eq!(edge.metric("starts"), 0, "nor with HEAD");

    // Broken off and asked for again, in pieces and as a whole, wherever it lands.
    for worker in edge.one_client_per_worker() {
        for from in [0, 1000, 2000] {
            let request = worker.get(&player.path(SEGMENT));
            let range = format!("bytes={from}-{}", from + 999);
            let _ = request.header("range", &range).send().expect(206);
        }
        for _ in 0..2 {
            let _ = player.on(&worker).get(SEGMENT).expect(200);
            let _ = player.on(&worker).request("HEAD", SEGMENT).expect(200);
        }
    }
    for _ in 0..3 {
        let _ = player.on(&edge.client()).get(SEGMENT).expect(200);
    }
    edge.origin.answers(&origin, 502);
    let _ = player.get(SEGMENT).expect(502);
    edge.origin.recovers(&origin);
    let _ = player.get(SEGMENT).expect(200);
    assert_eq!(edge.metric("starts"), 1);
    assert_eq!(edge.metric("live_streams"), 1);
}

#[test]
fn a_real_player_that_gets_over_an_error_of_the_origin_is_one_stream() {
    let edge = edge();
    // Both renditions, so that whichever it picks is broken at first.
    let broken = [0, 1].map(|rendition| format!("/vod/sample/segment-{rendition}-001.m4s"));
    for path in &broken {
        edge.origin.answers(path, 503);
    }
    let account = [("x-account-id", "alice")];
    let mut player = edge.gstreamer(Demuxers::Second, FILM, &account);
    let tried = || {
        let asked = edge.origin.paths();
        asked.iter().filter(|path| broken.contains(path)).count()
    };
    eventually("it has tried again", || tried() >= 2);
    for path in &broken {
        edge.origin.recovers(path);
    }
    player.assert_plays();
    assert_eq!(edge.metric("starts"), 1);
    assert_eq!(edge.metric("live_streams"), 1);
}

#[test]
fn a_television_that_is_handed_the_address_goes_on_with_the_stream() {
    let edge = edge();
    let mut phone = edge.player("alice");
    phone.opens(FILM);
    let _ = phone.get(SEGMENT).expect(200);
    // Another process with other headers, which knows no account: only the address.
    let mut television = edge.ffmpeg(&phone.path("master.m3u8"), &[]);
    television.assert_plays();
    let _ = phone.get(SEGMENT).expect(200);
    assert_eq!(edge.metric("starts"), 1);
    assert_eq!(edge.metric("live_streams"), 1);
    // The phone goes, and the stream does not depend on it.
    drop(phone);
    television.assert_plays();
    assert_eq!(edge.metric("lapses"), 0);
}

#[test]
fn an_app_that_crashed_starts_anew_and_the_stream_before_lapses() {
    let edge = edge();
    let account = [("x-account-id", "alice")];
    let mut film = edge.ffmpeg(FILM, &account);
    film.assert_plays();
    film.kill();
    let mut next = edge.ffmpeg(FILM, &account);
    next.assert_plays();
    let running = || edge.app("demo-tv").running("alice").len();
    assert_eq!(running(), 2, "until the first has lapsed");
    eventually("the first has lapsed", || edge.metric("lapses") == 1);
    assert_eq!(running(), 1);
    next.assert_plays();
    assert_eq!(edge.metric("starts"), 2);
    assert_eq!(edge.metric("lapses"), 1);
}

/// With no rule that knows a device again, streams are all that can be counted.
#[test]
fn a_viewer_who_zaps_faster_than_streams_lapse_fills_the_places() {
    let edge = Edge::start(Settings::default().lapsing_after(2));
    let film = |number| format!("/vod/film-{number}/master.m3u8");
    for number in 1..=3 {
        let _ = edge.player("alice").playing(&film(number));
    }
    let mut next = edge.player("alice");
    for number in 4..=6 {
        let refused = next.open(&film(number));
        let _ = refused.expect_refusal(403, "limit-reached");
    }
    eventually("a film has lapsed", || next.open(&film(7)).status == 200);
    next.plays();
    assert_eq!(edge.metric("starts"), 4);
}
