//! A trial: accounts play at two edges while something goes wrong with their store.

use std::thread;
use std::time::Duration;

use streamgate_tests::{App, Fleet, Player, Session, Settings, eventually_within};

use super::{FILM, sharing};

const EDGES: usize = 2;
const LIMIT: usize = 3;

/// So many that each of two nodes holds some of them.
const HOUSEHOLDS: usize = 12;

/// How long a silent stream lives.
const TIMEOUT: Duration = Duration::from_secs(6);

/// How long is waited for a store's return to be noticed everywhere, in seconds: far longer than it takes
/// where nothing else keeps the machine busy.
const BACK_WITHIN_S: u64 = 60;

/// Edges with accounts that have two of their three places taken.
#[derive(Debug)]
pub(super) struct Trial {
    /// The edges.
    pub(super) fleet: Fleet,
    households: Vec<Household>,
}

/// Who plays of one account.
#[derive(Debug)]
struct Household {
    account: String,
    /// At the first edge, since before the trial.
    session: Session,
    /// At the second edge, since before the trial.
    player: Player,
    /// Let in when the store was in trouble.
    newcomers: Vec<Session>,
}

impl Trial {
    /// Settings for it, with a store made up of the nodes at these ports.
    pub(super) fn settings(nodes: &[u16]) -> Settings {
        sharing(nodes)
            .lapsing_after(u32::try_from(TIMEOUT.as_secs()).expect("seconds"))
            // With less, a slow machine would be taken for a store in trouble.
            .with("/fleet/wait", "1s")
    }

    /// Starts edges, and lets the accounts begin to play.
    pub(super) fn start(settings: &Settings) -> Self {
        let fleet = Fleet::start(settings, EDGES);
        let (app, client) = (fleet[0].app("demo-tv"), fleet[1].client());
        let households = (0..HOUSEHOLDS).map(|number| {
            let account = format!("household-{number}");
            Household {
                session: app.start(&account),
                player: fleet[1].player(&account).on(&client).playing(FILM),
                account,
                newcomers: Vec::new(),
            }
        });
        Self {
            households: households.collect(),
            fleet,
        }
    }

    /// All who played before the trial play on; each asks once.
    #[track_caller]
    pub(super) fn play_on(&self) {
        for household in &self.households {
            let _ = household.session.heartbeat().expect(202);
            household.player.plays();
        }
    }

    /// They do so until something holds.
    #[track_caller]
    pub(super) fn play_on_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        streamgate_tests::eventually(what, || {
            self.play_on();
            holds()
        });
    }

    /// One newcomer for each account starts at each edge, all at once. Some may be let in
    /// and others not, but each is told one or the other.
    #[track_caller]
    pub(super) fn newcomers_try(&mut self) {
        let apps = self.fleet.apps("demo-tv");
        thread::scope(|scope| {
            let tries = self.households.iter_mut().map(|household| {
                let apps = &apps;
                let fleet = &self.fleet;
                scope.spawn(move || {
                    for (at, app) in apps.iter().enumerate() {
                        let app = app.on(&fleet[at].client());
                        household.newcomers.extend(tries(&app, &household.account));
                    }
                })
            });
            for one in tries.collect::<Vec<_>>() {
                one.join().expect("to be let in or not");
            }
        });
    }

    /// The store is back: while all play on, the limit comes to hold exactly, and nobody who
    /// played before the trial has to go.
    #[track_caller]
    pub(super) fn becomes_exact(&mut self) {
        let apps = self.fleet.apps("demo-tv");
        eventually_within(
            BACK_WITHIN_S,
            "each account plays as many as it may",
            || {
                self.play_on();
                let mut is_exact = true;
                for household in &mut self.households {
                    household.newcomers.retain(|newcomer| {
                        let status = newcomer.heartbeat().status;
                        assert!([202, 409, 410].contains(&status), "{status}");
                        status == 202
                    });
                    let playing = 2 + household.newcomers.len();
                    // Where there is room, there is for one.
                    if playing < LIMIT {
                        let newcomers = apps.iter().map(|app| tries(app, &household.account));
                        household.newcomers.extend(newcomers.flatten());
                    }
                    let runs = |app: &App| app.running(&household.account).len() == LIMIT;
                    is_exact &= playing == LIMIT && apps.iter().all(runs);
                }
                is_exact
            },
        );
        for household in &mut self.households {
            for newcomer in household.newcomers.drain(..) {
                let _ = newcomer.stop().expect(202);
            }
        }
        self.play_on();
    }
}

/// Tries to start, and has to be told whether it may.
#[track_caller]
fn tries(app: &streamgate_tests::App, account: &str) -> Option<Session> {
    let answer = app.create(account).send();
    match answer.status {
        202 => Some(app.session(&answer)),
        _ => {
            let _ = answer.expect(409);
            None
        }
    }
}
