//! Many small fleets in trouble, each by its seed. To look at one:
//! `SEED=17 cargo test -p streamgate-sim --test swarm -- --nocapture`; `SEEDS=1000` goes through
//! more of them.

use std::env;

use streamgate_sim::swarm::{Options, Report, run};

/// Half a minute where others are at work, too.
const SEEDS: u64 = 60;

/// Half of that: there is less trouble in each.
const TROUBLES: u64 = 120;

/// A few seconds.
const ROLLOUTS: u64 = 12;

/// A few seconds.
const RETURNS: u64 = 60;

/// A few seconds.
const RUSHES: u64 = 60;

/// Runs a fleet for each seed.
fn go_through(
    seeds: u64,
    options: impl Fn(u64) -> Options,
    wrong: impl Fn(&Report) -> Option<String>,
) {
    let number = |name: &str| {
        let text = env::var(name).ok()?;
        Some(text.parse::<u64>().expect("a number"))
    };
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(seeds),
    };
    let mut failures = Vec::new();
    for seed in seeds {
        let options = options(seed);
        let mut report = run(&options, false);
        report.wrongs.extend(wrong(&report));
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

#[test]
fn whatever_happens_nobody_plays_more_than_allowed_in_the_end_and_the_modest_are_never_refused() {
    go_through(SEEDS, Options::random, |_| None);
}

#[test]
fn of_many_who_start_at_once_only_as_many_as_may_play_on() {
    go_through(RUSHES, Options::rush, |_| None);
}

#[test]
fn one_trouble_alone_lets_nobody_in_too_many_and_refuses_nobody_who_has_room() {
    go_through(TROUBLES, Options::one_trouble, |_| None);
}

#[test]
fn a_store_that_is_back_and_empty_is_told_at_once_of_what_plays() {
    go_through(RETURNS, Options::empty_store, |_| None);
}

#[test]
fn another_number_of_shards_is_noticed_at_every_edge_and_all_is_right_when_all_have_it() {
    go_through(ROLLOUTS, Options::new_shards, |report| {
        let is_noticed = report.layout_mismatches.iter().all(|count| *count > 0);
        (!is_noticed).then(|| format!("not noticed: {:?}", report.layout_mismatches))
    });
}
