//! What was decided in the last minute, by kind: a worker at the door reads the decisions as they
//! are kept, and counts them by the second.

use streamgate_record::ports::Store;
use streamgate_values::moment::Moment;

use super::decisions::Decisions;
use super::json::Json;

/// How many decisions are read at once, at most: half a millisecond's work.
const READ_MAX: u64 = 128;

/// How far back is counted, in seconds.
const WINDOW_S: u64 = 60;

/// How long a worker goes on to count when nobody asks, in milliseconds.
const WANTED_MS: u64 = 120_000;

/// The most kinds that are told apart. Beyond them it is no longer told by which rule.
const KINDS_MAX: usize = 64;

/// What decisions are counted by, and how many there were of late.
#[derive(Debug)]
struct DecisionKind {
    /// Event, reason, policy and rule.
    texts: [String; 4],
    /// Tells it from most others at once.
    hash: u32,
    /// Seconds, the oldest first, each with how many there were in it.
    counts: Vec<(u64, u64)>,
}

impl DecisionKind {
    fn event(&self) -> &str {
        let [event, ..] = &self.texts;
        event
    }

    fn count(&self) -> u64 {
        let counts = self.counts.iter().map(|(_, count)| *count);
        counts.fold(0, u64::saturating_add)
    }

    fn add(&mut self, second: u64, count: u64) {
        // Workers may tell of two seconds in turns.
        let mut known = self.counts.iter_mut().rev();
        match known.find(|(known, _)| *known == second) {
            Some((_, so_far)) => *so_far = so_far.saturating_add(count),
            None => self.counts.push((second, count)),
        }
    }
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
    kinds: Vec<DecisionKind>,
}

/// The last minute, to be shown.
#[derive(Debug)]
pub(super) struct LastMinute<'a> {
    /// Whether all of it was counted: not where more was decided than is kept, nor for a minute
    /// after somebody asked for the first time.
    is_complete: bool,
    kinds: &'a [DecisionKind],
}

impl LastMinute<'_> {
    pub(super) fn show(&self, json: &mut Json) {
        let of = |event: &str| {
            let of_event = self.kinds.iter().filter(|kind| kind.event() == event);
            of_event
                .map(DecisionKind::count)
                .fold(0, u64::saturating_add)
        };
        json.truth("complete", self.is_complete);
        json.number("starts", of("start"));
        json.number("refusals", of("refusal"));
        json.list("kinds", self.kinds, |json, kind| {
            json.object("", |json| {
                for (name, text) in ["event", "reason", "policy", "rule"]
                    .iter()
                    .zip(&kind.texts)
                {
                    json.known(name, text);
                }
                json.number("count", kind.count());
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
    ) -> LastMinute<'_> {
        if self.wanted_until.is_none_or(|until| until <= now) {
            // It has not counted for a while, or never.
            let latest = decisions.latest(store);
            self.kinds.clear();
            self.read = latest.saturating_sub(READ_MAX);
            self.complete_since = match self.read {
                0 => Moment::EARLIEST,
                _ => now,
            };
        }
        self.wanted_until = Some(now.plus_ms(WANTED_MS));
        self.read_on(store, decisions, now);
        LastMinute {
            is_complete: now.ms_since(self.complete_since) >= WINDOW_S.saturating_mul(1_000),
            kinds: &self.kinds,
        }
    }

    fn read_on(&mut self, store: &impl Store, decisions: &Decisions, now: Moment) {
        let second = now.as_ms() / 1_000;
        for kind in &mut self.kinds {
            kind.counts
                .retain(|(old, _)| *old <= second && old.saturating_add(WINDOW_S) > second);
        }
        self.kinds.retain(|kind| !kind.counts.is_empty());
        let read = decisions.after(store, Some(self.read), READ_MAX);
        if read.is_cut {
            self.complete_since = now;
        }
        self.read = read.latest;
        for decision in read.decisions.read() {
            let at = decision.at.as_ms() / 1_000;
            if at.saturating_add(WINDOW_S) <= second {
                // All that came later was read.
                self.complete_since = self.complete_since.min(decision.at);
                continue;
            }
            let count = u64::from(decision.repeated).saturating_add(1);
            let kind = [
                decision.event,
                decision.reason,
                decision.policy,
                decision.rule,
            ];
            self.add(kind, at, count);
        }
    }

    /// Counts decisions of a kind. Beyond so many kinds, all of one reason are one.
    fn add(&mut self, kind: [&str; 4], second: u64, count: u64) {
        let [event, reason, ..] = kind;
        let known = self.index_of(&kind);
        let (kind, known) = match known {
            None if self.kinds.len() >= KINDS_MAX => {
                let kind = [event, reason, "", ""];
                (kind, self.index_of(&kind))
            }
            _ => (kind, known),
        };
        match known.and_then(|index| self.kinds.get_mut(index)) {
            Some(known) => known.add(second, count),
            None => self.kinds.push(DecisionKind {
                hash: hash(&kind),
                texts: kind.map(str::to_owned),
                counts: vec![(second, count)],
            }),
        }
    }

    fn index_of(&self, kind: &[&str; 4]) -> Option<usize> {
        let hash = hash(kind);
        let is_it = |known: &DecisionKind| known.hash == hash && known.texts == *kind;
        self.kinds.iter().position(is_it)
    }
}

/// FNV-1a of all bytes.
fn hash(kind: &[&str; 4]) -> u32 {
    let bytes = kind.iter().flat_map(|text| text.bytes());
    bytes.fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    /// Whatever number of policies refuses: what is told of all is right, and no more is kept.
    #[test]
    fn beyond_so_many_kinds_the_rule_is_left_out_and_nothing_is_lost() {
        let mut rates = Rates::default();
        for n in 0..5_000_u64 {
            let policy = format!("policy-{n}");
            rates.add(["refusal", "limit-reached", &policy, "rule"], n / 1_000, 2);
            rates.add(["start", "", "", ""], 1, 1);
        }
        assert_eq!(rates.kinds.len(), KINDS_MAX + 1);
        let minute = LastMinute {
            is_complete: true,
            kinds: &rates.kinds,
        };
        let answer = Json::answer(200, |json| minute.show(json));
        let shown: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(shown["starts"], 5_000);
        assert_eq!(shown["refusals"], 10_000);
        let kinds = shown["kinds"].as_array().unwrap();
        assert_eq!(kinds[0]["policy"], "policy-0");
        let rest = kinds.last().unwrap();
        assert_eq!(rest["reason"], "limit-reached");
        assert_eq!(
            (&rest["policy"], &rest["rule"]),
            (&serde_json::Value::Null, &serde_json::Value::Null)
        );
        assert!(answer.body.len() < 16 << 10);
    }
}
