//! A fleet and its trouble, event by event.

use hashbrown::HashSet;
use streamgate_record::own_time;
use streamgate_record::ports::Clock;
use streamgate_values::moment::Moment;

use super::account::{Account, populate};
use super::event::{Agenda, Caller, Event};
use super::judge;
use super::options::Options;
use super::viewer::{Standing, Viewer, Wish};
use crate::edge::SimEdge;
use crate::settings::Settings;
use crate::store::Node;

/// When it begins, in milliseconds since the Unix epoch.
pub(super) const BEGIN_MS: u64 = 1_893_499_200_000;

/// How often a worker's timer fires, in milliseconds.
pub(super) const TICK_MS: u64 = 100;

/// What an answer's way and the time until a player asks again take, in milliseconds.
const SLACK_MS: u64 = 500 + judge::SEGMENTS_WITHIN_MS;

/// After which time players begin, in milliseconds: every worker has seen every shard then.
const STARTS_AFTER_MS: u64 = 500;

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// What must not be and was, in the order of time.
    pub wrongs: Vec<String>,
    /// Requests of viewers.
    pub requests: u64,
    /// Calls to the store.
    pub calls: u64,
    /// Streams that play at the end.
    pub playing: usize,
    /// Calls and their answers in the order in which the store answered, where asked for.
    pub exchanges: Vec<(Vec<u8>, Vec<u8>)>,
}

pub(super) struct World {
    pub(super) options: Options,
    pub(super) settings: Settings,
    pub(super) now_ms: u64,
    pub(super) edges: Vec<SimEdge>,
    pub(super) lives: Vec<u32>,
    /// When each edge started last.
    pub(super) began_ms: Vec<u64>,
    pub(super) nodes: Vec<Node>,
    pub(super) frozen_until_ms: Vec<u64>,
    pub(super) gone_until_ms: Vec<u64>,
    pub(super) under_way: HashSet<Caller>,
    pub(super) accounts: Vec<Account>,
    pub(super) viewers: Vec<Viewer>,
    pub(super) agenda: Agenda,
    pub(super) dice: fastrand::Rng,
    /// How many calls each worker made since its last tick.
    pub(super) in_tick: Vec<u64>,
    pub(super) quiet: Quiet,
    pub(super) report: Report,
    pub(super) records: bool,
    /// When all evictions have to be heard of, if that is still to be looked at.
    settles_at_ms: Option<u64>,
}

/// What is counted in the last timeout, when everybody just goes on.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    pub(super) ticks: u64,
    pub(super) calls: u64,
    pub(super) most_calls_in_tick: u64,
}

/// Puts a fleet through its trouble and says what was wrong then. With `records`, what the
/// store was told comes with it.
#[must_use]
pub fn run(options: &Options, records: bool) -> Report {
    let mut world = World::new(options, records);
    while let Some((at_ms, event)) = world.agenda.next() {
        if at_ms >= world.ends_ms() {
            break;
        }
        let settles = world.settles_at_ms.take_if(|settles| at_ms >= *settles);
        if settles.is_some() {
            judge::when_settled(&mut world);
        }
        world.now_ms = at_ms;
        world.happens(event);
    }
    world.now_ms = world.ends_ms();
    judge::at_rest(&mut world);
    world.report
}

impl World {
    fn new(options: &Options, records: bool) -> Self {
        let settings = options.settings();
        let mut dice = fastrand::Rng::with_seed(!options.seed);
        let (accounts, viewers) = populate(options, &settings.config(), &mut dice);
        let edges = (0..options.edges).map(|edge| {
            let configs = (0..options.workers).map(|_| settings.config());
            SimEdge::new(options.seed << 8 | edge as u64, configs)
        });
        let mut world = Self {
            options: options.clone(),
            now_ms: BEGIN_MS,
            edges: edges.collect(),
            lives: vec![0; options.edges],
            began_ms: vec![BEGIN_MS; options.edges],
            nodes: (0..options.nodes).map(|_| Node::new()).collect(),
            frozen_until_ms: vec![0; options.nodes],
            gone_until_ms: vec![0; options.nodes],
            under_way: HashSet::new(),
            accounts,
            viewers,
            agenda: Agenda::default(),
            in_tick: vec![0; options.edges * options.workers],
            quiet: Quiet::default(),
            report: Report::default(),
            settings,
            dice,
            records,
            settles_at_ms: None,
        };
        world.settles_at_ms = world.settled_by_ms();
        for edge in 0..world.options.edges {
            world.clock_is_set(edge);
            // Own time begins with what the clock says then.
            own_time::learn(&world.edges[edge].host);
        }
        world.plans();
        world
    }

    fn plans(&mut self) {
        for edge in 0..self.options.edges {
            for worker in 0..self.options.workers {
                let at_ms = self.now_ms + self.dice.u64(..TICK_MS);
                self.agenda.put(at_ms, Event::Tick { edge, worker });
            }
        }
        for viewer in 0..self.viewers.len() {
            let at_ms =
                self.now_ms + STARTS_AFTER_MS + self.dice.u64(..self.options.starts_within_ms);
            self.agenda.put(at_ms, Event::Acts { viewer });
        }
        let trouble = self.options.trouble.clone();
        for _ in 0..trouble.store_restarts {
            let node = self.dice.usize(..self.options.nodes);
            self.sometime(Event::StoreRestarts { node });
        }
        for _ in 0..trouble.freezes {
            let node = self.dice.usize(..self.options.nodes);
            // Some for longer than streams live.
            let most_ms = *self.dice.choice(&[8_000, 40_000]).unwrap_or(&8_000);
            let for_ms = self.dice.u64(200..most_ms);
            self.sometime(Event::Freezes { node, for_ms });
        }
        for _ in 0..trouble.absences {
            let node = self.dice.usize(..self.options.nodes);
            let for_ms = self.dice.u64(200..20_000);
            self.sometime(Event::Vanishes { node, for_ms });
        }
        for _ in 0..trouble.edge_restarts {
            let edge = self.dice.usize(..self.options.edges);
            self.sometime(Event::EdgeRestarts { edge });
        }
        let set = self.options.edges * usize::from(trouble.skew_ms > 0);
        for edge in 0..set {
            self.sometime(Event::ClockIsSet { edge });
        }
    }

    fn sometime(&mut self, event: Event) {
        let at_ms = BEGIN_MS + self.dice.u64(..self.options.troubled_s * 1_000);
        self.agenda.put(at_ms, event);
    }

    pub(super) fn is_troubled(&self) -> bool {
        self.now_ms < self.calm_from_ms()
    }

    /// Whether an edge can connect to a node.
    pub(super) fn reaches(&self, edge: usize, node: usize) -> bool {
        let is_known = !self.is_troubled()
            || self.now_ms >= self.began_ms[edge] + self.options.trouble.late_health_ms;
        is_known && self.now_ms >= self.gone_until_ms[node]
    }

    /// When the trouble ends.
    fn calm_from_ms(&self) -> u64 {
        BEGIN_MS + self.options.troubled_s * 1_000
    }

    /// From when on nobody starts or stops anything: once everybody has been renewed since
    /// the trouble.
    pub(super) fn is_quiet(&self) -> bool {
        self.now_ms >= self.quiet_from_ms()
    }

    fn quiet_from_ms(&self) -> u64 {
        BEGIN_MS + (self.options.troubled_s + self.options.timeout_s) * 1_000
    }

    /// When every eviction is heard of everywhere, where all start once: it takes a third of the
    /// timeout.
    fn settled_by_ms(&self) -> Option<u64> {
        let starts_until_ms = BEGIN_MS + STARTS_AFTER_MS + self.options.starts_within_ms;
        let within_ms = self.options.timeout_s * 1_000 / 3;
        let settled_by_ms = starts_until_ms + within_ms + SLACK_MS;
        self.options.gives_up.then_some(settled_by_ms)
    }

    /// When it ends: whoever fell silent at the last moment has lapsed, and all edges have
    /// had their turn since.
    pub(super) fn ends_ms(&self) -> u64 {
        self.quiet_from_ms() + self.options.timeout_s * 2_000
    }

    pub(super) fn happens(&mut self, event: Event) {
        match event {
            Event::Tick { edge, worker } => self.ticks(edge, worker),
            Event::Acts { viewer } => self.acts(viewer),
            Event::Arrives {
                node,
                from,
                payload,
                answer_is_lost,
            } => self.arrives(node, from, payload, answer_is_lost),
            Event::Heard { to, reply } => self.hears(to, &reply),
            Event::StoreRestarts { node } => self.nodes[node].restart(),
            Event::Freezes { node, for_ms } => {
                self.frozen_until_ms[node] = (self.now_ms + for_ms).min(self.calm_from_ms());
            }
            Event::Vanishes { node, for_ms } => {
                self.nodes[node].restart();
                self.gone_until_ms[node] = (self.now_ms + for_ms).min(self.calm_from_ms());
            }
            Event::EdgeRestarts { edge } => self.edge_restarts(edge),
            Event::ClockIsSet { edge } => self.clock_is_set(edge),
        }
    }

    /// An edge, its steady clock moved on.
    pub(super) fn edge(&mut self, edge: usize) -> &mut SimEdge {
        let now = Moment::from_ms(self.now_ms);
        let edge = &mut self.edges[edge];
        edge.host.set_now(now);
        edge
    }

    /// The edge's own time.
    pub(super) fn edge_now(&self, edge: usize) -> Moment {
        let host = &self.edges[edge].host;
        host.set_now(Moment::from_ms(self.now_ms));
        host.now()
    }

    fn clock_is_set(&mut self, edge: usize) {
        let skew_ms = i64::try_from(self.options.trouble.skew_ms).unwrap_or_default();
        let ahead_ms = self.dice.i64(-skew_ms..=skew_ms);
        self.edge(edge).host.set_machine_ahead(ahead_ms);
    }

    fn edge_restarts(&mut self, edge: usize) {
        self.lives[edge] += 1;
        self.began_ms[edge] = self.now_ms;
        let Self {
            edges, settings, ..
        } = self;
        edges[edge].restart(core::iter::repeat_with(|| settings.config()));
        // Connections are cut: whoever waited asks again.
        for at in 0..self.viewers.len() {
            let viewer = &mut self.viewers[at];
            if let Standing::Waits { plays, .. } = viewer.standing
                && viewer.edge == edge
            {
                // What it never heard of may play and count.
                self.accounts[viewer.account].is_modest &= viewer.wish != Wish::Create;
                viewer.standing = if plays {
                    Standing::Plays
                } else {
                    Standing::Idle
                };
                self.acts_soon(at);
            }
        }
    }
}
