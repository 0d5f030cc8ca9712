//! What Envoy is to the core, in plain memory: one for each edge, shared by its workers.

use std::cell::{Cell, RefCell};

use hashbrown::HashMap;
use streamgate_record::ends::{Ends, StreamEnd};
use streamgate_record::metric::Metric;
use streamgate_record::own_time;
use streamgate_record::ports::{Clock, Entropy, Meter, Store, StoreKey, Swap, Version};
use streamgate_record::rule_metric::{LEVEL_MAX, RuleMetric};
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

/// What stands at one place, with its version.
type Value = (Box<[u8]>, u32);

/// One edge's memory, clock and counters.
#[derive(Debug)]
pub struct EdgeHost {
    /// What its steady clock says.
    now: Cell<Moment>,
    /// By how many milliseconds own time is ahead of that.
    ahead_ms: Cell<i64>,
    /// By how many milliseconds its machine's clock is ahead of everybody's.
    machine_ahead_ms: Cell<i64>,
    values: RefCell<HashMap<StoreKey, Value>>,
    generations: RefCell<HashMap<u16, u32>>,
    /// Which worker calls, and how often each has bumped.
    worker: Cell<usize>,
    own_bumps: RefCell<HashMap<usize, u32>>,
    dice: RefCell<fastrand::Rng>,
    counters: RefCell<[u64; Metric::ALL.len()]>,
    live: Cell<i64>,
}

impl EdgeHost {
    /// An empty one; `seed` makes its randomness.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            now: Cell::new(Moment::EARLIEST),
            ahead_ms: Cell::new(0),
            machine_ahead_ms: Cell::new(0),
            values: RefCell::default(),
            generations: RefCell::default(),
            worker: Cell::new(0),
            own_bumps: RefCell::default(),
            dice: RefCell::new(fastrand::Rng::with_seed(seed)),
            counters: RefCell::new([0; Metric::ALL.len()]),
            live: Cell::new(0),
        }
    }

    /// From now on this worker calls.
    pub fn is_worker(&self, worker: usize) {
        self.worker.set(worker);
    }

    /// Sets its clock.
    pub fn set_now(&self, now: Moment) {
        self.now.set(now);
    }

    /// Somebody sets its machine's clock: ahead of everybody's by so many milliseconds.
    pub fn set_machine_ahead(&self, ms: i64) {
        self.machine_ahead_ms.set(ms);
    }

    /// A counter's value.
    #[must_use]
    pub fn count(&self, metric: Metric) -> u64 {
        self.counters.borrow()[metric.index()]
    }

    /// Envoy restarts: its memory is gone. Counters stay, so that they can be summed up.
    pub fn forget_everything(&self) {
        self.values.borrow_mut().clear();
        self.generations.borrow_mut().clear();
        self.live.set(0);
        // Own time begins with what the machine's clock says.
        own_time::learn(self);
    }

    /// Bytes of all values.
    #[must_use]
    pub fn bytes_held(&self) -> u64 {
        let values = self.values.borrow();
        values.values().map(|(bytes, _)| bytes.len() as u64).sum()
    }
}

impl Clock for EdgeHost {
    fn now(&self) -> Moment {
        self.now.get().shifted_ms(self.ahead_ms.get())
    }

    fn machine(&self) -> Moment {
        self.now.get().shifted_ms(self.machine_ahead_ms.get())
    }

    fn steady(&self) -> Moment {
        self.now.get()
    }

    fn go_by(&self, ahead_ms: i64, _machine_ahead_ms: i64) {
        self.ahead_ms.set(ahead_ms);
    }
}

impl Entropy for EdgeHost {
    fn random(&self) -> [u8; StreamKey::RANDOM_LEN] {
        let mut random = [0; StreamKey::RANDOM_LEN];
        self.dice.borrow_mut().fill(&mut random);
        random
    }
}

impl Meter for EdgeHost {
    fn add(&self, metric: Metric, n: u64) {
        self.counters.borrow_mut()[metric.index()] += n;
    }

    fn add_for(&self, _: RuleMetric, _: &str, _: &str, _: u64) {}

    fn counted_levels(&self, _: RuleMetric, _: &str) -> [u64; LEVEL_MAX] {
        [0; LEVEL_MAX]
    }

    fn ended(&self, _: &SubjectKey, _: &StreamEnd) {}

    fn take_ends(&self) -> Ends {
        Ends::new()
    }

    fn bumps(&self) -> Option<u64> {
        Some(self.counters.borrow()[Metric::GenerationBumps.index()])
    }

    fn add_live(&self, change: i64) {
        self.live.set(self.live.get() + change);
    }
}

impl Store for EdgeHost {
    fn load(&self, key: StoreKey) -> Option<(Vec<u8>, Version)> {
        let values = self.values.borrow();
        let (bytes, version) = values.get(&key)?;
        Some((bytes.to_vec(), Version(*version)))
    }

    fn swap(&self, key: StoreKey, expected: Option<Version>, value: &[u8]) -> Swap {
        let mut values = self.values.borrow_mut();
        let found = values.get(&key).map(|(_, version)| Version(*version));
        if found != expected {
            return Swap::Conflict;
        }
        let version = found.map_or(1, |Version(last)| last.wrapping_add(1));
        values.insert(key, (value.into(), version));
        Swap::Done
    }

    fn generation(&self, group: u16) -> u32 {
        self.generations.borrow().get(&group).copied().unwrap_or(0)
    }

    fn bump(&self, group: u16) {
        *self.generations.borrow_mut().entry(group).or_default() += 1;
        *self
            .own_bumps
            .borrow_mut()
            .entry(self.worker.get())
            .or_default() += 1;
    }

    fn own_bumps(&self) -> u32 {
        let own_bumps = self.own_bumps.borrow();
        own_bumps.get(&self.worker.get()).copied().unwrap_or(0)
    }
}
