//! How workers that hold leases hear of streams that were ended.
//!
//! A bell changes its number with every ring, and to look at a subject's own bell says for
//! certain whether its leases still hold. That takes a lock that all workers share. So each
//! ring is also written down, in a log of the latest, and counted; to look at the count takes
//! none. As long as it stays the same nothing has rung; when it has changed, the log says what
//! did. `docs/decisions/0002-bells.md` has what else was considered.

use streamgate_values::compact::{Reader, Writer};

use crate::metric::Metric;
use crate::ports::TRIES;
use crate::ports::{Host, Place, Swap};

const VERSION: u8 = 1;

/// How many rings the log holds: more than happen between two requests of a worker that is
/// asked at all.
const LOG_MAX: usize = 512;

/// Bells are kept account of in so many groups; with one entry each, a worker has the latest
/// ring of all in four kilobytes.
const GROUPS: usize = 1_024;

/// Rings a bell, once the write that ended a stream is done.
pub(crate) fn ring(host: &impl Host, bell: u16) {
    host.ring(bell);
    // Should it not get into the log, the count alone says that something rang.
    for _ in 0..TRIES {
        let found = host.load(Place::Rings);
        let log = found.as_ref().and_then(|(bytes, _)| Log::parse(bytes));
        let bytes = log.unwrap_or_default().with(bell);
        let version = found.map(|(_, version)| version);
        match host.swap(Place::Rings, version, &bytes) {
            Swap::Conflict => {}
            Swap::Done | Swap::Failed => break,
        }
    }
    host.add(Metric::BellRings, 1);
}

/// The latest rings: a version (1 byte), how many there ever were (8) and, the latest last, the
/// bells (2 each).
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
        let (bells, _) = reader.rest().as_chunks();
        Some(Self {
            total,
            latest: bells.iter().map(|bell| u16::from_be_bytes(*bell)).collect(),
        })
    }

    /// As bytes, with one more.
    fn with(&self, bell: u16) -> Vec<u8> {
        let known = self.latest.len().saturating_sub(LOG_MAX.saturating_sub(1));
        let mut bytes = vec![VERSION];
        bytes.put(&self.total.saturating_add(1).to_be_bytes());
        let known = self.latest.get(known..).unwrap_or_default();
        for bell in known.iter().chain([&bell]) {
            bytes.put(&bell.to_be_bytes());
        }
        bytes
    }

    /// What rang since there were `total`; `None` if that is not known any more.
    fn since(&self, total: u64) -> Option<&[u16]> {
        let new = usize::try_from(self.total.checked_sub(total)?).ok()?;
        self.latest.get(self.latest.len().checked_sub(new)?..)
    }
}

/// When a worker heard something, by its own count: later is more.
pub type Heard = u32;

/// What one worker has heard of rings.
#[derive(Debug)]
pub struct Bells {
    /// How many there were by the count, and by the log, when it last listened; nothing before
    /// it did.
    known: Option<Known>,
    /// How often it has heard something new.
    now: Heard,
    /// When the latest ring of each group was heard.
    groups: Box<[Heard]>,
    /// When it last heard that something rang without hearing what.
    any: Heard,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    counted: u64,
    logged: u64,
}

impl Known {
    /// How many more were counted than logged. A ring is logged first; one that is counted
    /// without, for another plugin or because the log could not be written, makes it more.
    const fn not_logged(self) -> i64 {
        self.counted.wrapping_sub(self.logged).cast_signed()
    }
}

impl Default for Bells {
    fn default() -> Self {
        Self {
            known: None,
            now: 0,
            groups: vec![0; GROUPS].into(),
            any: 0,
        }
    }
}

impl Bells {
    /// Whether a bell has been silent since `heard`, for all that is known; its number may say
    /// that it was even so. Then `heard` may be [`Bells::now`] from before it was looked at.
    pub fn is_silent(&mut self, host: &impl Host, bell: u16, heard: Heard) -> bool {
        if !self.listen(host) {
            return false;
        }
        let group = self.groups.get(usize::from(bell) % GROUPS);
        self.any <= heard && group.is_some_and(|latest| *latest <= heard)
    }

    /// When it last heard something new.
    pub const fn now(&self) -> Heard {
        self.now
    }

    /// Listens; `false` if there is nothing to be heard.
    fn listen(&mut self, host: &impl Host) -> bool {
        let Some(counted) = host.rings() else {
            return false;
        };
        if self.known.is_some_and(|known| known.counted == counted) {
            return true;
        }
        let Some(now) = self.now.checked_add(1) else {
            return false;
        };
        self.now = now;
        let log = host.load(Place::Rings);
        let log = log.and_then(|(bytes, _)| Log::parse(&bytes));
        let log = log.unwrap_or_default();
        let known = Known {
            counted,
            logged: log.total,
        };
        let before = self.known.replace(known);
        let new = before
            .filter(|before| known.not_logged() <= before.not_logged())
            .and_then(|before| log.since(before.logged));
        match new {
            Some(new) => {
                for bell in new {
                    if let Some(latest) = self.groups.get_mut(usize::from(*bell) % GROUPS) {
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

    /// A worker that keeps an eye on one bell, as the gate does.
    struct Watcher {
        bells: Bells,
        bell: u16,
        number: u32,
        heard: Heard,
    }

    impl Watcher {
        fn of(bell: u16, host: &MemoryHost) -> Self {
            let mut watcher = Self {
                bells: Bells::default(),
                bell,
                number: host.bell(bell),
                heard: 0,
            };
            assert!(watcher.is_silent(host));
            watcher
        }

        fn is_silent(&mut self, host: &MemoryHost) -> bool {
            if self.bells.is_silent(host, self.bell, self.heard) {
                return true;
            }
            let now = self.bells.now();
            let is_silent = host.bell(self.bell) == self.number;
            if is_silent {
                self.heard = now;
            }
            is_silent
        }

        /// Whether it took a look at the bell itself.
        fn looks(&mut self, host: &MemoryHost) -> bool {
            let before = host.calls().bell_reads;
            assert!(self.is_silent(host));
            host.calls().bell_reads > before
        }
    }

    #[test]
    fn a_ring_is_heard_and_others_cost_no_look_at_the_bell() {
        let host = MemoryHost::new();
        let mut watcher = Watcher::of(7, &host);
        for other in 8..100 {
            ring(&host, other);
            assert!(!watcher.looks(&host), "{other}");
        }
        ring(&host, 7);
        assert!(!watcher.is_silent(&host));
        assert!(!watcher.is_silent(&host), "and stays heard");
    }

    #[test]
    fn a_bell_of_the_same_group_costs_one_look() {
        let host = MemoryHost::new();
        let mut watcher = Watcher::of(7, &host);
        ring(&host, 7 + GROUPS as u16);
        assert!(watcher.looks(&host));
        assert!(!watcher.looks(&host));
    }

    #[test]
    fn more_rings_than_the_log_holds_cost_one_look() {
        let host = MemoryHost::new();
        let mut watcher = Watcher::of(7, &host);
        (0..LOG_MAX).for_each(|_| ring(&host, 8));
        assert!(!watcher.looks(&host));
        (0..=LOG_MAX).for_each(|_| ring(&host, 8));
        assert!(watcher.looks(&host));
        assert!(!watcher.looks(&host));
        let stored = host.stored(Place::Rings).unwrap();
        assert_eq!(stored.len(), 1 + 8 + 2 * LOG_MAX);
    }

    #[test]
    fn a_ring_that_is_not_logged_is_heard_all_the_same() {
        let host = MemoryHost::new();
        let mut watcher = Watcher::of(7, &host);
        ring(&host, 8);
        host.fail_swaps(true);
        ring(&host, 8);
        assert!(watcher.looks(&host));
        ring(&host, 7);
        assert!(!watcher.is_silent(&host));
        host.fail_swaps(false);
        ring(&host, 8);
        assert!(!watcher.is_silent(&host));
    }

    #[test]
    fn what_another_plugin_counts_costs_one_look() {
        let host = MemoryHost::new();
        let mut watcher = Watcher::of(7, &host);
        host.add(Metric::BellRings, 3);
        assert!(watcher.looks(&host));
        ring(&host, 8);
        assert!(!watcher.looks(&host));
        ring(&host, 7);
        assert!(!watcher.is_silent(&host));
    }

    #[test]
    fn where_nothing_is_counted_the_bell_itself_is_looked_at() {
        let host = MemoryHost::new();
        host.does_not_count();
        let mut watcher = Watcher::of(7, &host);
        assert!(watcher.looks(&host));
        ring(&host, 7);
        assert!(!watcher.is_silent(&host));
    }

    #[test]
    fn a_log_that_is_lost_or_damaged_silences_no_ring() {
        for damaged in [&b""[..], b"\x09", b"\x01\0\0\0\0\0\0\0\x02\0"] {
            let host = MemoryHost::new();
            let mut watcher = Watcher::of(7, &host);
            ring(&host, 8);
            assert!(watcher.is_silent(&host));
            host.plant(Place::Rings, damaged);
            ring(&host, 7);
            assert!(!watcher.is_silent(&host), "{damaged:?}");
        }
    }

    /// Rings that get lost on the way, counts of others, watchers that listen now and then.
    #[test]
    fn whatever_happens_no_ring_goes_unheard() {
        let host = MemoryHost::new();
        let mut dice = 1_u64;
        let mut roll = |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (dice >> 33) % sides
        };
        let mut watchers: Vec<Watcher> = (0..8).map(|bell| Watcher::of(bell, &host)).collect();
        for _ in 0..20_000 {
            match roll(50) {
                0 => host.add(Metric::BellRings, 1),
                1..10 => {
                    host.fail_swaps(roll(10) == 0);
                    ring(&host, roll(16) as u16 + roll(2) as u16 * GROUPS as u16);
                    host.fail_swaps(false);
                }
                _ => {
                    let at = roll(8) as usize;
                    let watcher = &mut watchers[at];
                    let truly = host.bell(watcher.bell) == watcher.number;
                    assert_eq!(watcher.is_silent(&host), truly);
                    if !truly {
                        watcher.number = host.bell(watcher.bell);
                        watcher.heard = 0;
                    }
                }
            }
        }
    }
}
