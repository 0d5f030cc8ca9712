//! One edge and those who watch at it.

use hashbrown::HashMap;
use streamgate_record::fleet::StoreCall;
use streamgate_record::metric::Metric;
use streamgate_values::moment::Moment;

use super::figures::Figures;
use super::post::Post;
use super::viewer::Viewer;
use super::wheel::Wheel;
use super::{Options, SLICE_MS, ms_at, slices};
use crate::edge::{Outcome, SimEdge};

/// How many slices there are from one tick of a worker to the next.
const TICK_SLICES: u64 = 100 / SLICE_MS;

/// One viewer in so many moves to another edge at a sign of life.
const MOVES_ONE_IN: u32 = 500;

/// One edge and those who watch at it.
pub(super) struct Site {
    number: u32,
    options: Options,
    edge: SimEdge,
    dice: fastrand::Rng,
    viewers: Vec<Viewer>,
    /// Places of viewers who have left.
    left: Vec<u32>,
    wheel: Wheel,
    /// Since which slice viewers wait.
    waiting: HashMap<u32, u64>,
    /// How many calls each worker made since its last tick.
    in_tick: Vec<u64>,
    counted: Counted,
    /// Counters as they stood when counting began.
    before: Vec<u64>,
}

/// What is counted from some moment on.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    pub(super) requests: u64,
    pub(super) refused: u64,
    pub(super) ticks: u64,
    pub(super) calls: u64,
    pub(super) most_calls_in_tick: u64,
    /// How many starts were answered after so many round trips; the last for more.
    pub(super) round_trips: [u64; 5],
}

impl Site {
    pub(super) fn new(options: &Options, number: u32) -> Self {
        let seed = options.seed << 32 | u64::from(number);
        let settings = options.settings();
        let configs = (0..options.workers).map(|_| settings.config());
        let mut dice = fastrand::Rng::with_seed(seed);
        let everybody = (0..options.streams).map(|number| Viewer {
            number,
            playback: 0,
            worker: u8::try_from(number % u32::from(options.workers)).expect("as workers"),
            plays: false,
        });
        let viewers: Vec<_> = everybody
            .filter(|viewer| viewer.home(options) == number)
            .collect();
        let farthest = options.timeout_s * 1_000 + 2 * options.segment_ms + 2_000;
        let mut wheel = Wheel::new(slices(farthest.max(options.ramp_s * 1_000)) + 1);
        for at in 0..viewers.len() {
            let comes_at = dice.u64(..slices(options.ramp_s * 1_000));
            wheel.put(comes_at, index(at));
        }
        Self {
            number,
            options: options.clone(),
            edge: SimEdge::new(!seed, configs),
            dice,
            viewers,
            left: Vec::new(),
            wheel,
            waiting: HashMap::new(),
            in_tick: vec![0; usize::from(options.workers)],
            counted: Counted::default(),
            before: vec![0; Metric::ALL.len()],
        }
    }

    pub(super) fn begin_counting(&mut self) {
        self.counted = Counted::default();
        self.before = Metric::ALL
            .map(|metric| self.edge.host.count(metric))
            .to_vec();
    }

    pub(super) fn step(&mut self, slice: u64, post: &Post) {
        self.edge.host.set_now(Moment::from_ms(ms_at(slice)));
        for viewer in post.arriving(slice, self.number) {
            self.arrives(slice, viewer);
        }
        for letter in post.for_edge(self.number) {
            let worker = usize::from(letter.worker);
            self.edge.hear(worker, letter.call, Ok(&letter.bytes));
            for resolved in self.edge.resolved(worker) {
                let since = self.waiting.remove(&resolved.viewer).expect("it waited");
                let round_trips = usize::try_from(slice - since).expect("a few").min(4);
                self.counted.round_trips[round_trips] += 1;
                self.heard(slice, resolved.viewer, &resolved.outcome, post);
            }
        }
        for at in self.wheel.take(slice) {
            let viewer = &self.viewers[at as usize];
            self.counted.requests += 1;
            match self
                .edge
                .ask(usize::from(viewer.worker), at, viewer.segment())
            {
                Some(outcome) => self.heard(slice, at, &outcome, post),
                None => {
                    self.waiting.insert(at, slice);
                }
            }
        }
        for worker in 0..self.options.workers {
            let at = usize::from(worker);
            let calls = self.edge.calls(at);
            self.make(worker, calls, post);
            let offset = u64::from(self.number) * 3 + u64::from(worker) * 7;
            if (slice + offset).is_multiple_of(TICK_SLICES) {
                let calls = self.edge.tick(at);
                self.make(worker, calls, post);
                let calls = core::mem::take(&mut self.in_tick[at]);
                self.counted.ticks += 1;
                self.counted.calls += calls;
                self.counted.most_calls_in_tick = self.counted.most_calls_in_tick.max(calls);
            }
        }
    }

    /// A viewer who watched elsewhere goes on here.
    fn arrives(&mut self, slice: u64, viewer: Viewer) {
        let at = self.left.pop().unwrap_or_else(|| index(self.viewers.len()));
        match self.viewers.get_mut(at as usize) {
            Some(place) => *place = viewer,
            None => self.viewers.push(viewer),
        }
        self.wheel.put(slice, at);
    }

    /// What became of a viewer's request, and what it does next.
    fn heard(&mut self, slice: u64, at: u32, outcome: &Outcome, post: &Post) {
        let Options {
            timeout_s,
            segment_ms,
            watches_s,
            edges,
            ..
        } = self.options;
        let due_ms = (timeout_s * 1_000).div_ceil(3) + self.dice.u64(..segment_ms);
        let viewer = &mut self.viewers[at as usize];
        let ends = self.dice.u64(..watches_s * 1_000) < due_ms;
        viewer.plays = matches!(outcome, Outcome::Served) && !ends;
        self.counted.refused += u64::from(matches!(outcome, Outcome::Answered(_)));
        if !viewer.plays {
            // It falls silent, and begins something else once its place is free.
            viewer.playback += 1;
            let silent_ms = timeout_s * 1_000 + 1_000 + self.dice.u64(..segment_ms);
            return self.wheel.put(slice + slices(silent_ms), at);
        }
        if edges > 1 && self.dice.u32(..MOVES_ONE_IN) == 0 {
            let others = self.dice.u32(1..edges);
            self.left.push(at);
            let to = (self.number + others) % edges;
            return post.moves(slice, to, viewer.clone());
        }
        self.wheel.put(slice + slices(due_ms), at);
    }

    fn make(&mut self, worker: u8, calls: Vec<StoreCall>, post: &Post) {
        self.in_tick[usize::from(worker)] += calls.len() as u64;
        for call in calls {
            post.call(self.number, worker, call);
        }
    }

    pub(super) fn report(&self, figures: &mut Figures) {
        let gone: hashbrown::HashSet<_> = self.left.iter().copied().collect();
        let here = self.viewers.iter().enumerate();
        let here = here.filter(|(at, viewer)| viewer.plays && !gone.contains(&index(*at)));
        figures.streams += here.count() as u64;
        figures.edge_bytes += self.edge.host.bytes_held();
        figures.count(&self.counted);
        for (metric, before) in Metric::ALL.into_iter().zip(&self.before) {
            figures.metrics[metric.index()] += self.edge.host.count(metric) - before;
        }
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).expect("fewer viewers")
}
