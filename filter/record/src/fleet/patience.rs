//! How long questions wait for a shard, and what its silence means.
//!
//! A shard that fails is out, and its questions are answered as in an outage. Three silences are
//! none: of a shard that this worker has yet to meet, since the proxy may not know yet that
//! its node is there; of a connection that broke, which says little about the node behind it;
//! and of a worker that was too busy to hear the answer.

use streamgate_values::moment::Moment;

use super::TICK_MS;
use super::store_answer::Failure;

/// How long after the last tick the next one shows that this worker is starved, in milliseconds.
const STARVED_MS: u64 = 3 * TICK_MS;

/// The times of one worker that tell an outage from a start and from a machine too busy.
#[derive(Debug, Default)]
pub(super) struct WorkerTimes {
    began_at: Option<Moment>,
    ticked_at: Option<Moment>,
    starved_at: Option<Moment>,
    holds_on: bool,
}

impl WorkerTimes {
    /// The worker does something for its fleet, perhaps for the first time.
    pub(super) fn begin(&mut self, now: Moment) {
        // A clock that was set back must not stretch the time for meeting the store.
        let began_at = self.began_at.map_or(now, |began_at| began_at.min(now));
        self.began_at = Some(began_at);
    }

    /// The worker ticks. Says whether questions may be given up now: after a tick that came
    /// late, answers that are there already may be heard first, once.
    pub(super) fn tick(&mut self, now: Moment) -> bool {
        let is_late = self.is_late(now);
        self.ticked_at = Some(now);
        if is_late {
            self.starved_at = Some(now);
        }
        self.holds_on = is_late && !self.holds_on;
        !self.holds_on
    }

    fn is_late(&self, now: Moment) -> bool {
        let ticked_at = self.ticked_at;
        ticked_at.is_some_and(|ticked_at| now.ms_since(ticked_at) >= STARVED_MS)
    }

    /// How patient the worker is now, under these settings.
    pub(super) fn patience(&self, wait_ms: u64, start_within_ms: u64, now: Moment) -> Patience {
        let starved_at = if self.is_late(now) {
            Some(now)
        } else {
            self.starved_at
        };
        Patience {
            wait_ms,
            meets_until: self.began_at.unwrap_or(now).plus_ms(start_within_ms),
            starved_at,
        }
    }
}

/// How patient a worker is at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// How long a question waits for a shard that has been met, in milliseconds.
    pub(super) wait_ms: u64,
    /// Until when a shard that has never answered is not out.
    meets_until: Moment,
    /// When this worker was starved last.
    starved_at: Option<Moment>,
}

/// How a worker stands with a shard.
#[derive(Debug)]
pub(super) struct ShardStanding {
    is_met: bool,
    is_out: bool,
    has_retried: bool,
    /// Waiting counts from here for those who have waited for longer.
    counts_from: Moment,
}

impl ShardStanding {
    /// Nothing was heard of the shard yet.
    pub(super) const fn new() -> Self {
        Self {
            is_met: false,
            is_out: false,
            has_retried: false,
            counts_from: Moment::EARLIEST,
        }
    }

    /// Whether it is in an outage.
    pub(super) const fn is_out(&self) -> bool {
        self.is_out
    }

    /// It has answered.
    pub(super) fn answered(&mut self, now: Moment) {
        if !self.is_met {
            self.is_met = true;
            // Who has waited for this may need a second round trip.
            self.counts_from = now;
        }
        self.is_out = false;
        self.has_retried = false;
    }

    /// Whether a question that came up at `since` has waited for long enough.
    pub(super) fn is_late(&self, since: Moment, patience: Patience, now: Moment) -> bool {
        if !self.is_met && now < patience.meets_until {
            return false;
        }
        now.ms_since(since.max(self.counts_from)) >= patience.wait_ms
    }

    /// A call made at `made_at` came to nothing. When to make it again without an outage;
    /// `None`: this is one.
    pub(super) fn failed(
        &mut self,
        failure: Failure,
        made_at: Moment,
        patience: Patience,
        now: Moment,
    ) -> Option<Moment> {
        if !self.is_met && now < patience.meets_until {
            return Some(now.plus_ms(TICK_MS));
        }
        if !self.is_out && !self.has_retried {
            self.has_retried = true;
            let was_starved = patience.starved_at.is_some_and(|at| at >= made_at);
            match failure {
                Failure::Unreachable => return Some(now),
                Failure::Timeout if was_starved => {
                    self.counts_from = now;
                    return Some(now);
                }
                _ => {}
            }
        }
        self.is_out = true;
        None
    }
}
