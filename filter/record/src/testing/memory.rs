//! A host in plain memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use hashbrown::HashMap;
use streamgate_policy::effect::StreamEnd;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;
use streamgate_values::testing::NOW;

use crate::ends::Ends;
use crate::metric::Metric;
use crate::ports::{Clock, Entropy, Meter, Store, StoreKey, Swap, Version};
use crate::rule_metric::{LEVEL_MAX, RuleMetric, level_label};

/// Fills every port as Envoy would, and shows what was asked of it.
///
/// Several threads may use one by reference, as workers share Envoy's store.
pub struct MemoryHost(Mutex<State>);

#[derive(Clone)]
struct State {
    /// By the steady clock.
    now: Moment,
    /// By how many milliseconds own time is ahead of it.
    ahead_ms: i64,
    /// By how many milliseconds the machine's clock is ahead of it, and was ahead of own time when last
    /// looked at.
    clock_ahead_ms: i64,
    seen_ahead_ms: i64,
    values: HashMap<StoreKey, (Vec<u8>, u32)>,
    generations: HashMap<u16, u32>,
    /// Who calls, and how often each has bumped.
    worker: usize,
    own_bumps: HashMap<usize, u32>,
    dealt: u64,
    counters: [u64; Metric::ALL.len()],
    /// What was counted for policies and rules, by Envoy's names.
    by_rule: BTreeMap<String, u64>,
    lasted_ms: Vec<u64>,
    ends: Ends,
    live: i64,
    calls: Calls,
    counts: u32,
    swaps_fail: bool,
    is_not_counting: bool,
    swaps_to_lose: u32,
    /// Where they are lost; everywhere if `None`.
    contended: Option<StoreKey>,
}

/// How often each call of the store was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calls {
    /// Values read.
    pub loads: u32,
    /// Writes tried.
    pub swaps: u32,
    /// Generations looked at.
    pub generation_reads: u32,
    /// Generations bumped.
    pub bumps: u32,
    /// Times the clock was read.
    pub clock_reads: u32,
}

impl MemoryHost {
    /// A host that has just begun, at [`NOW`].
    pub fn new() -> Self {
        Self(Mutex::new(State {
            now: NOW,
            ahead_ms: 0,
            clock_ahead_ms: 0,
            seen_ahead_ms: 0,
            values: HashMap::new(),
            generations: HashMap::new(),
            worker: 0,
            own_bumps: HashMap::new(),
            dealt: 0,
            counters: [0; Metric::ALL.len()],
            by_rule: BTreeMap::new(),
            lasted_ms: Vec::new(),
            ends: Ends::default(),
            live: 0,
            calls: Calls::default(),
            counts: 0,
            swaps_fail: false,
            is_not_counting: false,
            swaps_to_lose: 0,
            contended: None,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// From now on this worker calls. Unless told, all are one.
    pub fn is_worker(&self, worker: usize) {
        self.state().worker = worker;
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

    /// Somebody sets the machine's clock, so that it is so far ahead of the steady one.
    pub fn set_machine_ahead(&self, ms: i64) {
        self.state().clock_ahead_ms = ms;
    }

    /// A counter's value.
    pub fn count(&self, metric: Metric) -> u64 {
        self.state().counters[metric.index()]
    }

    /// How often the store was called so far.
    pub fn calls(&self) -> Calls {
        self.state().calls
    }

    /// How often a counter was moved, or looked at, so far.
    pub fn counts(&self) -> u32 {
        self.state().counts
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
    pub fn lose_next_swap_at(&self, key: StoreKey) {
        let mut state = self.state();
        (state.swaps_to_lose, state.contended) = (1, Some(key));
    }

    /// Envoy restarts: values, generations, counters and the gauge are gone.
    pub fn forget_everything(&self) {
        let mut state = self.state();
        state.values.clear();
        state.generations.clear();
        state.counters = [0; Metric::ALL.len()];
        state.by_rule.clear();
        state.lasted_ms.clear();
        state.live = 0;
    }

    /// The number of streams on record, without counting as a load.
    pub fn live(&self) -> u64 {
        let before = self.calls();
        let live = crate::live::live(self);
        self.state().calls = before;
        live
    }

    /// What was counted for policies and rules, by Envoy's names.
    pub fn counted_by_rule(&self) -> BTreeMap<String, u64> {
        self.state().by_rule.clone()
    }

    /// How long each of the streams was on record that have ended, in milliseconds.
    pub fn lasted_ms(&self) -> Vec<u64> {
        self.state().lasted_ms.clone()
    }

    /// What the gauge of streams on record says.
    pub fn gauge(&self) -> i64 {
        self.state().live
    }

    /// What is stored at `place`, without counting as a load.
    pub fn stored(&self, key: StoreKey) -> Option<Vec<u8>> {
        let state = self.state();
        state.values.get(&key).map(|(value, _)| value.clone())
    }

    /// Stores `value` at `place` whatever is there, without counting as a swap.
    pub fn plant(&self, key: StoreKey, value: &[u8]) {
        self.state().write(key, value.to_vec());
    }
}

impl Clone for MemoryHost {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.state().clone()))
    }
}

impl State {
    fn version(&self, key: StoreKey) -> Option<Version> {
        self.values.get(&key).map(|(_, version)| Version(*version))
    }

    fn write(&mut self, key: StoreKey, value: Vec<u8>) {
        let version = self.version(key).map_or(1, |Version(last)| last + 1);
        self.values.insert(key, (value, version));
    }
}

impl Clock for MemoryHost {
    fn now(&self) -> Moment {
        let mut state = self.state();
        state.calls.clock_reads += 1;
        state.now.shifted_ms(state.ahead_ms)
    }

    fn machine(&self) -> Moment {
        let state = self.state();
        state.now.shifted_ms(state.clock_ahead_ms)
    }

    fn steady(&self) -> Moment {
        self.state().now
    }

    fn go_by(&self, ahead_ms: i64, machine_ahead_ms: i64) {
        let mut state = self.state();
        (state.ahead_ms, state.seen_ahead_ms) = (ahead_ms, machine_ahead_ms);
    }

    fn machine_ahead_ms(&self) -> i64 {
        self.state().seen_ahead_ms
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
        let mut state = self.state();
        state.counts += 1;
        state.counters[metric.index()] += n;
    }

    fn add_for(&self, metric: RuleMetric, policy: &str, label: &str, n: u64) {
        let name = metric.name(policy, label);
        let mut state = self.state();
        state.counts += 1;
        *state.by_rule.entry(name).or_default() += n;
    }

    fn counted_levels(&self, metric: RuleMetric, policy: &str) -> [u64; LEVEL_MAX] {
        let by_rule = &self.state().by_rule;
        core::array::from_fn(|below| {
            let name = metric.name(policy, &level_label(below + 1));
            by_rule.get(&name).copied().unwrap_or(0)
        })
    }

    fn ended(&self, subject: &SubjectKey, end: &StreamEnd) {
        let mut state = self.state();
        state.counts += 1;
        state.lasted_ms.push(end.lasted_ms);
        state.ends.add(subject, end);
    }

    fn take_ends(&self) -> Ends {
        core::mem::take(&mut self.state().ends)
    }

    fn bumps(&self) -> Option<u64> {
        let mut state = self.state();
        state.counts += 1;
        (!state.is_not_counting).then_some(state.counters[Metric::GenerationBumps.index()])
    }

    fn add_live(&self, change: i64) {
        self.state().live += change;
    }
}

impl Store for MemoryHost {
    fn load(&self, key: StoreKey) -> Option<(Vec<u8>, Version)> {
        let mut state = self.state();
        state.calls.loads += 1;
        let (value, version) = state.values.get(&key)?;
        Some((value.clone(), Version(*version)))
    }

    fn swap(&self, key: StoreKey, expected: Option<Version>, value: &[u8]) -> Swap {
        let mut state = self.state();
        state.calls.swaps += 1;
        if state.swaps_fail {
            return Swap::Failed;
        }
        if state.swaps_to_lose > 0 && state.contended.is_none_or(|at| at == key) {
            state.swaps_to_lose -= 1;
            let found = state.values.get(&key);
            let found = found.map_or_else(Vec::new, |(value, _)| value.clone());
            state.write(key, found);
        }
        if state.version(key) != expected {
            return Swap::Conflict;
        }
        state.write(key, value.to_vec());
        Swap::Done
    }

    fn generation(&self, group: u16) -> u32 {
        let mut state = self.state();
        state.calls.generation_reads += 1;
        state.generations.get(&group).copied().unwrap_or(0)
    }

    fn bump(&self, group: u16) {
        let mut state = self.state();
        state.calls.bumps += 1;
        let worker = state.worker;
        *state.own_bumps.entry(worker).or_default() += 1;
        *state.generations.entry(group).or_default() += 1;
    }

    fn own_bumps(&self) -> u32 {
        let state = self.state();
        state.own_bumps.get(&state.worker).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    const SLOT_KEY: StoreKey = StoreKey::Slot(7);

    #[test]
    fn a_write_needs_the_version_that_is_there() {
        let host = MemoryHost::new();
        assert_eq!(host.load(SLOT_KEY), None);
        assert_eq!(host.swap(SLOT_KEY, Some(Version(1)), b"a"), Swap::Conflict);
        assert_eq!(host.swap(SLOT_KEY, None, b"a"), Swap::Done);
        assert_eq!(host.swap(SLOT_KEY, None, b"b"), Swap::Conflict);

        let (value, first) = host.load(SLOT_KEY).unwrap();
        assert_eq!(value, b"a");
        assert_eq!(host.swap(SLOT_KEY, Some(first), b""), Swap::Done);
        assert_eq!(host.swap(SLOT_KEY, Some(first), b"c"), Swap::Conflict);
        assert_eq!(host.swap(SLOT_KEY, None, b"c"), Swap::Conflict);
        assert_eq!(host.stored(SLOT_KEY), Some(Vec::new()));
    }

    #[test]
    fn a_lost_write_is_a_conflict_because_the_version_moved_on() {
        let host = MemoryHost::new();
        assert_eq!(host.swap(SLOT_KEY, None, b"a"), Swap::Done);
        let (_, before) = host.load(SLOT_KEY).unwrap();
        host.lose_next_swaps(1);
        assert_eq!(host.swap(SLOT_KEY, Some(before), b"b"), Swap::Conflict);
        let (value, after) = host.load(SLOT_KEY).unwrap();
        assert_eq!(value, b"a");
        assert_ne!(after, before);
        assert_eq!(host.swap(SLOT_KEY, Some(after), b"b"), Swap::Done);
    }

    #[test]
    fn a_restart_forgets_what_was_stored_and_keeps_the_time() {
        let host = MemoryHost::new();
        host.advance_ms(5);
        host.bump(1);
        host.add_live(2);
        host.add(Metric::Starts, 2);
        assert_eq!(host.swap(SLOT_KEY, None, b"a"), Swap::Done);
        host.forget_everything();
        assert_eq!(host.load(SLOT_KEY), None);
        assert_eq!(host.generation(1), 0);
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
        host.load(SLOT_KEY);
        assert_eq!(host.swap(SLOT_KEY, None, b"a"), Swap::Done);
        host.generation(1);
        host.bump(1);
        host.bump(1);
        let calls = Calls {
            loads: 1,
            swaps: 1,
            generation_reads: 1,
            bumps: 2,
            clock_reads: 0,
        };
        assert_eq!(host.calls(), calls);
        host.fail_swaps(true);
        assert_eq!(host.swap(SLOT_KEY, None, b"b"), Swap::Failed);
    }
}
