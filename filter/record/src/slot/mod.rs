//! A slot: one value of the store, holding the activity of several subjects.
//!
//! The store can hold a fixed number of keys only (a shared-data key is never
//! freed), so subjects are spread over slots and live in their values. Layout:
//!
//! ```text
//! slot   = version(1) watermark(6) watermarks record*
//! record = subject(16) live_until(6) length×2+versioned(LEB128) [copy version] content
//! ```
//!
//! Where a store of the whole fleet has the last word, a record is a copy of what is
//! there: it carries a [`CopyVersion`], and its content a watermark of its own in front of the
//! activity. Otherwise its content is the activity.
//!
//! Only the record of the subject in question is decoded; its neighbours are
//! copied as they are until `live_until` has passed.
//!
//! **Watermarks and watermark.** Ended streams are remembered one by one only for a while, and
//! only so many. When one is forgotten, its account's watermark moves up to the moment its key
//! was issued: from then on every stream of the account issued up to there and not on record
//! counts as over ([`super::watermarks`]). Only so many accounts of a slot have one; what goes
//! beyond that moves the slot's watermark, which holds for all its accounts. So what was
//! stopped, evicted or killed never comes back, in bounded memory, and no account's ends change
//! anything for its neighbours for as long as fewer of them than that end something within a day.

mod record;
#[cfg(test)]
mod resting_tests;
#[cfg(test)]
mod tests;

use streamgate_policy::activity::{Activity, Tombstone};
use streamgate_policy::effect::StreamEnd;
use streamgate_values::compact::{Reader, Writer};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

pub use self::record::Change;
use self::record::{KeptRecord, Memory, Record, TRAITS, VERSIONED, surplus_resting};
use crate::codec;
use crate::copy_version::CopyVersion;
use crate::ends;
use crate::watermarks::Watermarks;

const VERSION: u8 = 7;

/// A slot's value, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot<'a> {
    /// Streams issued up to this moment and not on record are over.
    pub watermark: Moment,
    watermarks: Watermarks,
    records: Vec<Record<'a>>,
}

/// A slot's new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewrittenSlot {
    /// The value to store.
    pub bytes: Vec<u8>,
    /// The streams in neighbouring records that have lapsed.
    pub lapsed: Vec<(SubjectKey, StreamEnd)>,
}

impl Default for Slot<'_> {
    fn default() -> Self {
        Self {
            watermark: Moment::EARLIEST,
            watermarks: Watermarks::default(),
            records: Vec::new(),
        }
    }
}

impl<'a> Slot<'a> {
    /// Takes a value apart. `None` if it is of another version or damaged; such a
    /// value is treated as absent.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.byte()? != VERSION {
            return None;
        }
        let watermark = reader.moment()?;
        let watermarks = Watermarks::read(&mut reader)?;
        let mut records = Vec::new();
        while !reader.is_empty() {
            let subject = SubjectKey::from_bytes(reader.array()?);
            let live_until = reader.moment()?;
            let traits = reader.number()?;
            let at = bytes.len().saturating_sub(reader.left());
            let mut content = Reader::new(reader.slice(traits >> TRAITS)?);
            let copy_version = match traits & VERSIONED {
                0 => None,
                _ => Some(CopyVersion::read(&mut content)?),
            };
            records.push(Record {
                subject,
                live_until,
                copy_version,
                content: content.rest(),
                at,
            });
        }
        Some(Self {
            watermark,
            watermarks,
            records,
        })
    }

    /// The activity of `subject`, empty if there is none. `None` if its bytes are damaged.
    #[must_use]
    pub fn activity(&self, subject: &SubjectKey) -> Option<Activity> {
        let mut activity = match self.record(subject) {
            Some(record) => record.activity()?,
            None => Activity::default(),
        };
        activity.watermark = activity.watermark.max(self.watermarks.of(subject));
        Some(activity)
    }

    /// The version of the copy of `subject`'s record, with what the store has, or is to
    /// have, of it.
    #[must_use]
    pub fn copy(&self, subject: &SubjectKey) -> Option<(CopyVersion, &'a [u8])> {
        let record = self.record(subject)?;
        Some((record.copy_version?, record.content))
    }

    /// The slot's value `bytes`, from which this was taken, with another version on a copy.
    #[must_use]
    pub fn with_version(
        &self,
        bytes: &[u8],
        subject: &SubjectKey,
        copy_version: &CopyVersion,
    ) -> Option<Vec<u8>> {
        let record = self.record(subject)?;
        record.copy_version?;
        let end = record.at.checked_add(CopyVersion::LEN)?;
        let mut fresh = Vec::with_capacity(bytes.len());
        fresh.put(bytes.get(..record.at)?);
        copy_version.encode(&mut fresh);
        fresh.put(bytes.get(end..)?);
        Some(fresh)
    }

    /// Whether some record may hold something whose time has passed.
    #[must_use]
    pub fn has_lapsed(&self, now: Moment) -> bool {
        let has_old = self.watermarks.has_old(now);
        has_old
            || self.records.iter().any(|record| {
                if record.is_resting() {
                    record.remembers_too_much(now)
                } else {
                    record.live_until <= now
                }
            })
    }

    /// The subjects on record.
    pub fn subjects(&self) -> impl Iterator<Item = SubjectKey> {
        self.records.iter().map(|record| record.subject)
    }

    /// The subjects that have live streams, and how many are on record of each.
    pub fn live_counts(&self, now: Moment) -> impl Iterator<Item = (SubjectKey, usize)> {
        let live = self.records.iter();
        let live = live.filter(move |record| record.live_until > now);
        live.filter_map(|record| {
            let streams = codec::stream_count(record.content, record.copy_version.is_some())?;
            Some((record.subject, streams))
        })
    }

    /// How many records have no live stream: those that a [`rewrite`](Self::rewrite) takes apart.
    pub(crate) fn idle(&self, now: Moment) -> usize {
        let idle = self.records.iter();
        idle.filter(|record| record.live_until <= now).count()
    }

    /// The slot's value once a subject has this activity (pruned at `now`), and
    /// whatever has lapsed in the other records is gone from them.
    #[must_use]
    pub fn rewrite(&self, change: Option<Change<'_>>, now: Moment) -> RewrittenSlot {
        let mut fresh = Vec::with_capacity(self.records.len().saturating_add(1));
        let mut memory = Memory {
            watermark: self.watermark,
            watermarks: self.watermarks.clone(),
        };
        let mut lapsed = Vec::new();

        for record in &self.records {
            if change.is_some_and(|change| record.subject == *change.subject) {
                continue;
            }
            if record.live_until > now {
                fresh.push(KeptRecord::Whole(record.clone()));
                continue;
            }
            // No live stream left: decode once, keep only what it remembers.
            let mut resting = record.activity().unwrap_or_default();
            lapsed.extend(ends::lapsed(&resting, &record.subject, now));
            resting.prune(now);
            memory.forget(&record.subject, record.copy_version, resting.watermark);
            if resting.remembers() {
                fresh.push(KeptRecord::Resting(
                    record.subject,
                    record.copy_version,
                    resting,
                ));
            }
        }
        if let Some(change) = change {
            memory.forget(
                change.subject,
                change.copy_version,
                change.activity.watermark,
            );
            if !change.activity.streams.is_empty() {
                fresh.push(KeptRecord::Live(change));
            } else if change.activity.remembers() {
                let activity = change.activity.clone();
                fresh.push(KeptRecord::Resting(
                    *change.subject,
                    change.copy_version,
                    activity,
                ));
            }
        }

        for (subject, copy_version, dropped) in surplus_resting(&mut fresh) {
            let ends = dropped.ended.iter().filter_map(Tombstone::watermark);
            let latest = ends.fold(Moment::EARLIEST, Moment::max);
            memory.forget(&subject, copy_version, latest);
        }

        let mut bytes = Vec::with_capacity(128);
        bytes.put(&[VERSION]);
        memory.encode(&mut bytes, now);
        for kept in &fresh {
            kept.encode(&mut bytes);
        }
        RewrittenSlot { bytes, lapsed }
    }

    fn record(&self, subject: &SubjectKey) -> Option<&Record<'a>> {
        self.records
            .iter()
            .find(|record| record.subject == *subject)
    }
}
