//! Millions of streams at many edges: what they ask of a fleet and of its store.
//!
//! Time goes in slices of [`SLICE_MS`]. In each, every edge handles what came in and what its
//! viewers ask, then every node of the store answers what was sent to it; edges hear of that
//! in the next slice. So a round trip takes one slice, edges do not depend on each other
//! within one, and threads do not change what comes out.
//!
//! Players ask for a segment every few seconds. Only those requests are simulated that
//! find their lease due: the others pass by a look into the worker's own memory.

mod figures;
mod node;
mod post;
mod site;
mod viewer;
mod wheel;

use std::sync::Barrier;
use std::thread;

pub use self::figures::Figures;
pub use self::node::Recording;
use self::node::StoreNode;
use self::post::Post;
use self::site::Site;
use crate::settings::Settings;

/// How long a slice takes, and so a round trip to the store, in milliseconds.
pub const SLICE_MS: u64 = 10;

/// When it begins, in milliseconds since the Unix epoch.
pub(crate) const BEGIN_MS: u64 = 1_893_499_200_000;

/// What to simulate.
#[derive(Debug, Clone)]
pub struct Options {
    /// Edges.
    pub edges: u32,
    /// Workers of each edge.
    pub workers: u8,
    /// Streams that play at once, over all edges.
    pub streams: u32,
    /// Nodes of the store.
    pub nodes: u32,
    /// Shards accounts are spread over.
    pub shards: u32,
    /// How long a stream lives without a sign of life, in seconds.
    pub timeout_s: u64,
    /// How long a segment plays, in milliseconds.
    pub segment_ms: u64,
    /// How long a viewer watches on average, in seconds.
    pub watches_s: u64,
    /// How long it takes until all have come, in seconds.
    pub ramp_s: u64,
    /// For how long is counted after that, in seconds.
    pub steady_s: u64,
    /// For how long what the first node is told is recorded at the end, in seconds; 0 for
    /// not at all.
    pub recorded_s: u64,
    /// Threads to spread the edges over.
    pub threads: u32,
    /// Makes all randomness.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            edges: 40,
            workers: 2,
            streams: 10_000_000,
            nodes: 8,
            shards: 64,
            timeout_s: 30,
            segment_ms: 4_000,
            watches_s: 1_800,
            ramp_s: 30,
            steady_s: 30,
            recorded_s: 5,
            threads: 2,
            seed: 1,
        }
    }
}

impl Options {
    /// The configuration of its edges.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            timeout_s: self.timeout_s,
            limit: 3,
            shards: self.shards,
            slots: 65_536,
            password: None,
            wait_ms: 500,
            on_outage: "admit",
            signing_keys: &["k1"],
        }
    }

    /// When all have come and have been renewed once, in slices.
    fn settled_at(&self) -> u64 {
        slices((self.ramp_s + self.timeout_s / 2) * 1_000)
    }

    fn ends_at(&self) -> u64 {
        self.settled_at() + slices(self.steady_s * 1_000)
    }

    fn records_from(&self) -> u64 {
        self.ends_at() - slices(self.recorded_s.min(self.steady_s) * 1_000)
    }
}

/// Lets the crowd watch, and says what came of it. What the first node held and was told at
/// the end comes with it.
///
/// # Panics
///
/// If the core does what must not be, such as a call that is no RESP.
#[must_use]
pub fn run(options: &Options) -> (Figures, Recording) {
    let post = Post::new(options);
    let barrier = Barrier::new(options.threads as usize);
    let parts: Vec<_> = thread::scope(|scope| {
        let threads = (0..options.threads).map(|thread| {
            let (post, barrier) = (&post, &barrier);
            scope.spawn(move || run_part(options, thread, post, barrier))
        });
        let threads: Vec<_> = threads.collect();
        let parts = threads
            .into_iter()
            .map(|part| part.join().expect("no panic"));
        parts.collect()
    });
    let mut figures = Figures::of(options);
    let mut recording = Recording::default();
    for part in parts {
        figures.add(&part.0);
        if !part.1.held.is_empty() {
            recording = part.1;
        }
    }
    (figures, recording)
}

/// One thread's edges and nodes.
fn run_part(
    options: &Options,
    thread: u32,
    post: &Post,
    barrier: &Barrier,
) -> (Figures, Recording) {
    let theirs = |count: u32| (thread..count).step_by(options.threads as usize);
    let mut sites: Vec<_> = theirs(options.edges)
        .map(|at| Site::new(options, at))
        .collect();
    let mut nodes: Vec<_> = theirs(options.nodes).map(StoreNode::new).collect();
    for slice in 0..options.ends_at() {
        if slice == options.settled_at() {
            sites.iter_mut().for_each(Site::begin_counting);
            nodes.iter_mut().for_each(StoreNode::begin_counting);
        }
        for site in &mut sites {
            site.step(slice, post);
        }
        barrier.wait();
        for node in &mut nodes {
            if options.recorded_s > 0 && slice == options.records_from() {
                node.begin_recording(slice);
            }
            node.step(slice, post);
        }
        barrier.wait();
    }
    let mut figures = Figures::of(options);
    for site in &sites {
        site.report(&mut figures);
    }
    let mut recording = Recording::default();
    for node in nodes {
        node.report(options.ends_at(), &mut figures);
        recording = node.recorded().unwrap_or(recording);
    }
    (figures, recording)
}

/// The moment at which a slice begins, in milliseconds since the Unix epoch.
fn ms_at(slice: u64) -> u64 {
    BEGIN_MS + slice * SLICE_MS
}

/// How many slices some milliseconds are, at least one.
fn slices(ms: u64) -> u64 {
    (ms / SLICE_MS).max(1)
}
