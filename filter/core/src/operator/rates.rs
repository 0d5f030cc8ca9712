//! What was decided in the last minute, by kind: a worker at the door reads the decisions as they
//! are kept, and counts them by the second.

use std::collections::VecDeque;

use streamgate_record::ports::Store;
use streamgate_values::moment::Moment;

use super::decisions::Decisions;
use super::json::Json;

/// How many decisions are read at once, at most: half a millisecond's work.
const READ_MAX: u64 = 256;

/// How far back is counted, in seconds.
const WINDOW_S: u64 = 60;

/// How long a worker goes on to count when nobody asks, in milliseconds.
const WANTED_MS: u64 = 120_000;

/// The most kinds that are told apart in one second, and in an answer.
const KINDS_MAX: usize = 64;

/// What decisions are counted by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kind {
    event: String,
    reason: String,
    policy: String,
    rule: String,
}

#[derive(Debug, Default)]
struct Second {
    second: u64,
    counts: Vec<(Kind, u64)>,
}

/// What one worker has counted.
#[derive(Debug, Default)]
pub(super) struct Rates {
    /// Until when it counts.
    wanted_until: Option<Moment>,
    /// The number of the last decision that was read.
    read: u64,
    /// From when on all was read.
    complete_since: Moment,
    seconds: VecDeque<Second>,
}

/// The last minute, to be shown.
#[derive(Debug)]
pub(super) struct LastMinute {
    /// Whether all of it was counted: not where more was decided than is kept, nor for a minute
    /// after somebody asked for the first time.
    is_complete: bool,
    kinds: Vec<(Kind, u64)>,
}

impl LastMinute {
    pub(super) fn show(&self, json: &mut Json) {
        let of = |event: &str| {
            let of_event = self.kinds.iter().filter(|(kind, _)| kind.event == event);
            of_event
                .map(|(_, count)| *count)
                .fold(0, u64::saturating_add)
        };
        json.truth("complete", self.is_complete);
        json.number("starts", of("start"));
        json.number("refusals", of("refusal"));
        json.list("kinds", &self.kinds, |json, (kind, count)| {
            json.object("", |json| {
                json.text("event", &kind.event);
                json.known("reason", &kind.reason);
                json.known("policy", &kind.policy);
                json.known("rule", &kind.rule);
                json.number("count", *count);
            });
        });
    }
}

impl Rates {
    pub(super) fn on_tick(&mut self, store: &impl Store, decisions: &Decisions, now: Moment) {
        if self.wanted_until.is_some_and(|until| now < until) {
            self.read_on(store, decisions, now);
        }
    }

    /// The last minute.
    pub(super) fn last_minute(
        &mut self,
        store: &impl Store,
        decisions: &Decisions,
        now: Moment,
    ) -> LastMinute {
        if self.wanted_until.is_none_or(|until| until <= now) {
            // It has not counted for a while, or never.
            let latest = decisions.latest(store);
            self.seconds.clear();
            self.read = latest.saturating_sub(READ_MAX);
            self.complete_since = match self.read {
                0 => Moment::EARLIEST,
                _ => now,
            };
        }
        self.wanted_until = Some(now.plus_ms(WANTED_MS));
        self.read_on(store, decisions, now);
        let mut kinds: Vec<(Kind, u64)> = Vec::new();
        for (kind, count) in self.seconds.iter().flat_map(|second| &second.counts) {
            add(&mut kinds, kind, *count);
        }
        LastMinute {
            is_complete: now.ms_since(self.complete_since) >= WINDOW_S.saturating_mul(1_000),
            kinds,
        }
    }

    fn read_on(&mut self, store: &impl Store, decisions: &Decisions, now: Moment) {
        let second = now.as_ms() / 1_000;
        let is_old =
            |old: &Second| old.second > second || old.second.saturating_add(WINDOW_S) <= second;
        while self.seconds.front().is_some_and(is_old) {
            self.seconds.pop_front();
        }
        let read = decisions.after(store, Some(self.read), READ_MAX);
        if read.is_cut {
            self.complete_since = now;
        }
        self.read = read.latest;
        for decision in read.decisions {
            let at = decision.at.as_ms() / 1_000;
            if at.saturating_add(WINDOW_S) <= second {
                // All that came later was read.
                self.complete_since = self.complete_since.min(decision.at);
                continue;
            }
            let count = u64::from(decision.repeated).saturating_add(1);
            let kind = Kind {
                event: decision.event,
                reason: decision.reason,
                policy: decision.policy,
                rule: decision.rule,
            };
            // Workers may tell of two seconds in turns.
            let known = self.seconds.iter_mut().rev().take(3);
            let known = known.into_iter().find(|known| known.second == at);
            match known {
                Some(known) => add(&mut known.counts, &kind, count),
                None => self.seconds.push_back(Second {
                    second: at,
                    counts: vec![(kind, count)],
                }),
            }
        }
    }
}

/// Counts a kind; beyond so many of them they are one.
fn add(counts: &mut Vec<(Kind, u64)>, kind: &Kind, count: u64) {
    let known = counts.iter_mut().find(|(known, _)| known == kind);
    if let Some((_, so_far)) = known {
        *so_far = so_far.saturating_add(count);
    } else if counts.len() < KINDS_MAX {
        counts.push((kind.clone(), count));
    } else if let Some((last, so_far)) = counts.last_mut() {
        *last = Kind {
            event: "other".to_owned(),
            reason: String::new(),
            policy: String::new(),
            rule: String::new(),
        };
        *so_far = so_far.saturating_add(count);
    }
}
