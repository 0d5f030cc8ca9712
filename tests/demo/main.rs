//! `make demo`: the main job, shown on real video in a real Envoy, with players that
//! nobody modified. Tells what happens and ends with exit code 0; the first step that
//! does not come out as told ends it with 1.

mod account;
mod player;
mod stage;
mod why;

use std::process::ExitCode;
use std::time::Duration;

use account::Account;
use player::{Player, Protocol};
use stage::{Stage, Unexpected, chapter, check, waiting};

/// The timeout in `envoy/edge.yaml`, and what the clock's edges add to it.
const TIMEOUT: Duration = Duration::from_secs(15);
const GRACE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    match story() {
        Ok(()) => {
            println!(
                "\nAll as told. `make up` runs the same edge, with four screens on one page, and a page \
                 for support."
            );
            ExitCode::SUCCESS
        }
        Err(unexpected) => {
            eprintln!("\n  ✗ {unexpected}");
            eprintln!("demo: FAILED. The edge's log is build/demo-edge.log.");
            ExitCode::FAILURE
        }
    }
}

fn story() -> Result<(), Unexpected> {
    println!("streamgate: how many streams an account plays at once, limited where the bytes are");
    let stage = Stage::set()?;
    let players = three_screens(&stage)?;
    let players = one_stops(&stage, players)?;
    let _playing = one_is_killed(&stage, players)?;
    cooperating_apps(&stage)?;
    latest_wins(&stage)?;
    chapter("Alice's three screens still play, and she tries a fourth.");
    refused_with_advice(&stage, "player 6")?;
    why::explained("alice")
}

/// Three players run, the fourth is refused.
fn three_screens(stage: &Stage) -> Result<Vec<Player>, Unexpected> {
    chapter("Alice may watch on three screens. Her players are ffmpeg.");
    let alice = stage.account("demo-web", "alice");
    let mut players = Vec::new();
    for (n, protocol) in [(1, Protocol::Hls), (2, Protocol::Dash), (3, Protocol::Hls)] {
        players.push(stage.play("alice", protocol)?);
        alice.wait_for_streams(&format!("player {n} plays ({protocol})"), n)?;
    }
    refused_with_advice(stage, "player 4")?;
    check(
        "the other three play on",
        players.iter_mut().all(Player::plays),
    )?;
    Ok(players)
}

/// The app around a player says stop: its place is free at once.
fn one_stops(stage: &Stage, mut players: Vec<Player>) -> Result<Vec<Player>, Unexpected> {
    chapter("Player 1 stops, and its app says so: the place is free at once.");
    let alice = stage.account("demo-web", "alice");
    let oldest = alice.oldest_session()?;
    players.remove(0).kill();
    let status = alice.stop(&oldest)?;
    check(
        &format!("DELETE {}… answered {status}", short(&oldest)),
        status == 202,
    )?;
    players.push(stage.play("alice", Protocol::Hls)?);
    alice.wait_for_streams("player 4 plays now", 3)?;
    Ok(players)
}

/// A player that crashes leaves no ghost.
fn one_is_killed(stage: &Stage, mut players: Vec<Player>) -> Result<Vec<Player>, Unexpected> {
    chapter("Player 2 crashes (SIGKILL). Nobody says stop, yet no ghost stream stays.");
    let alice = stage.account("demo-web", "alice");
    players.remove(0).kill();
    refused_with_advice(stage, "player 5, at once,")?;
    waiting(
        "its stream lapses after 15 s of silence",
        TIMEOUT + GRACE,
        || Ok(alice.streams()? == 2),
    )?;
    players.push(stage.play("alice", Protocol::Dash)?);
    alice.wait_for_streams("player 5 plays now", 3)?;
    check("all three play", players.iter_mut().all(Player::plays))?;
    Ok(players)
}

/// The same through the session API, where the viewer chooses what to stop.
fn cooperating_apps(stage: &Stage) -> Result<(), Unexpected> {
    chapter("Bob's app asks first (session API), and Bob chooses what to stop.");
    let bob = stage.account("demo-tv", "bob");
    let mut sessions = Vec::new();
    for device in ["Living room", "Kitchen", "Phone"] {
        let created = bob.create(&format!("deviceName={device}&channel=News"), None)?;
        check(
            &format!("{device}: create answered {}", created.status),
            created.status == 202,
        )?;
        sessions.push(created.json());
    }
    let conflict = bob.create("deviceName=Tablet", None)?;
    check(
        &format!(
            "Tablet: create answered {}, with the streams in the way",
            conflict.status
        ),
        conflict.status == 409,
    )?;
    let advice = &conflict.json()["associatedAdvice"][0];
    let conflicts = advice["conflicts"].as_object().cloned().unwrap_or_default();
    let choices: Vec<_> = conflicts
        .values()
        .map(|streams| streams[0].clone())
        .collect();
    for choice in &choices {
        println!(
            "      {}  stop with {}",
            choice["deviceName"], choice["terminationCode"]
        );
    }
    let kitchen = choices
        .iter()
        .find(|choice| choice["deviceName"] == "Kitchen");
    let code = kitchen.and_then(|choice| choice["terminationCode"].as_str());
    let created = bob.create("deviceName=Tablet&channel=Sport", code)?;
    check(
        &format!(
            "Bob chose Kitchen: create with X-Terminate answered {}",
            created.status
        ),
        created.status == 202,
    )?;
    let victim = &sessions[1]["session"];
    let told = bob.heartbeat(victim["url"].as_str().unwrap_or_default())?;
    let terminator = &told.json()["associatedAdvice"][0]["terminator"];
    check(
        &format!(
            "Kitchen's heartbeat answered {}: stopped by {}, which plays {}",
            told.status, terminator["deviceName"], terminator["channel"]
        ),
        told.status == 410 && terminator["deviceName"] == "Tablet",
    )?;
    let prefix = victim["playbackPrefix"].as_str().unwrap_or_default();
    let segment = stage.get(&format!("{prefix}/vod/sample/master.m3u8"))?;
    check(
        &format!(
            "Kitchen's player is refused, too: {} {}",
            segment.status,
            segment.reason()
        ),
        segment.status == 403 && segment.reason() == "remote-termination",
    )
}

/// The other way round: the newcomer plays, the oldest has to go.
fn latest_wins(stage: &Stage) -> Result<(), Unexpected> {
    chapter("Carol's plan is one stream, and the latest wins.");
    let carol = stage.account("demo-mobile", "carol");
    let start = |carol: &Account| -> Result<String, Unexpected> {
        let session = carol.create("", None)?.json();
        let prefix = session["session"]["playbackPrefix"]
            .as_str()
            .unwrap_or_default();
        Ok(format!("{prefix}/vod/sample/master.m3u8"))
    };
    let first = start(&carol)?;
    check("her first player plays", stage.get(&first)?.status == 200)?;
    let second = start(&carol)?;
    check("her second player plays", stage.get(&second)?.status == 200)?;
    let loser = stage.get(&first)?;
    check(
        &format!(
            "the first is refused at its next request: {} {}",
            loser.status,
            loser.reason()
        ),
        loser.status == 403 && loser.reason() == "evicted",
    )
}

/// A real player is turned away, and the answer says why.
fn refused_with_advice(stage: &Stage, who: &str) -> Result<(), Unexpected> {
    let outcome = stage.play("alice", Protocol::Hls)?.outcome(TIMEOUT)?;
    check(
        &format!("{who} is refused: ffmpeg says {outcome:?}"),
        outcome.contains("403"),
    )?;
    let answer = stage.get_as("alice", "/vod/sample/master.m3u8")?;
    let body = answer.json();
    let advice = &body["associatedAdvice"][0];
    check(
        &format!(
            "the answer says why: {}, {} allowed",
            advice["message"], advice["threshold"]
        ),
        answer.reason() == "limit-reached" && advice["threshold"] == 3,
    )
}

/// The front of an id, for people.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
