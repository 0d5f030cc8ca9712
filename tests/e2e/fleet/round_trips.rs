//! How often the store is asked: a start costs one round trip, and what comes together
//! goes together.

use std::time::{Duration, Instant};

use streamgate_tests::{Answer, Fault, FaultyLink, Fleet, Settings, Valkey, eventually};

/// How long each round trip takes here: so long that they can be told apart.
const TRIP: Duration = Duration::from_millis(500);

/// Each edge makes the acquaintance of each shard when it comes up.
fn until_all_shards_are_known(fleet: &Fleet) {
    eventually("each edge has called each shard", || {
        fleet.edges().all(|edge| edge.metric("fleet.calls") > 64)
    });
    std::thread::sleep(Duration::from_millis(300));
}

/// A store that is far away, and two edges.
fn far_away(change: impl FnOnce(Settings) -> Settings) -> (Valkey, FaultyLink, Fleet) {
    let valkey = Valkey::start();
    let link = FaultyLink::to(valkey.port);
    let settings = Settings::default().fleet(&[link.port]);
    let fleet = Fleet::start(&change(settings), 2);
    // Whatever is done only once is done now.
    for app in fleet.apps("demo-tv") {
        let _ = app.start("somebody");
    }
    until_all_shards_are_known(&fleet);
    link.fails(Fault::Delay(TRIP));
    (valkey, link, fleet)
}

/// How long the fastest of three takes: others may have met a call on its way.
fn fastest(mut act: impl FnMut(usize) -> Answer) -> Duration {
    let times = (0..3).map(|number| {
        let started = Instant::now();
        let _ = act(number).expect(202);
        started.elapsed()
    });
    times.min().expect("three")
}

#[test]
fn a_start_waits_for_one_round_trip_where_the_edge_knows_the_account_and_two_otherwise() {
    let (_valkey, _link, fleet) = far_away(|settings| settings);
    let [here, there] = [0, 1].map(|edge| fleet[edge].app("demo-tv"));
    let create =
        |app: &streamgate_tests::App, number| app.create(&format!("alice-{number}")).send();
    let unheard_of = fastest(|number| create(&here, number));
    assert!(
        unheard_of >= TRIP && unheard_of < 2 * TRIP,
        "{unheard_of:?}"
    );
    let known = fastest(|number| create(&here, number));
    assert!(known >= TRIP && known < 2 * TRIP, "{known:?}");
    let known_elsewhere = fastest(|number| create(&there, number));
    assert!(known_elsewhere < 3 * TRIP, "{known_elsewhere:?}");
}

#[test]
fn starts_that_wait_at_the_same_time_travel_together() {
    const STARTS: usize = 24;
    let many = |settings: Settings| settings.with("/policies/0/rules/0/max", 100);
    let (_valkey, link, fleet) = far_away(many);
    let app = fleet[0].app("demo-tv");
    let crowd = fleet[0].crowd(STARTS);
    let connections = link.connections();
    let answers = crowd.at_once(|_, client| app.on(client).create("alice").send().status);
    assert_eq!(answers, [202; STARTS]);
    // On each of two workers: the first alone, then all others, and once more for each
    // time that one worker overtook the other.
    let calls = link.connections() - connections;
    assert!(calls < STARTS as u64, "{calls} calls");
    assert_eq!(app.count_running("alice"), STARTS);
}

#[test]
fn a_stream_that_plays_on_waits_for_no_round_trip() {
    /// Longer than three requests take on any machine.
    const FAR: Duration = Duration::from_secs(5);
    let (_valkey, link, fleet) = far_away(|settings| settings.lapsing_after(3));
    let session = fleet[0].app("demo-tv").start("alice");
    let player = fleet[0].player("alice").playing(super::FILM);
    link.fails(Fault::Delay(FAR));
    let started = Instant::now();
    let mut slowest = Duration::ZERO;
    while started.elapsed() < Duration::from_secs(3) {
        let asked = Instant::now();
        let _ = session.heartbeat().expect(202);
        player.plays();
        slowest = slowest.max(asked.elapsed());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(slowest < FAR, "{slowest:?}");
}
