//! Since when a store remembers, as its workers see it.

use streamgate_values::moment::Moment;

use super::epoch::epoch;
use crate::ports::{Clock, Place, Store, Swap, Version};
use crate::testing::{MemoryHost, NOW, test};

#[test]
fn all_workers_are_told_the_moment_the_first_of_them_asked() {
    let host = MemoryHost::new();
    assert_eq!(epoch(&host, NOW), NOW);
    for later in [0, 1, 1_000_000] {
        assert_eq!(epoch(&host, NOW.plus_ms(later)), NOW);
    }
    assert_eq!(host.calls().swaps, 1);
}

#[test]
fn two_edges_have_each_their_own() {
    let [one, other] = [MemoryHost::new(), MemoryHost::new()];
    other.advance_ms(7);
    assert_eq!(epoch(&one, one.now()), NOW);
    assert_eq!(epoch(&other, other.now()), NOW.plus_ms(7));
}

#[test]
fn a_restart_begins_a_new_one() {
    let host = MemoryHost::new();
    assert_eq!(epoch(&host, host.now()), NOW);
    host.advance_ms(7);
    host.forget_everything();
    assert_eq!(epoch(&host, host.now()), NOW.plus_ms(7));
}

#[test]
fn a_store_that_is_out_or_holds_nonsense_gives_the_present_moment() {
    let host = MemoryHost::new();
    host.fail_swaps(true);
    assert_eq!(epoch(&host, NOW), NOW);
    assert_eq!(host.stored(Place::Epoch), None);

    let host = MemoryHost::new();
    host.plant(Place::Epoch, b"?");
    assert_eq!(epoch(&host, NOW), NOW);
}

/// A store in which another worker is always a little faster.
struct Overtaken<'a> {
    host: &'a MemoryHost,
    by: Moment,
}

impl Store for Overtaken<'_> {
    fn load(&self, place: Place) -> Option<(Vec<u8>, Version)> {
        let found = self.host.load(place);
        if found.is_none() {
            self.host.plant(place, &self.by.to_bytes());
        }
        found
    }

    fn swap(&self, place: Place, expected: Option<Version>, value: &[u8]) -> Swap {
        self.host.swap(place, expected, value)
    }

    fn bell(&self, bell: u16) -> u32 {
        self.host.bell(bell)
    }

    fn ring(&self, bell: u16) {
        self.host.ring(bell);
    }
}

#[test]
fn who_asks_first_but_writes_second_is_told_what_the_other_wrote() {
    let host = MemoryHost::new();
    let overtaken = Overtaken {
        host: &host,
        by: NOW,
    };
    assert_eq!(epoch(&overtaken, NOW.plus_ms(7)), NOW);
}
