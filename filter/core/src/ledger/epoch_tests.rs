//! Since when a store remembers, as its workers see it.

use super::epoch::epoch;
use crate::ports::{Clock, Place};
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

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn workers_that_ask_first_at_once_agree() {
    for _ in 0..50 {
        let host = MemoryHost::new();
        let ask = &|later| epoch(&host, NOW.plus_ms(later));
        let told = std::thread::scope(|scope| {
            let workers = [0, 1, 2, 3].map(|later| scope.spawn(move || ask(later)));
            workers.map(|worker| worker.join().unwrap())
        });
        assert_eq!(told, [told[0]; 4]);
    }
}
