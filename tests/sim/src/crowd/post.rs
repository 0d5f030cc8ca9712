//! What is under way: calls to nodes, answers to edges, and viewers who move.

use std::sync::{Mutex, PoisonError};

use streamgate_record::fleet::{CallId, StoreCall};

use super::Options;
use super::viewer::Viewer;

/// A call on its way.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) edge: u32,
    pub(super) worker: u8,
    pub(super) call: CallId,
    pub(super) bytes: Vec<u8>,
}

/// The mail of the slice: filled by one half of it, emptied by the next.
#[derive(Debug)]
pub(super) struct Post {
    to_nodes: Vec<Mutex<Vec<Letter>>>,
    to_edges: Vec<Mutex<Vec<Letter>>>,
    /// Viewers who arrive in even slices, and in odd ones.
    moving: [Vec<Mutex<Vec<Viewer>>>; 2],
}

impl Post {
    pub(super) fn new(options: &Options) -> Self {
        fn boxes<T>(count: u32) -> Vec<Mutex<Vec<T>>> {
            (0..count).map(|_| Mutex::default()).collect()
        }
        Self {
            to_nodes: boxes(options.nodes),
            to_edges: boxes(options.edges),
            moving: [boxes(options.edges), boxes(options.edges)],
        }
    }

    pub(super) fn call(&self, edge: u32, worker: u8, call: StoreCall) {
        let shard = call
            .shard
            .strip_prefix("shard-")
            .and_then(|n| n.parse().ok());
        let shard: usize = shard.expect("shards have numbers");
        let letter = Letter {
            edge,
            worker,
            call: call.id,
            bytes: call.payload,
        };
        put(&self.to_nodes[shard % self.to_nodes.len()], letter);
    }

    pub(super) fn reply(&self, letter: Letter) {
        put(&self.to_edges[letter.edge as usize], letter);
    }

    /// A viewer leaves for another edge, and is there in the next slice.
    pub(super) fn moves(&self, slice: u64, to: u32, viewer: Viewer) {
        put(&self.moving_at(slice + 1)[to as usize], viewer);
    }

    /// Calls, in an order that threads do not change.
    pub(super) fn for_node(&self, node: u32) -> Vec<Letter> {
        let mut letters = taken(&self.to_nodes[node as usize]);
        letters.sort_unstable_by_key(|letter| (letter.edge, letter.worker, letter.call.0));
        letters
    }

    /// Answers, in the same way.
    pub(super) fn for_edge(&self, edge: u32) -> Vec<Letter> {
        let mut letters = taken(&self.to_edges[edge as usize]);
        letters.sort_unstable_by_key(|letter| (letter.worker, letter.call.0));
        letters
    }

    /// Viewers who come, in the same way.
    pub(super) fn arriving(&self, slice: u64, edge: u32) -> Vec<Viewer> {
        let mut viewers = taken(&self.moving_at(slice)[edge as usize]);
        viewers.sort_unstable_by_key(|viewer| viewer.number);
        viewers
    }

    fn moving_at(&self, slice: u64) -> &[Mutex<Vec<Viewer>>] {
        let [even, odd] = &self.moving;
        if slice.is_multiple_of(2) { even } else { odd }
    }
}

fn put<T>(into: &Mutex<Vec<T>>, one: T) {
    into.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(one);
}

fn taken<T>(from: &Mutex<Vec<T>>) -> Vec<T> {
    core::mem::take(&mut *from.lock().unwrap_or_else(PoisonError::into_inner))
}
