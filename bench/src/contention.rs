//! Workers that write to the same record: on both cores, so that they really do so at once.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::peer::{Kind, Options, Peer};
use crate::plan::Plan;
use crate::rehearsal;
use crate::request::{List, Request};
use crate::slice::Slice;
use crate::stats::Sample;
use crate::surroundings::Surroundings;

/// What workers contend for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Hot {
    /// Nothing: many accounts, spread over all slots.
    Nothing,
    /// One account's record: its three sessions send all heartbeats.
    Subject,
    /// One slot, in which all accounts are.
    Slot,
}

/// What came out with so many workers that contend for something.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Contention {
    /// Workers.
    pub(crate) workers: usize,
    /// What they contend for.
    pub(crate) hot: Hot,
    /// CPU time of the proxy for each heartbeat, in microseconds.
    pub(crate) cpu_us: Sample,
    /// Heartbeats answered in a second, on both cores and beside the load.
    pub(crate) per_second: Sample,
    /// Writes that another worker overtook, for each heartbeat.
    pub(crate) retries: f64,
}

const ALL_WORKERS: [usize; 3] = [1, 2, 4];
const ALL_HOT: [Hot; 3] = [Hot::Nothing, Hot::Subject, Hot::Slot];

impl Hot {
    /// Accounts and sessions of each.
    fn accounts(self) -> (usize, usize) {
        match self {
            Self::Nothing => (5_000, 1),
            Self::Subject => (1, 3),
            Self::Slot => (15, 1),
        }
    }
}

/// Measures heartbeats, each of which is judged by the record.
pub(crate) fn measure(plan: &Plan, around: &Surroundings, directory: &Path) -> Vec<Contention> {
    let case = Case::named("heartbeat").expect("a case");
    let mut edges = Vec::new();
    for workers in ALL_WORKERS {
        for hot in ALL_HOT {
            let options = Options {
                workers,
                on_both_cores: true,
                slots: matches!(hot, Hot::Slot).then_some(1),
                ..Options::default()
            };
            let peer = Peer::start(Kind::SessionApi, around, &options);
            let (accounts, each) = hot.accounts();
            let creates = (0..accounts * each)
                .map(|at| format!("/v2/sessions/bench/hot-{}", at / each))
                .map(|path| Request::call("POST", path));
            let creates: Vec<Request> = creates.collect();
            let created = rehearsal::once(peer.port, &creates, 202);
            let heartbeats = created
                .into_iter()
                .map(|answer| Request::call("POST", answer.location.expect("a session")));
            let file = directory.join(format!("contention-{workers}-{hot:?}"));
            List::new(heartbeats.collect()).write_next(&file, usize::MAX);
            edges.push((workers, hot, peer, file, Vec::new()));
        }
    }
    for _ in 0..plan.rounds {
        for (_, _, peer, file, slices) in &mut edges {
            slices.push(Slice::measure(case, peer, file, plan.slice_s));
        }
    }
    let summed_up = edges.into_iter().map(|(workers, hot, _, _, slices)| {
        let sample =
            |figure: fn(&Slice) -> f64| Sample::of(slices.iter().map(figure)).expect("a slice");
        let retries = |slice: &Slice| {
            slice
                .counted
                .get("cas_retries")
                .copied()
                .unwrap_or_default()
        };
        Contention {
            workers,
            hot,
            cpu_us: sample(|slice| slice.proxy_us),
            per_second: sample(|slice| slice.per_second),
            retries: sample(retries).median,
        }
    });
    summed_up.collect()
}
