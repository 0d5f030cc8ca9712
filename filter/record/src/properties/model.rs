//! The rules of the contract's section 3, once more, for streams that are numbers.

use std::collections::{BTreeMap, BTreeSet};

use streamgate_policy::OnConflict;
use streamgate_policy::activity::{ENDED_KEPT_MAX, ENDED_KEPT_MS};
use streamgate_policy::faded::FADED_KEPT_MAX;

use crate::testing::TIMEOUT_MS;

/// Attributes of a stream.
pub(super) type Given = BTreeMap<&'static str, &'static str>;

/// A policy of one rule.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    pub(super) name: &'static str,
    pub(super) max: usize,
    pub(super) on_conflict: OnConflict,
    /// The attribute whose values it counts; streams if `None`.
    pub(super) distinct: Option<&'static str>,
    /// The attribute per whose values it counts.
    pub(super) per: Option<&'static str>,
    /// The attribute, and its value, of streams it looks at.
    pub(super) when: Option<(&'static str, &'static str)>,
    /// Whether a device replaces its own stream.
    pub(super) replaces: bool,
    /// Whether it goes by what the account's credential allows.
    pub(super) by_claim: bool,
    /// The applications that list it.
    pub(super) listed_by: &'static [&'static str],
}

/// What a subject's credential allows.
pub(super) fn claim_of(subject: u8) -> usize {
    2 + usize::from(subject % 3)
}

impl Limit {
    /// The most it allows a subject.
    pub(super) fn max_of(&self, subject: u8) -> usize {
        if self.by_claim {
            claim_of(subject)
        } else {
            self.max
        }
    }

    pub(super) fn lists(&self, application: &str) -> bool {
        self.listed_by.contains(&application)
    }

    /// Whether it looks at a stream of an application that lists it.
    pub(super) fn matches(&self, given: &Given) -> bool {
        self.when
            .is_none_or(|(name, value)| given.get(name) == Some(&value))
    }

    /// The group in which a stream is counted.
    pub(super) fn group(&self, given: &Given) -> Option<&'static str> {
        self.per.and_then(|name| given.get(name).copied())
    }

    /// What a stream counts as: itself, or a value.
    pub(super) fn unit(&self, number: usize, given: &Given) -> Unit {
        match self.distinct {
            None => Unit::Stream(number),
            Some(name) => Unit::Value(given.get(name).copied()),
        }
    }
}

/// What counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    Stream(usize),
    Value(Option<&'static str>),
}

/// A live stream. Later ones have higher numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Live {
    pub(super) number: usize,
    pub(super) subject: u8,
    pub(super) application: &'static str,
    pub(super) given: Given,
    /// Heartbeats do not keep it alive.
    pub(super) by_media: bool,
    pub(super) lapses_at: u64,
}

/// A wish to play.
pub(super) struct Wish<'a> {
    pub(super) number: usize,
    pub(super) subject: u8,
    pub(super) application: &'static str,
    /// Added to what is known of the stream.
    pub(super) given: Given,
    /// Streams in whose place it is to play.
    pub(super) kill: &'a [usize],
    /// It is a heartbeat.
    pub(super) beats: bool,
    /// From now on the stream lives by media.
    pub(super) by_media: bool,
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

/// What one limit wants to go: so many of these units, each given by its streams' places in
/// the order in which they started.
struct Room {
    units: Vec<Vec<usize>>,
    surplus: usize,
}

/// The streams of the fewest units that make room for all, of several such choices those of the
/// one with the oldest units.
fn fewest(wanted: &[Room]) -> Vec<usize> {
    let units: BTreeSet<_> = wanted.iter().flat_map(|room| &room.units).collect();
    let mut units: Vec<_> = units.into_iter().collect();
    units.sort_by_key(|streams| (streams[0], streams.len(), *streams));
    let choices = |size| first_choice(wanted, &units, size, &mut Vec::new());
    (0..=units.len())
        .find_map(choices)
        .expect("all of them make room")
}

fn first_choice(
    wanted: &[Room],
    units: &[&Vec<usize>],
    size: usize,
    gone: &mut Vec<usize>,
) -> Option<Vec<usize>> {
    if size == 0 {
        let makes_room = |room: &Room| {
            let goes = |unit: &&Vec<usize>| unit.iter().all(|number| gone.contains(number));
            room.units.iter().filter(goes).count() >= room.surplus
        };
        return wanted.iter().all(makes_room).then(|| gone.clone());
    }
    units.iter().enumerate().find_map(|(at, unit)| {
        let before = gone.len();
        gone.extend(*unit);
        let found = first_choice(wanted, &units[at + 1..], size - 1, gone);
        gone.truncate(before);
        found
    })
}

/// What became of a wish to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Plays,
    Conflict,
    /// It was ended on purpose.
    Tombstone,
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

    /// The other streams of a subject that a policy counts where it counts `of`, oldest
    /// first.
    fn counted_with(&self, limit: Limit, of: &Live) -> Vec<&Live> {
        let counts = |other: &&Live| {
            other.subject == of.subject
                && other.number != of.number
                && limit.lists(other.application)
                && limit.matches(&other.given)
                && limit.group(&other.given) == limit.group(&of.given)
        };
        self.live.iter().filter(counts).collect()
    }

    /// The streams that a device replaces when it starts again.
    fn replaced(&self, by: &Live) -> BTreeSet<usize> {
        let same_device = |other: &&Live| {
            let device = by.given.get("deviceId");
            let replaces = |limit: &Limit| {
                limit.replaces
                    && limit.lists(by.application)
                    && limit.lists(other.application)
                    && limit.matches(&by.given)
                    && limit.matches(&other.given)
            };
            other.subject == by.subject
                && device.is_some()
                && device == other.given.get("deviceId")
                && self.limits.iter().any(replaces)
        };
        let replaced = self.live.iter().filter(same_device);
        replaced.map(|other| other.number).collect()
    }

    /// A stream wants to play.
    pub(super) fn play(&mut self, wish: Wish<'_>) -> Outcome {
        let Wish {
            number,
            subject,
            application,
            given,
            kill,
            beats,
            by_media,
        } = wish;
        if self.ended.iter().any(|end| end.number == number) {
            return Outcome::Tombstone;
        }
        let before = self.live.iter().find(|live| live.number == number).cloned();
        let mut after = before.clone().unwrap_or(Live {
            number,
            subject,
            application,
            given: Given::new(),
            by_media: false,
            lapses_at: 0,
        });
        after.given.extend(given);
        after.by_media |= by_media;
        if !(beats && after.by_media) {
            after.lapses_at = self.now + TIMEOUT_MS;
        }

        let of_subject = self.live_of(subject);
        let kill = kill.iter().filter(|number| of_subject.contains(number));
        let mut leaving: BTreeSet<usize> = kill.copied().collect();
        if before.is_none() {
            leaving.extend(self.replaced(&after));
        }
        let gone = leaving.clone();
        let mut wanted: Vec<Room> = Vec::new();
        for limit in self.limits.clone() {
            if !limit.lists(application) || !limit.matches(&after.given) {
                continue;
            }
            let own = limit.unit(number, &after.given);
            let mut units: Vec<(Unit, Vec<usize>)> = Vec::new();
            for other in self.counted_with(limit, &after) {
                if gone.contains(&other.number) {
                    continue;
                }
                let unit = limit.unit(other.number, &other.given);
                let started = |live: &Live| live.number == other.number;
                let at = self.live.iter().position(started).unwrap_or_default();
                match units.iter_mut().find(|(known, _)| *known == unit) {
                    Some((_, streams)) => streams.push(at),
                    None => units.push((unit, vec![at])),
                }
            }
            let stays = before.as_ref().is_some_and(|before| {
                limit.matches(&before.given)
                    && limit.group(&before.given) == limit.group(&after.given)
                    && limit.unit(number, &before.given) == own
            });
            let max = limit.max_of(subject);
            let is_counted = units.iter().any(|(unit, _)| *unit == own);
            if stays || is_counted || units.len() < max {
                continue;
            }
            if limit.on_conflict == OnConflict::DenyNew {
                // It said that it is something else now, or its player zapped.
                if beats {
                    self.end(number);
                } else {
                    self.release(number);
                }
                return Outcome::Conflict;
            }
            wanted.push(Room {
                surplus: units.len() + 1 - max,
                units: units.into_iter().map(|(_, streams)| streams).collect(),
            });
        }
        let losers = fewest(&wanted).into_iter().map(|at| self.live[at].number);
        leaving.extend(losers);
        leaving.iter().for_each(|number| self.end(*number));
        match self.live.iter_mut().find(|live| live.number == number) {
            Some(stream) => *stream = after,
            None => self.live.push(after),
        }
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

    /// It may start again. Says whether it was live.
    pub(super) fn release(&mut self, number: usize) -> bool {
        let was_live = self.is_live(number);
        self.live.retain(|live| live.number != number);
        was_live
    }

    /// Takes back that a stream was ended, if that was one timeout ago.
    pub(super) fn forgive_if_due(&mut self, number: usize) {
        let now = self.now;
        self.ended
            .retain(|end| end.number != number || now < end.at + TIMEOUT_MS);
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
        let end = &self.ended[at];
        // Who asks on is remembered longer, in the place of others.
        let of_subject = self
            .ended
            .iter()
            .filter(|other| other.subject == end.subject);
        let are_many = of_subject.count() > ENDED_KEPT_MAX + FADED_KEPT_MAX;
        if self.now >= end.at + ENDED_KEPT_MS || are_many {
            self.ended.remove(at);
        }
    }
}
