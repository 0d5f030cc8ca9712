//! What fleet, and what trouble.

use core::ops::RangeInclusive;

use crate::settings::Settings;

/// How long it takes from one edge to the next until it has another number of shards, in seconds: edges
/// compare once a minute.
pub(super) const SHARDS_EVERY_S: u64 = 70;

/// A small fleet, and what happens to it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Makes all randomness.
    pub seed: u64,
    /// Edges.
    pub edges: usize,
    /// Workers of each.
    pub workers: usize,
    /// Nodes of the store.
    pub nodes: usize,
    /// Shards accounts are spread over.
    pub shards: u32,
    /// Accounts, each with a few players.
    pub accounts: usize,
    /// How many streams an account may play at once.
    pub limit: u32,
    /// How many players more than that an account has that tries to get more.
    pub surplus: RangeInclusive<u32>,
    /// Within which time all players begin, in milliseconds.
    pub starts_within_ms: u64,
    /// Whoever was refused does not try again.
    pub gives_up: bool,
    /// How long a stream lives without a sign of life, in seconds.
    pub timeout_s: u64,
    /// How long a start waits for the store, in milliseconds.
    pub wait_ms: u64,
    /// What a start gets while the store does not answer: `admit` or `refuse`.
    pub on_outage: &'static str,
    /// What is rolled out meanwhile, edge by edge.
    pub rollout: Rollout,
    /// For how long after its store's return accounts over their limit and starts that are not judged are
    /// excused, in milliseconds; `None`: for a third of a timeout, which is what is promised.
    pub told_within_ms: Option<u64>,
    /// One thing goes wrong at most, so that each refusal has to be right at any time.
    pub has_one_trouble: bool,
    /// How long the trouble lasts, in seconds.
    pub troubled_s: u64,
    /// What goes wrong.
    pub trouble: Trouble,
}

/// What is rolled out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollout {
    /// Nothing.
    Nothing,
    /// A signing key, as documented: every edge verifies with the new one before one signs with it.
    Keys,
    /// Another number of shards, one edge after the other, more than a minute apart.
    Shards,
}

/// What goes wrong.
#[derive(Debug, Clone, Default)]
pub struct Trouble {
    /// Of a hundred calls, how many fail, one third each: before they reach the store, at
    /// once; the same without a word; after the store has done as it was told.
    pub lost_percent: u32,
    /// Of a hundred calls, how many connections break, at most every second of a worker to a shard:
    /// before or after the store has done as it was told.
    pub resets_percent: u32,
    /// How often a worker gets no time for up to two seconds and a half.
    pub starvations: u32,
    /// How often a node loses all it holds.
    pub store_restarts: u32,
    /// How often a node hangs for some seconds.
    pub freezes: u32,
    /// How often a node cannot be connected to for some time, and has lost all it held then.
    pub absences: u32,
    /// For how long then at least, in milliseconds.
    pub absent_for_ms: u64,
    /// How often an edge loses all it holds.
    pub edge_restarts: u32,
    /// How long an edge that has just started does not know that its store is there, in milliseconds.
    pub late_health_ms: u64,
    /// By how much the clock of an edge's machine is off at most, either way, in milliseconds. It
    /// is set to something else now and then.
    pub skew_ms: u64,
    /// The longest way between an edge and the store, in milliseconds.
    pub delay_ms: u64,
}

/// How long starts wait where nothing fails: the default, or where ways are long several round trips, as
/// docs/fleet.md has it. A start that finds a call under way and is overtaken takes three.
fn several_round_trips_ms(delay_ms: u64) -> u64 {
    500.max(12 * delay_ms)
}

impl Options {
    /// Some fleet in some trouble.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let delay_ms = *dice.choice(&[1, 10, 80]).unwrap_or(&1);
        // A start that waits for long ways has no time for calls that come to nothing, too.
        let comes_to_nothing = u32::from(delay_ms < 80);
        // Nor has one whose worker is starved time for a connection that breaks.
        let (resets_percent, starvations) = *dice
            .choice(&[(0, 0), (20, 0), (0, 4), (0, 12)])
            .unwrap_or(&(0, 0));
        let skews_ms = [0, 1_000, 30_000, 120_000, 600_000];
        let skew_ms = *dice.choice(&skews_ms).unwrap_or(&0);
        Self {
            seed,
            edges: dice.usize(1..=4),
            workers: dice.usize(1..=3),
            nodes: dice.usize(1..=2),
            shards: dice.u32(1..=6),
            accounts: dice.usize(2..=8),
            limit: dice.u32(1..=3),
            surplus: 1..=3,
            starts_within_ms: 9_500,
            gives_up: false,
            timeout_s: dice.u64(15..=30),
            wait_ms: 500,
            on_outage: dice.choice(&["admit", "refuse"]).unwrap_or(&"admit"),
            told_within_ms: None,
            has_one_trouble: false,
            rollout: *dice
                .choice(&[Rollout::Nothing, Rollout::Keys])
                .unwrap_or(&Rollout::Nothing),
            troubled_s: dice.u64(20..=60),
            trouble: Trouble {
                lost_percent: *dice.choice(&[0, 0, 2, 10, 30]).unwrap_or(&0),
                resets_percent: resets_percent * comes_to_nothing,
                starvations: starvations * comes_to_nothing,
                store_restarts: dice.u32(0..=2),
                freezes: dice.u32(0..=2),
                absences: dice.u32(0..=1),
                absent_for_ms: 0,
                edge_restarts: dice.u32(0..=2),
                late_health_ms: dice.u64(0..=3) * 500,
                skew_ms,
                delay_ms,
            },
        }
    }

    /// Some fleet without any trouble, at which everybody starts at the same moment, once.
    #[must_use]
    pub fn rush(seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let starts_within_ms = *dice.choice(&[1, 20, 200]).unwrap_or(&1);
        let delay_ms = *dice.choice(&[1, 10, 80]).unwrap_or(&1);
        Self {
            accounts: 6,
            surplus: 40..=60,
            starts_within_ms,
            wait_ms: several_round_trips_ms(delay_ms),
            gives_up: true,
            on_outage: "admit",
            rollout: Rollout::Nothing,
            troubled_s: 0,
            trouble: Trouble {
                delay_ms,
                ..Trouble::default()
            },
            ..Self::random(seed)
        }
    }

    /// Some fleet in which nothing fails, and edge after edge is given another number of shards.
    #[must_use]
    pub fn new_shards(seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let edges = dice.usize(2..=3);
        let delay_ms = *dice.choice(&[1, 10, 80]).unwrap_or(&1);
        Self {
            edges,
            wait_ms: several_round_trips_ms(delay_ms),
            rollout: Rollout::Shards,
            troubled_s: SHARDS_EVERY_S * (1 + edges as u64),
            trouble: Trouble {
                delay_ms,
                ..Trouble::default()
            },
            ..Self::random(seed)
        }
    }

    /// Some fleet of which the store is well, or just a node of it fails, so that what is promised then
    /// is not excused by something else.
    #[must_use]
    pub fn one_trouble(seed: u64) -> Self {
        let any = Self::random(seed);
        let mut dice = fastrand::Rng::with_seed(seed ^ 0x5eed);
        let mut trouble = Trouble {
            // A start has time for a call that was overtaken, one that came to nothing, and another.
            delay_ms: any.trouble.delay_ms.min(10),
            ..Trouble::default()
        };
        match dice.u32(..6) {
            0 => trouble.resets_percent = 20,
            1 => trouble.starvations = 12,
            2 => {
                trouble.edge_restarts = 4;
                trouble.late_health_ms = dice.u64(1..=3) * 500;
            }
            3 => trouble.skew_ms = *dice.choice(&[30_000, 120_000, 600_000]).unwrap_or(&0),
            4 => trouble.freezes = 1,
            _ => trouble.store_restarts = 1,
        }
        Self {
            has_one_trouble: true,
            trouble,
            ..any
        }
    }

    /// Some fleet whose store is away for so long that every edge has noticed it, and comes back empty. All
    /// of them look for it twice a second then, and tell it at once of what plays.
    #[must_use]
    pub fn empty_store(seed: u64) -> Self {
        let any = Self::random(seed);
        let timeout_s = 2 * any.timeout_s;
        // With it the last edge notices that the store is away: shards are called so often that have nobody to tell of.
        let noticed_within_ms = timeout_s * 1_000 / 4 + 1_000;
        Self {
            nodes: 1,
            timeout_s,
            troubled_s: any.troubled_s + timeout_s,
            rollout: Rollout::Nothing,
            // Half a second until the store is tried again, a round through all copies, and the
            // next segments of those who were let in meanwhile.
            told_within_ms: Some(timeout_s * 1_000 / 18 + 3_500),
            trouble: Trouble {
                absences: 1,
                absent_for_ms: noticed_within_ms,
                delay_ms: any.trouble.delay_ms.min(10),
                ..Trouble::default()
            },
            ..any
        }
    }

    /// The settings of an edge that has taken so many steps of the rollout.
    pub(super) fn settings(&self, step: usize) -> Settings {
        let signing_keys: &[&str] = match (self.rollout, step) {
            (Rollout::Keys, 1) => &["k1", "k2"],
            (Rollout::Keys, 2) => &["k2", "k1"],
            _ => &["k1"],
        };
        let shards = match self.rollout {
            Rollout::Shards if step > 0 => self.shards * 2 + 1,
            _ => self.shards,
        };
        Settings {
            timeout_s: self.timeout_s,
            limit: self.limit,
            shards,
            slots: 16,
            password: None,
            wait_ms: self.wait_ms,
            on_outage: self.on_outage,
            signing_keys,
        }
    }
}
