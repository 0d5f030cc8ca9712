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

use std::rc::Rc;

use hashbrown::HashMap;
use streamgate_bytes::Fingerprint;
use streamgate_record::fleet::Ticket;
use streamgate_values::moment::Moment;
use streamgate_values::path::Reading;

use super::class::Class;
use super::lease::Leased;
use crate::config::{Config, PlaybackPath};

/// The pace at which a burst of bytes is thought to reach a viewer, in bytes a second: 1 Mbit/s.
const SLOWEST_BYTES_PER_S: u64 = 125_000;

/// The longest that a burst counts for, in milliseconds: what Envoy's and the kernel's buffers
/// hold together, 5 MB, at that pace. Never longer than the stream's timeout.
const BURST_MAX_MS: u64 = 40_000;

/// Places for responses under way, by the last bits of their tickets, which Envoy gives one
/// after the other. Whoever is in its place when another comes moves to a table.
const PLACES: usize = 512;

/// The most responses under way that a worker remembers in its table: 5 MB. What comes on top
/// is like a segment: it lives by its request alone.
const MORE_MAX: usize = 65_536;

/// A response under way.
#[derive(Debug)]
struct Flow {
    ticket: Ticket,
    /// Place of the protected path in the configuration.
    path_index: u32,
    stream: Rc<Leased>,
    /// Bytes that went to the viewer since the last tick.
    bytes: u32,
    /// What the stream's lease is found under.
    name: Fingerprint,
    /// Until when its bytes flow, for all that is known.
    flows_until: Moment,
    /// Before this it is not judged again, unless a generation was bumped.
    judged_until: Moment,
    /// Bytes have flowed before the last tick.
    is_long: bool,
    /// The response is known to be a success.
    is_success: bool,
}

/// The responses of one worker that are under way.
#[derive(Debug)]
pub(super) struct Flows {
    /// The request or response at hand.
    pub(super) at_hand: Ticket,
    places: Box<[Option<Flow>]>,
    more: HashMap<u32, Flow>,
    /// Whether bytes have flowed since it was found that none do.
    pub(super) is_busy: bool,
}

impl Flows {
    /// None.
    pub(super) fn new() -> Self {
        Self {
            at_hand: Ticket(0),
            places: (0..PLACES).map(|_| None).collect(),
            more: HashMap::new(),
            is_busy: false,
        }
    }

    /// The response to the request at hand is for this stream.
    pub(super) fn begin(
        &mut self,
        name: Fingerprint,
        path_index: usize,
        stream: &Rc<Leased>,
        is_success: bool,
    ) {
        let ticket = self.at_hand;
        let Some(place) = self.places.get_mut(index(ticket)) else {
            return;
        };
        let flow = Flow {
            ticket,
            path_index: u32::try_from(path_index).unwrap_or(u32::MAX),
            stream: Rc::clone(stream),
            bytes: 0,
            name,
            flows_until: Moment::EARLIEST,
            judged_until: Moment::EARLIEST,
            is_long: false,
            is_success,
        };
        if let Some(earlier) = place.replace(flow) {
            self.set_aside(earlier);
        }
    }

    #[inline(never)]
    fn set_aside(&mut self, flow: Flow) {
        if flow.ticket != self.at_hand && self.more.len() < MORE_MAX {
            self.more.insert(flow.ticket.0, flow);
        }
    }

    fn find(&mut self, ticket: Ticket) -> Option<&mut Flow> {
        match self.places.get_mut(index(ticket)) {
            Some(Some(flow)) if flow.ticket == ticket => Some(flow),
            _ if self.more.is_empty() => None,
            _ => self.more.get_mut(&ticket.0),
        }
    }

    /// A piece of a response's body goes on to the viewer.
    pub(super) fn note(&mut self, ticket: Ticket, bytes: usize) {
        if let Some(flow) = self.find(ticket) {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            flow.bytes = flow.bytes.saturating_add(bytes);
            self.is_busy = true;
        }
    }

    /// A response is over, or its request gone.
    pub(super) fn end(&mut self, ticket: Ticket) {
        match self.places.get_mut(index(ticket)) {
            Some(place) if place.as_ref().is_some_and(|flow| flow.ticket == ticket) => {
                *place = None;
            }
            _ if self.more.is_empty() => {}
            _ => {
                self.more.remove(&ticket.0);
            }
        }
    }

    /// The long responses whose bytes flow.
    pub(super) fn flowing(&mut self, config: &Config, now: Moment) -> Vec<Flowing> {
        if !core::mem::take(&mut self.is_busy) {
            return Vec::new();
        }
        let places = self.places.iter_mut().flatten();
        let mut flowing = Vec::new();
        for flow in places.chain(self.more.values_mut()) {
            let bytes = u64::from(core::mem::take(&mut flow.bytes));
            let path = config.playback.get(flow.path_index as usize);
            let timeout_ms = path.map_or(0, |path| path.timeout_ms);
            if bytes > 0 {
                let lasts_ms = bytes.saturating_mul(1_000) / SLOWEST_BYTES_PER_S;
                let longest = now.plus_ms(timeout_ms.min(BURST_MAX_MS));
                let from = flow.flows_until.max(now);
                flow.flows_until = from.plus_ms(lasts_ms).min(longest);
            } else if flow.flows_until <= now {
                continue;
            }
            self.is_busy = true;
            // A segment of ordinary size has ended by the next tick.
            if core::mem::replace(&mut flow.is_long, true) {
                flowing.push(Flowing {
                    ticket: flow.ticket,
                    path_index: flow.path_index as usize,
                    stream: Rc::clone(&flow.stream),
                    name: flow.name,
                    is_settled: (1..=timeout_ms).contains(&flow.judged_until.ms_since(now)),
                    is_success: flow.is_success,
                });
            }
        }
        flowing
    }

    /// It need not be judged again for so long.
    pub(super) fn settle(&mut self, ticket: Ticket, until: Moment) {
        if let Some(flow) = self.find(ticket) {
            flow.is_success = true;
            flow.judged_until = until;
        }
    }
}

const fn index(ticket: Ticket) -> usize {
    ticket.0 as usize % PLACES
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

/// Whether a file is media, for the fast path: the names of nearly all segments say so by their last
/// two letters. An initialisation segment taken for media is gone before it counts.
pub(super) fn is_media(protected: &PlaybackPath, file: &Reading<'_>) -> bool {
    let by_end = matches!(
        file.last_chunk::<2>(),
        Some(b"ts" | b"4s" | b"p4" | b"4v" | b"4a" | b"fv" | b"fa" | b"ac")
    );
    (by_end && !protected.classes.has_patterns())
        || protected.classes.classify(file) == Class::Media
}
