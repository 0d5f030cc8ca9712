//! A store that comes back, frozen or empty: those who play go on, and a third of a timeout later
//! nobody is over the limit.

use std::time::{Duration, Instant};

use streamgate_tests::{Fleet, Session, Valkey};

use super::sharing;

const EDGES: usize = 2;
const ACCOUNTS: usize = 12;
const LIMIT: usize = 3;

/// So long that a busy machine has its turn.
const TIMEOUT: Duration = Duration::from_secs(12);

/// Sessions of one account.
struct Household {
    name: String,
    /// Since before the trouble.
    old: Vec<Session>,
    newcomers: Vec<Session>,
}

struct Trial {
    fleet: Fleet,
    households: Vec<Household>,
}

impl Trial {
    fn start(valkey: &Valkey, on_outage: &str) -> Self {
        let settings = sharing(&[valkey.port])
            .lapsing_after(u32::try_from(TIMEOUT.as_secs()).expect("seconds"))
            .with("/fleet/evictions_within", "4s")
            .with("/fleet/wait", "1s")
            .with("/fleet/on_outage", on_outage);
        let fleet = Fleet::start(&settings, EDGES);
        let apps = fleet.apps("demo-tv");
        let household = |number| {
            let name = format!("household-{number}");
            let old = (0..LIMIT).map(|n| apps[n / 2].start(&name));
            Household {
                old: old.collect(),
                newcomers: Vec::new(),
                name,
            }
        };
        let households = (0..ACCOUNTS).map(household).collect();
        Self { fleet, households }
    }

    /// One round: all who play go on, and a newcomer tries at each edge for each account of which
    /// nobody new plays.
    #[track_caller]
    fn goes_round(&mut self) {
        let apps = self.fleet.apps("demo-tv");
        for (at, household) in self.households.iter_mut().enumerate() {
            for old in &household.old {
                let _ = old.heartbeat().expect(202);
            }
            let plays = |session: &Session| session.heartbeat().status == 202;
            household.newcomers.retain(plays);
            let app = &apps[at % EDGES];
            let answer = app.create(&household.name).send();
            match answer.status {
                202 => household.newcomers.push(app.session(&answer)),
                status => assert!([409, 503].contains(&status), "{answer:?}"),
            }
        }
    }

    fn goes_on_for(&mut self, time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time {
            self.goes_round();
        }
    }

    fn over(&self) -> Vec<String> {
        let over = self.households.iter().filter(|it| !it.newcomers.is_empty());
        over.map(|it| format!("{}: {}", it.name, LIMIT + it.newcomers.len()))
            .collect()
    }

    /// The store is back now.
    #[track_caller]
    fn becomes_exact(&mut self) {
        self.goes_on_for(TIMEOUT / 3);
        // Whoever was let in before that is heard once more.
        self.goes_round();
        self.goes_round();
        assert_eq!(self.over(), [""; 0]);
        self.goes_on_for(TIMEOUT / 3);
        assert_eq!(self.over(), [""; 0]);
    }
}

#[test]
fn a_store_that_was_frozen_for_longer_than_streams_live() {
    for on_outage in ["refuse", "admit"] {
        let valkey = Valkey::start();
        let mut trial = Trial::start(&valkey, on_outage);
        valkey.freeze();
        trial.goes_on_for(TIMEOUT + Duration::from_secs(1));
        valkey.thaw();
        trial.becomes_exact();
    }
}

#[test]
fn a_store_that_was_restarted_without_what_it_held() {
    for on_outage in ["refuse", "admit"] {
        let mut valkey = Valkey::start();
        let mut trial = Trial::start(&valkey, on_outage);
        trial.goes_round();
        valkey.kill();
        trial.goes_on_for(Duration::from_secs(3));
        valkey.start_again();
        trial.becomes_exact();
    }
}

#[test]
fn a_store_that_is_emptied_while_it_runs() {
    for on_outage in ["refuse", "admit"] {
        let valkey = Valkey::start();
        let mut trial = Trial::start(&valkey, on_outage);
        trial.goes_round();
        let _ = valkey.command(&["FLUSHALL"]);
        trial.becomes_exact();
        assert!(valkey.records() >= ACCOUNTS);
    }
}
