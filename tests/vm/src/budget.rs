//! What each scenario may cost: `tests/vm/budget.json`, and how a count is held to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::cost::{Calls, Cost};
use crate::module::project;
use crate::scenarios::ALL;
use crate::toolchain::toolchain;

/// How far instructions may be off the budget, in percent, before someone has to look.
/// Calls and writes may not be off at all.
pub const TOLERANCE_PERCENT: u64 = 3;

/// The cost of every scenario, and what the filter was compiled with when they were
/// counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Calls do not depend on it, and instructions hardly.
    pub toolchain: String,
    /// By name.
    pub scenarios: BTreeMap<String, Cost>,
}

impl Budget {
    /// Runs every scenario.
    #[must_use]
    pub fn counted() -> Self {
        let scenarios = ALL.iter();
        Self {
            toolchain: toolchain(),
            scenarios: scenarios
                .map(|(name, scenario)| ((*name).to_owned(), scenario()))
                .collect(),
        }
    }

    /// The budget as it is written down.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn recorded() -> Self {
        let text = std::fs::read_to_string(path()).expect("tests/vm/budget.json is there");
        serde_json::from_str(&text).expect("tests/vm/budget.json is a budget")
    }

    /// Writes it down.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub fn record(&self) {
        let json = serde_json::to_string_pretty(self).expect("a budget is JSON");
        std::fs::write(path(), json + "\n").expect("tests/vm/budget.json can be written");
    }

    /// Where `counted` is off this budget; a line each.
    #[must_use]
    pub fn differences(&self, counted: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for name in keys(&self.scenarios, &counted.scenarios) {
            match (self.scenarios.get(name), counted.scenarios.get(name)) {
                (Some(budget), Some(now)) => {
                    let found = differences(budget, now);
                    lines.extend(found.into_iter().map(|line| format!("{name}: {line}")));
                }
                (None, _) => lines.push(format!("{name}: has no budget yet")),
                (_, None) => lines.push(format!("{name}: has a budget, but no scenario")),
            }
        }
        lines
    }
}

fn path() -> PathBuf {
    project().join("tests/vm/budget.json")
}

fn differences(budget: &Cost, now: &Cost) -> Vec<String> {
    let mut lines = calls(
        "calls that return a buffer",
        &budget.buffer_calls,
        &now.buffer_calls,
    );
    lines.extend(calls("other calls", &budget.other_calls, &now.other_calls));
    if budget.shared_data_writes != now.shared_data_writes {
        lines.push(format!(
            "writes to shared data: budget {}, now {}",
            budget.shared_data_writes, now.shared_data_writes
        ));
    }
    let off = budget.fuel.abs_diff(now.fuel);
    if off * 100 > budget.fuel * TOLERANCE_PERCENT {
        let percent = 100.0 * (now.fuel as f64 / budget.fuel as f64 - 1.0);
        let verdict = if now.fuel > budget.fuel {
            "too many"
        } else {
            "a saving to be recorded"
        };
        lines.push(format!(
            "instructions: budget {}, now {} ({percent:+.1} %): {verdict}",
            budget.fuel, now.fuel
        ));
    }
    lines
}

fn calls(what: &str, budget: &Calls, now: &Calls) -> Vec<String> {
    keys(budget, now)
        .into_iter()
        .filter_map(|name| {
            let times = |calls: &Calls| calls.get(name).copied().unwrap_or_default();
            let (old, new) = (times(budget), times(now));
            (old != new).then(|| format!("{what}: {name}: budget {old}, now {new}"))
        })
        .collect()
}

fn keys<'a, V>(one: &'a BTreeMap<String, V>, other: &'a BTreeMap<String, V>) -> BTreeSet<&'a str> {
    let keys = one.keys().chain(other.keys());
    keys.map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(change: impl FnOnce(&mut Cost)) -> Budget {
        let mut cost = Cost {
            buffer_calls: [("get_header_map_value :path".to_owned(), 1)].into(),
            other_calls: Calls::new(),
            shared_data_writes: 1,
            fuel: 1000,
        };
        change(&mut cost);
        Budget {
            toolchain: "native".to_owned(),
            scenarios: [("segment".to_owned(), cost)].into(),
        }
    }

    fn off(change: impl FnOnce(&mut Cost)) -> Vec<String> {
        budget(|_| ()).differences(&budget(change))
    }

    #[test]
    fn a_call_more_or_less_is_told_by_name() {
        assert_eq!(off(|_| ()), [""; 0]);
        assert_eq!(
            off(|cost| cost.buffer_calls.clear()),
            ["segment: calls that return a buffer: get_header_map_value :path: budget 1, now 0"]
        );
        assert_eq!(
            off(|cost| {
                cost.other_calls.insert("random_get".to_owned(), 2);
            }),
            ["segment: other calls: random_get: budget 0, now 2"]
        );
        assert_eq!(
            off(|cost| cost.shared_data_writes = 2),
            ["segment: writes to shared data: budget 1, now 2"]
        );
    }

    #[test]
    fn instructions_may_be_off_by_the_tolerance_and_no_more() {
        for fuel in [970, 1030] {
            assert_eq!(off(|cost| cost.fuel = fuel), [""; 0]);
        }
        assert_eq!(
            off(|cost| cost.fuel = 1031),
            ["segment: instructions: budget 1000, now 1031 (+3.1 %): too many"]
        );
        assert_eq!(
            off(|cost| cost.fuel = 969),
            ["segment: instructions: budget 1000, now 969 (-3.1 %): a saving to be recorded"]
        );
    }

    #[test]
    fn every_scenario_has_a_budget_and_every_budget_a_scenario() {
        let mut other = budget(|_| ());
        let cost = other.scenarios.remove("segment").unwrap();
        other.scenarios.insert("manifest".to_owned(), cost);
        assert_eq!(
            budget(|_| ()).differences(&other),
            [
                "manifest: has no budget yet",
                "segment: has a budget, but no scenario"
            ]
        );
    }
}
