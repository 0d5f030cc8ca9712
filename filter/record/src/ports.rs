//! What the core needs from outside. The plugin fills these with Envoy's host
//! calls, tests with plain memory.

use streamgate_policy::effect::StreamEnd;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use crate::ends::Ends;
use crate::metric::Metric;
use crate::rule_metric::{LEVEL_MAX, RuleMetric};

/// How often a write is tried before the request is turned away. Each lost try
/// means that another worker's write went through, so this bounds how many others
/// may overtake one request, not how long they take.
pub(crate) const TRIES: u32 = 64;

/// Everything the core needs while it handles one callback.
pub trait Host: Store + Clock + Entropy + Meter {}

impl<T: Store + Clock + Entropy + Meter> Host for T {}

/// Tells the time. A host whose clock nobody sets has but one.
pub trait Clock {
    /// The present moment, by the edge's own time (`record::own_time`).
    fn now(&self) -> Moment;

    /// What the machine's clock says. Somebody may set it at any moment.
    fn machine(&self) -> Moment {
        self.now()
    }

    /// A clock that nobody can set, the same for all workers of an edge; it begins somewhere.
    fn steady(&self) -> Moment {
        self.now()
    }

    /// Own time is ahead of the steady clock by so many milliseconds from now on, and the machine's clock
    /// ahead of own time by so many.
    fn go_by(&self, _ahead_ms: i64, _machine_ahead_ms: i64) {}

    /// By how many milliseconds the machine's clock is ahead of own time, as last looked at.
    fn machine_ahead_ms(&self) -> i64 {
        0
    }
}

/// Gives randomness.
pub trait Entropy {
    /// Bytes nobody can foresee; they make stream ids unguessable and distinct.
    fn random(&self) -> [u8; StreamKey::RANDOM_LEN];
}

/// Counts.
pub trait Meter {
    /// Adds `n` to a counter.
    fn add(&self, metric: Metric, n: u64);
    /// Adds `n` to the counter of a policy, of a rule of it or of a level.
    fn add_for(&self, metric: RuleMetric, policy: &str, label: &str, n: u64);
    /// How far those of a policy have counted for each level, for all workers of this edge together; 0 where
    /// they do not count.
    fn counted_levels(&self, metric: RuleMetric, policy: &str) -> [u64; LEVEL_MAX];
    /// A stream of a subject has ended: it is counted, and kept until [`Meter::take_ends`].
    fn ended(&self, subject: &SubjectKey, end: &StreamEnd);
    /// The streams that have ended since the last time.
    fn take_ends(&self) -> Ends;
    /// How far [`Metric::GenerationBumps`] has counted, for all workers of this edge together;
    /// `None` where it does not count.
    fn bumps(&self) -> Option<u64>;
    /// Changes what is shown of the number of streams on record (`record::live`).
    fn add_live(&self, change: i64);
    /// Shows by how many milliseconds the machine's clock differs from own time, either way.
    fn show_clock_difference(&self, _ms: u64) {}
}

/// A value's version: differs after every write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub u32);

/// A place in the store. There is a fixed number of them, whatever happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreKey {
    /// A slot of the record.
    Slot(u32),
    /// The moment since when the store remembers.
    MemorySince,
    /// How far the sweep has come.
    Sweep,
    /// How far a shard's eviction feed was read.
    Feed(u32),
    /// The slot groups that were bumped last.
    Bumps,
    /// Redirects that were minted last.
    Redirected(u32),
    /// That an origin redirects.
    Redirects(u32),
    /// How much accounts have prefetched of late.
    Prefetched(u32),
    /// The number of streams on record.
    Live,
    /// How many decisions were kept so far, and how many are kept.
    Decisions,
    /// One of the decisions that are kept for operators.
    Decision(u32),
    /// The latest decision about some accounts.
    DecisionsOf(u32),
    /// How far the accounts were counted.
    Accounts,
    /// Accounts that were refused and counted of late.
    RefusedAccounts(u32),
    /// The workers of this edge.
    Workers,
    /// How far the edge's own time is ahead of the steady clock.
    OwnTime,
}

/// Where state lives: a fixed table of values with compare-and-set, shared by all
/// workers of an edge.
///
/// What wrong answers cost: a lost write is one stream too many or a viewer told
/// to start again; a stale read costs nothing, because the write that follows
/// from it conflicts; a value read that was never written is taken as absent.
pub trait Store {
    /// The value at `place` with its version; `None` if nothing was ever written.
    fn load(&self, key: StoreKey) -> Option<(Vec<u8>, Version)>;

    /// Writes `value` if the version is still `expected` (`None`: if nothing was
    /// ever written there).
    fn swap(&self, key: StoreKey, expected: Option<Version>, value: &[u8]) -> Swap;

    /// The present generation of a slot group: a number that changes with every bump.
    fn generation(&self, group: u16) -> u32;

    /// Bumps the generation of a slot group: some stream of one of its slots has been ended.
    fn bump(&self, group: u16);

    /// How many generations this worker has bumped, which costs no call to find out: it hears of these before
    /// its next tick.
    fn own_bumps(&self) -> u32;
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Swap {
    /// It is written.
    Done,
    /// Someone else wrote first: load again.
    Conflict,
    /// The store refused; trying again is no use now.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, test};

    struct OneClock;

    impl Clock for OneClock {
        fn now(&self) -> Moment {
            NOW
        }
    }

    #[test]
    fn a_clock_that_nobody_sets_is_every_clock() {
        assert_eq!((OneClock.machine(), OneClock.steady()), (NOW, NOW));
        OneClock.go_by(7, 9);
        assert_eq!(OneClock.machine_ahead_ms(), 0);
        assert_eq!(OneClock.now(), NOW);
    }
}
