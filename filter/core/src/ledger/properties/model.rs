//! The rules of the contract's section 3, once more, for streams that are numbers.

use std::collections::BTreeSet;

use crate::activity::{ENDED_KEPT_MAX, ENDED_KEPT_MS};
use crate::policy::OnConflict;
use crate::testing::TIMEOUT_MS;

/// A policy of one rule.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    pub(super) name: &'static str,
    pub(super) max: usize,
    pub(super) on_conflict: OnConflict,
    /// The applications that list it.
    pub(super) listed_by: &'static [&'static str],
}

impl Limit {
    pub(super) fn counts(&self, application: &str) -> bool {
        self.listed_by.contains(&application)
    }
}

/// A live stream. Later ones have higher numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Live {
    pub(super) number: usize,
    pub(super) subject: u8,
    pub(super) application: &'static str,
    pub(super) lapses_at: u64,
}

/// A stream that was ended on purpose.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct End {
    pub(super) number: usize,
    subject: u8,
    at: u64,
}

/// Everything that plays on an edge.
pub(super) struct Model {
    limits: Vec<Limit>,
    /// In the order in which they started.
    pub(super) live: Vec<Live>,
    /// Streams that were ended on purpose, in that order.
    pub(super) ended: Vec<End>,
    pub(super) now: u64,
}

/// What became of a wish to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Plays,
    Conflict,
    /// It was ended on purpose.
    Ended,
}

impl Model {
    pub(super) fn new(limits: &[Limit]) -> Self {
        Self {
            limits: limits.to_vec(),
            live: Vec::new(),
            ended: Vec::new(),
            now: 0,
        }
    }

    pub(super) fn advance(&mut self, ms: u64) {
        self.now += ms;
        let now = self.now;
        self.live.retain(|stream| stream.lapses_at > now);
    }

    pub(super) fn is_live(&self, number: usize) -> bool {
        self.live.iter().any(|stream| stream.number == number)
    }

    /// The live streams of a subject, in the order of their numbers.
    pub(super) fn live_of(&self, subject: u8) -> BTreeSet<usize> {
        let of = |stream: &&Live| stream.subject == subject;
        let live = self.live.iter().filter(of);
        live.map(|stream| stream.number).collect()
    }

    /// The streams of a subject that a policy counts, oldest first.
    fn counted(&self, limit: Limit, subject: u8) -> Vec<usize> {
        let of = |stream: &&Live| stream.subject == subject && limit.counts(stream.application);
        let live = self.live.iter().filter(of);
        live.map(|stream| stream.number).collect()
    }

    /// A stream wants to play, in the place of those in `kill`.
    pub(super) fn play(
        &mut self,
        number: usize,
        subject: u8,
        application: &'static str,
        kill: &[usize],
    ) -> Outcome {
        if self.ended.iter().any(|end| end.number == number) {
            return Outcome::Ended;
        }
        let lapses_at = self.now + TIMEOUT_MS;
        if let Some(stream) = self.live.iter_mut().find(|live| live.number == number) {
            stream.lapses_at = lapses_at;
            return Outcome::Plays;
        }

        let of_subject = self.live_of(subject);
        let kill = kill.iter().filter(|number| of_subject.contains(number));
        let mut leaving: BTreeSet<usize> = kill.copied().collect();
        let killed = leaving.clone();
        let applying: Vec<Limit> = self
            .limits
            .iter()
            .filter(|limit| limit.counts(application))
            .copied()
            .collect();
        for limit in applying {
            let counted = self.counted(limit, subject);
            match limit.on_conflict {
                OnConflict::DenyNew => {
                    let staying = counted.iter().filter(|rival| !killed.contains(rival));
                    if staying.count() >= limit.max {
                        return Outcome::Conflict;
                    }
                }
                OnConflict::StopOldest => {
                    let mut staying = counted;
                    staying.retain(|rival| !leaving.contains(rival));
                    let surplus = (staying.len() + 1).saturating_sub(limit.max);
                    leaving.extend(staying.iter().take(surplus));
                }
            }
        }
        leaving.iter().for_each(|number| self.end(*number));
        self.live.push(Live {
            number,
            subject,
            application,
            lapses_at,
        });
        Outcome::Plays
    }

    /// Says whether it was live.
    pub(super) fn stop(&mut self, number: usize) -> bool {
        let was_live = self.is_live(number);
        if was_live {
            self.end(number);
        }
        was_live
    }

    fn end(&mut self, number: usize) {
        if let Some(at) = self.live.iter().position(|live| live.number == number) {
            let Live { subject, .. } = self.live.remove(at);
            self.ended.push(End {
                number,
                subject,
                at: self.now,
            });
        }
    }

    /// Takes back that a stream was ended, if it was long ago, or many of the
    /// subject's streams were ended since.
    pub(super) fn forget_if_old(&mut self, number: usize) {
        let Some(at) = self.ended.iter().position(|end| end.number == number) else {
            return;
        };
        let (end, since) = (&self.ended[at], &self.ended[at + 1..]);
        let since = since.iter().filter(|other| other.subject == end.subject);
        if self.now >= end.at + ENDED_KEPT_MS || since.count() >= ENDED_KEPT_MAX {
            self.ended.remove(at);
        }
    }
}
