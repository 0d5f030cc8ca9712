//! How workers that hold leases hear of streams that were ended.
//!
//! A slot group's generation changes with every bump, so a look at it says for certain whether
//! leases of the group still hold. But a look takes a lock that all workers share. So each bump
//! is also written to a log of the latest bumps, and counted; a look at the count takes no lock.
//! As long as the count stays the same, nothing was bumped; when the count has changed, the log says
//! which groups were. A worker looks at the count at each tick, and hears of its own bumps at once: in between
//! a lease holds without a call to Envoy. `docs/decisions/0002-generations.md` has what else was considered.

use streamgate_values::compact::{Reader, Writer};

use crate::metric::Metric;
use crate::ports::TRIES;
use crate::ports::{Host, StoreKey, Swap};

const VERSION: u8 = 1;

/// How many bumps the log holds: more than happen between two requests of a worker that has any.
const LOG_MAX: usize = 512;

/// The buckets that a worker spreads slot groups over. It keeps the latest bump of each bucket: 4 KB.
const BUCKETS: usize = 1_024;

/// Bumps a generation, once the write that ended a stream is done.
pub(crate) fn bump(host: &impl Host, group: u16) {
    host.bump(group);
    // Should it not get into the log, the count alone says that something was bumped.
    for _ in 0..TRIES {
        let found = host.load(StoreKey::Bumps);
        let log = found.as_ref().and_then(|(bytes, _)| Log::parse(bytes));
        let bytes = log.unwrap_or_default().with(group);
        let version = found.map(|(_, version)| version);
        match host.swap(StoreKey::Bumps, version, &bytes) {
            Swap::Conflict => {}
            Swap::Done | Swap::Failed => break,
        }
    }
    host.add(Metric::GenerationBumps, 1);
}

/// The latest bumps: a version (1 byte), how many there ever were (8) and, the latest last, the
/// groups (2 each).
#[derive(Debug, Default, PartialEq, Eq)]
struct Log {
    total: u64,
    latest: Vec<u16>,
}

impl Log {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.byte()? != VERSION {
            return None;
        }
        let total = u64::from_be_bytes(reader.array()?);
        let (groups, _) = reader.rest().as_chunks();
        Some(Self {
            total,
            latest: groups
                .iter()
                .map(|group| u16::from_be_bytes(*group))
                .collect(),
        })
    }

    /// As bytes, with one more.
    fn with(&self, group: u16) -> Vec<u8> {
        let known = self.latest.len().saturating_sub(LOG_MAX.saturating_sub(1));
        let mut bytes = vec![VERSION];
        bytes.put(&self.total.saturating_add(1).to_be_bytes());
        let known = self.latest.get(known..).unwrap_or_default();
        for group in known.iter().chain([&group]) {
            bytes.put(&group.to_be_bytes());
        }
        bytes
    }

    /// What was bumped since there were `total`; `None` if that is not known any more.
    fn since(&self, total: u64) -> Option<&[u16]> {
        let new = usize::try_from(self.total.checked_sub(total)?).ok()?;
        self.latest.get(self.latest.len().checked_sub(new)?..)
    }
}

/// How often a worker had found new bumps at some moment: its own clock for bumps.
pub type LookCount = u32;

/// What one worker has seen of bumps.
#[derive(Debug)]
pub struct Generations {
    /// How many bumps there were by the count, and by the log, at the worker's last look; `None` before
    /// the first.
    known: Option<KnownBumps>,
    /// How often a look has found new bumps.
    now: LookCount,
    /// When the latest bump of each bucket was seen.
    buckets: Box<[LookCount]>,
    /// When a look last found that something was bumped, and the log did not say what.
    any: LookCount,
    /// How many bumps of this worker's own the last look knows of; `None` before the first look.
    own: Option<u32>,
    /// Whether the last look found a count: where Envoy keeps none, each lease looks at its generation.
    is_counted: bool,
}

#[derive(Debug, Clone, Copy)]
struct KnownBumps {
    counted: u64,
    logged: u64,
}

impl KnownBumps {
    /// How many more were counted than logged. A bump is logged first; one that is counted
    /// without, for another plugin or because the log could not be written, makes it more.
    const fn not_logged(self) -> i64 {
        self.counted.wrapping_sub(self.logged).cast_signed()
    }
}

impl Default for Generations {
    fn default() -> Self {
        Self {
            known: None,
            now: 0,
            buckets: vec![0; BUCKETS].into(),
            any: 0,
            own: None,
            is_counted: false,
        }
    }
}

impl Generations {
    /// Whether a group's generation was certainly unchanged since `looked` when a look was last taken:
    /// at the last tick, or after a bump of this worker's own. If not, the generation
    /// itself may still be the same: whoever finds it so may go on with [`Generations::now`], taken
    /// before the generation was looked at, as the new `looked`.
    pub fn is_unchanged(&mut self, host: &impl Host, group: u16, looked: LookCount) -> bool {
        if self.own != Some(host.own_bumps()) {
            self.look(host);
        }
        let bucket = self.buckets.get(usize::from(group) % BUCKETS);
        self.is_counted && self.any <= looked && bucket.is_some_and(|latest| *latest <= looked)
    }

    /// How often a look has found new bumps so far.
    pub const fn now(&self) -> LookCount {
        self.now
    }

    /// Looks at the count, and where it has changed at the log. To be called at each tick.
    pub fn look(&mut self, host: &impl Host) {
        self.own = Some(host.own_bumps());
        self.is_counted = self.counts(host);
    }

    /// Does so; `false` if Envoy keeps no count.
    fn counts(&mut self, host: &impl Host) -> bool {
        let Some(counted) = host.bumps() else {
            return false;
        };
        if self.known.is_some_and(|known| known.counted == counted) {
            return true;
        }
        let Some(now) = self.now.checked_add(1) else {
            return false;
        };
        self.now = now;
        let log = host.load(StoreKey::Bumps);
        let log = log.and_then(|(bytes, _)| Log::parse(&bytes));
        let log = log.unwrap_or_default();
        let known = KnownBumps {
            counted,
            logged: log.total,
        };
        let before = self.known.replace(known);
        let new = before
            .filter(|before| known.not_logged() <= before.not_logged())
            .and_then(|before| log.since(before.logged));
        match new {
            Some(new) => {
                for group in new {
                    if let Some(latest) = self.buckets.get_mut(usize::from(*group) % BUCKETS) {
                        *latest = now;
                    }
                }
            }
            None => self.any = now,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{Meter, Store};
    use crate::testing::{MemoryHost, test};

    /// A worker that keeps an eye on one generation, as the gate does.
    struct Watcher {
        generations: Generations,
        group: u16,
        number: u32,
        looked: LookCount,
    }

    impl Watcher {
        fn of(group: u16, host: &MemoryHost) -> Self {
            let mut watcher = Self {
                generations: Generations::default(),
                group,
                number: host.generation(group),
                looked: 0,
            };
            assert!(watcher.is_unchanged(host));
            watcher
        }

        fn is_unchanged(&mut self, host: &MemoryHost) -> bool {
            self.generations.look(host);
            self.holds(host)
        }

        /// The same between two ticks.
        fn holds(&mut self, host: &MemoryHost) -> bool {
            if self.generations.is_unchanged(host, self.group, self.looked) {
                return true;
            }
            let now = self.generations.now();
            let is_unchanged = host.generation(self.group) == self.number;
            if is_unchanged {
                self.looked = now;
            }
            is_unchanged
        }

        /// Whether it took a look at the generation itself.
        fn looks(&mut self, host: &MemoryHost) -> bool {
            let before = host.calls().generation_reads;
            assert!(self.is_unchanged(host));
            host.calls().generation_reads > before
        }
    }

    #[test]
    fn a_bump_is_seen_and_others_cost_no_look_at_the_generation() {
        let host = MemoryHost::new();
        let mut watcher = Watcher::of(7, &host);
        for other in 8..100 {
            bump(&host, other);
            assert!(!watcher.looks(&host), "{other}");
        }
        bump(&host, 7);
        assert!(!watcher.is_unchanged(&host));
        assert!(!watcher.is_unchanged(&host), "and stays heard");
    }

    #[test]
    fn between_ticks_a_lease_asks_for_nothing_and_only_own_bumps_are_heard() {
        let host = MemoryHost::new();
        let mut watcher = Watcher::of(7, &host);
        assert!(watcher.is_unchanged(&host));
        let before = host.calls();
        host.is_worker(1);
        bump(&host, 7);
        host.is_worker(0);
        assert!(watcher.holds(&host), "another worker's, before the tick");
        assert_eq!(host.calls().generation_reads, before.generation_reads);
        assert!(!watcher.is_unchanged(&host), "and at the tick");

        let mut watcher = Watcher::of(9, &host);
        assert!(watcher.is_unchanged(&host));
        bump(&host, 9);
        assert!(!watcher.holds(&host), "its own at once");
    }

    #[test]
    fn a_group_of_the_same_bucket_costs_one_look() {
        let host = MemoryHost::new();
        let mut watcher = Watcher::of(7, &host);
        bump(&host, 7 + BUCKETS as u16);
        assert!(watcher.looks(&host));
        assert!(!watcher.looks(&host));
    }

    #[test]
    fn more_rings_than_the_log_holds_cost_one_look() {
        let host = MemoryHost::new();
        let mut watcher = Watcher::of(7, &host);
        (0..LOG_MAX).for_each(|_| bump(&host, 8));
        assert!(!watcher.looks(&host));
        (0..=LOG_MAX).for_each(|_| bump(&host, 8));
        assert!(watcher.looks(&host));
        assert!(!watcher.looks(&host));
        let stored = host.stored(StoreKey::Bumps).unwrap();
        assert_eq!(stored.len(), 1 + 8 + 2 * LOG_MAX);
    }

    #[test]
    fn a_ring_that_is_not_logged_is_heard_all_the_same() {
        let host = MemoryHost::new();
        let mut watcher = Watcher::of(7, &host);
        bump(&host, 8);
        host.fail_swaps(true);
        bump(&host, 8);
        assert!(watcher.looks(&host));
        bump(&host, 7);
        assert!(!watcher.is_unchanged(&host));
        host.fail_swaps(false);
        bump(&host, 8);
        assert!(!watcher.is_unchanged(&host));
    }

    #[test]
    fn what_another_plugin_counts_costs_one_look() {
        let host = MemoryHost::new();
        let mut watcher = Watcher::of(7, &host);
        host.add(Metric::GenerationBumps, 3);
        assert!(watcher.looks(&host));
        bump(&host, 8);
        assert!(!watcher.looks(&host));
        bump(&host, 7);
        assert!(!watcher.is_unchanged(&host));
    }

    #[test]
    fn where_nothing_is_counted_the_generation_itself_is_looked_at() {
        let host = MemoryHost::new();
        host.does_not_count();
        let mut watcher = Watcher::of(7, &host);
        assert!(watcher.looks(&host));
        bump(&host, 7);
        assert!(!watcher.is_unchanged(&host));
    }

    #[test]
    fn a_log_that_is_lost_or_damaged_silences_no_bump() {
        for damaged in [&b""[..], b"\x09", b"\x01\0\0\0\0\0\0\0\x02\0"] {
            let host = MemoryHost::new();
            let mut watcher = Watcher::of(7, &host);
            bump(&host, 8);
            assert!(watcher.is_unchanged(&host));
            host.plant(StoreKey::Bumps, damaged);
            bump(&host, 7);
            assert!(!watcher.is_unchanged(&host), "{damaged:?}");
        }
    }

    /// Bumps that get lost on the way, counts of others, watchers that listen now and then.
    #[test]
    fn whatever_happens_no_ring_goes_unheard() {
        let host = MemoryHost::new();
        let mut dice = 1_u64;
        let mut roll = |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (dice >> 33) % sides
        };
        let mut watchers: Vec<Watcher> = (0..8).map(|group| Watcher::of(group, &host)).collect();
        for _ in 0..20_000 {
            match roll(50) {
                0 => host.add(Metric::GenerationBumps, 1),
                1..10 => {
                    host.fail_swaps(roll(10) == 0);
                    bump(&host, roll(16) as u16 + roll(2) as u16 * BUCKETS as u16);
                    host.fail_swaps(false);
                }
                _ => {
                    let at = roll(8) as usize;
                    let watcher = &mut watchers[at];
                    let truly = host.generation(watcher.group) == watcher.number;
                    assert_eq!(watcher.is_unchanged(&host), truly);
                    if !truly {
                        watcher.number = host.generation(watcher.group);
                        watcher.looked = 0;
                    }
                }
            }
        }
    }
}
