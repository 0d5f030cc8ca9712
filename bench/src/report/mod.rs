//! What came out, for people: tables, plots, and how it stands against what was asked.

mod document;
mod plot;
mod requirements;
mod table;

use std::fs;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use streamgate_tests::project;

use crate::case::Size;
use crate::results::{CaseResult, Results};
use crate::scale::{Cost, Scale, Step};
use plot::{Bar, Line};
use requirements::Requirement;

const PEERS: &str = "latest.json";
const SCALE: &str = "scale.json";

/// Shows how the peers compare, and keeps it.
pub(crate) fn keep_peers(results: &Results) {
    write(PEERS, results);
    show_peers(results);
    anew();
}

/// Shows what came out at scale, and keeps it.
pub(crate) fn keep_scale(scale: &Scale) {
    write(SCALE, scale);
    show_scale(scale);
    anew();
}

/// Shows how the peers compare.
pub(crate) fn show_peers(results: &Results) {
    println!("\n{}", table::on_screen(results));
    show(requirements::all(Some(results), None));
}

/// Shows what came out at scale.
pub(crate) fn show_scale(scale: &Scale) {
    println!("\n{}\n{}", table::steps(scale), table::footprint(scale));
    println!("{}", table::loading(scale));
    println!("{}", table::contention(scale));
    show(requirements::all(None, Some(scale)));
}

fn show(mut asked: Vec<Requirement>) {
    asked.retain(|asked| asked.measured.is_some());
    println!("{}", table::requirements(&asked));
}

/// Makes the tables and plots of `docs/performance.md` anew from what is kept.
pub(crate) fn anew() {
    let (results, scale) = (read::<Results>(PEERS), read::<Scale>(SCALE));
    let asked = requirements::all(results.as_ref(), scale.as_ref());
    let mut parts = vec![("requirements", table::requirements(&asked))];
    if let Some(results) = &results {
        parts.push(("machine", table::machine(&results.machine)));
        parts.push(("tiny", table::cpu(results, Size::Tiny)));
        parts.push(("segment", table::cpu(results, Size::Segment)));
        parts.push(("paced-tiny", table::paced(results, Size::Tiny)));
        parts.push(("paced-segment", table::paced(results, Size::Segment)));
        plot(
            "cpu-tiny.svg",
            &cpu_plot("CPU time for a tiny answer", results, Size::Tiny),
        );
        let title = "CPU time for a segment of 200 KB from an upstream";
        plot("cpu-segment.svg", &cpu_plot(title, results, Size::Segment));
        plot("latency.svg", &latency_plot(results));
    }
    if let Some(scale) = &scale {
        parts.push(("scale", table::steps(scale)));
        parts.push(("footprint", table::footprint(scale)));
        parts.push(("loading", table::loading(scale)));
        parts.push(("contention", table::contention(scale)));
        plot("scale.svg", &scale_plot(scale));
    }
    let path = project().join("docs/performance.md");
    let document = fs::read_to_string(&path).expect("docs/performance.md");
    let new = parts.iter().fold(document, |document, (part, text)| {
        document::replace(&document, part, text)
    });
    fs::write(&path, new).expect("to write");
    println!("docs/performance.md and its plots are up to date");
}

fn cpu_plot(title: &str, results: &Results, size: Size) -> String {
    let cases = results.cases.iter().filter(|case| case.answer == size);
    let bars: Vec<Bar> = cases
        .map(|case| {
            let proxy = case.proxy_cpu_us.median;
            bar(
                case,
                vec![proxy, case.cpu_us.median - proxy],
                (case.cpu_us.min, case.cpu_us.max),
            )
        })
        .collect();
    plot::bars(
        &format!("{title} (light: the services that are asked)"),
        "µs",
        &bars,
    )
}

fn latency_plot(results: &Results) -> String {
    let cases = results
        .cases
        .iter()
        .filter(|case| case.answer == Size::Tiny);
    let bars: Vec<Bar> = cases
        .filter_map(|case| {
            let p50 = &case.paced.as_ref()?.p50_us;
            Some(bar(case, vec![p50.median], (p50.min, p50.max)))
        })
        .collect();
    plot::bars(
        "Median latency of a tiny answer at a moderate load",
        "µs",
        &bars,
    )
}

fn bar(case: &CaseResult, parts: Vec<f64>, spread: (f64, f64)) -> Bar {
    Bar {
        label: case.label.clone(),
        parts,
        spread,
        is_ours: case.label.starts_with("streamgate"),
    }
}

fn scale_plot(scale: &Scale) -> String {
    let line = |label: &str, cost: fn(&Step) -> &Cost| Line {
        label: label.to_owned(),
        points: scale
            .steps
            .iter()
            .map(|step| {
                let ratio = &cost(step).to_bare;
                let streams = step.live_streams as f64;
                (streams, ratio.median, (ratio.min, ratio.max))
            })
            .collect(),
    };
    let lines = [
        line("a worker serves its share", |step| &step.served),
        line("each worker serves all", |step| &step.wandering),
    ];
    let title = "CPU time of a request by live streams, bare Envoy being 1";
    plot::lines(title, "live streams", "×", &lines)
}

fn write(name: &str, results: &impl Serialize) {
    let mut json = serde_json::to_value(results).expect("JSON");
    round(&mut json);
    let text = serde_json::to_string_pretty(&json).expect("JSON");
    fs::write(kept(name), text + "\n").expect("to write");
}

/// Leaves three digits behind the point, behind which nothing is known.
fn round(json: &mut Value) {
    match json {
        Value::Array(list) => list.iter_mut().for_each(round),
        Value::Object(fields) => fields.values_mut().for_each(round),
        Value::Number(number) if number.is_f64() => {
            let rounded = number.as_f64().map(|value| (value * 1e3).round() / 1e3);
            *json = rounded.into();
        }
        _ => {}
    }
}

fn read<T: DeserializeOwned>(name: &str) -> Option<T> {
    let text = fs::read_to_string(kept(name)).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")))
}

fn plot(name: &str, svg: &str) {
    let directory = project().join("docs/plots");
    fs::create_dir_all(&directory).expect("a directory");
    fs::write(directory.join(name), svg).expect("to write");
}

fn kept(name: &str) -> PathBuf {
    let directory = project().join("bench/results");
    fs::create_dir_all(&directory).expect("a directory");
    directory.join(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{made_up, simple};
    use crate::scale::tests::made_up_scale;

    #[test]
    fn figures_are_kept_to_three_digits() {
        let mut json = serde_json::json!({"a": [1.000_49, 2], "b": {"c": 0.123_6}, "d": "e"});
        round(&mut json);
        assert_eq!(
            json,
            serde_json::json!({"a": [1.0, 2], "b": {"c": 0.124}, "d": "e"})
        );
    }

    #[test]
    fn every_case_has_its_bar_and_every_kind_of_worker_its_line() {
        let results = made_up(simple);
        let svg = cpu_plot("CPU", &results, Size::Tiny);
        assert!(
            results
                .cases
                .iter()
                .filter(|case| case.answer == Size::Tiny)
                .all(|case| svg.contains(&case.label))
        );
        assert!(latency_plot(&results).contains("HAProxy"));
        assert!(scale_plot(&made_up_scale()).contains("each worker serves all"));
    }
}
