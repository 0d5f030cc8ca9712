//! A store that comes back: thawed, restarted without what it held, or emptied while it runs. Edges
//! tell it of what plays, and a third of a timeout later nobody is over the limit.

use streamgate_record::fleet::{CallFailure, StoreCall};
use streamgate_sim::edge::{Outcome, SimEdge};
use streamgate_sim::request::Request;
use streamgate_sim::settings::Settings;
use streamgate_sim::store::Node;
use streamgate_values::moment::Moment;

const BEGIN_MS: u64 = 1_893_499_200_000;
const EDGES: usize = 3;
const WORKERS: usize = 2;
const LIMIT: usize = 3;
const ACCOUNTS: usize = 12;
const TIMEOUT_S: u64 = 6;
const STEP_MS: u64 = 20;

/// How long a call may take, in milliseconds.
const WAIT_MS: u64 = 500;

/// What happens to the store.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// It does not answer for so long, and then does what it was asked meanwhile.
    Frozen(u64),
    /// It cannot be connected to for so long, and comes back with nothing.
    Restarted(u64),
    /// It loses all it holds at one moment, and goes on.
    Emptied,
}

/// A player that names its playback itself.
struct Player {
    account: usize,
    edge: usize,
    worker: usize,
    name: String,
    /// It played before the trouble.
    is_old: bool,
    waits: bool,
    plays: bool,
}

struct Fleet {
    edges: Vec<SimEdge>,
    node: Node,
    now_ms: u64,
    frozen: bool,
    gone: bool,
    hanging: Vec<(usize, usize, StoreCall, u64)>,
    players: Vec<Player>,
    /// Old players that were refused, with the status.
    thrown_out: Vec<(u64, String, u16)>,
}

impl Fleet {
    fn new(on_outage: &'static str) -> Self {
        let settings = Settings {
            timeout_s: TIMEOUT_S,
            limit: LIMIT as u32,
            shards: 16,
            slots: 256,
            password: None,
            wait_ms: 500,
            on_outage,
            signing_keys: &["k1"],
        };
        let edge = |seed| SimEdge::new(seed, (0..WORKERS).map(|_| settings.config()));
        let mut fleet = Self {
            edges: (0..EDGES as u64).map(edge).collect(),
            node: Node::new(),
            now_ms: BEGIN_MS,
            frozen: false,
            gone: false,
            hanging: Vec::new(),
            players: Vec::new(),
            thrown_out: Vec::new(),
        };
        fleet.passes(2_000);
        for account in 0..ACCOUNTS {
            for n in 0..LIMIT {
                // Most play at one edge, one at another.
                fleet.comes(account, n / 2, true);
            }
            fleet.passes(100);
        }
        fleet.passes(TIMEOUT_S * 1_000);
        assert!(fleet.players.iter().all(|player| player.plays));
        fleet
    }

    fn comes(&mut self, account: usize, edge: usize, is_old: bool) {
        let number = self.players.len();
        self.players.push(Player {
            account,
            edge,
            worker: number % WORKERS,
            name: format!("player-{number}"),
            is_old,
            waits: false,
            plays: false,
        });
    }

    fn told(&mut self, number: usize, outcome: &Outcome) {
        let player = &mut self.players[number];
        player.waits = false;
        player.plays = match outcome {
            Outcome::Served => true,
            Outcome::Answered(answer) => {
                if player.is_old {
                    let after_ms = self.now_ms - BEGIN_MS;
                    let name = player.name.clone();
                    self.thrown_out.push((after_ms, name, answer.status));
                }
                false
            }
        };
    }

    fn asks(&mut self, number: usize) {
        let player = &mut self.players[number];
        player.waits = true;
        let request = Request::get("/vod/film/1.m4s")
            .with("x-account-id", format!("account-{}", player.account))
            .with("cmcd-session", format!("sid=\"{}\"", player.name));
        let (edge, worker) = (player.edge, player.worker);
        let viewer = u32::try_from(number).expect("few players");
        let outcome = self.edges[edge].ask(worker, viewer, request);
        if let Some(outcome) = outcome {
            self.told(number, &outcome);
        }
    }

    fn makes(&mut self, edge: usize, worker: usize, calls: Vec<StoreCall>) {
        for call in calls {
            if self.frozen {
                self.hanging.push((edge, worker, call, self.now_ms));
            } else if self.gone {
                self.edges[edge].hear(worker, call.id, Err(CallFailure));
            } else {
                let said = self.node.answer(&call.payload, self.now_ms);
                self.edges[edge].hear(worker, call.id, Ok(&said));
            }
        }
        for resolved in self.edges[edge].resolved(worker) {
            self.told(resolved.viewer as usize, &resolved.outcome);
        }
    }

    /// Everybody plays on, and asks five times a second.
    fn passes(&mut self, ms: u64) {
        for _ in 0..ms / STEP_MS {
            self.now_ms += STEP_MS;
            for edge in &mut self.edges {
                edge.host.set_now(Moment::from_ms(self.now_ms));
            }
            self.gives_up();
            let turn = (self.now_ms / STEP_MS) as usize;
            for number in 0..self.players.len() {
                if !self.players[number].waits && (number + turn).is_multiple_of(10) {
                    self.asks(number);
                }
            }
            for edge in 0..EDGES {
                for worker in 0..WORKERS {
                    if (turn + edge + worker).is_multiple_of(5) {
                        let calls = self.edges[edge].tick(worker);
                        self.makes(edge, worker, calls);
                    }
                    let calls = self.edges[edge].calls(worker);
                    self.makes(edge, worker, calls);
                }
            }
        }
    }

    /// Calls that hang for too long come to nothing at their edges, and reach the store all the same.
    fn gives_up(&mut self) {
        for at in 0..self.hanging.len() {
            let (edge, worker, call, since_ms) = &self.hanging[at];
            if *since_ms + WAIT_MS == self.now_ms {
                let (edge, worker, id) = (*edge, *worker, call.id);
                self.edges[edge].hear(worker, id, Err(CallFailure));
                self.makes(edge, worker, Vec::new());
            }
        }
    }

    fn thaws(&mut self) {
        self.frozen = false;
        for (edge, worker, call, since_ms) in core::mem::take(&mut self.hanging) {
            let said = self.node.answer(&call.payload, self.now_ms);
            if self.now_ms < since_ms + WAIT_MS {
                self.edges[edge].hear(worker, call.id, Ok(&said));
                self.makes(edge, worker, Vec::new());
            }
        }
    }

    /// Up to when the store is back.
    fn suffers(&mut self, fault: Fault) {
        match fault {
            Fault::Frozen(ms) => {
                self.frozen = true;
                self.passes(ms);
                self.thaws();
            }
            Fault::Restarted(ms) => {
                self.node.restart();
                self.gone = true;
                self.passes(ms);
                self.gone = false;
            }
            Fault::Emptied => self.node.restart(),
        }
    }

    /// Accounts of which more play than may.
    fn over(&self) -> usize {
        let playing = |account: usize| {
            let theirs = self.players.iter();
            theirs.filter(move |player| player.account == account && player.plays)
        };
        (0..ACCOUNTS)
            .filter(|account| playing(*account).count() > LIMIT)
            .count()
    }
}

/// What was seen after the store's return.
#[derive(Debug, Default)]
struct Seen {
    /// Most accounts over the limit at one moment.
    most: usize,
    /// Until when one was, in milliseconds after the return.
    until_ms: u64,
    thrown_out: Vec<(u64, String, u16)>,
}

/// Newcomers try at every edge, those of `early` in the trouble, too.
fn tries(fault: Fault, on_outage: &'static str, early: bool) -> Seen {
    let mut fleet = Fleet::new(on_outage);
    let come = |fleet: &mut Fleet| {
        for account in 0..ACCOUNTS {
            fleet.comes(account, account % EDGES, false);
        }
    };
    if early {
        come(&mut fleet);
    }
    fleet.suffers(fault);
    come(&mut fleet);
    let mut seen = Seen::default();
    for step in 1..=TIMEOUT_S * 2_000 / STEP_MS {
        fleet.passes(STEP_MS);
        let over = fleet.over();
        seen.most = seen.most.max(over);
        if over > 0 {
            seen.until_ms = step * STEP_MS;
        }
    }
    seen.thrown_out = fleet.thrown_out;
    seen
}

#[test]
fn none_is_over_the_limit_a_third_of_a_timeout_after_the_stores_return() {
    let mut wrongs = Vec::new();
    for fault in [
        Fault::Frozen(10_000),
        Fault::Restarted(200),
        Fault::Restarted(5_000),
        Fault::Emptied,
    ] {
        for on_outage in ["admit", "refuse"] {
            for early in [false, true] {
                let seen = tries(fault, on_outage, early);
                println!("{fault:?} {on_outage} {early}: {seen:?}");
                let is_late = seen.until_ms > TIMEOUT_S * 1_000 / 3;
                if is_late || !seen.thrown_out.is_empty() {
                    wrongs.push(format!("{fault:?} {on_outage} {early}: {seen:?}"));
                }
                // Nobody starts elsewhere before those who play have been told of.
                let noticed = matches!(fault, Fault::Frozen(_) | Fault::Restarted(5_000));
                if on_outage == "refuse" && noticed && seen.most > 0 {
                    wrongs.push(format!("{fault:?} {on_outage} {early}: {seen:?}"));
                }
            }
        }
    }
    assert!(wrongs.is_empty(), "{wrongs:#?}");
}
