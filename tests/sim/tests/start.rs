//! Edges that have just started: their proxies do not know yet that the store is there, and
//! every call fails at once.

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

/// When it is known that the store is there, in milliseconds after the edges' start.
const HEALTHY_AFTER_MS: u64 = 500;

struct Fleet {
    settings: Settings,
    edges: Vec<SimEdge>,
    node: Node,
    now_ms: u64,
    /// From when on calls to the store reach it.
    healthy_at_ms: u64,
    viewers: u32,
    served: usize,
    refused: Vec<u16>,
}

impl Fleet {
    /// Edges that reach their store so much later.
    fn that_meets_its_store_after(ms: u64, on_outage: &'static str) -> Self {
        let settings = Settings {
            timeout_s: 30,
            limit: LIMIT as u32,
            shards: 8,
            slots: 64,
            password: None,
            wait_ms: 500,
            on_outage,
            signing_keys: &["k1"],
        };
        let edge = |seed| SimEdge::new(seed, (0..WORKERS).map(|_| settings.config()));
        Self {
            edges: (0..EDGES as u64).map(edge).collect(),
            settings,
            node: Node::new(),
            now_ms: BEGIN_MS,
            healthy_at_ms: BEGIN_MS + ms,
            viewers: 0,
            served: 0,
            refused: Vec::new(),
        }
    }

    fn starts(&mut self, account: &str) {
        for edge in 0..EDGES {
            self.starts_at(edge, account);
        }
    }

    /// As many at this edge as the account may play, and one more, on all its workers.
    fn starts_at(&mut self, edge: usize, account: &str) {
        for n in 0..=LIMIT {
            self.viewers += 1;
            let request = Request::call("POST", format!("/v2/sessions/acme/{account}"), "vod");
            self.edges[edge].host.set_now(Moment::from_ms(self.now_ms));
            let outcome = self.edges[edge].ask(n % WORKERS, self.viewers, request);
            self.note(outcome);
        }
    }

    fn note(&mut self, outcome: Option<Outcome>) {
        match outcome {
            None => {}
            Some(Outcome::Answered(answer)) if answer.status >= 400 => {
                self.refused.push(answer.status);
            }
            Some(_) => self.served += 1,
        }
    }

    fn makes(&mut self, edge: usize, worker: usize, calls: Vec<StoreCall>) {
        for call in calls {
            let is_healthy = self.now_ms >= self.healthy_at_ms;
            let said = is_healthy.then(|| self.node.answer(&call.payload, self.now_ms));
            let reply = said.as_deref().ok_or(CallFailure);
            self.edges[edge].hear(worker, call.id, reply);
        }
        for resolved in self.edges[edge].resolved(worker) {
            self.note(Some(resolved.outcome));
        }
    }

    fn passes(&mut self, ms: u64) {
        for step in 0..ms / 10 {
            self.now_ms += 10;
            for edge in 0..EDGES {
                self.edges[edge].host.set_now(Moment::from_ms(self.now_ms));
                for worker in 0..WORKERS {
                    if step % 10 == 9 {
                        let calls = self.edges[edge].tick(worker);
                        self.makes(edge, worker, calls);
                    }
                    let calls = self.edges[edge].calls(worker);
                    self.makes(edge, worker, calls);
                }
            }
        }
    }

    fn waiting(&self) -> usize {
        self.edges.iter().map(SimEdge::waiting).sum()
    }

    fn restarts(&mut self, edge: usize) {
        let settings = &self.settings;
        self.edges[edge].restart((0..WORKERS).map(|_| settings.config()));
    }
}

#[test]
fn starts_from_the_first_moment_on_admit_exactly_the_limit() {
    for on_outage in ["admit", "refuse"] {
        let mut fleet = Fleet::that_meets_its_store_after(HEALTHY_AFTER_MS, on_outage);
        for _ in 0..4 {
            fleet.starts("alice");
            fleet.passes(100);
        }
        assert_eq!((fleet.served, fleet.refused.len()), (0, 0), "{on_outage}");
        fleet.passes(1_000);
        assert_eq!(fleet.served, LIMIT, "{on_outage}");
        assert!(fleet.refused.iter().all(|status| *status == 409));
        assert_eq!(fleet.refused.len(), 4 * EDGES * (LIMIT + 1) - LIMIT);
        assert_eq!(fleet.waiting(), 0, "{on_outage}");
    }
}

#[test]
fn an_edge_that_was_restarted_admits_nobody_to_an_account_that_is_full_elsewhere() {
    let mut fleet = Fleet::that_meets_its_store_after(0, "admit");
    fleet.starts_at(1, "alice");
    fleet.passes(200);
    assert_eq!((fleet.served, fleet.refused.len()), (LIMIT, 1));
    fleet.restarts(0);
    fleet.healthy_at_ms = fleet.now_ms + HEALTHY_AFTER_MS;
    for _ in 0..10 {
        fleet.starts_at(0, "alice");
        fleet.passes(100);
    }
    fleet.passes(1_000);
    assert_eq!(fleet.served, LIMIT);
    assert!(fleet.refused.iter().all(|status| *status == 409));
    assert_eq!(fleet.refused.len(), 1 + 10 * (LIMIT + 1));
}

#[test]
fn where_the_store_is_not_met_within_the_bound_a_start_gets_what_there_is_in_an_outage() {
    for (on_outage, served) in [("admit", EDGES * LIMIT), ("refuse", 0)] {
        let mut fleet = Fleet::that_meets_its_store_after(3_600_000, on_outage);
        fleet.starts("alice");
        fleet.passes(1_900);
        assert_eq!((fleet.served, fleet.refused.len()), (0, 0), "{on_outage}");
        fleet.passes(400);
        assert_eq!(fleet.waiting(), 0, "{on_outage}");
        assert_eq!(fleet.served, served, "{on_outage}");
        assert_eq!(fleet.refused.len(), EDGES * (LIMIT + 1) - served);
        // From then on nobody waits.
        fleet.starts("bob");
        assert_eq!(fleet.waiting(), 0, "{on_outage}");
    }
}
