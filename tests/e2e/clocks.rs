//! Clocks that differ, and clocks that are set while streams play.

use std::thread::sleep;
use std::time::{Duration, Instant};

use streamgate_tests::{Edge, MachineClock, Player, Session, Settings, Valkey, eventually};

const FILM: &str = "/vod/film/master.m3u8";

/// How long a stream lives without a sign of life, in seconds.
const TIMEOUT: u32 = 6;

/// An account's three places, taken in all ways there are.
struct Household {
    session: Session,
    players: Vec<Player>,
    app: streamgate_tests::App,
}

impl Household {
    /// At these edges, as far as they go round.
    fn at(edges: &[&Edge]) -> Self {
        let edge = |at: usize| edges[at % edges.len()];
        Self {
            session: edge(0).app("demo-tv").start("alice"),
            players: vec![
                edge(1).player("alice").playing(FILM),
                edge(2).player("alice").playing(FILM),
            ],
            app: edge(2).app("demo-tv"),
        }
    }

    /// All play on for longer than a silent stream lives, and there is no fourth.
    #[track_caller]
    fn plays_on(&self, newcomers: &[&Edge]) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(u64::from(TIMEOUT) + 1) {
            let _ = self.session.heartbeat().expect(202);
            for player in &self.players {
                player.plays();
            }
            for edge in newcomers {
                let refused = edge.app("demo-tv").create("alice").send().expect(409);
                let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
                assert!((1..=TIMEOUT).contains(&wait), "{wait} s");
            }
            sleep(Duration::from_millis(300));
        }
        assert_eq!(self.app.count_running("alice"), 3);
    }
}

/// Nobody gives a sign of life any more: all places become free. How soon that is the core's tests and
/// the simulation say, whose clock is their own.
#[track_caller]
fn no_ghost_stays(newcomers: &[&Edge]) {
    for edge in newcomers {
        eventually("the places are free", || {
            let answer = edge.app("demo-tv").create("alice").send();
            answer.status == 202
        });
    }
}

/// The edge has noticed that its machine's clock is off by so much.
#[track_caller]
fn notices(edge: &Edge, seconds: i64) {
    let off_ms = seconds.unsigned_abs() * 1_000;
    eventually("the difference shows", || {
        edge.metric("clock_difference_ms").abs_diff(off_ms) < 500
    });
}

fn settings() -> Settings {
    Settings::default()
        .lapsing_after(TIMEOUT)
        // While they wait for something, tests call much faster than anybody should.
        .with("/sessions/calls_per_minute", 100_000)
        .with("/sessions/creates_per_minute", 100_000)
        .with("/sessions/creates_per_minute_per_client", 100_000)
}

#[test]
fn a_clock_that_is_set_while_streams_play_at_a_lone_edge_changes_nothing() {
    let clock = MachineClock::ahead(0);
    let edge = Edge::start(settings().on_clock(&clock));
    let household = Household::at(&[&edge]);
    for seconds in [5, -5, 3_600, -3_600, 3 * 86_400, -3 * 86_400] {
        clock.set_ahead(seconds);
        notices(&edge, seconds);
        household.plays_on(&[&edge]);
    }
    assert_eq!(edge.metric("starts"), 3);
    assert_eq!(edge.metric("lapses"), 0);
    for how in ["[warning]", "[error]"] {
        let says_so =
            |line: &str| line.contains(how) && line.contains("ahead of the time since Envoy");
        assert!(edge.log().lines().any(says_so), "{how}");
    }
    clock.set_ahead(-86_400);
    no_ghost_stays(&[&edge]);
}

#[test]
fn a_player_that_begins_after_the_clock_was_set_plays() {
    let clock = MachineClock::ahead(0);
    let edge = Edge::start(settings().on_clock(&clock));
    // It has taken the time from its machine when somebody was served.
    let _ = edge.player("bob").playing(FILM);
    for seconds in [-7_200, 7_200] {
        clock.set_ahead(seconds);
        notices(&edge, seconds);
        let player = edge.player("alice").playing(FILM);
        player.plays();
        let session = edge.app("demo-tv").start("alice");
        let answer = session.heartbeat().expect(202);
        let date = |name| httpdate::parse_http_date(answer.header(name).unwrap()).unwrap();
        let left = date("expires").duration_since(date("date")).unwrap();
        assert_eq!(left.as_secs(), 1, "the heartbeat's own second");
        let _ = session.stop().expect(202);
        eventually("its place is free", || {
            edge.app("demo-tv").count_running("alice") == 0
        });
    }
}

/// A store, and edges whose machines' clocks are off by so many seconds.
fn apart(seconds: [i64; 3]) -> (Valkey, [Edge; 3]) {
    let valkey = Valkey::start();
    let edges = seconds.map(|seconds| {
        let settings = settings()
            .fleet(&[valkey.port])
            .with("/fleet/evictions_within", "1s")
            .on_clock(&MachineClock::ahead(seconds));
        Edge::start(settings)
    });
    (valkey, edges)
}

#[track_caller]
fn clocks_may_differ_by(seconds: i64, how: &str) {
    let (_valkey, edges) = apart([0, seconds, -seconds]);
    let all: Vec<&Edge> = edges.iter().collect();
    let household = Household::at(&all);
    household.plays_on(&all);
    for (edge, seconds) in edges.iter().zip([0, seconds, -seconds]) {
        notices(edge, seconds);
        let says_so = |line: &str| line.contains("this machine's clock") && line.contains(how);
        assert_eq!(edge.log().lines().any(says_so), seconds != 0);
    }
    // Whoever moves to another edge goes on there.
    let moved = Household {
        session: household.session.on(&edges[2].client()),
        players: vec![
            household.players[0].on(&edges[2].client()),
            household.players[1].on(&edges[1].client()),
        ],
        ..household
    };
    moved.plays_on(&all);
    for edge in &edges {
        assert_eq!(edge.metric("lapses"), 0);
        assert_eq!(edge.metric("fleet.outage_admits"), 0);
    }
    no_ghost_stays(&all);
}

#[test]
fn clocks_of_edges_may_differ_by_half_a_minute() {
    clocks_may_differ_by(30, "[warning]");
}

#[test]
#[ignore = "takes long: make trials"]
fn clocks_of_edges_that_differ_by_minutes_are_told_loudly_and_change_nothing() {
    clocks_may_differ_by(600, "[error]");
}

#[test]
#[ignore = "takes long: make trials"]
fn a_clock_that_is_set_in_a_fleet_changes_nothing() {
    let valkey = Valkey::start();
    let clock = MachineClock::ahead(0);
    let edge = |settings: Settings| Edge::start(settings.fleet(&[valkey.port]));
    let edges = [edge(settings().on_clock(&clock)), edge(settings())];
    let all = [&edges[0], &edges[1]];
    let household = Household::at(&all);
    for seconds in [-3_600, 30] {
        clock.set_ahead(seconds);
        notices(&edges[0], seconds);
        household.plays_on(&all);
    }
    no_ghost_stays(&all);
}
