//! Which shards are called at a tick, in turn where nobody waits.

use streamgate_values::moment::Moment;
use streamgate_values::sorted::sorted_by_key;

use super::Fleet;
use super::call::{At, CallId, SUBJECTS_A_CALL, StoreCall, TICK_MS};
use super::shard::Shard;
use crate::Records;
use crate::ports::Host;

/// In how many parts of a timeout every shard is told of signs of life once.
const ROUNDS_A_TIMEOUT: u64 = 9;

/// How many shards a worker that has just started calls for the first time in one tick.
const FIRST_CALLS_A_TICK: usize = 8;

/// The most shards that are called in one tick because they have come back.
const BACK_A_TICK: usize = 64;

impl Fleet {
    /// The calls to make every [`TICK_MS`].
    pub fn on_tick(&mut self, host: &impl Host, records: &Records, now: Moment) -> Vec<StoreCall> {
        let here = At::new(host, records, now);
        let steady = here.steady;
        self.times.begin(steady);
        let patience = self.patience(steady);
        if self.times.tick(steady) {
            for shard in &mut self.shards {
                shard.give_up(here, patience, &mut self.settled);
            }
        }
        let (shards, settings) = (&mut self.shards, &self.settings);
        self.retelling.on_tick(here, shards, settings);
        // The answer to a call that was taken for lost is of no use any more.
        let shards = &self.shards;
        let is_awaited =
            |(call, at): &(CallId, usize)| shards.get(*at).is_some_and(|shard| shard.awaits(*call));
        self.in_flight.retain(is_awaited);
        let feed_every_ms = self.settings.feed_every_ms();
        let rounds = self.patient_a_tick();
        let overtaken = self.in_turn(0, rounds, Shard::was_overtaken);
        let left = rounds.saturating_sub(overtaken.len());
        let patient = self.in_turn(self.next_patient, left, |shard| {
            !shard.queue.is_empty() && !shard.was_overtaken()
        });
        // A call that is made anyway reads the feed where that is due. One just for them waits
        // longer, so that there is none while many play; that still leaves a quarter of the
        // time in which they have to be heard.
        let alone_ms = feed_every_ms.saturating_add(feed_every_ms / 2);
        let mut feed = self.in_turn(self.next_feed, self.feed_a_tick(), |shard| {
            shard.feed_is_due(alone_ms, now)
        });
        self.next_patient = patient
            .last()
            .map_or(self.next_patient, |at| at.saturating_add(1));
        self.next_feed = feed
            .last()
            .map_or(self.next_feed, |at| at.saturating_add(1));
        // Another worker may have read them meanwhile.
        feed.retain(|at| {
            self.shards.get_mut(*at).is_some_and(|shard| {
                shard.look_what_others_know(here);
                shard.feed_is_due(alone_ms, now)
            })
        });
        let mut due = self.in_turn(0, usize::MAX, |shard| {
            shard.queue.has_urgent() || shard.is_down()
        });
        due.extend(overtaken);
        due.extend(patient);
        due.extend(feed);
        due.extend(self.in_turn(self.next_feed, BACK_A_TICK, |shard| shard.is_back(here)));
        let may_speak = |at: &usize| {
            let shard = self.shards.get(*at);
            shard.is_some_and(|shard| shard.may_speak(steady))
        };
        due.retain(may_speak);
        let mut due = sorted_by_key(due, |at| *at);
        due.dedup();
        due.into_iter()
            .filter_map(|at| self.call(here, at))
            .collect()
    }

    /// Up to `most` shards of a kind, from one of them on.
    fn in_turn(&self, from: usize, most: usize, is_one: impl Fn(&Shard) -> bool) -> Vec<usize> {
        let count = self.shards.len();
        let turns = (0..count).map(|turn| from.saturating_add(turn).checked_rem(count));
        let found = turns
            .flatten()
            .filter(|at| self.shards.get(*at).is_some_and(&is_one));
        found.take(most).collect()
    }

    /// The most shards whose eviction feed one tick asks for: all of them in the time given, and
    /// those soon that have never been asked.
    fn feed_a_tick(&self) -> usize {
        let ticks = usize::try_from(self.settings.feed_every_ms() / TICK_MS).unwrap_or(usize::MAX);
        let in_time = self.shards.len().div_ceil(ticks.max(1));
        match self.shards.iter().all(Shard::is_known) {
            true => in_time,
            false => in_time.max(FIRST_CALLS_A_TICK),
        }
    }

    /// How many shards have to be told of signs of life in one tick, so that each of those
    /// that wait has its turn a few times in a timeout, and more often if one call does not
    /// suffice for it.
    pub(super) fn patient_a_tick(&self) -> usize {
        let calls = self
            .shards
            .iter()
            .map(|shard| shard.queue.len().div_ceil(SUBJECTS_A_CALL));
        let calls = calls.fold(0, usize::saturating_add);
        let round_ms = self.settings.shortest_timeout_ms / ROUNDS_A_TIMEOUT;
        let ticks = usize::try_from(round_ms / TICK_MS).unwrap_or(usize::MAX);
        calls.div_ceil(ticks.max(1)).max(1)
    }
}
