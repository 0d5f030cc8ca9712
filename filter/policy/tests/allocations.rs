//! A judgement costs the same however many applications are configured.

#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

#[path = "../benches/crowd/mod.rs"]
mod crowd;

use crowd::Crowd;
use streamgate_policy::{Event, Verdict};

/// How many allocations, and of how many bytes, the judgement of an event makes.
fn allocations(crowd: &Crowd, event: &Event) -> (u64, u64) {
    let mut activity = crowd.activity.clone();
    let mut judgement = None;
    let made = allocation_counter::measure(|| {
        judgement = Some(crowd.judge(&mut activity, event));
    });
    assert!(matches!(judgement.unwrap().verdict, Verdict::Plays(_)));
    (made.count_total, made.bytes_total)
}

#[test]
fn allocations_do_not_grow_with_the_number_of_applications() {
    let made = [10, 10_000].map(|applications| {
        let crowd = Crowd::new(applications);
        let events = [crowd.start(), crowd.sign_of_life()];
        events.map(|event| allocations(&crowd, &event))
    });
    assert_eq!(made[0], made[1]);
    println!("start, sign of life (allocations, bytes): {:?}", made[0]);
}
