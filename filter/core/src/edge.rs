//! One worker's edge: every request passes through here.

mod door;

use core::cell::OnceCell;

use hashbrown::HashMap;
use streamgate_bytes::Fingerprinter;
use streamgate_policy::Event;
use streamgate_record::fleet::{
    self, Call, CallFailure, CallId, Fleet, OnOutage, Question, Settled, Ticket,
};
use streamgate_record::ports::{Entropy, Host};
use streamgate_record::{Unavailable, memory_since, sweep};
use streamgate_tokens::signed::PlaybackToken;
use streamgate_values::head::Head;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use crate::api::{self, Begun, Called, CreatesByClient, Door, Finished, PendingCall, Unanswered};
use crate::authority::Authority;
pub use crate::authority::CopyState;
use crate::config::Config;
use crate::exchange::Reply;
use crate::operator::{DOOR_TICK_MS, OperatorState, PendingOperation, UnansweredOperation};
use crate::playback::{Coding, Forward, Gate, Passage, Rewrite, Scrub, Watch, Watched};
use crate::refusal::misplaced::misplaced;
use crate::refusal::reason::Reason;
use crate::request::surface::{Surface, surface};
use crate::request::viewer::Asked;

/// What is to become of a request.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// It goes on as it is.
    Pass,
    /// It goes on.
    Forward(Forward),
    /// It goes on when its body is there: hand both to [`Edge::on_body`].
    AwaitBody(Pending),
    /// It is answered here.
    Reply(Reply),
    /// It waits for the fleet's store: [`Edge::settled`] will tell.
    Wait,
}

/// A request that goes on when its body is there.
#[derive(Debug)]
pub enum Pending {
    /// A call of the session API.
    Call(PendingCall),
    /// A call at the operator's door.
    Operation(PendingOperation),
}

/// What is to become of a call whose body is there.
#[derive(Debug)]
#[must_use]
#[expect(
    clippy::large_enum_variant,
    reason = "it is made once a call, and taken apart at once"
)]
pub enum Answering {
    /// It is answered.
    Reply(Reply),
    /// It waits for the fleet's store: [`Edge::settled`] will tell.
    Wait,
}

/// What is to become of a request that has waited.
#[derive(Debug)]
#[must_use]
pub enum Resumed {
    /// Hand its head to [`Edge::on_request_again`] with this.
    Request(CopyState),
    /// It is answered here.
    Reply(Reply),
    /// Its response goes on to the viewer, or not.
    Response(Watched),
}

/// What a request waits for.
#[derive(Debug)]
enum Waiting {
    /// This edge's copy of a record to be up to date.
    Request,
    /// The decision about a call.
    Call(Unanswered),
    /// The decision about a call at the operator's door.
    Operation(UnansweredOperation),
    /// The decision about a response.
    Response(Watch),
}

/// A worker's edge under one configuration.
///
/// Call [`Edge::on_request`] first; what it returns says which of
/// [`Edge::on_body`] and [`Edge::on_response`] is to follow.
#[derive(Debug)]
pub struct Edge {
    config: Config,
    gate: Gate,
    /// Since when the store remembers, once asked.
    memory_since: Option<Moment>,
    fleet: Option<Fleet>,
    waiting: HashMap<Ticket, Waiting>,
    creates: CreatesByClient,
    operator: OperatorState,
}

impl Edge {
    /// An edge that goes by `config`.
    #[must_use]
    pub fn new(config: Config, entropy: &impl Entropy) -> Self {
        let fingerprinter = fingerprinter(entropy);
        Self {
            fleet: config.fleet.clone().map(Fleet::new),
            config,
            gate: Gate::new(fingerprinter),
            memory_since: None,
            waiting: HashMap::new(),
            creates: CreatesByClient::new(fingerprinter),
            operator: OperatorState::new(),
        }
    }

    /// How it speaks with the store of its fleet, if it is in one.
    #[must_use]
    pub fn fleet(&self) -> Option<&fleet::Settings> {
        self.fleet.as_ref().map(Fleet::settings)
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
        self.request_and_note(host, ticket, head, path, ends, CopyState::Unverified)
    }

    /// Decides about a request that has waited, as [`Resumed::Request`] says.
    pub fn on_request_again(
        &mut self,
        host: &impl Host,
        ticket: Ticket,
        head: &impl Head,
        path: &[u8],
        copy_state: CopyState,
    ) -> Step {
        self.request_and_note(host, ticket, head, path, true, copy_state)
    }

    fn request_and_note(
        &mut self,
        host: &impl Host,
        ticket: Ticket,
        head: &impl Head,
        path: &[u8],
        ends: bool,
        copy_state: CopyState,
    ) -> Step {
        self.operator.serves = true;
        let mut step = self.request(host, ticket, head, path, ends, copy_state);
        if let Step::Reply(reply) = &mut step {
            self.note(host, copy_state, &mut reply.record);
        }
        step
    }

    fn request(
        &mut self,
        host: &impl Host,
        ticket: Ticket,
        head: &impl Head,
        path: &[u8],
        ends: bool,
        copy_state: CopyState,
    ) -> Step {
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
                let mut authority = Authority {
                    records: &self.config.records,
                    memory_since: known_memory_since(&mut self.memory_since, host, || host.now()),
                    fleet: self.fleet.as_mut(),
                    copy_state,
                };
                let called = Called {
                    whole: path,
                    path: after,
                    ends,
                };
                let mut door = Door {
                    good: self.gate.good_tokens(),
                    creates: &mut self.creates,
                };
                let (config, authority) = (&self.config, &mut authority);
                match api::begin(
                    config,
                    session_api,
                    host,
                    head,
                    called,
                    &mut door,
                    authority,
                ) {
                    Begun::Reply(reply) => Step::Reply(reply),
                    Begun::AwaitBody(pending) => Step::AwaitBody(Pending::Call(pending)),
                    Begun::Wait(unanswered) => {
                        self.call_waits(host, ticket, unanswered);
                        Step::Wait
                    }
                }
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
                let memory_since = |now| known_memory_since(&mut self.memory_since, host, || now);
                let mut authority = Authority {
                    records: &self.config.records,
                    fleet: self.fleet.as_mut(),
                    memory_since: Moment::EARLIEST,
                    copy_state,
                };
                let gate = &mut self.gate;
                match gate.on_request(
                    &self.config,
                    host,
                    asked,
                    path_index,
                    &mut authority,
                    memory_since,
                ) {
                    Passage::Forward(forward) => Step::Forward(forward),
                    Passage::Reply(reply) => Step::Reply(reply),
                    Passage::Wait(subject) => {
                        authority.ask(subject, ticket, Question::Look, host.now());
                        self.waiting.insert(ticket, Waiting::Request);
                        Step::Wait
                    }
                }
            }
            Surface::Operator => self.operator_call(host, ticket, head, path, ends),
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
    ) -> Answering {
        let mut answering = match pending {
            Pending::Call(pending) => self.call_body(host, ticket, pending, body),
            Pending::Operation(pending) => self.operator_body(host, ticket, pending, body),
        };
        if let Answering::Reply(reply) = &mut answering {
            self.note(host, CopyState::Unverified, &mut reply.record);
        }
        answering
    }

    fn call_body(
        &mut self,
        host: &impl Host,
        ticket: Ticket,
        pending: PendingCall,
        body: &[u8],
    ) -> Answering {
        let finished = self.keeping(host, CopyState::Unverified, |config, authority, _| {
            api::finish(config, host, pending, body, authority)
        });
        match finished {
            Finished::Reply(reply) => Answering::Reply(reply),
            Finished::Wait(unanswered) => {
                self.call_waits(host, ticket, unanswered);
                Answering::Wait
            }
        }
    }

    /// Takes note of the response to a watched request.
    pub fn on_response(
        &mut self,
        host: &impl Host,
        ticket: Ticket,
        watch: &Watch,
        status: u16,
    ) -> Watched {
        let mut watched = self.keeping(host, CopyState::Unverified, |config, authority, gate| {
            gate.on_response(config, host, watch, status, authority)
        });
        self.note_watched(host, CopyState::Unverified, &mut watched);
        if let Watched::Wait(subject, event) = &watched {
            let question = Question::Decide(event.clone());
            let now = host.now();
            self.keeping(host, CopyState::Unverified, |_, authority, _| {
                authority.ask(*subject, ticket, question, now);
            });
            self.waiting
                .insert(ticket, Waiting::Response(watch.clone()));
        }
        watched
    }

    /// A manifest whose body is there, with the token in the URLs that need it; `None`: it is
    /// good as it is.
    #[must_use]
    pub fn rewrite_manifest(
        &self,
        host: &impl Host,
        rewrite: &Rewrite,
        coding: Coding,
        body: &[u8],
    ) -> Option<Vec<u8>> {
        rewrite.apply(&self.config, host, coding, body)
    }

    /// The request of this ticket is gone.
    pub fn forget(&mut self, ticket: Ticket) {
        if self.waiting.remove(&ticket).is_some()
            && let Some(fleet) = &mut self.fleet
        {
            fleet.forget(ticket);
        }
    }

    /// Whether [`Edge::calls`] has something to give.
    #[must_use]
    pub fn has_calls(&self) -> bool {
        self.fleet.as_ref().is_some_and(Fleet::has_calls)
    }

    /// How many shards of the fleet's store do not answer.
    #[must_use]
    pub fn shards_down(&self) -> usize {
        self.fleet.as_ref().map_or(0, Fleet::shards_down)
    }

    /// The calls to the fleet's store that somebody waits for.
    pub fn calls(&mut self, host: &impl Host) -> Vec<Call> {
        match &mut self.fleet {
            Some(fleet) => fleet.calls(host, &self.config.records, host.now()),
            None => Vec::new(),
        }
    }

    /// To be called every [`Edge::tick_ms`]; gives the calls that are due.
    pub fn on_tick(&mut self, host: &impl Host) -> Vec<Call> {
        let now = host.now();
        self.gate.on_tick(host, now);
        sweep::sweep(host, &self.config.records, now);
        self.operator.on_tick(host, &self.config, now);
        match &mut self.fleet {
            Some(fleet) => fleet.on_tick(host, &self.config.records, now),
            None => Vec::new(),
        }
    }

    /// To be called before it is dropped: tells what was not told yet.
    pub fn on_end(&mut self, host: &impl Host) {
        self.gate.tell(host);
    }

    /// How often [`Edge::on_tick`] is to be called, in milliseconds.
    #[must_use]
    pub fn tick_ms(&self) -> u64 {
        match self.fleet {
            Some(_) => fleet::TICK_MS,
            None if self.config.operator.is_some() => DOOR_TICK_MS,
            None => sweep::SWEEP_EVERY_MS,
        }
    }

    /// Takes what came back of a call.
    pub fn on_store_reply(
        &mut self,
        host: &impl Host,
        call: CallId,
        reply: Result<&[u8], CallFailure>,
    ) {
        if let Some(fleet) = &mut self.fleet {
            fleet.on_reply(host, &self.config.records, call, reply, host.now());
        }
    }

    /// The requests that have waited for long enough, and what is to become of them.
    pub fn settled(&mut self, host: &impl Host) -> Vec<(Ticket, Resumed)> {
        let settled = self.fleet.as_mut().map(Fleet::settled).unwrap_or_default();
        let resumed = settled.into_iter().filter_map(|settled| {
            let waiting = self.waiting.remove(&settled.ticket)?;
            Some((settled.ticket, self.resume(host, waiting, settled)))
        });
        resumed.collect()
    }

    fn resume(&mut self, host: &impl Host, waiting: Waiting, settled: Settled) -> Resumed {
        let copy_state = match settled.answer {
            Err(Unavailable::Fleet) => CopyState::Unreachable,
            _ => CopyState::Verified,
        };
        // In vain: the edge decides by itself, or refuses.
        let answer = (copy_state == CopyState::Verified).then_some(settled.answer);
        match waiting {
            Waiting::Request => Resumed::Request(copy_state),
            Waiting::Operation(unanswered) => {
                let decided = answer.and_then(Result::transpose);
                let mut reply = self.operator_resumes(host, copy_state, unanswered, decided);
                self.note(host, copy_state, &mut reply.record);
                Resumed::Reply(reply)
            }
            Waiting::Call(unanswered) => {
                let in_doubt = answer.is_none() && settled.may_be_recorded;
                let undo = in_doubt.then(|| unanswered.undo()).flatten();
                let decided = answer.and_then(Result::transpose);
                let finished = self.keeping(host, copy_state, |config, authority, _| {
                    api::resume(config, host, unanswered, decided, authority)
                });
                self.undo(host, undo);
                match finished {
                    Finished::Reply(mut reply) => {
                        self.note(host, copy_state, &mut reply.record);
                        Resumed::Reply(reply)
                    }
                    // It cannot wait a second time: the copy is verified, or the store unreachable.
                    Finished::Wait(_) => Resumed::Reply(Reply::default()),
                }
            }
            Waiting::Response(watch) => {
                let now = host.now();
                let mut watched =
                    self.keeping(host, copy_state, |config, authority, gate| match &answer {
                        Some(answer) => {
                            let decided = answer
                                .as_ref()
                                .map(Option::as_ref)
                                .map_err(|unavailable| *unavailable);
                            gate.decided(config, host, &watch, decided, now)
                        }
                        None => gate.on_response(config, host, &watch, 200, authority),
                    });
                self.note_watched(host, copy_state, &mut watched);
                Resumed::Response(watched)
            }
        }
    }

    /// A start was refused because the store did not answer. Should it have recorded the
    /// start all the same, nobody would play under it.
    fn undo(&mut self, host: &impl Host, undo: Option<(SubjectKey, Event)>) {
        if let Some(fleet) = &mut self.fleet
            && fleet.settings().on_outage == OnOutage::Refuse
            && let Some((subject, event)) = undo
        {
            fleet.ask(subject, None, Question::Decide(event), host.now());
        }
    }

    fn call_waits(&mut self, host: &impl Host, ticket: Ticket, unanswered: Unanswered) {
        if let Some(fleet) = &mut self.fleet {
            let question = unanswered.question.clone();
            fleet.ask(unanswered.subject, Some(ticket), question, host.now());
        }
        self.waiting.insert(ticket, Waiting::Call(unanswered));
    }

    /// Does something with the records, by way of the authority.
    fn keeping<T>(
        &mut self,
        host: &impl Host,
        copy_state: CopyState,
        work: impl FnOnce(&Config, &mut Authority<'_>, &mut Gate) -> T,
    ) -> T {
        let mut authority = Authority {
            records: &self.config.records,
            memory_since: known_memory_since(&mut self.memory_since, host, || host.now()),
            fleet: self.fleet.as_mut(),
            copy_state,
        };
        work(&self.config, &mut authority, &mut self.gate)
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

fn known_memory_since(
    known: &mut Option<Moment>,
    host: &impl Host,
    now: impl FnOnce() -> Moment,
) -> Moment {
    *known.get_or_insert_with(|| memory_since::memory_since(host, now()))
}
