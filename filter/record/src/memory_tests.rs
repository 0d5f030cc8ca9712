//! Since when a store remembers, as its workers see it.

use streamgate_values::moment::Moment;

use super::memory_since::memory_since;
use crate::ports::{Clock, Store, StoreKey, Swap, Version};
use crate::testing::{MemoryHost, NOW, test};

#[test]
fn all_workers_are_told_the_moment_the_first_of_them_asked() {
    let host = MemoryHost::new();
    assert_eq!(memory_since(&host, NOW), NOW);
    for later in [0, 1, 1_000_000] {
        assert_eq!(memory_since(&host, NOW.plus_ms(later)), NOW);
    }
    assert_eq!(host.calls().swaps, 1);
}

#[test]
fn two_edges_have_each_their_own() {
    let [one, other] = [MemoryHost::new(), MemoryHost::new()];
    other.advance_ms(7);
    assert_eq!(memory_since(&one, one.now()), NOW);
    assert_eq!(memory_since(&other, other.now()), NOW.plus_ms(7));
}

#[test]
fn a_restart_begins_a_new_one() {
    let host = MemoryHost::new();
    assert_eq!(memory_since(&host, host.now()), NOW);
    host.advance_ms(7);
    host.forget_everything();
    assert_eq!(memory_since(&host, host.now()), NOW.plus_ms(7));
}

#[test]
fn a_store_that_is_out_or_holds_nonsense_gives_the_present_moment() {
    let host = MemoryHost::new();
    host.fail_swaps(true);
    assert_eq!(memory_since(&host, NOW), NOW);
    assert_eq!(host.stored(StoreKey::MemorySince), None);

    let host = MemoryHost::new();
    host.plant(StoreKey::MemorySince, b"?");
    assert_eq!(memory_since(&host, NOW), NOW);
}

/// A store in which another worker is always a little faster.
struct Overtaken<'a> {
    host: &'a MemoryHost,
    by: Moment,
}

impl Store for Overtaken<'_> {
    fn load(&self, key: StoreKey) -> Option<(Vec<u8>, Version)> {
        let found = self.host.load(key);
        if found.is_none() {
            self.host.plant(key, &self.by.to_bytes());
        }
        found
    }

    fn swap(&self, key: StoreKey, expected: Option<Version>, value: &[u8]) -> Swap {
        self.host.swap(key, expected, value)
    }

    fn generation(&self, group: u16) -> u32 {
        self.host.generation(group)
    }

    fn bump(&self, group: u16) {
        self.host.bump(group);
    }

    fn own_bumps(&self) -> u32 {
        self.host.own_bumps()
    }
}

#[test]
fn who_asks_first_but_writes_second_is_told_what_the_other_wrote() {
    let host = MemoryHost::new();
    let overtaken = Overtaken {
        host: &host,
        by: NOW,
    };
    assert_eq!(memory_since(&overtaken, NOW.plus_ms(7)), NOW);
}
