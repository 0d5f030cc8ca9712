//! Load, judge, compare-and-set, again if someone else was faster.

use core::convert::Infallible;

use streamgate_policy::activity::Activity;
use streamgate_policy::{Event, Judgement, PolicyBook, Recall, Verdict, judge};
use streamgate_values::moment::Moment;
use streamgate_values::sorted::sorted_by_key;
use streamgate_values::subject::SubjectKey;

use super::counting::{count, count_lapsed, count_verdict, signed};
use super::generations::bump;
use super::live::{add_live, live};
use crate::copy_version::CopyVersion;
use crate::metric::Metric;
use crate::ports::TRIES;
use crate::ports::{Host, Store, StoreKey, Swap, Version};
use crate::slot::{Change, RewrittenSlot, Slot};

/// How a record is laid out, and what it is judged by.
#[derive(Debug)]
pub struct Records {
    /// Slots subjects are spread over.
    pub slots: core::num::NonZeroU32,
    /// The most streams on record at once, in the whole edge.
    pub max_streams: u64,
    /// The policies.
    pub book: PolicyBook,
    /// Whether a store of the whole fleet has the last word: then records here are copies.
    pub has_fleet: bool,
}

/// Why an event could not be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// Other workers wrote to the slot first in every one of the tries.
    Contention,
    /// The edge already has as many streams on record as it may.
    Full,
    /// The store refused the write.
    Store,
    /// The fleet's store did not answer.
    Fleet,
}

/// An event decided.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Decided {
    /// The answer.
    pub verdict: Verdict,
    /// What a lease on the stream would go by; `None` where no bump would follow for it any more,
    /// or none yet: nothing could end such a lease.
    pub basis: Option<Basis>,
    /// When trying again may help, as far as can be said of a refusal.
    pub retry_at: Option<Moment>,
}

/// What a lease goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Basis {
    /// The generation of the subject's slot group before the record was read: as long as it
    /// stays so, nothing in the record has been ended.
    pub generation: u32,
    /// Something follows from the event that is not on record yet: it was only asked for.
    pub pending: bool,
}

/// What an event would lead to.
#[derive(Debug)]
pub struct Seen<'a> {
    /// What the judge says.
    pub judgement: &'a Judgement,
    /// The activity that would be recorded.
    pub activity: &'a Activity,
}

/// An event decided, and what that did to the record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Recorded {
    /// What was decided.
    pub decided: Decided,
    /// Whether the record was written.
    pub changed: bool,
    /// Whether a stream that played does so no longer, so that others have to hear of it.
    pub silenced: bool,
}

impl Records {
    /// The slot that holds `subject`.
    #[must_use]
    pub fn slot_of(&self, subject: &SubjectKey) -> u32 {
        subject
            .spread()
            .checked_rem(self.slots.get())
            .unwrap_or_default()
    }

    /// The slot group of `subject`, whose generation is bumped when a stream is ended. Of 65,536 at most, one is
    /// bumped for every stream ended in one of its slots, and then each worker looks again at
    /// its streams of those slots. With a million streams of which a thousand end each second,
    /// one request in thirty meets a generation that changed.
    #[must_use]
    pub fn group_of(&self, subject: &SubjectKey) -> u16 {
        let [low, high, ..] = self.slot_of(subject).to_le_bytes();
        u16::from_le_bytes([low, high])
    }
}

/// Decides an event and records what follows from it.
///
/// # Errors
///
/// [`Unavailable`] if that could not be recorded; then nothing has happened.
pub fn transact(
    host: &impl Host,
    records: &Records,
    subject: &SubjectKey,
    event: &Event,
    memory_since: Moment,
    now: Moment,
) -> Result<Recorded, Unavailable> {
    let all = |_: &Seen<'_>| Ok::<_, Infallible>(());
    let Ok(recorded) = transact_if(host, records, subject, event, memory_since, now, all)?;
    Ok(recorded)
}

/// Decides an event as [`transact()`] does, if what follows from it `may_follow`. If not, nothing has
/// happened, and what that says is given back.
///
/// # Errors
///
/// [`Unavailable`] if what follows could not be recorded; then nothing has happened.
pub fn transact_if<E>(
    host: &impl Host,
    records: &Records,
    subject: &SubjectKey,
    event: &Event,
    memory_since: Moment,
    now: Moment,
    may_follow: impl Fn(&Seen<'_>) -> Result<(), E>,
) -> Result<Result<Recorded, E>, Unavailable> {
    let generation = host.generation(records.group_of(subject));
    let key = StoreKey::Slot(records.slot_of(subject));
    for _ in 0..TRIES {
        let loaded = load(host, key);
        let judged = loaded.judged(host, records, subject, event, memory_since, now);
        let judgement = &judged.judgement;
        let seen = Seen {
            judgement,
            activity: &judged.pruned.activity,
        };
        if let Err(left_open) = may_follow(&seen) {
            return Ok(Err(left_open));
        }
        if !judgement.changed {
            return Ok(Ok(judged.recorded(generation)));
        }
        let rewritten = judged.rewritten(records, subject, now);
        let growth = judged.growth(&rewritten);
        if growth > 0 && live(host) >= records.max_streams {
            return Err(Unavailable::Full);
        }
        match host.swap(key, loaded.version, &rewritten.bytes) {
            Swap::Done => {
                if judgement.silenced {
                    bump(host, records.group_of(subject));
                }
                add_live(host, growth);
                count_lapsed(host, &judged.pruned.lapsed);
                count_lapsed(host, &rewritten.lapsed);
                host.add(Metric::RecordWrites, 1);
                count_verdict(host, &records.book, event, judgement);
                return Ok(Ok(judged.recorded(generation)));
            }
            Swap::Conflict => host.add(Metric::CasRetries, 1),
            Swap::Failed => {
                host.add(Metric::StoreFailures, 1);
                return Err(Unavailable::Store);
            }
        }
    }
    host.add(Metric::CasGiveUps, 1);
    Err(Unavailable::Contention)
}

/// Decides an event without recording anything: what would [`transact()`] say?
///
/// # Errors
///
/// [`Unavailable::Full`] where a start would meet it.
pub fn consult(
    host: &impl Host,
    records: &Records,
    subject: &SubjectKey,
    event: &Event,
    memory_since: Moment,
    now: Moment,
) -> Result<Decided, Unavailable> {
    let generation = host.generation(records.group_of(subject));
    let loaded = load(host, StoreKey::Slot(records.slot_of(subject)));
    let judged = loaded.judged(host, records, subject, event, memory_since, now);
    if starts(&judged.judgement.verdict)
        && live(host) >= records.max_streams
        && judged.growth(&judged.rewritten(records, subject, now)) > 0
    {
        return Err(Unavailable::Full);
    }
    let pending = judged.judgement.changed;
    Ok(Decided {
        basis: Some(Basis {
            generation,
            pending,
        }),
        ..judged.decided(generation)
    })
}

/// The live streams of a subject, oldest first.
#[must_use]
pub fn activity(
    host: &impl Host,
    records: &Records,
    subject: &SubjectKey,
    now: Moment,
) -> Activity {
    let loaded = load(host, StoreKey::Slot(records.slot_of(subject)));
    let mut activity = Pruned::new(host, &loaded.slot(host), subject, now).activity;
    activity.streams = sorted_by_key(activity.streams, |stream| (stream.started_at, stream.key));
    activity
}

/// A slot's value as loaded.
pub(super) struct Loaded {
    pub(super) bytes: Vec<u8>,
    pub(super) version: Option<Version>,
}

pub(super) fn load(store: &impl Store, key: StoreKey) -> Loaded {
    match store.load(key) {
        Some((bytes, version)) => Loaded {
            bytes,
            version: Some(version),
        },
        None => Loaded {
            bytes: Vec::new(),
            version: None,
        },
    }
}

impl Loaded {
    /// The slot, empty if there is none or it cannot be read.
    pub(super) fn slot(&self, host: &impl Host) -> Slot<'_> {
        Slot::parse(&self.bytes).unwrap_or_else(|| {
            count(
                host,
                Metric::CorruptSlots,
                usize::from(!self.bytes.is_empty()),
            );
            Slot::default()
        })
    }

    /// What the judge says to an event, going by this.
    fn judged(
        &self,
        host: &impl Host,
        records: &Records,
        subject: &SubjectKey,
        event: &Event,
        memory_since: Moment,
        now: Moment,
    ) -> Judged<'_> {
        let slot = self.slot(host);
        let mut pruned = Pruned::new(host, &slot, subject, now);
        let activity = &mut pruned.activity;
        // An edge alone would have seen a stream that is not on record; in a fleet it may play
        // elsewhere, and what neighbours ended long ago says nothing of it.
        let watermark = match records.has_fleet {
            true => activity.watermark,
            false => slot.watermark.max(activity.watermark),
        };
        let recall = Recall {
            watermark,
            memory_since,
        };
        let judgement = judge(activity, event, &records.book, &recall, now);
        Judged {
            slot,
            pruned,
            judgement,
        }
    }
}

/// A subject's activity as found on record and pruned.
pub(super) struct Pruned {
    pub(super) activity: Activity,
    on_record: usize,
    /// How long each of the streams was on record that have lapsed, in milliseconds.
    pub(super) lapsed: Vec<u64>,
}

impl Pruned {
    pub(super) fn new(
        host: &impl Host,
        slot: &Slot<'_>,
        subject: &SubjectKey,
        now: Moment,
    ) -> Self {
        let mut activity = slot.activity(subject).unwrap_or_else(|| {
            host.add(Metric::CorruptSlots, 1);
            Activity::default()
        });
        let on_record = activity.streams.len();
        let lapsed = activity.lapsed(now);
        activity.prune(now);
        Self {
            lapsed,
            on_record,
            activity,
        }
    }
}

/// An event judged by what was found, and nothing recorded yet.
struct Judged<'a> {
    slot: Slot<'a>,
    /// With the activity as the event leaves it.
    pruned: Pruned,
    judgement: Judgement,
}

impl Judged<'_> {
    fn recorded(self, generation: u32) -> Recorded {
        Recorded {
            changed: self.judgement.changed,
            silenced: self.judgement.silenced,
            decided: self.decided(generation),
        }
    }

    fn decided(self, generation: u32) -> Decided {
        Decided {
            verdict: self.judgement.verdict,
            basis: Some(Basis {
                generation,
                pending: false,
            }),
            retry_at: self.judgement.retry_at,
        }
    }

    fn rewritten(&self, records: &Records, subject: &SubjectKey, now: Moment) -> RewrittenSlot {
        let activity = &self.pruned.activity;
        let before = self
            .slot
            .copy(subject)
            .map(|(copy_version, _)| copy_version);
        let change = Change {
            subject,
            activity,
            copy_version: records
                .has_fleet
                .then(|| CopyVersion::dirty(before, activity, now)),
        };
        self.slot.rewrite(Some(change), now)
    }

    /// How many streams more the slot holds once rewritten.
    fn growth(&self, rewritten: &RewrittenSlot) -> i64 {
        let Pruned { activity, .. } = &self.pruned;
        self.pruned.growth_to(activity, rewritten)
    }
}

impl Pruned {
    /// How many streams more the slot holds once it is rewritten with this activity.
    pub(super) fn growth_to(&self, activity: &Activity, rewritten: &RewrittenSlot) -> i64 {
        let gone = self.on_record.saturating_add(rewritten.lapsed.len());
        signed(activity.streams.len()).saturating_sub(signed(gone))
    }
}

fn starts(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Plays(plays) if plays.started)
}
