//! A fleet and its trouble, event by event.

use hashbrown::HashSet;
use streamgate_core::fleet::{Call, CallFailure};
use streamgate_core::moment::Moment;

use super::account::{Account, populate};
use super::event::{Agenda, Caller, Event};
use super::judge;
use super::options::Options;
use super::viewer::{Standing, Told, Viewer, Way, Wish};
use crate::edge::{Outcome, SimEdge};
use crate::settings::Settings;
use crate::store::Node;

/// When it begins, in milliseconds since the Unix epoch.
const BEGIN_MS: u64 = 1_893_499_200_000;

/// How often a worker's timer fires, in milliseconds.
const TICK_MS: u64 = 100;

/// How long a request may wait at most, in milliseconds: the default of `fleet.wait`, until
/// the next tick notices.
const WAIT_MAX_MS: u64 = 500 + 2 * TICK_MS;

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
    /// By how much each edge's clock is ahead, in milliseconds.
    ahead_ms: Vec<u64>,
    lives: Vec<u32>,
    pub(super) nodes: Vec<Node>,
    frozen_until_ms: Vec<u64>,
    under_way: HashSet<Caller>,
    pub(super) accounts: Vec<Account>,
    pub(super) viewers: Vec<Viewer>,
    agenda: Agenda,
    dice: fastrand::Rng,
    /// How many calls each worker made since its last tick.
    in_tick: Vec<u64>,
    /// The most of one worker and the sum of all, and ticks, since all is quiet.
    pub(super) quiet: Quiet,
    pub(super) report: Report,
    records: bool,
}

/// What is counted when everybody just goes on.
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
        let skew_ms = options.trouble.skew_ms;
        let edges = (0..options.edges).map(|edge| {
            let configs = (0..options.workers).map(|_| settings.config());
            SimEdge::new(options.seed << 8 | edge as u64, configs)
        });
        let mut world = Self {
            options: options.clone(),
            now_ms: BEGIN_MS,
            edges: edges.collect(),
            ahead_ms: (0..options.edges)
                .map(|_| dice.u64(..=2 * skew_ms))
                .collect(),
            lives: vec![0; options.edges],
            nodes: (0..options.nodes).map(|_| Node::new()).collect(),
            frozen_until_ms: vec![0; options.nodes],
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
        };
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
            let at_ms = self.now_ms + self.dice.u64(500..10_000);
            self.agenda.put(at_ms, Event::Acts { viewer });
        }
        let trouble = self.options.trouble.clone();
        for _ in 0..trouble.store_restarts {
            let node = self.dice.usize(..self.options.nodes);
            self.sometime(Event::StoreRestarts { node });
        }
        for _ in 0..trouble.freezes {
            let node = self.dice.usize(..self.options.nodes);
            let for_ms = self.dice.u64(200..8_000);
            self.sometime(Event::Freezes { node, for_ms });
        }
        for _ in 0..trouble.edge_restarts {
            let edge = self.dice.usize(..self.options.edges);
            self.sometime(Event::EdgeRestarts { edge });
        }
    }

    fn sometime(&mut self, event: Event) {
        let at_ms = BEGIN_MS + self.dice.u64(..self.options.troubled_s * 1_000);
        self.agenda.put(at_ms, event);
    }

    fn is_troubled(&self) -> bool {
        self.now_ms < BEGIN_MS + self.options.troubled_s * 1_000
    }

    /// From when on nobody starts or stops anything: once everybody has been renewed since
    /// the trouble.
    fn is_quiet(&self) -> bool {
        self.now_ms >= self.quiet_from_ms()
    }

    fn quiet_from_ms(&self) -> u64 {
        BEGIN_MS + (self.options.troubled_s + self.options.timeout_s) * 1_000
    }

    /// When it ends: whoever fell silent at the last moment has lapsed, and all edges have
    /// had their turn since.
    fn ends_ms(&self) -> u64 {
        self.quiet_from_ms() + self.options.timeout_s * 2_000
    }

    fn happens(&mut self, event: Event) {
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
            Event::Freezes { node, for_ms } => self.frozen_until_ms[node] = self.now_ms + for_ms,
            Event::EdgeRestarts { edge } => self.edge_restarts(edge),
        }
    }

    /// An edge, its clock set.
    fn edge(&mut self, edge: usize) -> &mut SimEdge {
        let now = self.edge_now(edge);
        let edge = &mut self.edges[edge];
        edge.host.set_now(now);
        edge
    }

    pub(super) fn edge_now(&self, edge: usize) -> Moment {
        Moment::from_ms(self.now_ms + self.ahead_ms[edge])
    }

    fn ticks(&mut self, edge: usize, worker: usize) {
        let calls = self.edge(edge).tick(worker);
        self.make(edge, worker, calls);
        self.goes_on(edge, worker);
        let at = edge * self.options.workers + worker;
        let made = core::mem::take(&mut self.in_tick[at]);
        // Streams that everybody fell silent on before lapse until then.
        if self.now_ms >= self.ends_ms() - self.options.timeout_s * 1_000 {
            self.quiet.ticks += 1;
            self.quiet.calls += made;
            self.quiet.most_calls_in_tick = self.quiet.most_calls_in_tick.max(made);
        }
        self.agenda
            .put(self.now_ms + TICK_MS, Event::Tick { edge, worker });
    }

    fn make(&mut self, edge: usize, worker: usize, calls: Vec<Call>) {
        let Options { trouble, nodes, .. } = &self.options;
        let (delay_ms, nodes) = (trouble.delay_ms, *nodes);
        let lost_percent = if self.is_troubled() {
            trouble.lost_percent
        } else {
            0
        };
        for call in calls {
            self.report.calls += 1;
            self.in_tick[edge * self.options.workers + worker] += 1;
            let from = Caller {
                edge,
                worker,
                life: self.lives[edge],
                call: call.id,
            };
            self.under_way.insert(from);
            let fate = self.dice.u32(..300);
            let refused = fate < lost_percent;
            let vanishes = !refused && fate < 2 * lost_percent;
            let answer_is_lost = fate >= 2 * lost_percent && fate < 3 * lost_percent;
            let fails_after_ms = if refused { 1 } else { call.timeout_ms };
            let reply = Err(CallFailure);
            self.agenda.put(
                self.now_ms + fails_after_ms,
                Event::Heard { to: from, reply },
            );
            if !refused && !vanishes {
                let shard = call
                    .shard
                    .strip_prefix("shard-")
                    .and_then(|n| n.parse().ok());
                let shard: usize = shard.expect("shards have numbers");
                let event = Event::Arrives {
                    node: shard % nodes,
                    from,
                    payload: call.payload,
                    answer_is_lost,
                };
                let at_ms = self.now_ms + self.dice.u64(1..=delay_ms);
                self.agenda.put(at_ms, event);
            }
        }
    }

    fn arrives(&mut self, node: usize, from: Caller, payload: Vec<u8>, answer_is_lost: bool) {
        let frozen_until_ms = self.frozen_until_ms[node];
        if self.now_ms < frozen_until_ms {
            let event = Event::Arrives {
                node,
                from,
                payload,
                answer_is_lost,
            };
            return self.agenda.put(frozen_until_ms, event);
        }
        let said = self.nodes[node].answer(&payload, self.now_ms);
        if self.records {
            self.report.exchanges.push((payload, said.clone()));
        }
        if !answer_is_lost {
            let at_ms = self.now_ms + self.dice.u64(1..=self.options.trouble.delay_ms);
            let reply = Ok(said);
            self.agenda.put(at_ms, Event::Heard { to: from, reply });
        }
    }

    fn hears(&mut self, to: Caller, reply: &Result<Vec<u8>, CallFailure>) {
        if self.under_way.remove(&to) && self.lives[to.edge] == to.life {
            let reply = reply.as_deref().map_err(|failure| *failure);
            self.edge(to.edge).hear(to.worker, to.call, reply);
            self.goes_on(to.edge, to.worker);
        }
    }

    /// Requests that have waited go on, and what came up goes to the store.
    fn goes_on(&mut self, edge: usize, worker: usize) {
        for resolved in self.edge(edge).resolved(worker) {
            self.told(resolved.viewer as usize, resolved.outcome);
        }
        let calls = self.edge(edge).calls(worker);
        self.make(edge, worker, calls);
    }

    fn edge_restarts(&mut self, edge: usize) {
        self.lives[edge] += 1;
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
                viewer.standing = if plays {
                    Standing::Plays
                } else {
                    Standing::Idle
                };
                self.acts_soon(at);
            }
        }
    }

    fn acts_soon(&mut self, viewer: usize) {
        let at_ms = self.now_ms + self.dice.u64(300..2_000);
        self.agenda.put(at_ms, Event::Acts { viewer });
    }

    fn acts(&mut self, at: usize) {
        let (quiet, dice) = (self.is_quiet(), &mut self.dice);
        let viewer = &mut self.viewers[at];
        let is_modest = self.accounts[viewer.account].is_modest;
        let mut chance = |percent: u32| dice.u32(..100) < percent;
        if quiet && viewer.standing == Standing::Idle {
            return;
        }
        let plays = viewer.standing == Standing::Plays;
        viewer.wish = match (plays, viewer.has_session()) {
            (false, _) => viewer.first_wish(),
            (true, _) if quiet => Wish::Segment,
            (true, true) if !is_modest && chance(5) => Wish::Stop,
            (true, true) if chance(10) => Wish::Heartbeat,
            (true, _) if !is_modest && chance(4) => {
                // It just goes away.
                viewer.leaves();
                return self.acts_soon(at);
            }
            // It pauses, and lapses. An app with a session would begin a new one then.
            (true, _) if viewer.way == Way::OwnId && chance(2) => {
                let back_ms = self.now_ms + self.options.timeout_s * 1_500;
                return self.agenda.put(back_ms, Event::Acts { viewer: at });
            }
            (true, _) => Wish::Segment,
        };
        if !quiet && chance(20) {
            viewer.worker = self.dice.usize(..self.options.workers);
        }
        if !quiet && self.dice.u32(..100) < 4 {
            viewer.edge = self.dice.usize(..self.options.edges);
        }
        let (edge, worker, now_ms) = (viewer.edge, viewer.worker, self.now_ms);
        viewer.standing = Standing::Waits {
            plays,
            since_ms: now_ms,
        };
        let request = viewer.request(&self.accounts[viewer.account].name);
        self.report.requests += 1;
        let number = u32::try_from(at).expect("few viewers");
        if let Some(outcome) = self.edge(edge).ask(worker, number, request) {
            self.told(at, outcome);
        }
        self.goes_on(edge, worker);
    }

    fn told(&mut self, at: usize, outcome: Outcome) {
        let now_ms = self.now_ms;
        let viewer = &mut self.viewers[at];
        let wish = viewer.wish;
        if let Standing::Waits { since_ms, .. } = viewer.standing
            && now_ms - since_ms > WAIT_MAX_MS
        {
            let waited_ms = now_ms - since_ms;
            self.report
                .wrongs
                .push(format!("{wish:?} waited for {waited_ms} ms"));
        }
        let told = viewer.told(outcome, now_ms);
        let account = &mut self.accounts[viewer.account];
        if let Told::No(status, why) = told
            && account.is_modest
        {
            let after_s = (now_ms - BEGIN_MS) / 1_000;
            let wrong = format!(
                "after {after_s} s {} was refused at edge {}: {wish:?}, {status}, {why}",
                account.name, viewer.edge
            );
            self.report.wrongs.push(wrong);
            // It plays something else now, and what it had may still count.
            account.is_modest = false;
        }
        self.acts_soon(at);
    }
}
