//! A host in plain memory.

use std::sync::{Mutex, MutexGuard};

use hashbrown::HashMap;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::testing::NOW;

use crate::metric::Metric;
use crate::ports::{Clock, Entropy, Meter, Place, Store, Swap, Version};

/// Fills every port as Envoy would, and shows what was asked of it.
///
/// Several threads may use one by reference, as workers share Envoy's store.
pub struct MemoryHost(Mutex<State>);

struct State {
    now: Moment,
    values: HashMap<Place, (Vec<u8>, u32)>,
    bells: HashMap<u16, u32>,
    dealt: u64,
    counters: [u64; Metric::ALL.len()],
    live: i64,
    calls: Calls,
    swaps_fail: bool,
    is_not_counting: bool,
    swaps_to_lose: u32,
    /// Where they are lost; everywhere if `None`.
    contended: Option<Place>,
}

/// How often each call of the store was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calls {
    /// Values read.
    pub loads: u32,
    /// Writes tried.
    pub swaps: u32,
    /// Bells looked at.
    pub bell_reads: u32,
    /// Bells rung.
    pub rings: u32,
    /// Times the clock was read.
    pub clock_reads: u32,
}

impl MemoryHost {
    /// A host that has just begun, at [`NOW`].
    pub fn new() -> Self {
        Self(Mutex::new(State {
            now: NOW,
            values: HashMap::new(),
            bells: HashMap::new(),
            dealt: 0,
            counters: [0; Metric::ALL.len()],
            live: 0,
            calls: Calls::default(),
            swaps_fail: false,
            is_not_counting: false,
            swaps_to_lose: 0,
            contended: None,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Sets the clock.
    pub fn set_now(&self, now: Moment) {
        self.state().now = now;
    }

    /// Moves the clock on.
    pub fn advance_ms(&self, ms: u64) {
        let mut state = self.state();
        state.now = state.now.plus_ms(ms);
    }

    /// A counter's value.
    pub fn count(&self, metric: Metric) -> u64 {
        self.state().counters[metric.index()]
    }

    /// How often the store was called so far.
    pub fn calls(&self) -> Calls {
        self.state().calls
    }

    /// From now on the store refuses every write, or no longer.
    pub fn fail_swaps(&self, fail: bool) {
        self.state().swaps_fail = fail;
    }

    /// The proxy was told not to keep the filter's counters.
    pub fn does_not_count(&self) {
        self.state().is_not_counting = true;
    }

    /// Lets someone else win the next `n` writes: each is reported as a conflict, and
    /// the version has really moved on. Who wins writes back what was there.
    pub fn lose_next_swaps(&self, n: u32) {
        let mut state = self.state();
        (state.swaps_to_lose, state.contended) = (n, None);
    }

    /// The same for the next write at `place` only.
    pub fn lose_next_swap_at(&self, place: Place) {
        let mut state = self.state();
        (state.swaps_to_lose, state.contended) = (1, Some(place));
    }

    /// Envoy restarts: values, bells, counters and the gauge are gone.
    pub fn forget_everything(&self) {
        let mut state = self.state();
        state.values.clear();
        state.bells.clear();
        state.counters = [0; Metric::ALL.len()];
        state.live = 0;
    }

    /// The number of streams on record, without counting as a load.
    pub fn live(&self) -> u64 {
        let before = self.calls();
        let live = crate::live::live(self);
        self.state().calls = before;
        live
    }

    /// What the gauge of streams on record says.
    pub fn gauge(&self) -> i64 {
        self.state().live
    }

    /// What is stored at `place`, without counting as a load.
    pub fn stored(&self, place: Place) -> Option<Vec<u8>> {
        let state = self.state();
        state.values.get(&place).map(|(value, _)| value.clone())
    }

    /// Stores `value` at `place` whatever is there, without counting as a swap.
    pub fn plant(&self, place: Place, value: &[u8]) {
        self.state().write(place, value.to_vec());
    }
}

impl State {
    fn version(&self, place: Place) -> Option<Version> {
        self.values
            .get(&place)
            .map(|(_, version)| Version(*version))
    }

    fn write(&mut self, place: Place, value: Vec<u8>) {
        let version = self.version(place).map_or(1, |Version(last)| last + 1);
        self.values.insert(place, (value, version));
    }
}

impl Clock for MemoryHost {
    fn now(&self) -> Moment {
        let mut state = self.state();
        state.calls.clock_reads += 1;
        state.now
    }
}

/// Counts up, so that a test sees the same bytes every time and never the same twice.
impl Entropy for MemoryHost {
    fn random(&self) -> [u8; StreamKey::RANDOM_LEN] {
        let mut state = self.state();
        state.dealt += 1;
        let mut random = [0; StreamKey::RANDOM_LEN];
        random[StreamKey::RANDOM_LEN - 8..].copy_from_slice(&state.dealt.to_be_bytes());
        random
    }
}

impl Meter for MemoryHost {
    fn add(&self, metric: Metric, n: u64) {
        self.state().counters[metric.index()] += n;
    }

    fn rings(&self) -> Option<u64> {
        let state = self.state();
        (!state.is_not_counting).then_some(state.counters[Metric::BellRings.index()])
    }

    fn add_live(&self, change: i64) {
        self.state().live += change;
    }
}

impl Store for MemoryHost {
    fn load(&self, place: Place) -> Option<(Vec<u8>, Version)> {
        let mut state = self.state();
        state.calls.loads += 1;
        let (value, version) = state.values.get(&place)?;
        Some((value.clone(), Version(*version)))
    }

    fn swap(&self, place: Place, expected: Option<Version>, value: &[u8]) -> Swap {
        let mut state = self.state();
        state.calls.swaps += 1;
        if state.swaps_fail {
            return Swap::Failed;
        }
        if state.swaps_to_lose > 0 && state.contended.is_none_or(|at| at == place) {
            state.swaps_to_lose -= 1;
            let found = state.values.get(&place);
            let found = found.map_or_else(Vec::new, |(value, _)| value.clone());
            state.write(place, found);
        }
        if state.version(place) != expected {
            return Swap::Conflict;
        }
        state.write(place, value.to_vec());
        Swap::Done
    }

    fn bell(&self, bell: u16) -> u32 {
        let mut state = self.state();
        state.calls.bell_reads += 1;
        state.bells.get(&bell).copied().unwrap_or(0)
    }

    fn ring(&self, bell: u16) {
        let mut state = self.state();
        state.calls.rings += 1;
        *state.bells.entry(bell).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    const PLACE: Place = Place::Slot(7);

    #[test]
    fn a_write_needs_the_version_that_is_there() {
        let host = MemoryHost::new();
        assert_eq!(host.load(PLACE), None);
        assert_eq!(host.swap(PLACE, Some(Version(1)), b"a"), Swap::Conflict);
        assert_eq!(host.swap(PLACE, None, b"a"), Swap::Done);
        assert_eq!(host.swap(PLACE, None, b"b"), Swap::Conflict);

        let (value, first) = host.load(PLACE).unwrap();
        assert_eq!(value, b"a");
        assert_eq!(host.swap(PLACE, Some(first), b""), Swap::Done);
        assert_eq!(host.swap(PLACE, Some(first), b"c"), Swap::Conflict);
        assert_eq!(host.swap(PLACE, None, b"c"), Swap::Conflict);
        assert_eq!(host.stored(PLACE), Some(Vec::new()));
    }

    #[test]
    fn a_lost_write_is_a_conflict_because_the_version_moved_on() {
        let host = MemoryHost::new();
        assert_eq!(host.swap(PLACE, None, b"a"), Swap::Done);
        let (_, before) = host.load(PLACE).unwrap();
        host.lose_next_swaps(1);
        assert_eq!(host.swap(PLACE, Some(before), b"b"), Swap::Conflict);
        let (value, after) = host.load(PLACE).unwrap();
        assert_eq!(value, b"a");
        assert_ne!(after, before);
        assert_eq!(host.swap(PLACE, Some(after), b"b"), Swap::Done);
    }

    #[test]
    fn a_restart_forgets_what_was_stored_and_keeps_the_time() {
        let host = MemoryHost::new();
        host.advance_ms(5);
        host.ring(1);
        host.add_live(2);
        host.add(Metric::Starts, 2);
        assert_eq!(host.swap(PLACE, None, b"a"), Swap::Done);
        host.forget_everything();
        assert_eq!(host.load(PLACE), None);
        assert_eq!(host.bell(1), 0);
        assert_eq!(host.gauge(), 0);
        assert_eq!(host.count(Metric::Starts), 0);
        assert_eq!(host.now(), NOW.plus_ms(5));
        host.set_now(NOW);
        assert_eq!(host.now(), NOW);
    }

    #[test]
    fn randomness_is_never_dealt_twice() {
        let host = MemoryHost::new();
        assert_ne!(host.random(), host.random());
        assert_eq!(MemoryHost::new().random(), MemoryHost::new().random());
    }

    #[test]
    fn calls_are_counted() {
        let host = MemoryHost::new();
        host.load(PLACE);
        assert_eq!(host.swap(PLACE, None, b"a"), Swap::Done);
        host.bell(1);
        host.ring(1);
        host.ring(1);
        let calls = Calls {
            loads: 1,
            swaps: 1,
            bell_reads: 1,
            rings: 2,
            clock_reads: 0,
        };
        assert_eq!(host.calls(), calls);
        host.fail_swaps(true);
        assert_eq!(host.swap(PLACE, None, b"b"), Swap::Failed);
    }
}
