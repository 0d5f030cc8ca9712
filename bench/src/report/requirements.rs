//! How it stands against what was asked for.

use serde_json::Value;

use crate::loading::Loading;
use crate::results::{CaseResult, Required, Results};
use crate::scale::{Step, growth};
use crate::stats::Sample;

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Requirement {
    /// What must hold.
    pub(crate) what: &'static str,
    /// What was measured; `None` if it was not.
    pub(crate) measured: Option<Sample>,
    /// The most that is allowed.
    pub(crate) limit: f64,
    /// What both are in.
    pub(crate) unit: &'static str,
}

impl Requirement {
    /// Whether it holds, by the median.
    pub(crate) fn holds(&self) -> Option<bool> {
        let measured = self.measured.as_ref();
        measured.map(|sample| sample.median <= self.limit)
    }
}

type Figure<'f> = &'f dyn Fn(&CaseResult) -> Option<Sample>;

/// All of them. `budget` is what a request costs by count (`tests/vm/budget.json`).
pub(crate) fn all(required: &Required, budget: &Value) -> Vec<Requirement> {
    let Required { peers, scale } = required;
    let of = |id: &str, figure: Figure<'_>| peers.case(id).and_then(figure);
    let to_bare: Figure<'_> = &|case| case.to_bare.clone();
    let to_calls: Figure<'_> = &|case| case.to_calls.clone();
    let cpu: Figure<'_> = &|case| case.above_bare_us.clone();
    let p50: Figure<'_> = &|case| case.paced.as_ref()?.p50_above_bare_us.clone();
    // What one case adds, slice by slice, beside what another does. Not pair by pair: which slices
    // were left out of one says nothing of the other.
    let share = |id, rival, figure| of(id, figure)?.shares_of(of(rival, figure)?.median);
    let growth = |steps: &[Step], cost| growth(steps, cost);
    let counted = |figure: Option<f64>| figure.and_then(|figure| Sample::of([figure]));
    let rows = [
        (
            "Wasm, fast path: host calls",
            counted(host_calls(budget)),
            2.0,
            "",
        ),
        (
            "Wasm, fast path: instructions",
            counted(instructions(budget)),
            5_000.0,
            "",
        ),
        (
            "Wasm, fast path, beside a filter that makes these two calls alone",
            of("fast-path", to_calls),
            1.10,
            "×",
        ),
        (
            "native, fast path, beside bare Envoy: a tiny answer",
            of("native", to_bare),
            1.20,
            "×",
        ),
        (
            "the same, with the route kept",
            of("native-kept", to_bare),
            1.10,
            "×",
        ),
        ("the same: 200 KB", of("native-200k", to_bare), 1.03, "×"),
        (
            "what it adds, beside what Wasm adds",
            share("native", "fast-path", cpu),
            0.35,
            "×",
        ),
        (
            "native, fast path: CPU added, beside ext_authz (HTTP) + Redis",
            share("native", "authz-http", cpu),
            1.0 / 20.0,
            "×",
        ),
        (
            "the same beside ext_authz (gRPC) + Redis",
            share("native", "authz-grpc", cpu),
            1.0 / 20.0,
            "×",
        ),
        (
            "Wasm, fast path: CPU added, beside ext_authz (HTTP) + Redis",
            share("fast-path", "authz-http", cpu),
            1.0 / 7.0,
            "×",
        ),
        (
            "the same beside ext_authz (gRPC) + Redis",
            share("fast-path", "authz-grpc", cpu),
            1.0 / 7.0,
            "×",
        ),
        (
            "native: median latency added at a moderate load, beside ext_authz (HTTP) + Redis",
            share("native", "authz-http", p50),
            1.0 / 15.0,
            "×",
        ),
        (
            "the same beside ext_authz (gRPC) + Redis",
            share("native", "authz-grpc", p50),
            1.0 / 15.0,
            "×",
        ),
        (
            "Wasm: median latency added at a moderate load, beside ext_authz (HTTP) + Redis",
            share("fast-path", "authz-http", p50),
            1.0 / 8.0,
            "×",
        ),
        (
            "the same beside ext_authz (gRPC) + Redis",
            share("fast-path", "authz-grpc", p50),
            1.0 / 8.0,
            "×",
        ),
        (
            "session create beside bare Envoy: Wasm",
            of("create", to_bare),
            2.4,
            "×",
        ),
        ("the same: native", of("native-create", to_bare), 1.6, "×"),
        (
            "lease due beside bare Envoy: Wasm",
            of("lease-due", to_bare),
            1.9,
            "×",
        ),
        (
            "the same: native",
            of("native-lease-due", to_bare),
            1.2,
            "×",
        ),
        (
            "refusal asked for again, beside bare Envoy, by an evicted stream: Wasm",
            of("evicted-again", to_bare),
            1.7,
            "×",
        ),
        (
            "the same: native",
            of("native-evicted-again", to_bare),
            1.2,
            "×",
        ),
        (
            "the same by a start beyond the limit: Wasm",
            of("denied-again", to_bare),
            1.7,
            "×",
        ),
        (
            "the same: native",
            of("native-denied-again", to_bare),
            1.2,
            "×",
        ),
        (
            "unprotected path beside bare Envoy: native",
            of("native-unprotected", to_bare),
            1.03,
            "×",
        ),
        (
            "a million live streams beside a thousand, each worker with its share: Wasm",
            growth(&scale.steps, |step| &step.served),
            1.10,
            "×",
        ),
        (
            "the same: native",
            growth(&scale.native_steps, |step| &step.served),
            1.10,
            "×",
        ),
        (
            "the same, each worker serving all of them: native",
            growth(&scale.native_steps, |step| &step.wandering),
            1.25,
            "×",
        ),
        (
            "loading the module beside loading a Wasm filter that does nothing",
            scale.loading.as_ref().and_then(loading),
            6.0,
            "×",
        ),
    ];
    let rows = rows.into_iter();
    rows.map(|(what, measured, limit, unit)| Requirement {
        what,
        measured,
        limit,
        unit,
    })
    .collect()
}

/// Whose CPU time is told in cores.
const IN_CORES: [&str; 5] = ["bare", "native", "fast-path", "authz-http", "authz-grpc"];

/// Cores that 100,000 requests a second keep busy, by what judges them: all in all, above bare
/// Envoy, and fewer than the first of the services that are asked.
pub(crate) fn cores(results: &Results) -> Vec<(String, [Option<f64>; 3])> {
    // A microsecond of each of 100,000 requests is a tenth of a second.
    const CORES_PER_US: f64 = 0.1;
    let cases = IN_CORES.iter().filter_map(|id| results.case(id));
    let added = |case: &CaseResult| Some(case.above_bare_us.as_ref()?.median * CORES_PER_US);
    let asked = results.case("authz-http").and_then(added);
    let line = |case: &CaseResult| {
        let added = added(case).filter(|_| case.id != "bare");
        let saved = asked.zip(added).map(|(asked, added)| asked - added);
        let saved = saved.filter(|_| !case.id.starts_with("authz"));
        let all = case.cpu_us.median * CORES_PER_US;
        (case.label.clone(), [Some(all), added, saved])
    };
    cases.map(line).collect()
}

/// How long the module takes to load beside what the no-op filter takes.
fn loading(loading: &Loading) -> Option<Sample> {
    loading.ms.shares_of(loading.noop_ms.median)
}

fn instructions(budget: &Value) -> Option<f64> {
    segment(budget)?["fuel"].as_f64()
}

fn host_calls(budget: &Value) -> Option<f64> {
    let calls = |kind| Some(segment(budget)?[kind].as_object()?.values());
    let all = calls("buffer_calls")?.chain(calls("other_calls")?);
    Some(all.filter_map(Value::as_f64).sum())
}

/// A segment on the fast path, as `tests/vm` counts it.
fn segment(budget: &Value) -> Option<&Value> {
    budget["scenarios"].get("segment, fast path")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::results::tests::{made_up, simple};
    use crate::scale::tests::made_up_scale;

    fn required() -> Required {
        Required {
            peers: made_up(simple),
            scale: made_up_scale(),
        }
    }

    #[test]
    fn limits_are_compared_with_medians() {
        let all = all(&required(), &json!({}));
        let holds = |what: &str| {
            let asked = all.iter().find(|asked| asked.what.contains(what));
            asked.expect("a requirement").holds()
        };
        // As dear as the two calls, twice a bare Envoy, a third of ext_authz.
        assert_eq!(holds("two calls alone"), Some(true));
        assert_eq!(holds("a tiny answer"), Some(false));
        assert_eq!(holds("CPU added, beside ext_authz"), Some(false));
        assert_eq!(holds("session create beside bare Envoy: Wasm"), Some(true));
        assert_eq!(holds("a million live streams"), Some(true));
        assert_eq!(holds("loading the module"), Some(true));
        assert_eq!(holds("host calls"), None);
    }

    #[test]
    fn what_is_counted_is_what_the_tests_hold_it_to() {
        let budget = include_str!("../../../tests/vm/budget.json");
        let budget = serde_json::from_str(budget).expect("JSON");
        assert_eq!(host_calls(&budget), Some(2.0));
        assert!(instructions(&budget).expect("a count") < 5_000.0);
    }

    #[test]
    fn a_hundred_thousand_requests_are_told_in_cores() {
        let cores = cores(&made_up(simple));
        let line = |label: &str| {
            cores
                .iter()
                .find(|(known, _)| known == label)
                .expect("a line")
                .1
        };
        assert_eq!(line("Envoy, bare"), [Some(3.0), None, None]);
        assert_eq!(
            line("streamgate, native: fast path"),
            [Some(6.0), Some(3.0), Some(6.0)]
        );
        assert_eq!(
            line("Envoy + ext_authz (gRPC) + Redis"),
            [Some(12.0), Some(9.0), None]
        );
    }
}
