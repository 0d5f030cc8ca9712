//! Many small fleets in trouble, each by its seed. To look at one:
//! `SEED=17 cargo test -p streamgate-sim --test swarm -- --nocapture`.

use std::env;

use streamgate_sim::swarm::{Options, run};

const SEEDS: u64 = 60;

#[test]
fn whatever_happens_nobody_plays_more_than_allowed_in_the_end_and_the_modest_are_never_refused() {
    let seed = env::var("SEED")
        .ok()
        .map(|seed| seed.parse().expect("a number"));
    let seeds = match seed {
        Some(seed) => seed..seed + 1,
        None => 0..SEEDS,
    };
    let mut failures = Vec::new();
    for seed in seeds {
        let options = Options::random(seed);
        let report = run(&options, false);
        println!(
            "seed {seed}: {} requests, {} calls, {} play",
            report.requests, report.calls, report.playing
        );
        if !report.wrongs.is_empty() {
            failures.push(format!("{options:#?}\n{}", report.wrongs.join("\n")));
        }
    }
    assert!(
        failures.is_empty(),
        "{} fleets:\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}
