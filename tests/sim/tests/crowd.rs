//! What `make sim` counts, on a small scale: by number, not by time.

use streamgate_record::metric::Metric;
use streamgate_sim::crowd::{Figures, Options, run};

fn small() -> Options {
    Options {
        edges: 4,
        streams: 6_000,
        nodes: 2,
        shards: 16,
        timeout_s: 15,
        ramp_s: 10,
        steady_s: 20,
        recorded_s: 0,
        ..Options::default()
    }
}

fn within(value: f64, least: f64, most: f64) {
    assert!(
        (least..=most).contains(&value),
        "{value} of {least} … {most}"
    );
}

fn a_second(options: &Options, count: u64) -> f64 {
    count as f64 / options.steady_s as f64
}

fn metric(figures: &Figures, metric: Metric) -> f64 {
    figures.metric(metric) as f64
}

#[test]
fn streams_are_renewed_once_in_a_third_of_their_timeout_and_nobody_is_turned_away() {
    let options = small();
    let (figures, _) = run(&options);
    let streams = figures.streams as f64;
    within(streams, 5_700.0, 6_000.0);
    assert_eq!(figures.refused, 0);
    assert_eq!(figures.metric(Metric::FleetCallsFailed), 0);
    assert_eq!(figures.metric(Metric::CorruptSlots), 0);
    // The next segment comes within four seconds after the third: seven on average.
    let due = a_second(&options, figures.requests);
    within(due, 0.9 * streams / 7.0, 1.1 * streams / 7.0);
    // Two streams of a household may be told of in one write.
    let told = a_second(&options, figures.metric(Metric::FleetRefreshes));
    within(told / due, 0.8, 1.0);
    // Conflicts come from households at two edges only: two of three viewers share one, and
    // of these one in ten is elsewhere.
    within(
        metric(&figures, Metric::FleetConflicts) / metric(&figures, Metric::FleetRefreshes),
        0.01,
        0.12,
    );
    within(figures.records as f64 / streams, 0.6, 0.8);
}

#[test]
fn starts_take_one_round_trip_or_two() {
    let (figures, _) = run(&small());
    let [at_once, one, two, three, more] = figures.round_trips;
    assert_eq!((at_once, more), (0, 0));
    assert!(one > 0, "{:?}", figures.round_trips);
    within(three as f64 / (one + two) as f64, 0.0, 0.05);
}

#[test]
fn where_nobody_comes_or_goes_a_worker_makes_few_calls_however_many_play() {
    let calls = [1_500, 6_000].map(|streams| {
        let options = Options {
            streams,
            watches_s: 1_000_000_000,
            edges: 1,
            ..small()
        };
        let (figures, _) = run(&options);
        assert_eq!(figures.metric(Metric::FleetQuestions), 0);
        figures.calls_a_tick()
    });
    // One for signs of life, and at times one for the feed.
    for calls in calls {
        within(calls, 0.5, 2.0);
    }
}

#[test]
fn a_run_depends_on_its_seed_alone() {
    let runs = [1, 3].map(|threads| {
        let options = Options {
            threads,
            streams: 1_000,
            ..small()
        };
        format!("{:?}", run(&options).0)
    });
    assert_eq!(runs[0], runs[1]);
}
