//! One worker's edge: every request and every response to one passes through here.

mod door;
mod kept_token;
mod store;

use core::cell::OnceCell;
use std::rc::Rc;

use streamgate_bytes::Fingerprinter;
use streamgate_record::Decided;
use streamgate_record::fleet::{self, Fleet, StoreCall, Ticket};
use streamgate_record::own_time::{self, ClockDifference};
use streamgate_record::ports::{Entropy, Host};
use streamgate_record::sweep;
use streamgate_tokens::signed::PlaybackToken;
use streamgate_values::head::Head;

use crate::api::{self, Called, Caller, CreatesByClient, Door};
use crate::authority::parked::Resumed;
pub use crate::authority::parked::Settled;
use crate::authority::{AfterDecision, AfterLook, Attempt, Authority, CopyState};
use crate::config::Config;
use crate::operator::{self, DOOR_TICK_MS, OperatorState};
use crate::playback::origin_redirects;
use crate::playback::response::WatchedResponse;
use crate::playback::{Cut, Flows, Forward, Gate, Scrub, Watch};
use crate::refusal::misplaced::misplaced;
use crate::refusal::reason::Reason;
use crate::request::surface::{Surface, surface};
use crate::request::viewer::Asked;
use crate::step::{Pending, ResponseStep, Step, Unparked};

/// By how many milliseconds own time may be set without leases being looked at again: by so
/// much any of them may last longer than its stream, for one renewal.
const LEASES_STAND_MS: u64 = 1_000;

/// A worker's edge under one configuration.
///
/// Call [`Edge::on_request`] first; what it returns says which of
/// [`Edge::on_body`] and [`Edge::on_response`] is to follow.
#[derive(Debug)]
pub struct Edge {
    config: Config,
    gate: Gate,
    authority: Authority,
    creates: CreatesByClient,
    operator: OperatorState,
    /// By how many milliseconds own time was ahead of the steady clock at the last tick.
    ahead_ms: Option<i64>,
}

impl Edge {
    /// An edge that goes by `config`.
    #[must_use]
    pub fn new(config: Config, entropy: &impl Entropy) -> Self {
        let fingerprinter = fingerprinter(entropy);
        Self {
            authority: Authority::new(config.fleet.clone().map(Fleet::new)),
            config,
            gate: Gate::new(fingerprinter),
            creates: CreatesByClient::new(fingerprinter),
            operator: OperatorState::new(),
            ahead_ms: None,
        }
    }

    /// Decides about a request by its head. `ticket` names it should it have to wait;
    /// `path` is its `:path`; `ends` says that no body follows.
    pub fn on_request(
        &mut self,
        host: &impl Host,
        ticket: Ticket,
        head: &impl Head,
        path: &[u8],
        ends: bool,
    ) -> Step {
        self.operator.serves = true;
        let copy_state = CopyState::Unverified;
        let attempt = Attempt { ticket, copy_state };
        let step = self.request(host, attempt, head, path, ends);
        self.noted(host, copy_state, step)
    }

    fn request(
        &mut self,
        host: &impl Host,
        attempt: Attempt,
        head: &impl Head,
        path: &[u8],
        ends: bool,
    ) -> Step {
        let ticket = attempt.ticket;
        match surface(&self.config, path) {
            Surface::Open => match Scrub::of_open(&self.config, head) {
                None => Step::Pass,
                Some(scrub) => Step::Forward(Forward {
                    scrub,
                    ..Forward::default()
                }),
            },
            Surface::LeftOut {
                path_index,
                token,
                path,
            } => {
                let ring = &self.config.sessions.ring;
                if let Some(token) = token
                    && PlaybackToken::read(ring, token, host.now()).is_err()
                {
                    return Step::Reply(misplaced(host, Reason::TokenInvalid));
                }
                let protected = self.config.playback.get(path_index);
                let scrub = protected.map(|it| Scrub::of_left_out(it, head, path));
                Step::Forward(Forward {
                    strip: token.map_or(0, |token| token.len().saturating_add(2)),
                    scrub: scrub.unwrap_or_default(),
                    ..Forward::default()
                })
            }
            Surface::SessionApi { path: after } => {
                let Some(session_api) = &self.config.session_api else {
                    return Step::Pass;
                };
                let called = Called {
                    whole: path,
                    path: after,
                    ends,
                    ticket,
                };
                let mut door = Door {
                    good: self.gate.good_tokens(),
                    creates: &mut self.creates,
                };
                let (config, authority) = (&self.config, &mut self.authority);
                api::begin(
                    config,
                    session_api,
                    host,
                    head,
                    called,
                    &mut door,
                    authority,
                )
            }
            Surface::Playback {
                path_index,
                token,
                path,
                file,
            } => {
                let asked = Asked {
                    head,
                    token,
                    path,
                    file: &file,
                    cookies: OnceCell::new(),
                };
                let (config, authority) = (&self.config, &mut self.authority);
                self.gate.expect(ticket);
                self.gate
                    .on_request(config, host, attempt, asked, path_index, authority)
            }
            Surface::Operator => {
                self.at_door(ticket, |door| operator::begin(door, host, head, path, ends))
            }
            Surface::Malformed => Step::Reply(misplaced(host, Reason::Malformed)),
        }
    }

    /// Carries a call out, now that its body is there. A body known to be
    /// longer than [`api::MAX_BODY`] may be handed over cut, as long as it stays longer.
    pub fn on_body(
        &mut self,
        host: &impl Host,
        ticket: Ticket,
        pending: Pending,
        body: &[u8],
    ) -> Step {
        let (config, authority) = (&self.config, &mut self.authority);
        let step = match pending {
            Pending::Call(pending) => api::finish(config, host, ticket, pending, body, authority),
            Pending::Operation(pending) => {
                self.at_door(ticket, |door| operator::finish(door, host, pending, body))
            }
        };
        self.noted(host, CopyState::Unverified, step)
    }

    /// Takes note of the head of the response to a watched request. `ends`: it has no body.
    pub fn on_response(
        &mut self,
        host: &impl Host,
        ticket: Ticket,
        watch: &Watch,
        status: u16,
        ends: bool,
    ) -> ResponseStep {
        let (config, authority) = (&self.config, &mut self.authority);
        self.gate.expect(ticket);
        let response = WatchedResponse {
            ticket,
            watch,
            status,
            ends,
        };
        let step = self.gate.on_response(config, host, response, authority);
        self.noted(host, CopyState::Unverified, step)
    }

    /// Goes on with what has waited. `head` is that of the request; where it is the response that
    /// has waited, nothing is read of it.
    pub fn resume(&mut self, host: &impl Host, settled: Settled, head: &impl Head) -> Unparked {
        let (config, ticket, now) = (&self.config, settled.ticket, host.now());
        let resumed = self.authority.resume(host, &config.records, settled, now);
        let (step, copy_state) = match resumed {
            Resumed::Looked(after, copy_state) => {
                let step = match after {
                    AfterLook::Listing(call) => {
                        Step::Reply(Caller::of(&call, config, now).listing(host))
                    }
                    AfterLook::Account(understood) => self.at_door(ticket, |door| {
                        operator::looked(door, host, &understood, copy_state)
                    }),
                    AfterLook::Request => {
                        let path = head.header(":path").unwrap_or_default();
                        let attempt = Attempt { ticket, copy_state };
                        self.request(host, attempt, head, &path, true)
                    }
                };
                (step, copy_state)
            }
            Resumed::Decided(after, decided, copy_state) => {
                let verdict = |decided: Decided| decided.verdict;
                let step = match after {
                    AfterDecision::Call(call) => {
                        let verdict = decided.map(verdict);
                        Step::Reply(Caller::of(&call, config, now).decided(host, verdict))
                    }
                    AfterDecision::Operation(understood, operation) => {
                        let verdict = decided.map(verdict);
                        self.at_door(ticket, |door| {
                            operator::decided(
                                door,
                                host,
                                &understood,
                                &operation,
                                verdict,
                                copy_state,
                            )
                        })
                    }
                    AfterDecision::Response { watch, ends } => {
                        let decided = decided.as_ref().map_err(|unavailable| *unavailable);
                        self.gate.expect(ticket);
                        let step = self.gate.decided(config, host, &watch, decided, now);
                        let step = self.noted(host, copy_state, step);
                        return Unparked::Response { step, ends };
                    }
                };
                (step, copy_state)
            }
        };
        Unparked::Request(self.noted(host, copy_state, step))
    }

    /// The responses under way, for whoever hears of their bytes.
    #[must_use]
    pub fn flows(&self) -> Rc<Flows> {
        self.gate.flows()
    }

    /// Whether bytes have flowed of late, so that [`Edge::cuts`] has something to do.
    #[must_use]
    pub fn has_flows(&self) -> bool {
        self.gate.has_flows()
    }

    /// Keeps the streams alive whose bytes flow, and gives the responses that are to be cut. To be
    /// called at each tick. `status` tells the status of the response of a ticket.
    pub fn cuts(&mut self, host: &impl Host, status: impl Fn(Ticket) -> Option<u16>) -> Vec<Cut> {
        let (config, authority) = (&self.config, &mut self.authority);
        let mut cuts = self
            .gate
            .look_after_flows(config, host, authority, status, host.now());
        for cut in &mut cuts {
            self.note(host, CopyState::Unverified, &mut cut.log_entry);
        }
        cuts
    }

    /// To be called every [`Edge::tick_ms`]; gives the calls that are due.
    pub fn on_tick(&mut self, host: &impl Host) -> Vec<StoreCall> {
        self.follow_the_time(host);
        let now = host.now();
        let left_out = self.gate.on_tick(host, now);
        origin_redirects::learn(&self.config, host);
        sweep::sweep(host, &self.config.records, now);
        self.operator.on_tick(host, &self.config, now, &left_out);
        match self.authority.fleet_mut() {
            Some(fleet) => fleet.on_tick(host, &self.config.records, now),
            None => Vec::new(),
        }
    }

    /// Goes by what other workers have corrected. Leases from before own time was set may last
    /// for too long in it: they go, and the records are looked at again.
    fn follow_the_time(&mut self, host: &impl Host) {
        let ahead_ms = own_time::learn(host);
        let before = self.ahead_ms.replace(ahead_ms);
        if before.is_some_and(|before| before.abs_diff(ahead_ms) > LEASES_STAND_MS) {
            self.gate.forget_leases();
        }
        host.show_clock_difference(host.machine_ahead_ms().unsigned_abs());
    }

    /// A difference of the machine's clock that an operator is to be told of now. To be called after
    /// each tick.
    #[must_use]
    pub fn clock_difference(&self, host: &impl Host) -> Option<ClockDifference> {
        own_time::notice(host)
    }

    /// To be called before it is dropped: counts what was not counted yet.
    pub fn on_end(&mut self, host: &impl Host) {
        let _ = self.gate.flush(host);
    }

    /// How often [`Edge::on_tick`] is to be called, in milliseconds.
    #[must_use]
    pub fn tick_ms(&self) -> u64 {
        match self.fleet() {
            Some(_) => fleet::TICK_MS,
            None if self.config.operator.is_some() => DOOR_TICK_MS,
            None => sweep::SWEEP_EVERY_MS,
        }
    }
}

/// A fingerprinter with a key of its own.
fn fingerprinter(entropy: &impl Entropy) -> Fingerprinter {
    let mut key = [0; 16];
    let random = entropy.random().into_iter().chain(entropy.random());
    for (to, from) in key.iter_mut().zip(random) {
        *to = from;
    }
    Fingerprinter::new(&key)
}
