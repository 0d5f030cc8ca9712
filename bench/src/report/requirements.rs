//! How it stands against what was asked for.

use crate::results::{CaseResult, Results};
use crate::scale::Scale;
use crate::stats::Sample;

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Requirement {
    /// What must hold, the limit included.
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
        self.measured
            .as_ref()
            .map(|sample| sample.median <= self.limit)
    }
}

/// All of them, in the order in which they were asked for.
pub(crate) fn all(results: Option<&Results>, scale: Option<&Scale>) -> Vec<Requirement> {
    let case = |id: &str| results.and_then(|results| results.case(id));
    let to_bare = |id: &str| case(id)?.to_bare.clone();
    let to_noop = |id: &str| case(id)?.to_noop.clone();
    let paced_to_bare = |id: &str| case(id)?.paced.as_ref()?.cpu_to_bare.clone();
    let one = |value: Option<f64>| value.and_then(|value| Sample::of([value]));
    let at_scale = |figure: fn(&Scale) -> Option<f64>| one(scale.and_then(figure));
    vec![
        Requirement {
            what: "the fast path beside the no-op filter: at most 1.06 ×",
            measured: to_noop("fast-path"),
            limit: 1.06,
            unit: "×",
        },
        Requirement {
            what: "the fast path above the no-op filter: at most 2.7 µs",
            measured: case("fast-path").and_then(|case| case.above_noop_us.clone()),
            limit: 2.7,
            unit: "µs",
        },
        Requirement {
            what: "the fast path beside bare Envoy, tiny answer: at most 1.26 ×",
            measured: to_bare("fast-path"),
            limit: 1.26,
            unit: "×",
        },
        Requirement {
            what: "the same at a moderate load",
            measured: paced_to_bare("fast-path"),
            limit: 1.26,
            unit: "×",
        },
        Requirement {
            what: "the fast path beside bare Envoy, 200 KB: at most 1.06 ×",
            measured: to_bare("fast-path-200k"),
            limit: 1.06,
            unit: "×",
        },
        Requirement {
            what: "the same at a moderate load",
            measured: paced_to_bare("fast-path-200k"),
            limit: 1.06,
            unit: "×",
        },
        Requirement {
            what: "a lease that is due beside bare Envoy: at most 1.6 ×",
            measured: to_bare("lease-due"),
            limit: 1.6,
            unit: "×",
        },
        Requirement {
            what: "a refusal beside serving the segment: less than 1 ×",
            measured: ratio(results, "refusal", "fast-path-200k"),
            limit: 1.0,
            unit: "×",
        },
        Requirement {
            what: "an unprotected path beside the no-op filter: at most 1.02 ×",
            measured: to_noop("unprotected"),
            limit: 1.02,
            unit: "×",
        },
        Requirement {
            what: "the same where its route leaves the filter out",
            measured: to_noop("left-out"),
            limit: 1.02,
            unit: "×",
        },
        Requirement {
            what: "starts through the API: at least half the rate of bare direct responses, so at most 2 × its CPU",
            measured: to_bare("create"),
            limit: 2.0,
            unit: "×",
        },
        Requirement {
            what: "CPU that the fast path adds, beside what ext_authz (HTTP) and Redis add: at most 0.1 ×",
            measured: added(results, "authz-http", cpu),
            limit: 0.1,
            unit: "×",
        },
        Requirement {
            what: "the same beside ext_authz (gRPC)",
            measured: added(results, "authz-grpc", cpu),
            limit: 0.1,
            unit: "×",
        },
        Requirement {
            what: "the same at a moderate load, beside ext_authz (HTTP)",
            measured: added(results, "authz-http", paced_cpu),
            limit: 0.1,
            unit: "×",
        },
        Requirement {
            what: "the same at a moderate load, beside ext_authz (gRPC)",
            measured: added(results, "authz-grpc", paced_cpu),
            limit: 0.1,
            unit: "×",
        },
        Requirement {
            what: "median latency that the fast path adds, beside what ext_authz (HTTP) and Redis add: at most 0.1 ×",
            measured: added(results, "authz-http", latency),
            limit: 0.1,
            unit: "×",
        },
        Requirement {
            what: "the same beside ext_authz (gRPC)",
            measured: added(results, "authz-grpc", latency),
            limit: 0.1,
            unit: "×",
        },
        Requirement {
            what: "the fast path with the most live streams beside the fewest: at most 1.10 ×",
            measured: scale.and_then(Scale::growth),
            limit: 1.10,
            unit: "×",
        },
        Requirement {
            what: "the same where each worker serves all of them",
            measured: scale.and_then(Scale::wandering_growth),
            limit: 1.10,
            unit: "×",
        },
        Requirement {
            what: "shared data for each live stream: at most 120 B",
            measured: at_scale(Scale::bytes_per_stream),
            limit: 120.0,
            unit: "B",
        },
        Requirement {
            what: "what the most live streams add to Envoy: at most 200 MB",
            measured: at_scale(Scale::added_mb),
            limit: 200.0,
            unit: "MB",
        },
        Requirement {
            what: "memory of each worker's VM, its table full: less than 16 MB",
            measured: at_scale(Scale::vm_mb),
            limit: 16.0,
            unit: "MB",
        },
        Requirement {
            what: "longest pause of a worker with the most live streams: at most 2 ms",
            measured: at_scale(Scale::longest_pause_ms),
            limit: 2.0,
            unit: "ms",
        },
        Requirement {
            what: "the module: at most 500 KB",
            measured: at_scale(|scale| Some(scale.loading.bytes as f64 / 1e3)),
            limit: 500.0,
            unit: "KB",
        },
        Requirement {
            what: "loading it: less than 300 ms",
            measured: scale.map(|scale| scale.loading.ms.clone()),
            limit: 300.0,
            unit: "ms",
        },
    ]
}

/// CPU time of one case beside another's, round by round.
fn ratio(results: Option<&Results>, of: &str, to: &str) -> Option<Sample> {
    let results = results?;
    let (of, to) = (results.case(of)?, results.case(to)?);
    of.cpu_us.pairwise(&to.cpu_us, |of, to| of / to)
}

/// What the fast path adds, slice by slice, beside what a rival does. Not pair by pair: which
/// slices were left out of one says nothing of the other.
fn added(
    results: Option<&Results>,
    rival: &str,
    above_bare: fn(&CaseResult) -> Option<&Sample>,
) -> Option<Sample> {
    let results = results?;
    let rival = above_bare(results.case(rival)?)?;
    above_bare(results.case("fast-path")?)?.shares_of(rival.median)
}

fn cpu(case: &CaseResult) -> Option<&Sample> {
    case.above_bare_us.as_ref()
}

fn paced_cpu(case: &CaseResult) -> Option<&Sample> {
    case.paced.as_ref()?.cpu_above_bare_us.as_ref()
}

fn latency(case: &CaseResult) -> Option<&Sample> {
    case.paced.as_ref()?.p50_above_bare_us.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{made_up, simple};

    #[test]
    fn what_was_not_measured_neither_holds_nor_fails() {
        assert!(all(None, None).iter().all(|asked| asked.holds().is_none()));
    }

    #[test]
    fn limits_are_compared_with_medians() {
        let results = made_up(simple);
        let all = all(Some(&results), None);
        let holds = |what: &str| {
            let asked = all.iter().find(|asked| asked.what.contains(what));
            asked.and_then(Requirement::holds)
        };
        // As dear as the no-op filter, twice a bare Envoy, a third of ext_authz.
        assert_eq!(holds("beside the no-op filter: at most 1.06"), Some(true));
        assert_eq!(holds("tiny answer"), Some(false));
        assert_eq!(holds("ext_authz (HTTP) and Redis add"), Some(false));
        assert_eq!(holds("starts through the API"), Some(true));
        assert_eq!(holds("120 B"), None);
    }
}
