//! One worker's edge, and what its requests wait for.

mod manifests;
mod store;

use hashbrown::HashMap;
use streamgate_core::edge::{Edge, Settled};
use streamgate_core::exchange::LogEntry;
use streamgate_core::playback::{Held, Rewrite, Watch};
use streamgate_core::step::{Pending, ResponseStep, Step};
use streamgate_record::fleet::{StoreCall, Ticket};
use streamgate_record::own_time::ClockDifference;

use crate::envoy::{Headers, HttpStream, StreamScheduler};
use crate::head::RequestHead;
use crate::host::Process;
use crate::manifest::HeldManifest;
use crate::todo::{Response, ResponseTodo, Todo};

/// What is kept for a request that waits.
enum Kept {
    Body(Pending),
    Response {
        watch: Option<Watch>,
        renewed: Option<(String, String)>,
        rewrite: Option<Box<Rewrite>>,
    },
    Manifest(HeldManifest),
}

/// A response whose body is under way.
struct Live {
    stream: HttpStream,
    status: u16,
}

/// A worker's edge and its requests. Nothing here calls Envoy but to look at a head or to make
/// and use schedulers, because it is done under a lock.
pub(crate) struct Desk {
    edge: Edge,
    latest: u32,
    kept: HashMap<u32, Kept>,
    live: HashMap<u32, Live>,
    /// What has the worker come here, by the name of one of those that are live.
    waker: Option<(u32, StreamScheduler)>,
    /// What has the worker go on with a request that waits for the fleet's store.
    parked: HashMap<u32, StreamScheduler>,
    settled: HashMap<u32, Settled>,
    /// Responses to be cut.
    cuts: Vec<(u32, Option<LogEntry>)>,
    calls: Vec<StoreCall>,
    /// What the log is to be told of streams that have ended.
    ends: Vec<String>,
    /// Bytes of manifests that are held until they are whole.
    held: usize,
    ticks: u32,
}

impl Desk {
    pub(crate) fn new(edge: Edge) -> Self {
        Self {
            edge,
            latest: 0,
            kept: HashMap::new(),
            live: HashMap::new(),
            waker: None,
            parked: HashMap::new(),
            settled: HashMap::new(),
            cuts: Vec::new(),
            calls: Vec::new(),
            ends: Vec::new(),
            held: 0,
            ticks: 0,
        }
    }

    /// Begins anew after a panic, under the same configuration. What is on record stays; what
    /// requests wait for is gone, and those that wait for the store are told to look.
    pub(crate) fn replace_edge(&mut self, edge: Edge) {
        let old = core::mem::replace(self, Self::new(edge));
        self.latest = old.latest;
        self.live = old.live;
        self.waker = old.waker;
        for scheduler in old.parked.values() {
            scheduler.commit();
        }
    }

    /// How often [`Desk::tick`] is to be called, in milliseconds.
    pub(crate) fn tick_ms(&self) -> u64 {
        self.edge.tick_ms()
    }

    /// Does what is due, if the ticker has ticked since it was last done.
    pub(crate) fn tick(&mut self, process: &Process, ticks: u32) {
        if self.ticks == ticks {
            return;
        }
        self.ticks = ticks;
        let mut calls = self.edge.on_tick(process);
        self.calls.append(&mut calls);
        self.settle();
        // Envoy's main thread takes them. Until it does, more wait where their number is bounded.
        if self.ends.is_empty() {
            self.ends = self.edge.ends(process);
        }
        if self.edge.has_flows() {
            let live = &self.live;
            let status = |Ticket(ticket)| Some(live.get(&ticket)?.status);
            for cut in self.edge.cuts(process, status) {
                let Ticket(ticket) = cut.ticket;
                self.cuts.push((ticket, cut.log_entry));
            }
        }
        if !self.cuts.is_empty()
            && let Some((_, waker)) = &self.waker
        {
            waker.commit();
        }
    }

    /// Counts what was not counted yet, and gives the last lines for the log. To be called before it
    /// is dropped.
    pub(crate) fn end(&mut self, process: &Process) -> Vec<String> {
        self.edge.on_end(process);
        self.ends.append(&mut self.edge.ends(process));
        self.take_ends()
    }

    /// What the log is to be told of streams that have ended.
    pub(crate) fn take_ends(&mut self) -> Vec<String> {
        core::mem::take(&mut self.ends)
    }

    /// A request's head is there; it gets a ticket.
    pub(crate) fn on_request(
        &mut self,
        process: &Process,
        stream: HttpStream,
        path: &[u8],
        ends: bool,
    ) -> (u32, Todo) {
        // 0 is nobody's.
        self.latest = self.latest.checked_add(1).unwrap_or(1);
        let (ticket, head) = (self.latest, RequestHead::of(stream));
        let step = self
            .edge
            .on_request(process, Ticket(ticket), &head, path, ends);
        (ticket, self.note(step, ticket, stream))
    }

    /// A session API call's body is there.
    pub(crate) fn on_body(
        &mut self,
        process: &Process,
        ticket: u32,
        stream: HttpStream,
        body: &[u8],
    ) -> Todo {
        let Some(Kept::Body(pending)) = self.kept.remove(&ticket) else {
            return Todo::Pass;
        };
        let step = self.edge.on_body(process, Ticket(ticket), pending, body);
        self.note(step, ticket, stream)
    }

    /// An awaited response's headers are there.
    pub(crate) fn on_response(
        &mut self,
        process: &Process,
        ticket: u32,
        stream: HttpStream,
        status: u16,
        ends: bool,
    ) -> Response {
        let (mut todo, mut is_collected) = (ResponseTodo::Pass, false);
        let Some(Kept::Response {
            watch,
            renewed,
            rewrite,
        }) = self.kept.remove(&ticket)
        else {
            return Response {
                todo,
                renewed: None,
                is_collected,
            };
        };
        let header = |name: &str| stream.header(Headers::Response, name);
        if let Some(watch) = watch.filter(|watch| watch.counts(status, header)) {
            let step = self
                .edge
                .on_response(process, Ticket(ticket), &watch, status, ends);
            todo = self.note_response(step, ticket, stream);
        }
        if let (ResponseTodo::Pass | ResponseTodo::Tell(_), Some(rewrite)) = (&todo, rewrite) {
            let set = |name: &str, value: Option<&str>| {
                stream.set_header(Headers::Response, name, value.map(str::as_bytes));
            };
            let edge = &self.edge;
            if let Held::Until(end, coding) =
                edge.on_response_head(process, &rewrite, (status, ends), header, set)
            {
                let manifest = HeldManifest {
                    rewrite,
                    coding,
                    end,
                    body: Vec::new(),
                };
                self.kept.insert(ticket, Kept::Manifest(manifest));
                is_collected = true;
            }
        }
        Response {
            todo,
            renewed,
            is_collected,
        }
    }

    /// What the edge says of a request is noted down, as far as something is to be kept.
    fn note(&mut self, step: Step, ticket: u32, stream: HttpStream) -> Todo {
        match step {
            Step::Pass => Todo::Pass,
            Step::Log(log_entry) => Todo::Tell(log_entry),
            Step::Forward(forward) => {
                let awaited = forward.watch.is_some()
                    || forward.renewed.is_some()
                    || forward.rewrite.is_some();
                if awaited {
                    let kept = Kept::Response {
                        watch: forward.watch,
                        renewed: forward.renewed,
                        rewrite: forward.rewrite,
                    };
                    self.kept.insert(ticket, kept);
                }
                Todo::Forward {
                    strip: forward.strip,
                    scrub: forward.scrub,
                    awaited,
                }
            }
            Step::AwaitBody(pending) => {
                self.kept.insert(ticket, Kept::Body(pending));
                Todo::AwaitBody
            }
            Step::Reply(reply) => Todo::Reply(Box::new(reply)),
            Step::Park => {
                self.park(ticket, stream);
                Todo::Park
            }
        }
    }

    /// The same of a response.
    fn note_response(
        &mut self,
        step: ResponseStep,
        ticket: u32,
        stream: HttpStream,
    ) -> ResponseTodo {
        match step {
            Step::Pass => ResponseTodo::Pass,
            Step::Log(log_entry) => ResponseTodo::Tell(log_entry),
            Step::Reply(reply) => ResponseTodo::Reply(Box::new(reply)),
            Step::Park => {
                self.park(ticket, stream);
                ResponseTodo::Park
            }
        }
    }

    fn park(&mut self, ticket: u32, stream: HttpStream) {
        if let Some(scheduler) = stream.scheduler() {
            self.parked.insert(ticket, scheduler);
        }
    }

    /// A piece of a response's body goes on to the viewer, and more will come.
    pub(crate) fn on_piece(&mut self, ticket: u32, stream: HttpStream, status: u16, length: usize) {
        self.edge.flows().note(Ticket(ticket), length);
        if self.live.insert(ticket, Live { stream, status }).is_none() && self.waker.is_none() {
            self.waker = stream.scheduler().map(|waker| (ticket, waker));
        }
    }

    /// The request is over.
    pub(crate) fn forget(&mut self, ticket: u32) {
        self.edge.flows().end(Ticket(ticket));
        if let Some(Kept::Manifest(manifest)) = self.kept.remove(&ticket) {
            self.held = self.held.saturating_sub(manifest.body.len());
        }
        if self.parked.remove(&ticket).is_some() {
            self.edge.forget(Ticket(ticket));
        }
        self.settled.remove(&ticket);
        self.cuts.retain(|(cut, _)| *cut != ticket);
        self.live.remove(&ticket);
        if self.waker.as_ref().is_some_and(|(of, _)| *of == ticket) {
            let mut live = self.live.iter();
            let another = live.find_map(|(ticket, live)| Some((*ticket, live.stream.scheduler()?)));
            self.waker = another;
        }
    }

    /// A response to be cut now.
    pub(crate) fn next_cut(&mut self) -> Option<(HttpStream, Option<LogEntry>)> {
        loop {
            let (ticket, log_entry) = self.cuts.pop()?;
            if let Some(live) = self.live.get(&ticket) {
                return Some((live.stream, log_entry));
            }
        }
    }

    /// A difference of the machine's clock that is to be told now.
    pub(crate) fn clock_difference(&mut self, process: &Process) -> Option<ClockDifference> {
        self.edge.clock_difference(process)
    }
}
