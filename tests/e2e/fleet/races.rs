//! However many start at the same moment, at whichever edges: the limit holds exactly.

use std::collections::HashSet;

use serde_json::{Value, json};
use streamgate_tests::{Answer, Client, Crowd, Fleet, Player, Session, Valkey, eventually};

use super::sharing;

const EDGES: usize = 3;
const CROWD: usize = 96;
const ACCOUNTS: usize = 50;
const LIMIT: usize = 3;

/// Here a header names the stream: a start is one request.
const SEGMENT: &str = "/carried/film/segment-1.m4s";

/// A store, three edges and those who are about to start.
fn race(rules: Option<Value>) -> (Valkey, Fleet, Crowd) {
    let valkey = Valkey::start();
    // No stream lapses, however slow the machine is.
    let mut settings = sharing(&[valkey.port]).with("/sessions/timeout", "900s");
    if let Some(rules) = rules {
        settings = settings.with("/policies/0/rules", rules);
    }
    let fleet = Fleet::start(&settings, EDGES);
    let crowd = fleet.crowd(CROWD);
    (valkey, fleet, crowd)
}

fn accounts() -> impl Iterator<Item = String> {
    (0..ACCOUNTS).map(|number| format!("household-{number}"))
}

/// How many of the answers have that status; all others have to have the other one.
#[track_caller]
fn count(answers: &[Answer], status: u16, other: u16) -> usize {
    for answer in answers {
        assert!([status, other].contains(&answer.status), "{answer:?}");
    }
    answers.iter().filter(|one| one.status == status).count()
}

/// Every edge knows of so many streams of every account, and none was admitted because
/// the store could not be asked.
#[track_caller]
fn assert_running(fleet: &Fleet, streams: usize) {
    for app in fleet.apps("demo-tv") {
        for account in accounts() {
            assert_eq!(app.count_running(&account), streams, "{account}");
        }
    }
    assert_eq!(fleet.metric("fleet.outage_admits"), 0);
    assert_eq!(fleet.metric("cas_give_ups"), 0);
}

/// One of as many players as there are clients asks for a segment.
fn segment(client: &Client, account: &str, player: usize) -> Answer {
    let ask = client.get(SEGMENT).account(account);
    ask.header("x-stream-id", &format!("player-{player}"))
        .send()
}

#[test]
fn of_96_sessions_created_at_once_at_three_edges_exactly_three_are_admitted() {
    let (_valkey, fleet, crowd) = race(None);
    let apps = [fleet[0].app("demo-tv"), fleet[0].app("demo-web")];
    for account in accounts() {
        let answers = crowd.at_once(|at, client| {
            let app = &apps[at / EDGES % 2];
            app.on(client).create(&account).send()
        });
        assert_eq!(count(&answers, 202, 409), LIMIT, "{account}");
    }
    assert_running(&fleet, LIMIT);
    assert_eq!(fleet.metric("starts"), (ACCOUNTS * LIMIT) as u64);
}

#[test]
fn of_96_players_that_start_at_once_at_three_edges_exactly_three_play() {
    let (_valkey, fleet, crowd) = race(None);
    for account in accounts() {
        let all_ask = || crowd.at_once(|at, client| segment(client, &account, at));
        let first = all_ask();
        assert_eq!(count(&first, 200, 403), LIMIT, "{account}");
        for (first, again) in first.iter().zip(all_ask()) {
            assert_eq!(first.status, again.status, "who plays, plays on");
            if again.status == 403 {
                let _ = again.expect_refusal(403, "limit-reached");
            }
        }
    }
    assert_running(&fleet, LIMIT);
    assert_eq!(fleet.metric("starts"), (ACCOUNTS * LIMIT) as u64);
}

#[test]
fn sessions_and_players_that_start_at_once_share_the_three_places_of_all_edges() {
    let (_valkey, fleet, crowd) = race(None);
    let app = fleet[0].app("demo-tv");
    for account in accounts() {
        let admitted = crowd.at_once(|at, client| match at / EDGES % 2 {
            0 => app.on(client).create(&account).send().status == 202,
            _ => segment(client, &account, at).status == 200,
        });
        let admitted = admitted.into_iter().filter(|admitted| *admitted).count();
        assert_eq!(admitted, LIMIT, "{account}");
    }
    assert_running(&fleet, LIMIT);
    assert_eq!(fleet.metric("starts"), (ACCOUNTS * LIMIT) as u64);
}

/// Each device starts eight times, at three edges.
fn device(at: usize) -> String {
    format!("device-{}", at % 12)
}

/// The devices of the streams of an account, as an edge lists them.
fn devices(running: &[Value]) -> HashSet<&str> {
    let devices = running.iter();
    devices
        .map(|stream| stream["metadata"]["deviceId"].as_str().expect("a device"))
        .collect()
}

#[test]
fn of_twelve_devices_that_start_at_once_at_three_edges_exactly_three_are_admitted() {
    let (_valkey, fleet, crowd) = race(Some(json!([{
        "name": "three-devices", "max": LIMIT, "count": {"distinct": "deviceId"},
        "on_conflict": "deny_new",
    }])));
    let apps = fleet.apps("demo-tv");
    for account in accounts() {
        let answers = crowd.at_once(|at, client| {
            let create = apps[0].on(client).create(&account);
            create.form(&format!("deviceId={}", device(at))).send()
        });
        let admitted = answers.iter().enumerate();
        let admitted: HashSet<String> = admitted
            .filter(|(_, answer)| answer.status == 202)
            .map(|(at, _)| device(at))
            .collect();
        assert_eq!(admitted.len(), LIMIT, "{account}");
        // All eight starts of a device that is let in are, and no other.
        assert_eq!(count(&answers, 202, 409), LIMIT * 8, "{account}");
        for app in &apps {
            // An answer has room for sixteen of the twenty-four streams.
            let running = app.running(&account);
            let listed = devices(&running);
            assert!(listed.len() >= 2);
            assert!(listed.iter().all(|device| admitted.contains(*device)));
        }
    }
    assert_running(&fleet, LIMIT * 8);
}

#[test]
fn of_twelve_devices_where_the_latest_win_exactly_two_go_on() {
    let (_valkey, fleet, crowd) = race(Some(json!([{
        "name": "two-devices", "max": 2, "count": {"distinct": "deviceId"},
        "on_conflict": "stop_oldest",
    }])));
    let apps = fleet.apps("demo-tv");
    let all: Vec<(String, Vec<Session>)> = accounts()
        .map(|account| {
            let sessions = crowd.at_once(|at, client| {
                let create = apps[0].on(client).create(&account);
                create.form(&format!("deviceId={}", device(at))).start()
            });
            (account, sessions)
        })
        .collect();
    let playing = |sessions: &[Session]| -> HashSet<String> {
        let heartbeats = crowd.at_once(|at, _| sessions[at].heartbeat().status);
        let playing = heartbeats.iter().enumerate();
        playing
            .filter(|(_, status)| **status == 202)
            .map(|(at, _)| device(at))
            .collect()
    };
    for (_, sessions) in &all {
        eventually("the evictions are known", || playing(sessions).len() == 2);
    }
    for (account, sessions) in &all {
        let playing = playing(sessions);
        assert_eq!(playing.len(), 2, "{account}");
        for app in &apps {
            let running = app.running(account);
            assert!(devices(&running).iter().all(|one| playing.contains(*one)));
        }
    }
    assert_eq!(fleet.metric("fleet.outage_admits"), 0);
}

#[test]
#[ignore = "takes long: make trials"]
fn of_96_sessions_at_three_edges_where_the_latest_wins_exactly_one_goes_on() {
    let (_valkey, fleet, crowd) = race(None);
    let app = fleet[0].app("demo-mobile");
    let all: Vec<Vec<Session>> = accounts()
        .map(|account| crowd.at_once(|_, client| app.on(client).start(&account)))
        .collect();
    let beat = |sessions: &[Session]| crowd.at_once(|at, _| sessions[at].heartbeat().status);
    let playing = |statuses: &[u16]| statuses.iter().filter(|status| **status == 202).count();
    // How long that takes is looked at elsewhere.
    for sessions in &all {
        eventually("the evictions are known", || playing(&beat(sessions)) == 1);
    }
    for sessions in &all {
        let statuses = beat(sessions);
        assert_eq!(playing(&statuses), 1, "{statuses:?}");
        // Why a stream ended is remembered for the last few only.
        let ended = |status: &&u16| [409, 410].contains(*status);
        assert_eq!(statuses.iter().filter(ended).count(), CROWD - 1);
    }
    for app in fleet.apps("demo-mobile") {
        for account in accounts() {
            assert_eq!(app.running(&account).len(), 1, "{account}");
        }
    }
}

#[test]
fn of_96_players_at_three_edges_where_the_latest_wins_exactly_one_plays_on() {
    let (_valkey, fleet, crowd) = race(None);
    let all: Vec<Vec<Player>> = accounts()
        .map(|account| {
            // Ids of the players' own would be judged afresh when many have ended since.
            let players = crowd.at_once(|_, client| {
                let mut player = fleet[0].player(&account).on(client);
                player.opens(super::LATEST);
                player
            });
            let first = crowd.at_once(|at, _| players[at].segment());
            assert!(count(&first, 200, 403) >= 1, "{account}");
            players
        })
        .collect();
    let playing = |players: &[Player]| {
        let answers = crowd.at_once(|at, _| players[at].segment());
        count(&answers, 200, 403)
    };
    for players in &all {
        eventually("the evictions are known", || playing(players) == 1);
    }
    for players in &all {
        assert_eq!(playing(players), 1);
    }
    assert_eq!(fleet.metric("fleet.outage_admits"), 0);
}
