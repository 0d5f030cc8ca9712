//! A store that is back, or empty: edges tell it soon of what plays.
//!
//! While a store does not answer, edges let streams play on that it hears nothing of; and one that
//! lost its memory knows of nobody. Until it is told, it lets others start in their place. So for a
//! while after its return what waits in line goes out with each tick instead of by turns, and the
//! eviction feed is read more often, since who tells the store of streams that it did not know
//! among others that it did has the other edges look. Where starts are refused in an outage, they
//! are for as long as it takes all edges to hear of the return. Of a store that lost its memory,
//! every copy is told again ([`retelling`](super::retelling)).

use streamgate_values::moment::Moment;

/// For how long after its return a shard is called more often, in milliseconds.
const HURRY_MS: u64 = 2_000;

/// How often its eviction feed is read then, in milliseconds.
pub(super) const FEED_EVERY_MS: u64 = 300;

/// After which time all edges have heard that a shard answers again and have told it what they
/// know, in milliseconds: half a second until it is tried again, and two calls.
const SETTLED_AFTER_MS: u64 = 1_000;

/// A shard's return from an outage, or from the loss of its memory.
#[derive(Debug, Default)]
pub(super) struct Return {
    /// By the steady clock, as all moments here.
    at: Option<Moment>,
    /// Nobody has looked after it yet.
    is_fresh: bool,
    /// Other edges may have yet to tell it what they know.
    is_unsettled: bool,
    /// Its copies are to be told again.
    retells: bool,
}

impl Return {
    /// It answers again, or remembers nothing.
    pub(super) const fn begins(&mut self, now: Moment) {
        (self.at, self.is_unsettled) = (Some(now), true);
    }

    /// It has lost its memory. One worker of an edge tells it again what plays there: the one that
    /// `retells`.
    pub(super) const fn has_lost_memory(&mut self, retells: bool) {
        self.is_fresh = true;
        self.retells |= retells;
    }

    /// Time passes. Says whether a loss of memory has come up that nobody has looked after yet.
    pub(super) fn look_after(&mut self, now: Moment) -> bool {
        self.is_unsettled &= self.is_within(SETTLED_AFTER_MS, now);
        core::mem::take(&mut self.is_fresh)
    }

    /// It is called more often from now on, in case that it has lost its memory, too.
    pub(super) const fn is_doubted(&mut self, now: Moment) {
        self.at = Some(now);
    }

    /// Whether this worker tells it again of every copy.
    pub(super) const fn retells(&self) -> bool {
        self.retells
    }

    /// It was told again of every copy.
    pub(super) const fn has_been_told(&mut self) {
        self.retells = false;
    }

    /// Whether other edges may have yet to tell it what they know.
    pub(super) const fn is_unsettled(&self) -> bool {
        self.is_unsettled
    }

    /// Whether it is called more often.
    pub(super) fn hurries(&self, now: Moment) -> bool {
        self.is_within(HURRY_MS, now)
    }

    fn is_within(&self, ms: u64, now: Moment) -> bool {
        self.at.is_some_and(|at| now.ms_since(at) < ms)
    }
}
