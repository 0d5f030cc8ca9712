//! However many start at the same moment, on whichever workers: the limit holds
//! exactly.

use streamgate_tests::{Answer, Edge, Player, Session, Settings};

const CROWD: usize = 64;
const ACCOUNTS: usize = 50;
const LIMIT: usize = 3;

/// How many of the answers have that status; all others have to have the other one.
#[track_caller]
fn count(answers: &[Answer], status: u16, other: u16) -> usize {
    for answer in answers {
        assert!([status, other].contains(&answer.status), "{answer:?}");
    }
    answers.iter().filter(|one| one.status == status).count()
}

fn accounts() -> impl Iterator<Item = String> {
    (0..ACCOUNTS).map(|number| format!("household-{number}"))
}

#[test]
fn of_64_sessions_created_at_once_exactly_three_are_admitted() {
    let edge = Edge::start(Settings::default());
    let crowd = edge.crowd(CROWD);
    let apps = [edge.app("demo-tv"), edge.app("demo-web")];
    for account in accounts() {
        let answers = crowd.at_once(|at, client| apps[at % 2].on(client).create(&account).send());
        assert_eq!(count(&answers, 202, 409), LIMIT, "{account}");
        assert_eq!(apps[0].running(&account).len(), LIMIT);
    }
    assert_eq!(edge.metric("starts"), (ACCOUNTS * LIMIT) as u64);
    assert_eq!(edge.metric("live_streams"), (ACCOUNTS * LIMIT) as u64);
    assert_eq!(edge.metric("cas_give_ups"), 0);
}

#[test]
fn of_64_players_that_start_at_once_exactly_three_play() {
    let edge = Edge::start(Settings::default());
    let crowd = edge.crowd(CROWD);
    for account in accounts() {
        // While nobody plays, each is let in at the manifest; the segments decide.
        let players = crowd.at_once(|_, client| {
            let mut player = edge.player(&account).on(client);
            player.opens("/vod/film/master.m3u8");
            player
        });
        let first = crowd.at_once(|at, _| players[at].segment());
        assert_eq!(count(&first, 200, 403), LIMIT, "{account}");
        let again = crowd.at_once(|at, _| players[at].segment());
        assert_eq!(count(&again, 200, 403), LIMIT, "{account}");
        for (first, again) in first.iter().zip(&again) {
            assert_eq!(first.status, again.status, "who plays, plays on");
            if again.status == 403 {
                let _ = again.clone().expect_refusal(403, "limit-reached");
            }
        }
    }
    assert_eq!(edge.metric("starts"), (ACCOUNTS * LIMIT) as u64);
    assert_eq!(edge.metric("live_streams"), (ACCOUNTS * LIMIT) as u64);
}

#[test]
fn sessions_and_players_that_start_at_once_share_the_three_places() {
    let edge = Edge::start(Settings::default());
    let crowd = edge.crowd(CROWD);
    let app = edge.app("demo-tv");
    for account in accounts() {
        let players = crowd.at_once(|_, client| {
            let mut player = edge.player(&account).on(client);
            player.opens("/vod/film/master.m3u8");
            player
        });
        let admitted = crowd.at_once(|at, client| match at % 2 {
            0 => app.on(client).create(&account).send().status == 202,
            _ => players[at].segment().status == 200,
        });
        let admitted = admitted.into_iter().filter(|admitted| *admitted).count();
        assert_eq!(admitted, LIMIT, "{account}");
    }
    assert_eq!(edge.metric("starts"), (ACCOUNTS * LIMIT) as u64);
}

#[test]
fn of_64_sessions_where_the_latest_wins_exactly_one_goes_on() {
    let edge = Edge::start(Settings::default());
    let crowd = edge.crowd(CROWD);
    let app = edge.app("demo-mobile");
    for account in accounts() {
        let sessions: Vec<Session> = crowd.at_once(|_, client| app.on(client).start(&account));
        assert_eq!(app.running(&account).len(), 1, "{account}");
        let heartbeats = crowd.at_once(|at, _| sessions[at].heartbeat());
        let playing = heartbeats.iter().filter(|answer| answer.status == 202);
        assert_eq!(playing.count(), 1, "{account}");
        // Why a stream ended is remembered for the last few only.
        let ended = |answer: &&Answer| [409, 410].contains(&answer.status);
        assert_eq!(heartbeats.iter().filter(ended).count(), CROWD - 1);
    }
    assert_eq!(edge.metric("live_streams"), ACCOUNTS as u64);
}

#[test]
fn of_64_players_where_the_latest_wins_exactly_one_plays_on() {
    let edge = Edge::start(Settings::default());
    let crowd = edge.crowd(CROWD);
    for account in accounts() {
        let players: Vec<Player> = crowd.at_once(|_, client| {
            let mut player = edge.player(&account).on(client);
            player.opens("/latest/film/master.m3u8");
            player
        });
        let first = crowd.at_once(|at, _| players[at].segment());
        assert!(count(&first, 200, 403) >= 1, "{account}");
        let again = crowd.at_once(|at, _| players[at].segment());
        assert_eq!(count(&again, 200, 403), 1, "{account}");
    }
    assert_eq!(edge.metric("live_streams"), ACCOUNTS as u64);
}
