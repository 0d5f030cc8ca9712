//! Many small fleets in trouble, each by its seed. To look at one:
//! `SEED=17 cargo test -p streamgate-sim --test swarm -- --nocapture`; `SEEDS=1000` goes through
//! more of them.

use std::env;

use streamgate_sim::swarm::{Options, run};

/// Half a minute where others are at work, too.
const SEEDS: u64 = 60;

#[test]
fn whatever_happens_nobody_plays_more_than_allowed_in_the_end_and_the_modest_are_never_refused() {
    let number = |name: &str| {
        let text = env::var(name).ok()?;
        Some(text.parse::<u64>().expect("a number"))
    };
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(SEEDS),
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
