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
use crate::results::{Required, Results};
use crate::scale::Scale;
use plot::Bar;

const PEERS: &str = "latest.json";
const SCALE: &str = "scale.json";
const REQUIRED: &str = "required.json";

/// Shows how the peers compare, and keeps it.
pub(crate) fn keep_peers(results: &Results) {
    write(PEERS, results);
    println!("\n{}", table::cpu(results, Size::Tiny));
    anew();
}

/// Shows how peers compare, and keeps it nowhere.
pub(crate) fn show_peers(results: &Results) {
    for size in [Size::Tiny, Size::Segment] {
        println!("\n{}", table::cpu(results, size));
    }
}

/// Keeps what came out at scale.
pub(crate) fn keep_scale(scale: &Scale) {
    write(SCALE, scale);
    println!("\n{}\n{}", table::steps(scale), table::footprint(scale));
    anew();
}

/// Shows what is required and what came out, and keeps it.
pub(crate) fn keep_required(required: &Required) {
    write(REQUIRED, required);
    show_required(required);
    anew();
}

/// Shows what is required and what came out, as `docs/performance.md` has it.
pub(crate) fn show_required(required: &Required) {
    for (_, text) in of_required(required) {
        println!("\n{text}");
    }
}

/// The parts of `docs/performance.md` that are about what is required.
fn of_required(required: &Required) -> Vec<(&'static str, String)> {
    let budget = project().join("tests/vm/budget.json");
    let budget = fs::read_to_string(budget).expect("tests/vm/budget.json");
    let budget = serde_json::from_str(&budget).expect("JSON");
    let peers = &required.peers;
    vec![
        (
            "requirements",
            table::requirements(&requirements::all(required, &budget)),
        ),
        ("cores", table::cores(&requirements::cores(peers))),
        ("required-cases", table::cpu(peers, Size::Tiny)),
        ("required-segment", table::cpu(peers, Size::Segment)),
        ("required-paced", table::paced(peers, Size::Tiny)),
        ("required-scale", table::steps(&required.scale)),
        ("loading", table::loading(&required.scale)),
        ("required-machine", table::machine(&peers.machine)),
    ]
}

/// Makes the tables and plots of `docs/performance.md` anew from what is kept.
pub(crate) fn anew() {
    let mut parts = Vec::new();
    if let Some(required) = read::<Required>(REQUIRED) {
        parts.extend(of_required(&required));
    }
    if let Some(results) = read::<Results>(PEERS) {
        parts.push(("machine", table::machine(&results.machine)));
        parts.push(("tiny", table::cpu(&results, Size::Tiny)));
        parts.push(("segment", table::cpu(&results, Size::Segment)));
        parts.push(("paced-tiny", table::paced(&results, Size::Tiny)));
        parts.push(("paced-segment", table::paced(&results, Size::Segment)));
        let title = "CPU time for a tiny answer";
        plot("cpu-tiny.svg", &cpu_plot(title, &results, Size::Tiny));
        let title = "CPU time for a segment of 200 KB from an upstream";
        plot("cpu-segment.svg", &cpu_plot(title, &results, Size::Segment));
    }
    if let Some(scale) = read::<Scale>(SCALE) {
        parts.push(("scale", table::steps(&scale)));
        parts.push(("footprint", table::footprint(&scale)));
        parts.push(("contention", table::contention(&scale)));
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
    let bars = cases.map(|case| {
        let proxy = case.proxy_cpu_us.median;
        Bar {
            label: case.label.clone(),
            parts: vec![proxy, case.cpu_us.median - proxy],
            spread: (case.cpu_us.min, case.cpu_us.max),
            is_ours: case.label.starts_with("streamgate"),
        }
    });
    let title = format!("{title} (light: the services that are asked)");
    plot::bars(&title, "µs", &bars.collect::<Vec<_>>())
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
    fn every_case_has_its_bar() {
        let results = made_up(simple);
        let svg = cpu_plot("CPU", &results, Size::Tiny);
        let mut tiny = results.cases.iter();
        assert!(tiny.all(|case| case.answer != Size::Tiny || svg.contains(&case.label)));
    }

    #[test]
    fn the_page_has_a_place_for_all_that_is_required() {
        let required = Required {
            peers: made_up(simple),
            scale: made_up_scale(),
        };
        let page = include_str!("../../../docs/performance.md");
        for (part, text) in of_required(&required) {
            assert!(
                document::replace(page, part, &text).contains(text.trim_end()),
                "{part}"
            );
        }
    }
}
