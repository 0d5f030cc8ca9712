//! An edge's copy of a record whose truth is in the fleet's store.
//!
//! The copy lives where records of an edge alone live, so that segments are let through,
//! evictions heard and streams listed in the same way. It differs by its stamp: which
//! write of the store it goes by, and whether it is ahead of that.

use streamgate_policy::activity::Activity;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::bells::ring;
use super::codec;
use super::live::add_live;
use super::merge::merged;
use super::slot::Change;
use super::stamp::{Stamp, WriteId};
use super::transact::{Found, Ledger, Outage, Sighted, count, load};
use crate::metric::Metric;
use crate::ports::TRIES;
use crate::ports::{Host, Place, Swap};

/// A copy as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordCopy {
    /// The activity, pruned.
    pub activity: Activity,
    /// How it relates to the store; `None` if there is no copy.
    pub stamp: Option<Stamp>,
    /// How long the record is, in bytes.
    pub len: usize,
}

impl RecordCopy {
    /// The write it goes by.
    #[must_use]
    pub fn write(&self) -> Option<WriteId> {
        self.stamp.and_then(|stamp| stamp.write)
    }

    /// Whether the store has to be told something.
    #[must_use]
    pub fn is_ahead(&self) -> bool {
        self.stamp.is_some_and(|stamp| stamp.ahead)
    }
}

/// The copy of a subject's record.
#[must_use]
pub fn read(host: &impl Host, ledger: &Ledger, subject: &SubjectKey, now: Moment) -> RecordCopy {
    let found = load(host, Place::Slot(ledger.slot_of(subject)));
    let slot = found.slot(host);
    let copy = slot.copy(subject);
    RecordCopy {
        stamp: copy.map(|(stamp, _)| stamp),
        len: copy.map_or(0, |(_, content)| content.len()),
        activity: Sighted::new(host, &slot, subject, now).activity,
    }
}

/// A copy brought up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpToDate {
    /// What it holds.
    pub activity: Activity,
    /// It holds something that the store has yet to be told.
    pub is_ahead: bool,
    /// The state of the subject's bell before that.
    pub bell: u32,
}

/// Takes over what the store has: a record that `write` left there, or none. What only this
/// edge knows is kept, and has to be told to the store then.
///
/// # Errors
///
/// [`Outage`] if the copy could not be written; it is as it was.
pub fn take_over(
    host: &impl Host,
    ledger: &Ledger,
    subject: &SubjectKey,
    record: &Activity,
    write: Option<WriteId>,
    now: Moment,
) -> Result<UpToDate, Outage> {
    let is_older = |_: &Stamp| true;
    bring_up_to_date(host, ledger, subject, (record, write), is_older, now)
}

/// Takes over what was written in the store, as `write`, in the place of what the copy went by
/// `before`. Where the copy goes by something else by now, another worker has heard of this
/// write and gone on from it, and there is nothing left to take over.
///
/// # Errors
///
/// [`Outage`] if the copy could not be written; it is as it was.
pub fn follow(
    host: &impl Host,
    ledger: &Ledger,
    subject: &SubjectKey,
    (record, write): (&Activity, WriteId),
    before: Option<WriteId>,
    now: Moment,
) -> Result<UpToDate, Outage> {
    let is_older = |stamp: &Stamp| stamp.write == before;
    bring_up_to_date(host, ledger, subject, (record, Some(write)), is_older, now)
}

fn bring_up_to_date(
    host: &impl Host,
    ledger: &Ledger,
    subject: &SubjectKey,
    (record, write): (&Activity, Option<WriteId>),
    is_older: impl Fn(&Stamp) -> bool,
    now: Moment,
) -> Result<UpToDate, Outage> {
    let bell = host.bell(ledger.bell_of(subject));
    let place = Place::Slot(ledger.slot_of(subject));
    for _ in 0..TRIES {
        let found = load(host, place);
        let slot = found.slot(host);
        let sighted = Sighted::new(host, &slot, subject, now);
        if slot
            .copy(subject)
            .is_some_and(|(stamp, _)| !is_older(&stamp))
        {
            return Ok(UpToDate {
                activity: sighted.activity,
                // Whoever has put it ahead has said so.
                is_ahead: false,
                bell,
            });
        }
        let activity = merged(record.clone(), &sighted.activity);
        let mut stamp = Stamp::told(write, &activity, now);
        stamp.ahead = activity != *record;
        let change = Change {
            subject,
            activity: &activity,
            stamp: Some(stamp),
        };
        let rewritten = slot.rewrite(Some(change), now);
        let done = |activity| {
            Ok(UpToDate {
                activity,
                is_ahead: stamp.ahead,
                bell,
            })
        };
        if rewritten.bytes == found.bytes {
            return done(activity);
        }
        let growth = sighted.growth_to(&activity, &rewritten);
        match host.swap(place, found.version, &rewritten.bytes) {
            Swap::Done => {
                let ended = |known: &streamgate_policy::activity::Stream| {
                    activity.stream(&known.key).is_none()
                };
                if sighted.activity.streams.iter().any(ended) {
                    ring(host, ledger.bell_of(subject));
                }
                add_live(host, growth);
                count(host, Metric::Lapses, sighted.lapsed);
                count(host, Metric::Lapses, rewritten.lapsed);
                return done(activity);
            }
            Swap::Conflict => host.add(Metric::CasRetries, 1),
            Swap::Failed => {
                host.add(Metric::StoreFailures, 1);
                return Err(Outage::Store);
            }
        }
    }
    host.add(Metric::CasGiveUps, 1);
    Err(Outage::Contention)
}

/// What the store is to be told of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// The write the copy went by so far.
    pub before: Option<WriteId>,
    /// The record, as the store keeps it.
    pub content: Vec<u8>,
    /// Until when it is to be kept.
    pub kept_until: Moment,
}

/// Takes from a copy what the store is to be told, and has the copy go by the write `id`
/// from now on. Whether that write comes about shows with the next one: the store refuses
/// one that goes by a write it does not know.
///
/// `None` if there is nothing to tell and it is not told `again`.
pub fn tell(
    host: &impl Host,
    ledger: &Ledger,
    subject: &SubjectKey,
    id: WriteId,
    again: bool,
) -> Option<Telling> {
    let place = Place::Slot(ledger.slot_of(subject));
    for _ in 0..TRIES {
        let found: Found = load(host, place);
        let slot = found.slot(host);
        let (stamp, content) = slot
            .copy(subject)
            .filter(|(stamp, _)| again || stamp.ahead)?;
        let fresh = Stamp {
            write: Some(id),
            ahead: false,
            ..stamp
        };
        let telling = Telling {
            before: stamp.write,
            content: content.to_vec(),
            kept_until: stamp.kept_until,
        };
        let bytes = slot.restamped(&found.bytes, subject, &fresh)?;
        match host.swap(place, found.version, &bytes) {
            Swap::Done => return Some(telling),
            Swap::Conflict => host.add(Metric::CasRetries, 1),
            Swap::Failed => {
                host.add(Metric::StoreFailures, 1);
                return None;
            }
        }
    }
    host.add(Metric::CasGiveUps, 1);
    None
}

/// A record's content as the store keeps it.
#[must_use]
pub fn content(activity: &Activity) -> Vec<u8> {
    codec::encode_copy(activity)
}

/// The inverse of [`content`]; `None` if these bytes are no record's content.
#[must_use]
pub fn activity_in(content: &[u8]) -> Option<Activity> {
    codec::decode_copy(content)
}
