//! How many streams are on record in the whole edge, all workers together.
//!
//! The number stands in the store, beside the records, and changes with each write that starts
//! or ends a stream. Envoy's gauge says the same to operators, and nothing goes by it: which
//! statistics Envoy keeps is a matter of taste and cost (`stats_matcher`), and no limit may
//! depend on that.

use streamgate_values::compact::Reader;

use crate::ports::TRIES;
use crate::ports::{Host, Store, StoreKey, Swap, Version};

const VERSION: u8 = 1;

/// The number as stored: the format's version (1 byte), then the number (8). It may be
/// negative for a moment, where one worker's end is counted before another's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct LiveCount(i64);

impl LiveCount {
    /// What is stored; none if it is nothing, or nothing readable.
    fn load(store: &impl Store) -> (Self, Option<Version>) {
        let found = store.load(StoreKey::Live);
        let count = found.as_ref().and_then(|(bytes, _)| Self::parse(bytes));
        (count.unwrap_or_default(), found.map(|(_, version)| version))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.byte()? != VERSION {
            return None;
        }
        let count = Self(i64::from_be_bytes(reader.array()?));
        reader.is_empty().then_some(count)
    }

    fn to_bytes(self) -> [u8; 9] {
        let [a, b, c, d, e, f, g, h] = self.0.to_be_bytes();
        [VERSION, a, b, c, d, e, f, g, h]
    }
}

/// The number of streams on record, as it was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found(LiveCount, Option<Version>);

impl Found {
    /// Finds it.
    pub(super) fn of(store: &impl Store) -> Self {
        let (count, version) = LiveCount::load(store);
        Self(count, version)
    }

    /// The number.
    pub(super) fn live(self) -> u64 {
        let Self(LiveCount(count), _) = self;
        u64::try_from(count).unwrap_or(0)
    }
}

/// The number of streams on record.
#[must_use]
pub fn live(store: &impl Store) -> u64 {
    Found::of(store).live()
}

/// Changes the number of streams on record, and the gauge. Each lost try means that another
/// worker's change went through; of a change that never does, the number is off by as much
/// until the edge restarts.
pub(super) fn add_live(host: &impl Host, change: i64) {
    add_live_to(host, None, change);
}

/// The same where it was `found` just before.
pub(super) fn add_live_to(host: &impl Host, mut found: Option<Found>, change: i64) {
    if change == 0 {
        return;
    }
    host.add_live(change);
    for _ in 0..TRIES {
        let Found(LiveCount(count), version) = found.take().unwrap_or_else(|| Found::of(host));
        let count = LiveCount(count.saturating_add(change));
        match host.swap(StoreKey::Live, version, &count.to_bytes()) {
            Swap::Conflict => {}
            Swap::Done | Swap::Failed => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MemoryHost, test};

    #[test]
    fn starts_and_ends_are_summed_up_whoever_writes_in_between() {
        let host = MemoryHost::new();
        assert_eq!(live(&host), 0);
        add_live(&host, 3);
        host.lose_next_swaps(5);
        add_live(&host, 2);
        add_live(&host, -1);
        add_live(&host, 0);
        assert_eq!((live(&host), host.gauge()), (4, 4));
    }

    #[test]
    fn what_was_found_before_others_wrote_is_looked_at_again() {
        let host = MemoryHost::new();
        for in_between in [false, true] {
            let (before, found) = (live(&host), Found::of(&host));
            if in_between {
                add_live(&host, 2);
            }
            add_live_to(&host, Some(found), 1);
            assert_eq!(live(&host), before + 1 + 2 * u64::from(in_between));
        }
    }

    #[test]
    fn an_end_may_be_counted_before_its_start() {
        let host = MemoryHost::new();
        add_live(&host, -2);
        assert_eq!(live(&host), 0);
        add_live(&host, 3);
        assert_eq!(live(&host), 1);
    }

    #[test]
    fn what_cannot_be_read_is_none() {
        for damaged in [&b""[..], b"\x01", b"\x02\0\0\0\0\0\0\0\x07", &[1; 10]] {
            let host = MemoryHost::new();
            host.plant(StoreKey::Live, damaged);
            assert_eq!(live(&host), 0);
            add_live(&host, 1);
            assert_eq!(live(&host), 1);
        }
    }
}
