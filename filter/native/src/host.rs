//! What fills the core's ports: the process itself.

// The clock's type is named here and nowhere else.
#![allow(clippy::disallowed_types)]

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

use streamgate_record::ends::{Ends, StreamEnd};
use streamgate_record::metric::Metric;
use streamgate_record::own_time;
use streamgate_record::ports::{Clock, Entropy, Meter, Store, StoreKey, Swap, Version};
use streamgate_record::rule_metric::{LEVEL_MAX, RuleMetric};
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use crate::meters::METERS;
use crate::store::StoreTable;

/// The process, as the core needs it.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) table: Arc<StoreTable>,
}

/// When the steady clock began.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

fn moment(since: Duration) -> Moment {
    Moment::from_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

impl Clock for Process {
    fn now(&self) -> Moment {
        let ahead_ms = match self.table.own_time() {
            Some((ahead_ms, _)) => ahead_ms,
            None => own_time::learn(self),
        };
        self.steady().shifted_ms(ahead_ms)
    }

    fn machine(&self) -> Moment {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        moment(now.unwrap_or_default())
    }

    fn steady(&self) -> Moment {
        // Its beginning is no moment that anybody could have been before.
        moment(BEGAN.elapsed().saturating_add(Duration::from_secs(1)))
    }

    fn go_by(&self, ahead_ms: i64, machine_ahead_ms: i64) {
        self.table.go_by(ahead_ms, machine_ahead_ms);
    }

    fn machine_ahead_ms(&self) -> i64 {
        self.table.own_time().map_or(0, |(_, machine)| machine)
    }
}

/// For how many streams randomness is fetched at once.
const DEALT: usize = 32;

thread_local! {
    /// Randomness that this thread has fetched and not dealt yet.
    static RANDOM: RefCell<Vec<[u8; StreamKey::RANDOM_LEN]>> = const { RefCell::new(Vec::new()) };
}

impl Entropy for Process {
    fn random(&self) -> [u8; StreamKey::RANDOM_LEN] {
        let dealt = RANDOM.with_borrow_mut(|random| {
            if random.is_empty() {
                let mut fetched = [[0; StreamKey::RANDOM_LEN]; DEALT];
                getrandom::fill(fetched.as_flattened_mut()).ok()?;
                random.extend(fetched);
            }
            random.pop()
        });
        dealt.unwrap_or_else(|| {
            // The request gets 503: an id that can be foreseen is worse than none.
            std::panic::resume_unwind(Box::new("the system gives no randomness"))
        })
    }
}

impl Meter for Process {
    fn add(&self, metric: Metric, n: u64) {
        METERS.add(metric, n);
    }

    fn add_for(&self, metric: RuleMetric, policy: &str, label: &str, n: u64) {
        METERS.add_for(metric, policy, label, n);
    }

    fn counted_levels(&self, metric: RuleMetric, policy: &str) -> [u64; LEVEL_MAX] {
        METERS.counted_levels(metric, policy)
    }

    fn ended(&self, subject: &SubjectKey, end: &StreamEnd) {
        METERS.add_lasted(end.lasted_ms);
        self.table.ends().add(subject, end);
    }

    fn take_ends(&self) -> Ends {
        core::mem::take(&mut self.table.ends())
    }

    fn bumps(&self) -> Option<u64> {
        Some(METERS.bumps())
    }

    fn add_live(&self, change: i64) {
        if change != 0 {
            METERS.add_live(change);
        }
    }

    fn show_clock_difference(&self, ms: u64) {
        METERS.set_clock_difference(ms);
    }
}

impl Store for Process {
    fn load(&self, key: StoreKey) -> Option<(Vec<u8>, Version)> {
        self.table.load(key)
    }

    fn swap(&self, key: StoreKey, expected: Option<Version>, value: &[u8]) -> Swap {
        self.table.swap(key, expected, value)
    }

    fn generation(&self, group: u16) -> u32 {
        self.table.generation(group)
    }

    fn bump(&self, group: u16) {
        self.table.bump(group);
    }

    /// Those of all workers: to find out costs no call here, so that each hears of all at once.
    fn own_bumps(&self) -> u32 {
        u32::try_from(METERS.bumps() & u64::from(u32::MAX)).unwrap_or_default()
    }
}
