//! The filter beside another build of it, such as the one before a change: what a segment
//! costs with one and with the other, slice by slice.

use std::path::Path;
use std::rc::Rc;

use crate::case::{Ask, CASES, Case};
use crate::course::{SEGMENT, free};
use crate::peer::{Kind, Options, Peer, WORKERS};
use crate::plan::Plan;
use crate::rehearsal;
use crate::request::{List, Request};
use crate::slice::Slice;
use crate::stats::beside;
use crate::surroundings::Surroundings;
use crate::viewers::Viewers;

/// The cases that are measured of a Wasm module, and of a native one.
const MEASURED: [&[&str]; 2] = [
    &["fast-path", "fast-path-200k"],
    &["native", "native-200k", "native-unprotected"],
];

/// More requests than are answered in a slice.
const ENOUGH: usize = 200_000;

/// Slices of each before the first that counts: V8 compiles what is called often.
const WARM_UP: usize = 4;

/// Measures this build beside another module, and shows what came out.
pub(crate) fn measure(plan: &Plan, other: &Path, say: &impl Fn(&str)) {
    let is_native = other.extension().is_some_and(|kind| kind == "so");
    let kind = match is_native {
        true => Kind::Native,
        false => Kind::Streamgate,
    };
    let around = Surroundings::start(&[kind]);
    let start = |module: Option<&Path>| {
        let options = Options {
            module: module.map(Path::to_path_buf),
            ..Options::default()
        };
        Peer::start(kind, &around, &options)
    };
    let peers = [start(Some(other)), start(None)];
    let paths = Viewers::new().paths("playing", plan.live_streams, 2, SEGMENT);
    let unprotected = List::new(free(&paths, "/web/"));
    let requests: Rc<[Request]> = paths.into_iter().map(Request::get).collect();
    let list = List::new(requests);
    let file = around.directory.path().join("requests");
    let slice = |case: Case, peer: &Peer| {
        rehearsal::to_every_worker(peer.port, WORKERS, list.requests(), 200);
        let list = match case.ask {
            Ask::Unprotected => &unprotected,
            _ => &list,
        };
        list.write_next(&file, ENOUGH);
        Slice::measure(case, peer, &file, plan.slice_s).all_us()
    };
    let cases = CASES
        .into_iter()
        .filter(|case| MEASURED[usize::from(is_native)].contains(&case.id));
    for case in cases {
        for _ in 0..WARM_UP {
            for peer in &peers {
                slice(case, peer);
            }
        }
        let mut slices = [Vec::new(), Vec::new()];
        let mut at = 0;
        for round in 1..=plan.rounds {
            for (peer, slices) in peers.iter().zip(&mut slices) {
                slices.push((at, slice(case, peer)));
                at += 1;
            }
            say(&format!("{}: round {round} of {}", case.id, plan.rounds));
        }
        // Each slice of this build stands between two of the other.
        slices[0].push((at, slice(case, &peers[0])));
        let [others, own] = slices;
        let (ratio, difference) = beside(&own, &others).expect("slices");
        println!(
            "{}: {:.3} × of the other build ({:.3}–{:.3}), {:+.1} µs",
            case.id, ratio.median, ratio.min, ratio.max, difference.median
        );
    }
}
