//! What happens when.

use std::collections::BTreeMap;

use streamgate_record::fleet::{CallFailure, CallId};

/// Who made a call. An edge that has restarted is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Caller {
    pub(super) edge: usize,
    pub(super) worker: usize,
    pub(super) life: u32,
    pub(super) call: CallId,
}

/// Something that happens.
#[derive(Debug)]
pub(super) enum Event {
    /// A worker's timer fires.
    Tick { edge: usize, worker: usize },
    /// A viewer does something.
    Acts { viewer: usize },
    /// A call reaches a node of the store.
    Arrives {
        node: usize,
        from: Caller,
        payload: Vec<u8>,
        answer_is_lost: bool,
    },
    /// An edge hears of its call.
    Heard {
        to: Caller,
        reply: Result<Vec<u8>, CallFailure>,
    },
    /// A node loses all it holds.
    StoreRestarts { node: usize },
    /// A node hangs.
    Freezes { node: usize, for_ms: u64 },
    /// A node cannot be connected to any more.
    Vanishes { node: usize, for_ms: u64 },
    /// An edge loses all it holds.
    EdgeRestarts { edge: usize },
    /// A worker gets no time.
    Starves {
        edge: usize,
        worker: usize,
        for_ms: u64,
    },
    /// An edge takes the configuration of a step of a rollout.
    Configured { edge: usize, step: usize },
    /// Somebody sets the clock of an edge's machine.
    ClockIsSet { edge: usize },
}

/// What is to happen, in the order of time.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    events: BTreeMap<(u64, u64), Event>,
    count: u64,
}

impl Agenda {
    pub(super) fn put(&mut self, at_ms: u64, event: Event) {
        self.count += 1;
        self.events.insert((at_ms, self.count), event);
    }

    pub(super) fn next(&mut self) -> Option<(u64, Event)> {
        let ((at_ms, _), event) = self.events.pop_first()?;
        Some((at_ms, event))
    }
}
