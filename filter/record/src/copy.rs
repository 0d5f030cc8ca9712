//! An edge's copy of a record whose truth is in the fleet's store.
//!
//! The copy lives where records of an edge alone live, so that segments are let through,
//! evictions heard and streams listed in the same way. It differs by its version: which
//! write of the store it goes by, and whether it is dirty.

use streamgate_policy::activity::{Activity, Stream};
use streamgate_policy::{bring_back, is_of_another_time};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::codec;
use super::copy_version::{CopyVersion, WriteId};
use super::counting::count_lapsed;
use super::generations::bump;
use super::live::add_live;
use super::loaded::{Loaded, Pruned, load};
use super::merge::merged;
use super::records::{Records, Unavailable};
use super::slot::{Change, Slot};
use crate::metric::Metric;
use crate::ports::TRIES;
use crate::ports::{Host, StoreKey, Swap};

/// A copy as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordCopy {
    /// The activity, pruned.
    pub activity: Activity,
    /// How it relates to the store; `None` if there is no copy.
    pub copy_version: Option<CopyVersion>,
    /// How long the record is, in bytes.
    pub len: usize,
}

impl RecordCopy {
    /// The write it goes by.
    #[must_use]
    pub fn write(&self) -> Option<WriteId> {
        self.copy_version
            .and_then(|copy_version| copy_version.write)
    }

    /// Whether the store has to be told something.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.copy_version
            .is_some_and(|copy_version| copy_version.dirty)
    }
}

/// The copy of a subject's record.
#[must_use]
pub fn read(host: &impl Host, records: &Records, subject: &SubjectKey, now: Moment) -> RecordCopy {
    let loaded = load(host, StoreKey::Slot(records.slot_of(subject)));
    let slot = loaded.slot(host);
    let copy = slot.copy(subject);
    RecordCopy {
        copy_version: copy.map(|(copy_version, _)| copy_version),
        len: copy.map_or(0, |(_, content)| content.len()),
        activity: Pruned::new(host, &slot, subject, now).activity,
    }
}

/// The subjects of which a slot holds a record.
pub fn subjects(host: &impl Host, slot: u32) -> Vec<SubjectKey> {
    let loaded = load(host, StoreKey::Slot(slot));
    loaded.slot(host).subjects().collect()
}

/// A copy brought up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpToDate {
    /// What it holds.
    pub activity: Activity,
    /// It holds something that the store has yet to be told.
    pub is_dirty: bool,
    /// The generation of the subject's slot group before that.
    pub generation: u32,
}

/// Takes over what the store has: a record that `write` left there, or none. What only this
/// edge knows is kept, and has to be told to the store then.
///
/// # Errors
///
/// [`Unavailable`] if the copy could not be written; it is as it was.
pub fn take_over(
    host: &impl Host,
    records: &Records,
    subject: &SubjectKey,
    record: &Activity,
    write: Option<WriteId>,
    now: Moment,
) -> Result<UpToDate, Unavailable> {
    let is_older = |_: &CopyVersion| true;
    // Streams that play here may be more than may play with those that turn up.
    let is_disturbed = |known: &Activity, both: &Activity| {
        let is_new = |stream: &Stream| known.stream(&stream.key).is_none();
        !known.streams.is_empty() && both.streams.iter().any(is_new)
    };
    let how = (is_older, is_disturbed);
    bring_up_to_date(host, records, subject, (record, write), how, now)
}

/// Takes over what was written in the store, as `write`, in the place of what the copy went by
/// `before`. Where the copy goes by something else by now, another worker has heard of this
/// write and gone on from it, and there is nothing left to take over.
///
/// # Errors
///
/// [`Unavailable`] if the copy could not be written; it is as it was.
pub fn follow(
    host: &impl Host,
    records: &Records,
    subject: &SubjectKey,
    (record, write): (&Activity, WriteId),
    before: Option<WriteId>,
    now: Moment,
) -> Result<UpToDate, Unavailable> {
    let is_older = |copy_version: &CopyVersion| copy_version.write == before;
    let how = (is_older, |_: &Activity, _: &Activity| false);
    bring_up_to_date(host, records, subject, (record, Some(write)), how, now)
}

fn bring_up_to_date(
    host: &impl Host,
    records: &Records,
    subject: &SubjectKey,
    (record, write): (&Activity, Option<WriteId>),
    (is_older, is_disturbed): (
        impl Fn(&CopyVersion) -> bool,
        impl Fn(&Activity, &Activity) -> bool,
    ),
    now: Moment,
) -> Result<UpToDate, Unavailable> {
    let generation = host.generation(records.group_of(subject));
    let key = StoreKey::Slot(records.slot_of(subject));
    for _ in 0..TRIES {
        let loaded = load(host, key);
        let slot = loaded.slot(host);
        let pruned = Pruned::new(host, &slot, subject, now);
        if slot
            .copy(subject)
            .is_some_and(|(copy_version, _)| !is_older(&copy_version))
        {
            return Ok(UpToDate {
                activity: pruned.activity,
                // Whoever made it dirty has said so.
                is_dirty: false,
                generation,
            });
        }
        let was_told = copy_write(&slot, subject).is_some() && write.is_some();
        let activity = met(records, record, &pruned.activity, was_told, now);
        let mut copy_version = CopyVersion::stored(write, &activity, now);
        copy_version.dirty = activity != *record;
        let change = Change {
            subject,
            activity: &activity,
            copy_version: Some(copy_version),
        };
        let rewritten = slot.rewrite(Some(change), now);
        let done = |activity| {
            Ok(UpToDate {
                activity,
                is_dirty: copy_version.dirty,
                generation,
            })
        };
        if rewritten.bytes == loaded.bytes {
            return done(activity);
        }
        let growth = pruned.growth_to(&activity, &rewritten);
        match host.swap(key, loaded.version, &rewritten.bytes) {
            Swap::Done => {
                let known = &pruned.activity;
                let ended = |stream: &Stream| activity.stream(&stream.key).is_none();
                if known.streams.iter().any(ended) || is_disturbed(known, &activity) {
                    bump(host, records.group_of(subject));
                }
                add_live(host, growth);
                count_lapsed(host, &pruned.lapsed);
                count_lapsed(host, &rewritten.lapsed);
                return done(activity);
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

/// What follows from the store's record and this edge's copy, in the time that it is now: either may
/// have been written by a clock that was wrong. Of a copy that the store `was_told` of, streams
/// with such times are left out, as the store knows better how long they live; of one that it was not told of they
/// are kept and brought back, as nobody else knows of them.
fn met(
    records: &Records,
    record: &Activity,
    copy: &Activity,
    was_told: bool,
    now: Moment,
) -> Activity {
    let longest_ms = records.book.longest_timeout_ms;
    let mut copy = copy.clone();
    if was_told {
        let is_of_now = |stream: &Stream| !is_of_another_time(stream, longest_ms, now);
        copy.streams.retain(is_of_now);
    }
    let mut met = merged(record.clone(), &copy);
    bring_back(&mut met, longest_ms, now);
    met
}

fn copy_write(slot: &Slot<'_>, subject: &SubjectKey) -> Option<WriteId> {
    let (copy_version, _) = slot.copy(subject)?;
    copy_version.write
}

/// What the store is to be told of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flush {
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
/// A copy that the store has never heard of is brought to the store's time first: this edge may have
/// recorded it before it knew what time that is.
///
/// `None` if there is nothing to tell and it is not told `again`.
pub fn flush(
    host: &impl Host,
    records: &Records,
    subject: &SubjectKey,
    id: WriteId,
    again: bool,
    now: Moment,
) -> Option<Flush> {
    let key = StoreKey::Slot(records.slot_of(subject));
    let mut is_of_now = false;
    for _ in 0..TRIES {
        let loaded: Loaded = load(host, key);
        let slot = loaded.slot(host);
        let (copy_version, content) = slot
            .copy(subject)
            .filter(|(copy_version, _)| again || copy_version.dirty)?;
        if copy_version.write.is_none() && !is_of_now {
            is_of_now = take_over(host, records, subject, &Activity::default(), None, now).is_ok();
            continue;
        }
        let fresh = CopyVersion {
            write: Some(id),
            dirty: false,
            ..copy_version
        };
        let flush = Flush {
            before: copy_version.write,
            content: content.to_vec(),
            kept_until: copy_version.kept_until,
        };
        let bytes = slot.with_version(&loaded.bytes, subject, &fresh)?;
        match host.swap(key, loaded.version, &bytes) {
            Swap::Done => return Some(flush),
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
