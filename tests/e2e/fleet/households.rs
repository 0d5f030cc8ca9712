//! Accounts that play at the edges of a fleet while something happens to it, and what was seen
//! of them: `make trials` shows the lines that they print.

use std::time::{Duration, Instant};

use streamgate_tests::{Fleet, Session, Settings};

use super::sharing;

pub(super) const EDGES: usize = 2;
pub(super) const ACCOUNTS: usize = 12;
pub(super) const LIMIT: usize = 3;

/// So long that a busy machine has its turn.
pub(super) const TIMEOUT: Duration = Duration::from_secs(12);

/// Accounts that play all they may, and newcomers that try again and again.
pub(super) struct Households {
    pub(super) fleet: Fleet,
    households: Vec<Household>,
    /// How many streams of an account may play.
    pub(super) limit: usize,
    since: Instant,
    pub(super) seen: Seen,
}

/// Sessions of one account.
struct Household {
    name: String,
    /// Since before the trouble, and the edge that each is at.
    old: Vec<(usize, Session)>,
    newcomers: Vec<Session>,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The most accounts over their limit at once, and until when one was.
    pub(super) over: usize,
    until: Duration,
    /// Streams from before that were refused.
    pub(super) thrown_out: usize,
    /// The longest that one of them waited for its answer.
    slowest: Duration,
    /// Starts that were told to come again (503).
    told_to_come_again: usize,
}

impl Households {
    /// Settings of edges that share the nodes at these ports.
    pub(super) fn settings(nodes: &[u16]) -> Settings {
        sharing(nodes)
            .lapsing_after(u32::try_from(TIMEOUT.as_secs()).expect("seconds"))
            .with("/fleet/evictions_within", "4s")
            .with("/fleet/wait", "1s")
            .with("/sessions/creates_per_minute", 100_000)
    }

    /// Accounts that each play two streams at one edge and one at the other.
    pub(super) fn play(settings: &Settings) -> Self {
        Self::play_at(EDGES, settings)
    }

    /// The same, spread over so many edges.
    pub(super) fn play_at(edges: usize, settings: &Settings) -> Self {
        let fleet = Fleet::start(settings, edges);
        let apps = fleet.apps("demo-tv");
        let household = |number| {
            let name = format!("household-{number}");
            let old = (0..LIMIT).map(|n| {
                let edge = n * edges / LIMIT;
                (edge, apps[edge].start(&name))
            });
            Household {
                old: old.collect(),
                newcomers: Vec::new(),
                name,
            }
        };
        Self {
            households: (0..ACCOUNTS).map(household).collect(),
            fleet,
            limit: LIMIT,
            since: Instant::now(),
            seen: Seen::default(),
        }
    }

    /// One round: all who play go on, and for each account a newcomer tries, at one edge or the
    /// other by turns.
    #[track_caller]
    pub(super) fn goes_round(&mut self) {
        // Connections of listeners from before an update are closed.
        let clients: Vec<_> = self.fleet.edges().map(|edge| edge.client()).collect();
        let apps = self.fleet.apps("demo-tv");
        let mut over = 0;
        for (at, household) in self.households.iter_mut().enumerate() {
            let before = household.old.len();
            household.old.retain(|(edge, session)| {
                let asked = Instant::now();
                let answer = session.on(&clients[*edge]).heartbeat();
                self.seen.slowest = self.seen.slowest.max(asked.elapsed());
                match answer.status {
                    202 => true,
                    _ => {
                        println!("{}: {}", household.name, answer.text());
                        false
                    }
                }
            });
            self.seen.thrown_out += before - household.old.len();
            let plays = |session: &Session| session.on(&clients[at % apps.len()]).heartbeat();
            household
                .newcomers
                .retain(|session| plays(session).status == 202);
            let answer = apps[at % apps.len()].create(&household.name).send();
            match answer.status {
                202 => household
                    .newcomers
                    .push(apps[at % apps.len()].session(&answer)),
                503 => self.seen.told_to_come_again += 1,
                _ => drop(answer.expect(409)),
            }
            over += usize::from(household.old.len() + household.newcomers.len() > self.limit);
        }
        if over > 0 {
            self.seen.until = self.since.elapsed();
        }
        self.seen.over = self.seen.over.max(over);
    }

    pub(super) fn goes_on_for(&mut self, time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time {
            self.goes_round();
        }
    }

    /// The trouble is over: what is seen counts from here.
    pub(super) fn is_back(&mut self) {
        self.since = Instant::now();
        self.seen.until = Duration::ZERO;
    }

    /// A third of a timeout later nobody is over the limit, and who played before plays.
    #[track_caller]
    pub(super) fn become_exact(&mut self, what: &str) {
        self.is_back();
        self.goes_on_for(TIMEOUT / 3);
        // Whoever was let in before that is heard once more.
        self.goes_round();
        self.goes_round();
        let over = |it: &&Household| it.old.len() + it.newcomers.len() > self.limit;
        assert_eq!(self.households.iter().filter(over).count(), 0, "{what}");
        let until = self.seen.until;
        self.goes_on_for(TIMEOUT / 3);
        assert_eq!(self.seen.until, until, "{what}: over the limit again");
        self.tell(what);
        assert_eq!(self.seen.thrown_out, 0, "{what}");
    }

    /// Prints what was seen.
    pub(super) fn tell(&self, what: &str) {
        let Seen {
            over,
            until,
            thrown_out,
            slowest,
            told_to_come_again,
        } = &self.seen;
        println!(
            "trial: {what} | {over} of {ACCOUNTS} over the limit, until {:.1} s after | \
             {thrown_out} thrown out | slowest who plays {} ms | {told_to_come_again} starts \
             told to come again",
            until.as_secs_f64(),
            slowest.as_millis(),
        );
    }
}
