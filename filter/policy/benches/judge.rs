//! How long one judgement takes: `cargo bench -p streamgate-policy`. It is to stay under
//! 5 µs, however many applications are configured.

// It may fail loudly, as tests may.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

mod crowd;

use criterion::{BatchSize, Criterion};
use crowd::Crowd;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for applications in [10, 10_000] {
        let crowd = Crowd::new(applications);
        let events = [
            ("start", crowd.start()),
            ("sign of life", crowd.sign_of_life()),
        ];
        for (name, event) in &events {
            criterion.bench_function(&format!("{name}, {applications} applications"), |bench| {
                bench.iter_batched_ref(
                    || crowd.activity.clone(),
                    |activity| crowd.judge(activity, event),
                    // So few lie in the processor's cache, as a record just read does.
                    BatchSize::NumIterations(16),
                );
            });
        }
    }
    criterion.final_summary();
}
