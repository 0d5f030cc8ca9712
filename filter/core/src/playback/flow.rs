//! Responses that take long: a stream lives while their bytes flow to the viewer.
//!
//! A request is all that most streams need to be kept alive: the next comes soon. A whole film
//! in one response has no next one. So the worker remembers which responses are under way, and for
//! whom. Each piece of a body that goes on to the viewer leaves a note; at a tick, a stream whose
//! bytes have flowed is looked at as if it had asked for a segment: its lease is fresh, or its
//! record is touched, or it has lost its place, and its response is cut.
//!
//! Envoy takes no more from the origin than the viewer's connection takes from Envoy, but for
//! what its buffers hold. So pieces stop when a viewer stops to read, and come in bursts where
//! the viewer is slow: a burst counts for as long as it lasts at [`SLOWEST_BYTES_PER_S`].

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use streamgate_bytes::Fingerprint;
use streamgate_record::fleet::Ticket;
use streamgate_values::hash::HashMap;
use streamgate_values::moment::Moment;

use super::lease::Leased;
use crate::config::Config;

/// The pace at which a burst of bytes is thought to reach a viewer, in bytes a second: 1 Mbit/s.
const SLOWEST_BYTES_PER_S: u64 = 125_000;

/// The longest that a burst counts for, in milliseconds: what Envoy's and the kernel's buffers
/// hold together, 5 MB, at that pace. No longer than the stream's timeout, but for a timeout of a few seconds:
/// then what is usual between two bursts, 1.3 MB, has to fit.
const BURST_MAX_MS: u64 = 40_000;
const BURST_MIN_MS: u64 = 15_000;

/// Entries for responses under way, by the last bits of their tickets, which Envoy gives one
/// after the other. A response whose entry is needed for another moves to a table.
const ENTRIES: usize = 512;

/// The most responses under way that a worker remembers in its table: 6 MB. What comes on top
/// is like a segment: it lives by its request alone.
const MORE_MAX: usize = 65_536;

/// The most bytes of a response that nothing counts: to a prefetch, or to what is no media by its name. Segments
/// and whatever else is no film are smaller. From there on it is looked at as a film is, whatever its name.
const UNCOUNTED_MAX: u32 = 16 * 1024 * 1024;

/// How far a response is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    /// Nothing counts it.
    Uncounted,
    /// None of its bytes had flowed by the last tick.
    Short,
    /// Bytes have flowed before the last tick: from then on, the moments count.
    Long,
}

/// A response under way, or room for one.
struct Flow {
    /// Its ticket; of no interest where there is no stream.
    ticket: Cell<u32>,
    /// Index of the protected path in the configuration.
    path_index: Cell<u32>,
    /// Bytes that went to the viewer since the last tick; of what nothing counts, all of them.
    bytes: Cell<u32>,
    length: Cell<Length>,
    /// The response is known to be a success.
    is_success: Cell<bool>,
    stream: Cell<Option<Rc<Leased>>>,
    /// What the stream's lease is found under.
    name: Cell<Fingerprint>,
    /// Until when its bytes flow, for all that is known.
    flows_until: Cell<Moment>,
    /// Before this it is not judged again, unless a generation was bumped.
    judged_until: Cell<Moment>,
}

impl core::fmt::Debug for Flow {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Flow")
            .field("ticket", &self.ticket)
            .finish_non_exhaustive()
    }
}

impl Flow {
    const fn none() -> Self {
        Self {
            ticket: Cell::new(0),
            path_index: Cell::new(0),
            bytes: Cell::new(0),
            length: Cell::new(Length::Short),
            is_success: Cell::new(false),
            stream: Cell::new(None),
            name: Cell::new(Fingerprint(0)),
            flows_until: Cell::new(Moment::EARLIEST),
            judged_until: Cell::new(Moment::EARLIEST),
        }
    }

    fn stream(&self) -> Option<Rc<Leased>> {
        let stream = self.stream.take();
        self.stream.set(stream.clone());
        stream
    }

    /// Its stream and where it stands, if its bytes flow and have for long enough.
    fn look(&self, config: &Config, now: Moment) -> Look {
        if self.length.get() == Length::Uncounted {
            if self.bytes.get() <= UNCOUNTED_MAX {
                return Look::Still;
            }
            self.length.set(Length::Long);
            self.flows_until.set(now);
            self.judged_until.set(Moment::EARLIEST);
        }
        let bytes = u64::from(self.bytes.take());
        let path_index = self.path_index.get() as usize;
        let path = config.playback.get(path_index);
        let timeout_ms = path.map_or(0, |path| path.timeout_ms);
        let was_long = self.length.get() == Length::Long;
        let longest = now.plus_ms(timeout_ms.clamp(BURST_MIN_MS, BURST_MAX_MS));
        // Beyond that it was put there before the time was set back.
        let is_between = |until: Moment| now < until && until <= longest;
        if bytes > 0 {
            if !was_long {
                self.flows_until.set(now);
                self.judged_until.set(Moment::EARLIEST);
            }
            let lasts_ms = bytes.saturating_mul(1_000) / SLOWEST_BYTES_PER_S;
            let from = self.flows_until.get().max(now);
            self.flows_until.set(from.plus_ms(lasts_ms).min(longest));
            self.length.set(Length::Long);
        } else if !was_long || !is_between(self.flows_until.get()) {
            return Look::Still;
        }
        // A segment of ordinary size has ended by the next tick.
        if !was_long {
            return Look::New;
        }
        let Some(stream) = self.stream() else {
            return Look::Still;
        };
        Look::Flows(Flowing {
            ticket: Ticket(self.ticket.get()),
            path_index,
            stream,
            name: self.name.get(),
            is_settled: (1..=timeout_ms).contains(&self.judged_until.get().ms_since(now)),
            is_success: self.is_success.get(),
        })
    }
}

/// How a response stands.
enum Look {
    /// None of its bytes flow.
    Still,
    /// They have begun to flow.
    New,
    /// They flow on.
    Flows(Flowing),
}

/// The responses of one worker that are under way. Shared with whoever hears of their bytes: that
/// happens for each piece of each response, and must cost next to nothing.
#[derive(Debug)]
pub struct Flows {
    /// The request or response at hand.
    at_hand: Cell<u32>,
    entries: Box<[Flow; ENTRIES]>,
    /// Boxed, so that a table that has grown is no multiple of what is in it.
    more: RefCell<HashMap<u32, Box<Flow>>>,
    has_more: Cell<bool>,
    /// Whether bytes have flowed since it was found that none do.
    is_busy: Cell<bool>,
}

impl Flows {
    /// None.
    pub(super) fn new() -> Self {
        Self {
            at_hand: Cell::new(0),
            entries: Box::new([const { Flow::none() }; ENTRIES]),
            more: RefCell::default(),
            has_more: Cell::new(false),
            is_busy: Cell::new(false),
        }
    }

    /// A piece of the response of this ticket goes on to the viewer, so many bytes, and more will
    /// come.
    pub fn note(&self, ticket: Ticket, bytes: usize) {
        self.with(ticket, |flow| {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            flow.bytes.set(flow.bytes.get().saturating_add(bytes));
            self.is_busy.set(true);
        });
    }

    /// The request of this ticket is over, or its viewer gone.
    pub fn end(&self, Ticket(ticket): Ticket) {
        let flow = self.entry(ticket);
        if flow.ticket.get() == ticket {
            flow.ticket.set(0);
            flow.stream.set(None);
        } else if self.has_more.get() {
            let mut more = self.more.borrow_mut();
            more.remove(&ticket);
            self.has_more.set(!more.is_empty());
        }
    }

    /// The stream of this name was refused: whatever was found of its responses before, they are
    /// judged at the next tick.
    pub(super) fn unsettle(&self, name: Fingerprint) {
        if self.is_busy.get() {
            let more = self.more.borrow();
            let all = self.entries.iter().chain(more.values().map(|flow| &**flow));
            for flow in all.filter(|flow| flow.name.get() == name) {
                flow.judged_until.set(Moment::EARLIEST);
            }
        }
    }

    /// What [`Flows::begin`] is called for comes next.
    pub(super) fn expect(&self, Ticket(ticket): Ticket) {
        self.at_hand.set(ticket);
    }

    /// Whether bytes have flowed lately.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy.get()
    }

    /// The response to the request at hand is for this stream.
    pub(super) fn begin(
        &self,
        name: Fingerprint,
        path_index: usize,
        stream: &Rc<Leased>,
        is_success: bool,
    ) {
        let ticket = self.at_hand.get();
        let flow = self.entry(ticket);
        if flow.ticket.get() != 0 {
            self.set_aside(flow);
        }
        flow.ticket.set(ticket);
        flow.path_index
            .set(u32::try_from(path_index).unwrap_or(u32::MAX));
        flow.bytes.set(0);
        flow.length.set(Length::Short);
        flow.is_success.set(is_success);
        flow.name.set(name);
        flow.stream.set(Some(Rc::clone(stream)));
    }

    /// The same where nothing counts it: it is to a prefetch, or to what is no media.
    #[inline(never)]
    pub(super) fn begin_uncounted(
        &self,
        name: Fingerprint,
        path_index: usize,
        stream: &Rc<Leased>,
    ) {
        self.begin(name, path_index, stream, false);
        let at_hand = Ticket(self.at_hand.get());
        self.with(at_hand, |flow| flow.length.set(Length::Uncounted));
    }

    #[cold]
    #[inline(never)]
    fn set_aside(&self, flow: &Flow) {
        let mut more = self.more.borrow_mut();
        if flow.ticket.get() != self.at_hand.get() && more.len() < MORE_MAX {
            let earlier = Box::new(Flow::none());
            earlier.ticket.swap(&flow.ticket);
            earlier.path_index.swap(&flow.path_index);
            earlier.bytes.swap(&flow.bytes);
            earlier.length.swap(&flow.length);
            earlier.is_success.swap(&flow.is_success);
            earlier.stream.swap(&flow.stream);
            earlier.name.swap(&flow.name);
            earlier.flows_until.swap(&flow.flows_until);
            earlier.judged_until.swap(&flow.judged_until);
            more.insert(earlier.ticket.get(), earlier);
            self.has_more.set(true);
        }
    }

    fn entry(&self, ticket: u32) -> &Flow {
        let [first, ..] = &*self.entries;
        self.entries.get(ticket as usize % ENTRIES).unwrap_or(first)
    }

    fn with(&self, Ticket(ticket): Ticket, act: impl FnOnce(&Flow)) {
        let flow = self.entry(ticket);
        if flow.ticket.get() == ticket {
            act(flow);
        } else if self.has_more.get()
            && let Some(flow) = self.more.borrow().get(&ticket)
        {
            act(flow);
        }
    }

    /// The long responses whose bytes flow.
    pub(super) fn flowing(&self, config: &Config, now: Moment) -> Vec<Flowing> {
        if !self.is_busy.take() {
            return Vec::new();
        }
        let more = self.more.borrow();
        let mut flowing = Vec::with_capacity(more.len().saturating_add(ENTRIES));
        let entries = self.entries.iter().filter(|flow| flow.ticket.get() != 0);
        for flow in entries.chain(more.values().map(Box::as_ref)) {
            match flow.look(config, now) {
                Look::Still => continue,
                Look::New => {}
                Look::Flows(flow) => flowing.push(flow),
            }
            self.is_busy.set(true);
        }
        flowing
    }

    /// It is a success, and need not be judged again for so long.
    pub(super) fn settle(&self, ticket: Ticket, until: Moment) {
        self.with(ticket, |flow| {
            flow.is_success.set(true);
            flow.judged_until.set(until);
        });
    }
}

/// A long response whose bytes flow.
pub(super) struct Flowing {
    pub(super) ticket: Ticket,
    pub(super) path_index: usize,
    pub(super) stream: Rc<Leased>,
    pub(super) name: Fingerprint,
    /// It was judged a short while ago.
    pub(super) is_settled: bool,
    /// The response is known to be a success.
    pub(super) is_success: bool,
}
