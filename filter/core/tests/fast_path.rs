//! A segment on the fast path allocates nothing, and asks for nothing.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::arithmetic_side_effects, clippy::panic, clippy::unwrap_used)]

#[path = "../benches/viewer/mod.rs"]
mod viewer;

use viewer::Viewer;

#[test]
fn a_segment_on_the_fast_path_allocates_nothing_and_asks_for_nothing() {
    let mut viewer = Viewer::new();
    // The first one after a start looks at the generation itself.
    let _ = viewer.segment(&viewer.path_of(1));
    let (path, before) = (viewer.path_of(2), viewer.asked());
    let made = allocation_counter::measure(|| {
        assert!(viewer.segment(&path).watch.is_none());
    });
    assert_eq!(made.count_total, 0);
    assert_eq!(viewer.asked(), before);
}
