//! `make bench`: what a request costs in the filter, beside what it costs in a bare Envoy, in
//! the cheapest possible Wasm filter, and in what operators would build instead.
//!
//! [`case`] says what is measured, [`peer`] who is, [`course`] how; [`results`] is what came
//! out, and [`report`] shows it.

mod against;
mod case;
mod configuration;
mod contention;
mod course;
mod envoy;
mod load;
mod loading;
mod machine;
mod peer;
mod plan;
mod process;
mod rehearsal;
mod report;
mod request;
mod results;
mod scale;
mod slice;
mod stats;
mod surroundings;
mod turns;
mod viewers;

use std::process::ExitCode;
use std::time::Instant;

use course::Course;
use machine::Machine;
use plan::{Plan, What};
use results::{Required, Results};

fn main() -> ExitCode {
    let plan = match Plan::read(std::env::args().skip(1)) {
        Ok(plan) => plan,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let started = Instant::now();
    let say = |what: &str| println!("bench: {:4} s  {what}", started.elapsed().as_secs());
    match plan.what {
        What::Peers => report::keep_peers(&peers(&plan, &say)),
        What::Scale => report::keep_scale(&scale::measure(&plan, &say)),
        What::Required | What::Smoke => {
            let required = Required {
                peers: peers(&plan, &say),
                scale: scale::measure(&plan, &say),
            };
            match plan.what {
                What::Smoke => report::show_required(&required),
                _ => report::keep_required(&required),
            }
        }
        What::Only => report::show_peers(&peers(&plan, &say)),
        What::Report => report::anew(),
        What::Against => {
            let other = plan.against.clone().unwrap_or_default();
            against::measure(&plan, &other, &say);
        }
    }
    ExitCode::SUCCESS
}

/// Measures all peers side by side.
fn peers(plan: &Plan, say: &impl Fn(&str)) -> Results {
    let machine = Machine::this();
    say(&format!(
        "peers start, and {} streams begin",
        plan.live_streams
    ));
    let mut course = Course::set_up(plan);
    if plan.what != What::Smoke {
        say("everything warms up");
        course.warm_up();
    }
    let (mut slices, mut paced) = (Vec::new(), Vec::new());
    for round in 1..=plan.rounds {
        say(&format!("round {round} of {}", plan.rounds));
        slices.extend(course.round());
        paced.extend(course.paced_round());
    }
    say("done");
    Results::of(machine, plan, &slices, &paced)
}
