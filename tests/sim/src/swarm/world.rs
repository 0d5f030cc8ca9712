//! A fleet and its trouble, event by event.

use hashbrown::HashSet;
use streamgate_record::metric::Metric;
use streamgate_record::own_time;
use streamgate_record::ports::Clock;
use streamgate_values::moment::Moment;

use super::account::{Account, populate};
use super::event::{Agenda, Caller, Event};
use super::judge;
use super::options::{Options, Rollout, SHARDS_EVERY_S};
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

/// For how long a worker that was starved has time then, in milliseconds.
const NOT_STARVED_MS: u64 = 3_000;

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
    /// How often each edge found that others lay accounts out differently.
    pub layout_mismatches: Vec<u64>,
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
    /// From when on each edge's proxy may know that the store is there.
    pub(super) healthy_from_ms: Vec<u64>,
    /// Until when each worker gets no time.
    pub(super) starved_until_ms: Vec<u64>,
    /// The steps of a rollout that each edge has taken.
    steps: Vec<usize>,
    /// Workers' lines to shards that broke at the last call.
    pub(super) broken: HashSet<(usize, usize, usize)>,
    /// Until when a store that was in trouble excuses accounts over their limit and starts that are not
    /// judged.
    pub(super) excused_until_ms: u64,
    /// Until when some node of the store does not answer.
    pub(super) out_until_ms: u64,
    /// How many starts each edge has admitted as in an outage.
    pub(super) outage_admits: Vec<u64>,
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
    let edges = world.edges.iter();
    let mismatches = edges.map(|edge| edge.host.count(Metric::FleetLayoutMismatches));
    world.report.layout_mismatches = mismatches.collect();
    world.report
}

impl World {
    fn new(options: &Options, records: bool) -> Self {
        let settings = options.settings(0);
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
            healthy_from_ms: vec![BEGIN_MS + options.trouble.late_health_ms; options.edges],
            starved_until_ms: vec![0; options.edges * options.workers],
            steps: vec![0; options.edges],
            broken: HashSet::new(),
            excused_until_ms: 0,
            out_until_ms: 0,
            outage_admits: vec![0; options.edges],
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
            let for_ms = self.dice.u64(200..20_000).max(trouble.absent_for_ms);
            let within_ms = self.options.troubled_s * 1_000 - trouble.absent_for_ms;
            let at_ms = BEGIN_MS + self.dice.u64(..within_ms);
            self.agenda.put(at_ms, Event::Vanishes { node, for_ms });
        }
        for _ in 0..trouble.edge_restarts {
            let edge = self.dice.usize(..self.options.edges);
            self.sometime(Event::EdgeRestarts { edge });
        }
        for _ in 0..trouble.starvations {
            let edge = self.dice.usize(..self.options.edges);
            let worker = self.dice.usize(..self.options.workers);
            let for_ms = self.dice.u64(300..2_500);
            self.sometime(Event::Starves {
                edge,
                worker,
                for_ms,
            });
        }
        self.rolls_out();
        if trouble.lost_percent > 0 {
            self.is_excused_until(self.calm_from_ms());
        }
        let set = self.options.edges * usize::from(trouble.skew_ms > 0);
        for edge in 0..set {
            self.sometime(Event::ClockIsSet { edge });
        }
    }

    /// Edges take each step in some order, and none the next one before all have taken it.
    fn rolls_out(&mut self) {
        let edges = self.options.edges;
        match self.options.rollout {
            Rollout::Nothing => {}
            Rollout::Keys => {
                let third_ms = self.options.troubled_s * 1_000 / 3;
                for step in [1, 2] {
                    for edge in 0..edges {
                        let at_ms = BEGIN_MS + third_ms * step + self.dice.u64(..third_ms);
                        let step = usize::try_from(step).expect("few steps");
                        self.agenda.put(at_ms, Event::Configured { edge, step });
                    }
                }
            }
            Rollout::Shards => {
                for edge in 0..edges {
                    let at_ms = BEGIN_MS + (1 + edge as u64) * SHARDS_EVERY_S * 1_000;
                    self.agenda.put(at_ms, Event::Configured { edge, step: 1 });
                }
            }
        }
    }

    /// The store is in trouble until then, and has to be told of what plays after that.
    fn is_excused_until(&mut self, back_ms: u64) {
        let promised_ms = self.options.timeout_s * 1_000 / 3 + TICK_MS;
        let told_within_ms = self.options.told_within_ms.unwrap_or(promised_ms);
        self.out_until_ms = self.out_until_ms.max(back_ms);
        self.excused_until_ms = self.excused_until_ms.max(back_ms + told_within_ms);
    }

    fn sometime(&mut self, event: Event) {
        let at_ms = BEGIN_MS + self.dice.u64(..self.options.troubled_s * 1_000);
        self.agenda.put(at_ms, event);
    }

    pub(super) fn is_troubled(&self) -> bool {
        self.is_troubled_at(self.now_ms)
    }

    pub(super) fn is_troubled_at(&self, at_ms: u64) -> bool {
        at_ms < self.calm_from_ms()
    }

    /// Whether an edge can connect to a node.
    pub(super) fn reaches(&self, edge: usize, node: usize) -> bool {
        let is_known = !self.is_troubled() || self.now_ms >= self.healthy_from_ms[edge];
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

    /// Until when the worker that an event is about gets no time.
    fn starved_until_ms(&self, event: &Event) -> u64 {
        let (edge, worker) = match event {
            Event::Tick { edge, worker } => (*edge, *worker),
            Event::Heard { to, .. } => (to.edge, to.worker),
            Event::Acts { viewer } => {
                let viewer = &self.viewers[*viewer];
                (viewer.edge, viewer.worker)
            }
            _ => return 0,
        };
        self.starved_until_ms[edge * self.options.workers + worker]
    }

    fn starves(&mut self, edge: usize, worker: usize, for_ms: u64) {
        let until_ms = (self.now_ms + for_ms).min(self.calm_from_ms());
        let starved_until_ms = &mut self.starved_until_ms[edge * self.options.workers + worker];
        // It has time to do what it is to do, once.
        if self.now_ms > *starved_until_ms + NOT_STARVED_MS {
            *starved_until_ms = until_ms;
        }
    }

    pub(super) fn happens(&mut self, event: Event) {
        let starved_until_ms = self.starved_until_ms(&event);
        if self.now_ms < starved_until_ms {
            // Timers that have run out come first, mostly.
            let late_ms = match &event {
                Event::Heard { reply: Ok(_), .. } => self.dice.u64(..4),
                _ => 0,
            };
            return self.agenda.put(starved_until_ms + late_ms, event);
        }
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
            Event::StoreRestarts { node } => {
                self.nodes[node].restart();
                self.ages_are_lost();
                self.is_excused_until(self.now_ms);
            }
            Event::Freezes { node, for_ms } => {
                let until_ms = (self.now_ms + for_ms).min(self.calm_from_ms());
                self.frozen_until_ms[node] = until_ms;
                self.is_excused_until(until_ms);
            }
            Event::Vanishes { node, for_ms } => {
                self.nodes[node].restart();
                let until_ms = (self.now_ms + for_ms).min(self.calm_from_ms());
                self.gone_until_ms[node] = until_ms;
                self.ages_are_lost();
                self.is_excused_until(until_ms);
            }
            Event::EdgeRestarts { edge } => self.edge_restarts(edge),
            Event::ClockIsSet { edge } => self.clock_is_set(edge),
            Event::Starves {
                edge,
                worker,
                for_ms,
            } => self.starves(edge, worker, for_ms),
            Event::Configured { edge, step } => self.configured(edge, step),
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
        let out_until_ms = self.frozen_until_ms.iter().chain(&self.gone_until_ms);
        if out_until_ms.max().is_some_and(|until| self.now_ms < *until) {
            // Nobody else was told of what it knew; the store says that it remembers since before.
            for account in &mut self.accounts {
                account.is_modest = false;
                account.witness.may_all_be_over();
            }
        }
        self.healthy_from_ms[edge] = self.now_ms + self.options.trouble.late_health_ms;
        self.ages_are_lost();
        let settings = self.options.settings(self.steps[edge]);
        self.edges[edge].restart(core::iter::repeat_with(|| settings.config()));
        self.begins_anew(edge);
    }

    fn ages_are_lost(&mut self) {
        for account in &mut self.accounts {
            account.witness.ages_are_lost(&self.viewers);
        }
    }

    fn configured(&mut self, edge: usize, step: usize) {
        self.steps[edge] = step;
        let settings = self.options.settings(step);
        if self.options.rollout == Rollout::Shards {
            let left = self.steps.iter().filter(|taken| **taken < step).count() as u64;
            self.is_excused_until(self.now_ms + left * SHARDS_EVERY_S * 1_000);
        }
        self.edge(edge)
            .reconfigure(core::iter::repeat_with(|| settings.config()));
        self.begins_anew(edge);
    }

    /// An edge's workers have begun anew.
    fn begins_anew(&mut self, edge: usize) {
        self.lives[edge] += 1;
        self.began_ms[edge] = self.now_ms;
        // Connections are cut: whoever waited asks again.
        for at in 0..self.viewers.len() {
            let viewer = &mut self.viewers[at];
            if let Standing::Waits { .. } = viewer.standing
                && viewer.edge == edge
            {
                let account = &mut self.accounts[viewer.account];
                if viewer.wish == Wish::Create {
                    // What it never heard of may play and count.
                    account.is_modest = false;
                    account.witness.never_hears(at, self.now_ms);
                } else if viewer.wish == Wish::Stop {
                    // It goes on, and may have been stopped.
                    account.witness.waits(at);
                }
                viewer.waits_no_longer();
                self.acts_soon(at);
            }
        }
    }
}
