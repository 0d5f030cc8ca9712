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

use streamgate_policy::activity::{Activity, Tombstone};
use streamgate_values::compact::{Reader, Writer};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::codec;
use crate::copy_version::CopyVersion;
use crate::watermarks::Watermarks;

const VERSION: u8 = 6;

/// What stands below a record's length.
const VERSIONED: usize = 1;
const TRAITS: u32 = 1;

/// The most records without a live stream kept in one slot for what they remember;
/// those that lapsed first go first.
const RESTING_MAX: usize = 8;

/// A slot's value, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot<'a> {
    /// Streams issued up to this moment and not on record are over.
    pub watermark: Moment,
    watermarks: Watermarks,
    records: Vec<Record<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Record<'a> {
    subject: SubjectKey,
    live_until: Moment,
    copy_version: Option<CopyVersion>,
    content: &'a [u8],
    /// Where in the slot's value it begins.
    at: usize,
}

/// What becomes of one record.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// Whose record.
    pub subject: &'a SubjectKey,
    /// Its activity, pruned.
    pub activity: &'a Activity,
    /// Its version, where a fleet's store has the last word.
    pub copy_version: Option<CopyVersion>,
}

/// A slot's new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The value to store.
    pub bytes: Vec<u8>,
    /// How many streams found in neighbouring records have lapsed.
    pub lapsed: usize,
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

    /// The slot's value once a subject has this activity (pruned at `now`), and
    /// whatever has lapsed in the other records is gone from them.
    #[must_use]
    pub fn rewrite(&self, change: Option<Change<'_>>, now: Moment) -> Rewritten {
        let mut fresh = Vec::with_capacity(self.records.len().saturating_add(1));
        let mut memory = Memory {
            watermark: self.watermark,
            watermarks: self.watermarks.clone(),
        };
        let mut lapsed = 0_usize;

        for record in &self.records {
            if change.is_some_and(|change| record.subject == *change.subject) {
                continue;
            }
            if record.live_until > now {
                fresh.push(Kept::Whole(record.clone()));
                continue;
            }
            // No live stream left: decode once, keep only what it remembers.
            let mut resting = record.activity().unwrap_or_default();
            lapsed = lapsed.saturating_add(resting.prune(now));
            memory.forget(&record.subject, record.copy_version, resting.watermark);
            if resting.remembers() {
                fresh.push(Kept::Resting(record.subject, record.copy_version, resting));
            }
        }
        if let Some(change) = change {
            memory.forget(
                change.subject,
                change.copy_version,
                change.activity.watermark,
            );
            if !change.activity.streams.is_empty() {
                fresh.push(Kept::Live(change));
            } else if change.activity.remembers() {
                let activity = change.activity.clone();
                fresh.push(Kept::Resting(
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
        Rewritten { bytes, lapsed }
    }

    fn record(&self, subject: &SubjectKey) -> Option<&Record<'a>> {
        self.records
            .iter()
            .find(|record| record.subject == *subject)
    }
}

impl Record<'_> {
    fn activity(&self) -> Option<Activity> {
        match self.copy_version {
            None => codec::decode(self.content),
            Some(_) => codec::decode_copy(self.content),
        }
    }

    /// Whether it was last written without a live stream.
    fn is_resting(&self) -> bool {
        self.live_until == Moment::EARLIEST
    }

    /// Whether it holds an ended stream that is to be forgotten, or nothing readable.
    fn remembers_too_much(&self, now: Moment) -> bool {
        self.activity().is_none_or(|mut activity| {
            let remembered = activity.remembered();
            activity.prune(now);
            activity.remembered() < remembered
        })
    }
}

/// What is left of ended streams that are no longer remembered one by one.
struct Memory {
    watermark: Moment,
    watermarks: Watermarks,
}

impl Memory {
    /// An account's streams issued up to a moment are over if they are not on record. A copy
    /// says so itself, for as long as it is there, and an edge with a store above it does not
    /// go by the watermark.
    fn forget(&mut self, subject: &SubjectKey, copy_version: Option<CopyVersion>, up_to: Moment) {
        match copy_version {
            None => self.watermarks.raise(subject, up_to),
            Some(_) => self.watermark = self.watermark.max(up_to),
        }
    }

    fn encode(mut self, out: &mut Vec<u8>, now: Moment) {
        let watermark = self.watermarks.forget(now).unwrap_or_default();
        out.put_moment(self.watermark.max(watermark));
        self.watermarks.encode(out);
    }
}

/// A record of the new value.
enum Kept<'a> {
    /// A neighbour, as it was.
    Whole(Record<'a>),
    /// With live streams.
    Live(Change<'a>),
    /// Without live streams, kept for the ended ones it remembers.
    Resting(SubjectKey, Option<CopyVersion>, Activity),
}

impl Kept<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        let (subject, live_until, copy_version, encoded);
        let content = match self {
            Self::Whole(record) => {
                (subject, live_until, copy_version) =
                    (&record.subject, record.live_until, record.copy_version);
                record.content
            }
            Self::Live(change) => {
                (subject, copy_version) = (change.subject, change.copy_version);
                live_until = change.activity.live_until().unwrap_or(Moment::EARLIEST);
                encoded = content_of(change.activity, copy_version);
                &encoded
            }
            Self::Resting(of, with, activity) => {
                (subject, copy_version) = (of, *with);
                live_until = Moment::EARLIEST;
                encoded = content_of(activity, copy_version);
                &encoded
            }
        };
        out.put(subject.as_bytes());
        out.put_moment(live_until);
        match copy_version {
            None => out.put_number(content.len() << TRAITS),
            Some(copy_version) => {
                let length = content.len().saturating_add(CopyVersion::LEN);
                out.put_number((length << TRAITS) | VERSIONED);
                copy_version.encode(out);
            }
        }
        out.put(content);
    }
}

fn content_of(activity: &Activity, copy_version: Option<CopyVersion>) -> Vec<u8> {
    match copy_version {
        None => codec::encode(activity),
        Some(_) => codec::encode_copy(activity),
    }
}

/// Takes resting records out until no more than [`RESTING_MAX`] are left, those whose
/// latest end lies furthest back first, and copies that are ahead of the store last. An
/// account's exception keeps its record.
fn surplus_resting(kept: &mut Vec<Kept<'_>>) -> Vec<(SubjectKey, Option<CopyVersion>, Activity)> {
    let may_go = |activity: &Activity| activity.exception.is_none();
    let is_resting =
        |kept: &&Kept<'_>| matches!(kept, Kept::Resting(.., activity) if may_go(activity));
    let surplus = kept.iter().filter(is_resting).count();
    let mut dropped = Vec::new();
    for _ in RESTING_MAX..surplus {
        let oldest = kept
            .iter()
            .enumerate()
            .filter_map(|(at, kept)| match kept {
                Kept::Resting(_, copy_version, activity) if may_go(activity) => {
                    let dirty = copy_version.is_some_and(|copy_version| copy_version.dirty);
                    Some((dirty, last_end(activity), at))
                }
                _ => None,
            })
            .min();
        if let Some((.., at)) = oldest
            && let Kept::Resting(subject, copy_version, activity) = kept.remove(at)
        {
            dropped.push((subject, copy_version, activity));
        }
    }
    dropped
}

fn last_end(activity: &Activity) -> Moment {
    activity.last_end().unwrap_or(Moment::EARLIEST)
}

#[cfg(test)]
mod tests {
    use streamgate_policy::activity::{ENDED_KEPT_MS, EndReason};

    use super::*;
    use crate::copy_version::WriteId;
    use crate::testing::{NOW, TIMEOUT_MS, key, stream, test};
    use crate::watermarks::WATERMARK_KEPT_MS;

    fn subject(n: u8) -> SubjectKey {
        SubjectKey::from_bytes([n, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    }

    fn playing(n: u8) -> Activity {
        Activity {
            streams: vec![stream(n, NOW)],
            ..Activity::default()
        }
    }

    fn stopped(n: u8, at: Moment) -> Activity {
        let mut activity = playing(n);
        activity.end(&key(n, NOW), EndReason::Stopped, at);
        activity
    }

    fn put(bytes: &[u8], n: u8, activity: &Activity, now: Moment) -> Rewritten {
        let slot = Slot::parse(bytes).unwrap_or_default();
        let change = Change {
            subject: &subject(n),
            activity,
            copy_version: None,
        };
        slot.rewrite(Some(change), now)
    }

    #[test]
    fn subjects_share_a_slot_without_touching_each_other() {
        let bytes = put(&[], 1, &playing(1), NOW).bytes;
        let bytes = put(&bytes, 2, &playing(2), NOW).bytes;
        let slot = Slot::parse(&bytes).unwrap();
        assert_eq!(slot.activity(&subject(1)), Some(playing(1)));
        assert_eq!(slot.activity(&subject(2)), Some(playing(2)));
        assert_eq!(slot.activity(&subject(3)), Some(Activity::default()));
    }

    #[test]
    fn a_neighbour_that_lapsed_leaves_nothing_behind() {
        let bytes = put(&[], 1, &playing(1), NOW).bytes;
        let later = NOW.plus_ms(TIMEOUT_MS);
        assert!(Slot::parse(&bytes).unwrap().has_lapsed(later));
        let rewritten = put(&bytes, 2, &Activity::default(), later);
        assert_eq!(rewritten.lapsed, 1);
        assert_eq!(
            rewritten.bytes.len(),
            8,
            "version, horizon and no watermark"
        );
    }

    #[test]
    fn forgetting_an_end_is_held_against_its_account_alone() {
        let bytes = put(&[], 1, &stopped(1, NOW), NOW).bytes;
        let watermark = |bytes: &[u8], n| {
            let slot = Slot::parse(bytes).unwrap();
            assert_eq!(slot.watermark, Moment::EARLIEST);
            slot.activity(&subject(n)).unwrap().watermark
        };
        assert_eq!(watermark(&bytes, 1), Moment::EARLIEST);
        let later = NOW.plus_ms(ENDED_KEPT_MS);
        let bytes = put(&bytes, 2, &playing(2), later).bytes;
        assert_eq!(watermark(&bytes, 1), NOW);
        assert_eq!(watermark(&bytes, 2), Moment::EARLIEST);
        // It starts again, and what it was forgotten for stays.
        let mut again = playing(1);
        again.watermark = NOW;
        let bytes = put(&bytes, 1, &again, later).bytes;
        let bytes = put(&bytes, 2, &Activity::default(), later).bytes;
        assert_eq!(watermark(&bytes, 1), NOW);
    }

    #[test]
    fn what_nobody_holds_against_anybody_any_more_is_held_by_the_watermark() {
        let bytes = put(&[], 1, &stopped(1, NOW), NOW).bytes;
        let later = NOW.plus_ms(ENDED_KEPT_MS);
        let bytes = put(&bytes, 2, &playing(2), later).bytes;
        let later = NOW.plus_ms(WATERMARK_KEPT_MS);
        let slot = Slot::parse(&bytes).unwrap();
        assert!(slot.has_lapsed(later));
        let bytes = slot.rewrite(None, later).bytes;
        let slot = Slot::parse(&bytes).unwrap();
        assert_eq!(slot.watermark, NOW);
        assert_eq!(slot.watermarks, Watermarks::default());
    }

    #[test]
    fn resting_records_are_bounded_and_the_oldest_go_first() {
        let mut bytes = Vec::new();
        for n in 0..50 {
            bytes = put(&bytes, n, &stopped(n, NOW.plus_ms(u64::from(n))), NOW).bytes;
        }
        let slot = Slot::parse(&bytes).unwrap();
        let kept: Vec<_> = slot.subjects().collect();
        assert_eq!(kept, (42..50).map(subject).collect::<Vec<_>>());
        assert_eq!(slot.watermark, Moment::EARLIEST);
        for n in 0..42 {
            assert_eq!(slot.activity(&subject(n)).unwrap().watermark, NOW);
        }
    }

    fn versioned(n: u8, dirty: bool) -> Option<CopyVersion> {
        Some(CopyVersion {
            write: (n > 0).then_some(WriteId([n; 8])),
            dirty,
            kept_until: NOW.plus_ms(u64::from(n)),
        })
    }

    fn put_copy(
        bytes: &[u8],
        n: u8,
        activity: &Activity,
        copy_version: Option<CopyVersion>,
    ) -> Vec<u8> {
        let slot = Slot::parse(bytes).unwrap_or_default();
        let change = Change {
            subject: &subject(n),
            activity,
            copy_version,
        };
        slot.rewrite(Some(change), NOW).bytes
    }

    #[test]
    fn copies_carry_their_copy_version_and_a_watermark_of_their_own() {
        let mut with_watermark = playing(1);
        with_watermark.watermark = NOW.plus_ms(7);
        let bytes = put_copy(&[], 1, &with_watermark, versioned(5, true));
        let bytes = put_copy(&bytes, 2, &playing(2), versioned(0, false));
        let bytes = put_copy(&bytes, 3, &playing(3), None);
        let slot = Slot::parse(&bytes).unwrap();
        let (copy_version, content) = slot.copy(&subject(1)).unwrap();
        assert_eq!(Some(copy_version), versioned(5, true));
        assert_eq!(codec::decode_copy(content), Some(with_watermark.clone()));
        assert_eq!(slot.activity(&subject(1)), Some(with_watermark));
        assert_eq!(
            slot.copy(&subject(2)).map(|(copy_version, _)| copy_version),
            versioned(0, false)
        );
        assert_eq!(slot.activity(&subject(2)), Some(playing(2)));
        assert_eq!(slot.copy(&subject(3)), None);
        assert_eq!(slot.activity(&subject(3)), Some(playing(3)));
    }

    #[test]
    fn a_copy_version_changes_without_anything_else() {
        let bytes = put_copy(&[], 1, &playing(1), versioned(5, true));
        let bytes = put_copy(&bytes, 2, &playing(2), versioned(6, true));
        let slot = Slot::parse(&bytes).unwrap();
        let fresh = versioned(9, false).unwrap();
        let with_version = slot.with_version(&bytes, &subject(1), &fresh).unwrap();
        assert_eq!(
            with_version,
            put_copy(
                &put_copy(&[], 1, &playing(1), Some(fresh)),
                2,
                &playing(2),
                versioned(6, true)
            )
        );
        assert_eq!(slot.with_version(&bytes, &subject(3), &fresh), None);
    }

    #[test]
    fn copies_without_streams_that_the_store_has_yet_to_hear_of_go_last() {
        let dirty = stopped(1, NOW);
        let mut bytes = put_copy(&[], 1, &dirty, versioned(1, true));
        for n in 2..50 {
            let activity = stopped(n, NOW.plus_ms(u64::from(n)));
            bytes = put_copy(&bytes, n, &activity, versioned(n, false));
        }
        let slot = Slot::parse(&bytes).unwrap();
        assert_eq!(slot.subjects().count(), RESTING_MAX);
        assert_eq!(slot.activity(&subject(1)), Some(dirty));
    }

    #[test]
    fn damaged_or_foreign_values_are_absent() {
        let bytes = put(&[], 1, &playing(1), NOW).bytes;
        for len in 1..bytes.len() {
            if len != 8 {
                assert_eq!(Slot::parse(&bytes[..len]), None, "cut to {len}");
            }
        }
        assert_eq!(Slot::parse(b""), None);
        assert_eq!(Slot::parse(&[VERSION + 1, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
