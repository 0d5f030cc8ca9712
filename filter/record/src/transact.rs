//! Load, judge, compare-and-set, again if someone else was faster.

use core::convert::Infallible;

use streamgate_policy::activity::Activity;
use streamgate_policy::{Event, Judgement, Recall, Verdict, judge};
use streamgate_values::moment::Moment;
use streamgate_values::sorted::sorted_by_key;
use streamgate_values::subject::SubjectKey;

use super::counting::{count_lapsed, count_verdict};
use super::generations::bump;
use super::live::{Found, add_live_to, live};
use super::loaded::{Loaded, Pruned, load};
use crate::copy_version::CopyVersion;
use crate::metric::Metric;
use crate::ports::TRIES;
use crate::ports::{Host, StoreKey, Swap};
use crate::records::{Basis, Decided, Recorded, Records, Seen, Unavailable};
use crate::slot::{Change, RewrittenSlot, Slot};

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
    let generation = generation(host, records, subject, event);
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
        let found = (growth > 0).then(|| Found::of(host));
        if found.is_some_and(|found| found.live() >= records.max_streams) {
            return Err(Unavailable::Full);
        }
        match host.swap(key, loaded.version, &rewritten.bytes) {
            Swap::Done => {
                if judgement.silenced {
                    bump(host, records.group_of(subject));
                }
                add_live_to(host, found, growth);
                count_lapsed(host, &judged.pruned.lapsed);
                count_lapsed(host, &rewritten.lapsed);
                host.add(Metric::RecordWrites, 1);
                count_verdict(host, &records.book, subject, event, judgement);
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
    let generation = generation(host, records, subject, event);
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
        basis: generation.map(|generation| Basis {
            generation,
            pending,
        }),
        ..judged.decided(None)
    })
}

/// What a lease on the event's stream would go by. A call of an application is given none.
fn generation(
    host: &impl Host,
    records: &Records,
    subject: &SubjectKey,
    event: &Event,
) -> Option<u32> {
    let is_leased = matches!(event, Event::Play(play) if !play.is_call);
    is_leased.then(|| host.generation(records.group_of(subject)))
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

fn starts(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Plays(plays) if plays.started)
}

impl Loaded {
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

/// An event judged by what was found, and nothing recorded yet.
struct Judged<'a> {
    slot: Slot<'a>,
    /// With the activity as the event leaves it.
    pruned: Pruned,
    judgement: Judgement,
}

impl Judged<'_> {
    fn recorded(self, generation: Option<u32>) -> Recorded {
        Recorded {
            changed: self.judgement.changed,
            silenced: self.judgement.silenced,
            decided: self.decided(generation),
        }
    }

    fn decided(self, generation: Option<u32>) -> Decided {
        Decided {
            verdict: self.judgement.verdict,
            basis: generation.map(|generation| Basis {
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
