//! Tables, as Markdown: they read as well on a screen.

use super::requirements::Requirement;
use crate::case::Size;
use crate::contention::{Contention, Hot};
use crate::loading::Loading;
use crate::machine::Machine;
use crate::results::{CaseResult, Results};
use crate::scale::Scale;
use crate::stats::Sample;

/// Lines of cells, the first of them the head.
pub(crate) fn markdown(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        let cells = widths.iter().enumerate().map(|(column, width)| {
            let cell = line.get(column).map_or("", String::as_str);
            // What is named stands left, figures right.
            match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            }
        });
        text.push_str(&format!("| {} |\n", cells.collect::<Vec<_>>().join(" | ")));
        if at == 0 {
            let rules = widths
                .iter()
                .enumerate()
                .map(|(column, width)| match column {
                    0 => "-".repeat(width + 2),
                    _ => format!("{}:", "-".repeat(width + 1)),
                });
            text.push_str(&format!("|{}|\n", rules.collect::<Vec<_>>().join("|")));
        }
    }
    text
}

/// CPU time, case by case.
pub(crate) fn cpu(results: &Results, size: Size) -> String {
    let head = [
        "",
        "CPU µs/request",
        "of it proxy",
        "to bare",
        "spread",
        "to no-op",
        "spread",
        "requests/s",
        "leases held",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    lines.extend(of_size(results, size).map(|case| {
        let counted = case.counted_per_request.get("fast_path_passes");
        vec![
            case.label.clone(),
            format!("{:.1}", case.cpu_us.median),
            format!("{:.1}", case.proxy_cpu_us.median),
            median(case.to_bare.as_ref()),
            spread(case.to_bare.as_ref()),
            median(case.to_noop.as_ref()),
            spread(case.to_noop.as_ref()),
            format!("{:.0}", case.per_second.median),
            counted.map_or_else(String::new, |share| format!("{:.0} %", share * 100.0)),
        ]
    }));
    markdown(&lines)
}

/// A moderate load, case by case.
pub(crate) fn paced(results: &Results, size: Size) -> String {
    let head = [
        "",
        "requests/s",
        "p50 µs",
        "spread",
        "p99 µs",
        "spread",
        "p50 above bare",
        "CPU µs/request",
        "to bare",
        "spread",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    lines.extend(of_size(results, size).filter_map(|case| {
        let paced = case.paced.as_ref()?;
        let range = |sample: &Sample| format!("{:.0}–{:.0}", sample.min, sample.max);
        let above = paced.p50_above_bare_us.as_ref();
        Some(vec![
            case.label.clone(),
            paced.pace.to_string(),
            format!("{:.0}", paced.p50_us.median),
            range(&paced.p50_us),
            format!("{:.0}", paced.p99_us.median),
            range(&paced.p99_us),
            above.map_or_else(String::new, |above| format!("{:+.0}", above.median)),
            format!("{:.1}", paced.cpu_us.median),
            median(paced.cpu_to_bare.as_ref()),
            spread(paced.cpu_to_bare.as_ref()),
        ])
    }));
    markdown(&lines)
}

/// How it stands against what was asked for.
pub(crate) fn requirements(all: &[Requirement]) -> String {
    let head = ["must hold", "at most", "measured", "spread", ""];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    lines.extend(all.iter().map(|asked| {
        let figure = |value: f64| match asked.unit {
            "×" => format!("{value:.3}"),
            _ => format!("{value:.0}"),
        };
        let limit = format!("{} {}", figure(asked.limit), asked.unit);
        let [measured, spread] = match &asked.measured {
            Some(sample) if sample.values.len() > 1 => [
                format!("{} {}", figure(sample.median), asked.unit),
                format!("{}–{}", figure(sample.min), figure(sample.max)),
            ],
            Some(one) => [
                format!("{} {}", figure(one.median), asked.unit),
                String::new(),
            ],
            None => ["not measured".to_owned(), String::new()],
        };
        let holds = match asked.holds() {
            Some(true) => "holds",
            Some(false) => "**does not hold**",
            None => "",
        };
        vec![
            asked.what.to_owned(),
            limit,
            measured,
            spread,
            holds.to_owned(),
        ]
    }));
    markdown(&lines)
}

/// Cores that 100,000 requests a second keep busy.
pub(crate) fn cores(cores: &[(String, [Option<f64>; 3])]) -> String {
    let head = [
        "",
        "cores",
        "above bare Envoy",
        "saved beside ext_authz (HTTP) + Redis",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    lines.extend(cores.iter().map(|(label, figures)| {
        let figure =
            |cores: &Option<f64>| cores.map_or_else(String::new, |cores| format!("{cores:.2}"));
        let figures = figures.iter().map(figure);
        core::iter::once(label.clone()).chain(figures).collect()
    }));
    markdown(&lines)
}

/// What it was measured on.
pub(crate) fn machine(machine: &Machine) -> String {
    let versions = machine.versions.iter();
    let versions: Vec<String> = versions
        .map(|(program, version)| format!("{program} {version}"))
        .collect();
    format!(
        "{}, {} cores, Linux {}; {}. Load average before the run: {:.2}.\n",
        machine.processor,
        machine.cores,
        machine.kernel,
        versions.join(", "),
        machine.load_before
    )
}

/// What segments cost by the number of live streams.
pub(crate) fn steps(scale: &Scale) -> String {
    let head = [
        "",
        "live streams",
        "served by a worker",
        "CPU µs/request",
        "to bare",
        "spread",
        "leases held",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    let wasm = scale.steps.iter().map(|step| ("Wasm", step));
    let native = scale.native_steps.iter().map(|step| ("native", step));
    for (form, step) in wasm.chain(native) {
        lines.extend([&step.served, &step.wandering].map(|cost| {
            vec![
                form.to_owned(),
                step.live_streams.to_string(),
                cost.streams.to_string(),
                format!("{:.1}", cost.cpu_us.median),
                median(Some(&cost.to_bare)),
                spread(Some(&cost.to_bare)),
                format!("{:.0} %", cost.leases_held * 100.0),
            ]
        }));
    }
    markdown(&lines)
}

/// What memory live streams take, and how long they keep a worker busy at a time.
pub(crate) fn footprint(scale: &Scale) -> String {
    let head = [
        "live streams",
        "shared data",
        "for each",
        "Envoy grew",
        "largest VM",
        "longest turn",
        "with an update",
        "of bare Envoy",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    lines.extend(scale.steps.iter().map(|step| {
        let mb = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
        let ms = |us: f64| format!("{:.2} ms", us / 1e3);
        let each = step.shared_data_bytes as f64 / step.live_streams as f64;
        vec![
            step.live_streams.to_string(),
            mb(step.shared_data_bytes),
            format!("{each:.0} B"),
            mb(step.grown_bytes),
            mb(step.vm_bytes),
            ms(step.pause_us),
            ms(step.update_pause_us),
            ms(step.bare_pause_us),
        ]
    }));
    markdown(&lines)
}

/// How long modules take to load.
pub(crate) fn loading(scale: &Scale) -> String {
    let Some(Loading { ms, noop_ms, bytes }) = &scale.loading else {
        return String::new();
    };
    let line = |what: &str, bytes: Option<u64>, ms: &Sample| {
        vec![
            what.to_owned(),
            bytes.map_or_else(String::new, |bytes| format!("{:.0}", bytes as f64 / 1e3)),
            format!("{:.0}", ms.median),
            format!("{:.0}–{:.0}", ms.min, ms.max),
        ]
    };
    let head = ["", "KB", "ms", "spread"].map(str::to_owned).to_vec();
    markdown(&[
        head,
        line("streamgate", Some(*bytes), ms),
        line("no-op Wasm filter", None, noop_ms),
    ])
}

/// What came out for workers that contend.
pub(crate) fn contention(scale: &Scale) -> String {
    let head = [
        "heartbeats to",
        "workers",
        "CPU µs/request",
        "spread",
        "requests/s",
        "writes overtaken",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    let mut all: Vec<&Contention> = scale.contention.iter().collect();
    all.sort_by_key(|one| one.hot as u8);
    lines.extend(all.into_iter().map(|one| {
        let hot = match one.hot {
            Hot::Nothing => "5000 accounts",
            Hot::Subject => "one account",
            Hot::Slot => "15 accounts in one slot",
        };
        vec![
            hot.to_owned(),
            one.workers.to_string(),
            format!("{:.1}", one.cpu_us.median),
            format!("{:.1}–{:.1}", one.cpu_us.min, one.cpu_us.max),
            format!("{:.0}", one.per_second.median),
            format!("{:.1} %", one.retries * 100.0),
        ]
    }));
    markdown(&lines)
}

fn of_size(results: &Results, size: Size) -> impl Iterator<Item = &CaseResult> {
    results.cases.iter().filter(move |case| case.answer == size)
}

fn median(ratio: Option<&Sample>) -> String {
    ratio.map_or_else(String::new, |ratio| format!("{:.2} ×", ratio.median))
}

fn spread(ratio: Option<&Sample>) -> String {
    ratio.map_or_else(String::new, |ratio| {
        format!("{:.2}–{:.2}", ratio.min, ratio.max)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Required;
    use crate::results::tests::{made_up, simple};
    use crate::scale::tests::made_up_scale;

    #[test]
    fn a_table_has_a_head_and_its_figures_stand_right() {
        let cells = |line: [&str; 2]| line.map(str::to_owned).to_vec();
        let table = markdown(&[cells(["", "µs"]), cells(["bare", "5"])]);
        assert_eq!(table, "|      | µs |\n|------|---:|\n| bare |  5 |\n");
    }

    #[test]
    fn every_case_is_in_the_table_of_its_size() {
        let results = made_up(simple);
        let tiny = cpu(&results, Size::Tiny);
        let lua = tiny
            .lines()
            .find(|line| line.contains("Lua"))
            .expect("a line");
        let cells: Vec<&str> = lua.split('|').map(str::trim).collect();
        assert_eq!(cells[2..6], ["60.0", "60.0", "2.00 ×", "2.00–2.00"]);
        assert!(tiny.contains("session create"));
        assert!(!cpu(&results, Size::Segment).contains("session create"));
        assert!(paced(&results, Size::Segment).contains("stick tables"));
    }

    #[test]
    fn loading_is_told_beside_a_module_that_does_nothing() {
        let table = loading(&made_up_scale());
        assert!(
            table.contains("| streamgate        | 400 | 250 | 200–310 |"),
            "{table}"
        );
    }

    #[test]
    fn what_does_not_hold_stands_out() {
        let results = made_up(simple);
        let required = Required {
            peers: results,
            scale: made_up_scale(),
        };
        let all = super::super::requirements::all(&required, &serde_json::json!({}));
        let table = requirements(&all);
        assert!(table.contains("**does not hold**") && table.contains("not measured"));
    }

    #[test]
    fn each_step_of_the_scale_has_a_line() {
        let last_line = |table: String| {
            let line = table.lines().last().expect("a line");
            line.split('|')
                .map(|cell| cell.trim().to_owned())
                .collect::<Vec<_>>()
        };
        let cost = last_line(steps(&made_up_scale()));
        assert_eq!(cost[1..5], ["native", "1000000", "1000000", "24.2"]);
        let footprint = last_line(footprint(&made_up_scale()));
        assert_eq!(footprint[1..4], ["1000000", "100.0 MB", "100 B"]);
        assert!(machine(&made_up_scale().machine).contains("envoy 1.40.0"));
    }
}
