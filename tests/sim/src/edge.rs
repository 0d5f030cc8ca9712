//! One edge: its memory and its workers, driven as the plugin drives them.

use core::fmt;

use hashbrown::HashMap;
use streamgate_core::config::Config;
use streamgate_core::edge::Edge;
use streamgate_core::exchange::Answer;
use streamgate_core::step::{ResponseStep, Step, Unparked};
use streamgate_record::fleet::{CallFailure, CallId, StoreCall, Ticket};

use crate::host::EdgeHost;
use crate::request::Request;

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    /// The origin's response reached the viewer.
    Served,
    /// The filter answered.
    Answered(Answer),
}

/// A request that has waited, and what became of it.
#[derive(Debug)]
pub struct Resolved {
    /// Who asked.
    pub viewer: u32,
    /// What became of it.
    pub outcome: Outcome,
}

/// One edge.
pub struct SimEdge {
    /// What its workers share.
    pub host: EdgeHost,
    workers: Vec<Worker>,
}

struct Worker {
    edge: Edge,
    last_ticket: u32,
    waiting: HashMap<Ticket, Waiting>,
}

/// A request under way. Its head is there until a response has been seen.
struct Waiting {
    viewer: u32,
    request: Request,
}

impl SimEdge {
    /// An edge whose workers each have a configuration of their own.
    pub fn new(seed: u64, configs: impl Iterator<Item = Config>) -> Self {
        let host = EdgeHost::new(seed);
        let worker = |config| Worker {
            edge: Edge::new(config, &host),
            last_ticket: 0,
            waiting: HashMap::new(),
        };
        Self {
            workers: configs.map(worker).collect(),
            host,
        }
    }

    /// Envoy restarts: nothing is left of what it knew, nor of whoever waited.
    pub fn restart(&mut self, configs: impl Iterator<Item = Config>) {
        self.host.forget_everything();
        self.reconfigure(configs);
    }

    /// Envoy takes another configuration: workers begin anew, and what they share stays. Whoever
    /// waited is cut off.
    pub fn reconfigure(&mut self, configs: impl Iterator<Item = Config>) {
        for (worker, config) in self.workers.iter_mut().zip(configs) {
            worker.edge = Edge::new(config, &self.host);
            worker.waiting.clear();
        }
    }

    /// Handles a request; `None` if it waits for the store. The origin answers each with 200.
    pub fn ask(&mut self, worker: usize, viewer: u32, request: Request) -> Option<Outcome> {
        self.host.is_worker(worker);
        let (host, worker) = (&self.host, &mut self.workers[worker]);
        worker.last_ticket = worker.last_ticket.wrapping_add(1);
        let ticket = Ticket(worker.last_ticket);
        let path = request.path.as_bytes();
        let step = worker.edge.on_request(host, ticket, &request, path, true);
        let outcome = worker.step(host, ticket, step);
        if outcome.is_none() {
            worker.waiting.insert(ticket, Waiting { viewer, request });
        }
        outcome
    }

    /// Whoever waits at a worker under this name is gone.
    pub fn forget(&mut self, worker: usize, viewer: u32) {
        let worker = &mut self.workers[worker];
        let theirs = worker
            .waiting
            .extract_if(|_, waiting| waiting.viewer == viewer);
        let tickets: Vec<_> = theirs.map(|(ticket, _)| ticket).collect();
        for ticket in tickets {
            worker.edge.forget(ticket);
        }
    }

    /// The calls that somebody waits for.
    pub fn calls(&mut self, worker: usize) -> Vec<StoreCall> {
        self.host.is_worker(worker);
        let edge = &mut self.workers[worker].edge;
        match edge.has_calls() {
            true => edge.calls(&self.host),
            false => Vec::new(),
        }
    }

    /// The calls that are due by the clock.
    pub fn tick(&mut self, worker: usize) -> Vec<StoreCall> {
        self.host.is_worker(worker);
        self.workers[worker].edge.on_tick(&self.host)
    }

    /// What came back of a call.
    pub fn hear(&mut self, worker: usize, call: CallId, reply: Result<&[u8], CallFailure>) {
        self.host.is_worker(worker);
        let edge = &mut self.workers[worker].edge;
        edge.on_store_reply(&self.host, call, reply);
    }

    /// The requests that have waited for long enough.
    pub fn resolved(&mut self, worker: usize) -> Vec<Resolved> {
        self.host.is_worker(worker);
        let (host, worker) = (&self.host, &mut self.workers[worker]);
        let mut resolved = Vec::new();
        for settled in worker.edge.settled() {
            let ticket = settled.ticket;
            let Some(waiting) = worker.waiting.remove(&ticket) else {
                continue;
            };
            let outcome = match worker.edge.resume(host, settled, &waiting.request) {
                Unparked::Request(step) => worker.step(host, ticket, step),
                Unparked::Response { step, .. } => of_response(step),
            };
            match outcome {
                Some(outcome) => resolved.push(Resolved {
                    viewer: waiting.viewer,
                    outcome,
                }),
                None => {
                    worker.waiting.insert(ticket, waiting);
                }
            }
        }
        resolved
    }

    /// How many requests wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.workers.iter().map(|worker| worker.waiting.len()).sum()
    }
}

impl Worker {
    /// Does what the edge says; `None` if the request waits.
    fn step(&mut self, host: &EdgeHost, ticket: Ticket, step: Step) -> Option<Outcome> {
        match step {
            Step::Pass | Step::Log(_) => Some(Outcome::Served),
            Step::Reply(reply) => Some(Outcome::Answered(reply.answer)),
            Step::Park => None,
            Step::AwaitBody(pending) => {
                let step = self.edge.on_body(host, ticket, pending, b"");
                self.step(host, ticket, step)
            }
            Step::Forward(forward) => {
                let Some(watch) = forward.watch else {
                    return Some(Outcome::Served);
                };
                of_response(self.edge.on_response(host, ticket, &watch, 200, false))
            }
        }
    }
}

/// What becomes of a response; `None` if it waits.
fn of_response(step: ResponseStep) -> Option<Outcome> {
    match step {
        Step::Pass | Step::Log(_) => Some(Outcome::Served),
        Step::Reply(reply) => Some(Outcome::Answered(reply.answer)),
        Step::Park => None,
    }
}

/// Shows how many workers there are: what they hold would fill pages.
impl fmt::Debug for SimEdge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SimEdge");
        shown
            .field("workers", &self.workers.len())
            .finish_non_exhaustive()
    }
}
