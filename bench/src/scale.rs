//! The filter with ever more live streams, and with workers that contend: what
//! `bench/results/scale.json` holds.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::case::Case;
use crate::contention::{self, Contention};
use crate::envoy::Admin;
use crate::loading::{self, Loading};
use crate::machine::Machine;
use crate::peer::{Kind, Options, Peer, WORKERS};
use crate::plan::{Plan, What};
use crate::process::{LOAD_CORE, PROXY_CORE};
use crate::rehearsal;
use crate::request::{List, Request};
use crate::slice::Slice;
use crate::stats::{Sample, beside};
use crate::surroundings::Surroundings;
use crate::turns::longest_turn;
use crate::viewers::Viewers;

/// What came out at scale.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Scale {
    /// What the figures are, for whoever finds the file alone.
    #[serde(default = "about")]
    pub(crate) about: String,
    /// What it was measured on.
    pub(crate) machine: Machine,
    /// Loading the Wasm module.
    pub(crate) loading: Option<Loading>,
    /// By the number of live streams, the fewest first: of the Wasm module.
    pub(crate) steps: Vec<Step>,
    /// Likewise of the native module.
    #[serde(default)]
    pub(crate) native_steps: Vec<Step>,
    /// By the number of workers, and by what they contend for.
    pub(crate) contention: Vec<Contention>,
}

fn about() -> String {
    "What segments cost with ever more live streams, from make bench-scale: `served` where a \
     worker serves its share of them, `wandering` where each worker serves all. `to_bare` is CPU \
     time per request, Envoy alone being 1. Then memory, and turns of workers' event loops; \
     `loading` is from the module's bytes to the first VM that runs it. How it is measured: docs/performance.md."
        .to_owned()
}

/// What came out with so many live streams.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Step {
    /// Live streams.
    pub(crate) live_streams: usize,
    /// What it costs where each worker serves the share of them that a machine with enough
    /// cores for all would give it: at most [`SERVED_MAX`].
    pub(crate) served: Cost,
    /// What it costs where each worker serves all of them.
    pub(crate) wandering: Cost,
    /// Bytes that Envoy allocated for all streams, VMs not included: the shared data.
    pub(crate) shared_data_bytes: u64,
    /// Bytes by which Envoy's process grew, VMs included.
    pub(crate) grown_bytes: u64,
    /// Linear memory of the largest VM, in bytes.
    pub(crate) vm_bytes: u64,
    /// The longest turn of a worker's event loop under a trickle of requests, while the
    /// filter ticks and sweeps, in microseconds.
    pub(crate) pause_us: f64,
    /// The same while a new configuration is taken over.
    pub(crate) update_pause_us: f64,
    /// The same of a bare Envoy under the same trickle: what the machine does by itself.
    pub(crate) bare_pause_us: f64,
}

/// What segments cost, of a number of streams that are asked for in turn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Streams.
    pub(crate) streams: usize,
    /// CPU time of the proxy for each request, in microseconds.
    pub(crate) cpu_us: Sample,
    /// The same, bare Envoy being 1.
    pub(crate) to_bare: Sample,
    /// The share of requests that passed by a worker's lease, without a look at the record.
    pub(crate) leases_held: f64,
}

/// The step with the most streams, slice by slice, beside the one with the fewest, both beside
/// bare Envoy.
pub(crate) fn growth(steps: &[Step], cost: fn(&Step) -> &Cost) -> Option<Sample> {
    let (first, last) = (cost(steps.first()?), cost(steps.last()?));
    last.to_bare.shares_of(first.to_bare.median)
}

/// Whose slice it is; edges are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Bare,
    Served(usize),
    Wandering(usize),
}

/// One edge with its streams.
struct Edge {
    peer: Peer,
    live_streams: usize,
    served: (usize, List),
    wandering: (usize, List),
    file: PathBuf,
    shared_data_bytes: u64,
    grown_bytes: u64,
}

/// The most streams that a worker serves on a machine with enough cores: at a segment every
/// four seconds, half of what a core answers.
pub(crate) const SERVED_MAX: usize = 50_000;

/// Requests that a slice has at hand: more than a second's worth.
const AT_HAND: usize = 100_000;

/// Measures at scale.
pub(crate) fn measure(plan: &Plan, say: &impl Fn(&str)) -> Scale {
    let machine = Machine::this();
    let around = Surroundings::start(&[Kind::Bare, Kind::Streamgate]);
    let bare_case = Case::named("bare").expect("a case");
    let is_whole = plan.what == What::Scale;
    let loading = (plan.what != What::Smoke).then(|| {
        say("the module is loaded");
        loading::measure(&around)
    });
    let options = Options {
        updatable: true,
        ..Options::default()
    };
    let bare = Peer::start(Kind::Bare, &around, &options);
    let directory = tempfile::tempdir().expect("a directory");
    let mut edges: Vec<Edge> = Vec::new();
    for kind in [Kind::Streamgate, Kind::Native] {
        for live_streams in &plan.scale {
            say(&format!("{live_streams} streams begin at {kind:?}"));
            let at = directory.path();
            edges.push(Edge::start(kind, *live_streams, &around, &options, at));
        }
    }
    let bare_list = {
        let paths = Viewers::new().paths("bare", 1_000, 2, "/vod/film/segment-1.m4s");
        let file = directory.path().join("bare");
        let list = List::new(paths.into_iter().map(Request::get).collect());
        list.write_next(&file, usize::MAX);
        file
    };
    let slice_of_bare = || Slice::measure(bare_case, &bare, &bare_list, plan.slice_s);
    let mut timeline: Vec<(Whose, Slice)> = Vec::new();
    if plan.what != What::Smoke {
        say("everything warms up");
        slice_of_bare();
        for edge in &edges {
            edge.served_slice(plan.slice_s);
            edge.slice(&edge.wandering.1, plan.slice_s);
        }
    }
    for round in 1..=plan.rounds {
        say(&format!("round {round} of {}", plan.rounds));
        for (at, edge) in edges.iter().enumerate() {
            timeline.push((Whose::Bare, slice_of_bare()));
            timeline.push((Whose::Served(at), edge.served_slice(plan.slice_s)));
            timeline.push((Whose::Bare, slice_of_bare()));
            timeline.push((
                Whose::Wandering(at),
                edge.slice(&edge.wandering.1, plan.slice_s),
            ));
        }
        timeline.push((Whose::Bare, slice_of_bare()));
    }
    let all: Vec<&Peer> = edges.iter().map(|edge| &edge.peer).chain([&bare]).collect();
    let pauses = |edge: &Edge| {
        say(&format!("a trickle on {} streams", edge.live_streams));
        edge.served.1.write_next(&edge.file, AT_HAND);
        let turn = |act: &dyn Fn()| longest_turn(&edge.peer, &edge.file, plan.turns_s, act);
        alone(&edge.peer, &all, || {
            [turn(&|| {}), turn(&|| edge.peer.update(raise_a_limit))]
        })
    };
    let bare_pause_us = is_whole.then(|| {
        alone(&bare, &all, || {
            longest_turn(&bare, &bare_list, plan.turns_s, || {})
        })
    });
    let steps = edges.iter().enumerate().map(|(at, edge)| {
        let [pause_us, update_pause_us] = match is_whole {
            true => pauses(edge),
            false => [0.0; 2],
        };
        Step {
            live_streams: edge.live_streams,
            served: Cost::of(edge.served.0, Whose::Served(at), &timeline),
            wandering: Cost::of(edge.wandering.0, Whose::Wandering(at), &timeline),
            shared_data_bytes: edge.shared_data_bytes,
            grown_bytes: edge.grown_bytes,
            vm_bytes: edge.peer.process.largest_wasm_memory(),
            pause_us,
            update_pause_us,
            bare_pause_us: bare_pause_us.unwrap_or_default(),
        }
    });
    let mut steps: Vec<Step> = steps.collect();
    let native_steps = steps.split_off(plan.scale.len());
    drop(edges);
    let contention = match is_whole {
        true => {
            say("contention");
            contention::measure(plan, &around, directory.path())
        }
        false => Vec::new(),
    };
    Scale {
        about: about(),
        machine,
        loading,
        steps,
        native_steps,
        contention,
    }
}

/// Does something while all other peers stand still, and each worker of this one has a core of
/// its own: what is measured is how long a worker works, not how long others do.
fn alone<T>(peer: &Peer, all: &[&Peer], work: impl FnOnce() -> T) -> T {
    let others = || all.iter().filter(|other| !std::ptr::eq(**other, peer));
    others().for_each(|other| other.process.hold(true));
    peer.process.use_cores(&[PROXY_CORE, LOAD_CORE]);
    let result = work();
    peer.process.use_cores(&[PROXY_CORE]);
    others().for_each(|other| other.process.hold(false));
    result
}

impl Edge {
    fn start(
        kind: Kind,
        live_streams: usize,
        around: &Surroundings,
        options: &Options,
        at: &Path,
    ) -> Self {
        let peer = Peer::start(kind, around, options);
        let admin = Admin::at(peer.admin_port);
        let paths = Viewers::new().paths("scale", live_streams, 2, "/vod/film/segment-1.m4s");
        let requests: Vec<Request> = paths.into_iter().map(Request::get).collect();
        let usage = || (admin.allocated(), peer.process.resident());
        let (allocated, resident) = usage();
        let served = (live_streams / WORKERS).min(SERVED_MAX);
        rehearsal::once(peer.port, &requests, 200);
        let (allocated_now, resident_now) = usage();
        Self {
            live_streams,
            served: (served, List::new(requests[..served].into())),
            // Not those that the workers were just made to know.
            wandering: (live_streams, List::new(requests[served..].into())),
            file: at.join(format!("scale-{kind:?}-{live_streams}")),
            shared_data_bytes: allocated_now.saturating_sub(allocated),
            grown_bytes: resident_now.saturating_sub(resident),
            peer,
        }
    }

    fn served_slice(&self, seconds: u64) -> Slice {
        // Each worker is to know the streams that it serves; others may have driven their
        // leases out.
        let served = &self.served.1;
        rehearsal::to_every_worker(self.peer.port, WORKERS, served.requests(), 200);
        self.slice(served, seconds)
    }

    fn slice(&self, list: &List, seconds: u64) -> Slice {
        let case = Case::named("fast-path").expect("a case");
        list.write_next(&self.file, AT_HAND);
        let slice = Slice::measure(case, &self.peer, &self.file, seconds);
        list.advance(slice.requests);
        slice
    }
}

impl Cost {
    fn of(streams: usize, whose: Whose, timeline: &[(Whose, Slice)]) -> Self {
        let of = |wanted: Whose| {
            let slices = timeline.iter().enumerate();
            slices.filter(move |(_, (whose, _))| *whose == wanted)
        };
        let bare: Vec<(usize, f64)> = of(Whose::Bare)
            .map(|(place, (_, slice))| (place, slice.proxy_us))
            .collect();
        let own = of(whose).map(|(place, (_, slice))| (place, slice.proxy_us));
        let to_bare = beside(&own.collect::<Vec<_>>(), &bare).map(|(ratios, _)| ratios);
        let held = of(whose).filter_map(|(_, (_, slice))| slice.counted.get("fast_path_passes"));
        Self {
            streams,
            cpu_us: Sample::of(of(whose).map(|(_, (_, slice))| slice.proxy_us)).expect("a slice"),
            to_bare: to_bare.expect("a slice"),
            leases_held: Sample::of(held.copied()).map_or(0.0, |held| held.median),
        }
    }
}

/// Changes the filter's configuration in a listener: all that plays will be judged anew.
fn raise_a_limit(lds: &mut Value) {
    let manager = &mut lds["resources"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    let filter = &mut manager["http_filters"][0]["typed_config"];
    let configuration = match filter.get("filter_config") {
        Some(_) => &mut filter["filter_config"],
        None => &mut filter["config"]["configuration"],
    };
    let rule = &mut configuration["value"]["policies"][0]["rules"][0];
    rule["max"] = 4.into();
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::results::tests::{made_up, simple};

    /// Results of a made-up machine.
    pub(crate) fn made_up_scale() -> Scale {
        let cost = |streams: usize, ratio: f64| Cost {
            streams,
            cpu_us: Sample::of([20.0 * ratio]).expect("a sample"),
            to_bare: Sample::of([ratio]).expect("a sample"),
            leases_held: 1.0,
        };
        let step = |live_streams: usize, ratio: f64| Step {
            live_streams,
            served: cost(live_streams.min(SERVED_MAX), ratio),
            wandering: cost(live_streams, ratio * ratio),
            shared_data_bytes: live_streams as u64 * 100,
            grown_bytes: live_streams as u64 * 150,
            vm_bytes: 8_000_000,
            pause_us: 500.0,
            update_pause_us: 1_500.0,
            bare_pause_us: 300.0,
        };
        Scale {
            about: about(),
            machine: made_up(simple).machine,
            loading: Some(Loading {
                bytes: 400_000,
                ms: Sample::of([200.0, 250.0, 310.0]).expect("a sample"),
                noop_ms: Sample::of([50.0]).expect("a sample"),
            }),
            steps: vec![step(1_000, 1.2), step(1_000_000, 1.26)],
            native_steps: vec![step(1_000, 1.1), step(1_000_000, 1.1)],
            contention: Vec::new(),
        }
    }

    #[test]
    fn the_most_streams_are_compared_with_the_fewest() {
        let steps = made_up_scale().steps;
        let served = growth(&steps, |step| &step.served).expect("a ratio").median;
        assert!((served - 1.05).abs() < 1e-9, "{served}");
        let wandering = growth(&steps, |step| &step.wandering).expect("a ratio");
        assert!(wandering.median > served, "{wandering:?}");
    }
}
