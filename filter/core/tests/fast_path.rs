//! A segment on the fast path allocates nothing, and asks for nothing but a bell.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::arithmetic_side_effects, clippy::panic, clippy::unwrap_used)]

#[path = "../benches/viewer/mod.rs"]
mod viewer;

use viewer::Viewer;

#[test]
fn a_segment_on_the_fast_path_allocates_nothing_and_asks_for_nothing_but_a_bell() {
    let mut viewer = Viewer::new();
    let (path, before) = (viewer.path_of(2), viewer.host.asked.get());
    let made = allocation_counter::measure(|| {
        assert!(viewer.segment(&path).watch.is_none());
    });
    assert_eq!(made.count_total, 0);
    assert_eq!(viewer.host.asked.get(), before);
}
