//! What came out, as it is written to `bench/results/latest.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::case::{CASES, Case, Size};
use crate::machine::Machine;
use crate::scale::Scale;
use crate::slice::{COUNTERS, PacedSlice, Slice};
use crate::stats::{Sample, beside};

/// A comparison of all peers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Results {
    /// What the figures are, for whoever finds the file alone.
    #[serde(default = "about")]
    pub(crate) about: String,
    /// What it was measured on.
    pub(crate) machine: Machine,
    /// Every case was measured at least once in each of these.
    pub(crate) rounds: usize,
    /// How long a slice was, in seconds.
    pub(crate) slice_s: u64,
    /// Streams that were live in the filter all the time.
    pub(crate) live_streams: usize,
    /// By case.
    pub(crate) cases: Vec<CaseResult>,
}

fn about() -> String {
    "CPU time per request by peer and case, in microseconds, from make bench. `values` are \
     measurements in their order, one for each slice; `to_` and `above_` compare a slice with its \
     nearest neighbours in time, where these agree within a tenth: `bare` is Envoy alone, `noop` Envoy with a Wasm filter that does \
     nothing, `calls` one that makes the host calls of the fast path alone. `proxy_` leaves out the services that a proxy asks. How it is measured: \
     docs/performance.md."
        .to_owned()
}

/// What was measured for the requirements alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Required {
    /// Of the peers.
    pub(crate) peers: Results,
    /// With a million live streams.
    pub(crate) scale: Scale,
}

/// What came out for one case. A ratio is between neighbours in time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CaseResult {
    /// The case's name, unique.
    pub(crate) id: String,
    /// Who did what.
    pub(crate) label: String,
    /// What was answered.
    pub(crate) answer: Size,
    /// Requests, in all slices together.
    pub(crate) requests: u64,
    /// CPU time of the proxy for each request, in microseconds.
    pub(crate) proxy_cpu_us: Sample,
    /// CPU time for each request of the proxy and the services it asks, in microseconds.
    pub(crate) cpu_us: Sample,
    /// The proxy's CPU time, bare Envoy being 1.
    pub(crate) proxy_to_bare: Option<Sample>,
    /// All CPU time, bare Envoy being 1.
    pub(crate) to_bare: Option<Sample>,
    /// All CPU time above bare Envoy, in microseconds a request.
    pub(crate) above_bare_us: Option<Sample>,
    /// All CPU time, Envoy with a Wasm filter that does nothing being 1.
    pub(crate) to_noop: Option<Sample>,
    /// All CPU time above that filter, in microseconds a request.
    pub(crate) above_noop_us: Option<Sample>,
    /// All CPU time, Envoy with a Wasm filter that makes the fast path's calls alone being 1.
    #[serde(default)]
    pub(crate) to_calls: Option<Sample>,
    /// Requests a second that one core answered, the services included.
    pub(crate) per_second: Sample,
    /// At a moderate load.
    pub(crate) paced: Option<Paced>,
    /// How much the filter's counters rose for each request.
    pub(crate) counted_per_request: BTreeMap<String, f64>,
}

/// What came out at a pace.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Paced {
    /// Requests a second.
    pub(crate) pace: u32,
    /// Half of all requests took no longer, in microseconds.
    pub(crate) p50_us: Sample,
    /// One in a hundred took longer, in microseconds.
    pub(crate) p99_us: Sample,
    /// `p50_us` above bare Envoy's right before and behind, in microseconds.
    pub(crate) p50_above_bare_us: Option<Sample>,
    /// CPU time for each request of the proxy and the services it asks, in microseconds.
    pub(crate) cpu_us: Sample,
    /// The same, bare Envoy being 1.
    pub(crate) cpu_to_bare: Option<Sample>,
    /// The same above bare Envoy, in microseconds a request.
    pub(crate) cpu_above_bare_us: Option<Sample>,
}

impl Results {
    /// Sums up slices, in the order in which they were measured, and what was measured at
    /// a pace, likewise.
    pub(crate) fn of(
        machine: Machine,
        plan: &crate::plan::Plan,
        slices: &[Slice],
        paced: &[PacedSlice],
    ) -> Self {
        let cases = CASES.iter();
        Self {
            about: about(),
            machine,
            rounds: plan.rounds,
            slice_s: plan.slice_s,
            live_streams: plan.live_streams,
            cases: cases
                .filter_map(|case| CaseResult::of(case, slices, paced))
                .collect(),
        }
    }

    /// What came out for a case.
    pub(crate) fn case(&self, id: &str) -> Option<&CaseResult> {
        self.cases.iter().find(|case| case.id == id)
    }
}

impl CaseResult {
    fn of(case: &Case, slices: &[Slice], paced: &[PacedSlice]) -> Option<Self> {
        let timeline = || slices.iter().enumerate();
        let own: Vec<(usize, &Slice)> = timeline()
            .filter(|(_, slice)| slice.case == *case)
            .collect();
        let [bare, noop, calls] = case.size.bases().map(|id| -> Vec<(usize, f64)> {
            let of_base = timeline().filter(|(_, slice)| slice.case.id == id);
            of_base.map(|(at, slice)| (at, slice.all_us())).collect()
        });
        let sample =
            |figure: &dyn Fn(&Slice) -> f64| Sample::of(own.iter().map(|(_, slice)| figure(slice)));
        let compared = |figure: &dyn Fn(&Slice) -> f64, base: &[(usize, f64)]| {
            let own = own.iter().map(|(at, slice)| (*at, figure(slice)));
            beside(&own.collect::<Vec<_>>(), base)
        };
        let to_bare = compared(&Slice::all_us, &bare);
        let to_noop = compared(&Slice::all_us, &noop);
        let mut counted_per_request = BTreeMap::new();
        for name in COUNTERS {
            let rises = own
                .iter()
                .filter_map(|(_, slice)| slice.counted.get(name).copied());
            counted_per_request
                .extend(Sample::of(rises).map(|sample| (name.to_owned(), sample.median)));
        }
        Some(Self {
            id: case.id.to_owned(),
            label: case.label.to_owned(),
            answer: case.size,
            requests: own.iter().map(|(_, slice)| slice.requests).sum(),
            proxy_cpu_us: sample(&|slice| slice.proxy_us)?,
            cpu_us: sample(&Slice::all_us)?,
            proxy_to_bare: compared(&|slice| slice.proxy_us, &bare).map(|(ratio, _)| ratio),
            above_bare_us: to_bare.as_ref().map(|(_, above)| above.clone()),
            to_bare: to_bare.map(|(ratio, _)| ratio),
            above_noop_us: to_noop.as_ref().map(|(_, above)| above.clone()),
            to_noop: to_noop.map(|(ratio, _)| ratio),
            to_calls: compared(&Slice::all_us, &calls).map(|(ratio, _)| ratio),
            per_second: sample(&|slice| slice.per_second)?,
            paced: Paced::of(case, paced),
            counted_per_request,
        })
    }
}

impl Paced {
    fn of(case: &Case, timeline: &[PacedSlice]) -> Option<Self> {
        let figures = |id: &str, figure: fn(&PacedSlice) -> f64| -> Vec<(usize, f64)> {
            let all = timeline.iter().enumerate();
            let own = all.filter(|(_, slice)| slice.case.id == id);
            own.map(|(at, slice)| (at, figure(slice))).collect()
        };
        let sample = |figures: &[(usize, f64)]| Sample::of(figures.iter().map(|(_, us)| *us));
        let [bare, ..] = case.size.bases();
        let compared = |figure| beside(&figures(case.id, figure), &figures(bare, figure));
        let p50: fn(&PacedSlice) -> f64 = |slice| slice.latency.p50_us;
        let p99: fn(&PacedSlice) -> f64 = |slice| slice.latency.p99_us;
        let cpu: fn(&PacedSlice) -> f64 = |slice| slice.cpu_us;
        let (cpu_to_bare, cpu_above_bare_us) = compared(cpu).unzip();
        let own = timeline.iter().find(|slice| slice.case.id == case.id)?;
        Some(Self {
            pace: own.per_second,
            p50_us: sample(&figures(case.id, p50))?,
            p99_us: sample(&figures(case.id, p99))?,
            p50_above_bare_us: compared(p50).map(|(_, above)| above),
            cpu_us: sample(&figures(case.id, cpu))?,
            cpu_to_bare,
            cpu_above_bare_us,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::case::{paced_round, round};
    use crate::load::Latency;
    use crate::plan::{Plan, What};

    /// Results of a made-up machine on which every case costs what is said here.
    pub(crate) fn made_up(cost_us: impl Fn(&Case) -> (f64, f64)) -> Results {
        let machine = Machine {
            processor: "made up".to_owned(),
            cores: 2,
            kernel: "6.1".to_owned(),
            load_before: 0.0,
            versions: BTreeMap::from([("envoy".to_owned(), "1.40.0".to_owned())]),
        };
        let plan = Plan::read([]).expect("a plan");
        let rounds = [1.0, 1.5, 2.0];
        let slice = |case: Case, drift: f64| {
            let (proxy_us, helpers_us) = cost_us(&case);
            Slice {
                case,
                requests: 1_000,
                per_second: 1e6 / (proxy_us + helpers_us),
                proxy_us: proxy_us * drift,
                helpers_us: helpers_us * drift,
                counted: BTreeMap::from([("starts", 0.5)]),
            }
        };
        let slices: Vec<Slice> = rounds
            .into_iter()
            .flat_map(|drift| {
                round(&CASES)
                    .into_iter()
                    .map(move |case| slice(case, drift))
            })
            .collect();
        let paced_slice = |case: Case| {
            let (proxy_us, helpers_us) = cost_us(&case);
            PacedSlice {
                case,
                per_second: 8_000,
                latency: Latency {
                    requests: 8_000,
                    p50_us: proxy_us * 2.0,
                    p99_us: proxy_us * 3.0,
                },
                cpu_us: proxy_us + helpers_us,
            }
        };
        let paced: Vec<PacedSlice> = paced_round(&CASES, What::Peers)
            .into_iter()
            .map(paced_slice)
            .collect();
        Results::of(machine, &plan, &slices, &paced)
    }

    /// Twice as dear as bare Envoy, and twice as much again for those who ask services.
    pub(crate) fn simple(case: &Case) -> (f64, f64) {
        match case.id {
            "bare" | "bare-200k" => (20.0, 0.0),
            id if id.starts_with("authz") => (40.0, 40.0),
            _ => (40.0, 0.0),
        }
    }

    #[test]
    fn a_slow_round_changes_no_ratio() {
        let results = made_up(simple);
        let lua = results.case("lua").expect("a case");
        assert_eq!(
            lua.to_bare.as_ref().expect("a ratio").values,
            [2.0, 2.0, 2.0]
        );
        assert_eq!(lua.cpu_us.values, [40.0, 60.0, 80.0]);
        assert_eq!(lua.requests, 3_000);
        assert_eq!(lua.counted_per_request["starts"], 0.5);
    }

    #[test]
    fn services_count_in_all_and_not_for_the_proxy_alone() {
        let results = made_up(simple);
        let authz = results.case("authz-grpc").expect("a case");
        assert_eq!(authz.to_bare.as_ref().map(|ratio| ratio.median), Some(4.0));
        assert_eq!(
            authz.proxy_to_bare.as_ref().map(|ratio| ratio.median),
            Some(2.0)
        );
        let paced = authz.paced.as_ref().expect("a paced slice");
        let above = paced.p50_above_bare_us.as_ref().map(|above| above.median);
        assert_eq!((paced.p50_us.median, above), (80.0, Some(40.0)));
        let to_bare = paced.cpu_to_bare.as_ref().map(|ratio| ratio.median);
        assert_eq!((paced.cpu_us.median, to_bare), (80.0, Some(4.0)));
    }

    #[test]
    fn results_are_read_as_they_are_written() {
        let results = made_up(simple);
        let text = serde_json::to_string(&results).expect("JSON");
        let again: Results = serde_json::from_str(&text).expect("results");
        assert_eq!(serde_json::to_string(&again).expect("JSON"), text);
    }
}
