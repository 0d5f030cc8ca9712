//! A record of a slot: as it was read, as it becomes, and what is left of it.

use streamgate_policy::activity::Activity;
use streamgate_values::compact::Writer;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use crate::codec;
use crate::copy_version::CopyVersion;
use crate::watermarks::Watermarks;

/// What stands below a record's length.
pub(super) const VERSIONED: usize = 1;
pub(super) const TRAITS: u32 = 1;

/// The most records without a live stream kept in one slot for what they remember;
/// those that lapsed first go first.
pub(super) const RESTING_MAX: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) subject: SubjectKey,
    pub(super) live_until: Moment,
    pub(super) copy_version: Option<CopyVersion>,
    pub(super) content: &'a [u8],
    /// Where in the slot's value it begins.
    pub(super) at: usize,
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

impl Record<'_> {
    pub(super) fn activity(&self) -> Option<Activity> {
        match self.copy_version {
            None => codec::decode(self.content),
            Some(_) => codec::decode_copy(self.content),
        }
    }

    /// Whether it was last written without a live stream.
    pub(super) fn is_resting(&self) -> bool {
        self.live_until == Moment::EARLIEST
    }

    /// Whether it holds an ended stream that is to be forgotten, or nothing readable.
    pub(super) fn remembers_too_much(&self, now: Moment) -> bool {
        self.activity().is_none_or(|mut activity| {
            let remembered = activity.remembered();
            activity.prune(now);
            activity.remembered() < remembered
        })
    }
}

/// What is left of ended streams that are no longer remembered one by one.
pub(super) struct Memory {
    pub(super) watermark: Moment,
    pub(super) watermarks: Watermarks,
}

impl Memory {
    /// An account's streams issued up to a moment are over if they are not on record. A copy
    /// says so itself, for as long as it is there, and an edge with a store above it does not
    /// go by the watermark.
    pub(super) fn forget(
        &mut self,
        subject: &SubjectKey,
        copy_version: Option<CopyVersion>,
        up_to: Moment,
    ) {
        match copy_version {
            None => self.watermarks.raise(subject, up_to),
            Some(_) => self.watermark = self.watermark.max(up_to),
        }
    }

    pub(super) fn encode(mut self, out: &mut Vec<u8>, now: Moment) {
        let watermark = self.watermarks.forget(now).unwrap_or_default();
        out.put_moment(self.watermark.max(watermark));
        self.watermarks.encode(out);
    }
}

/// A record of the new value.
pub(super) enum KeptRecord<'a> {
    /// A neighbour, as it was.
    Whole(Record<'a>),
    /// With live streams.
    Live(Change<'a>),
    /// Without live streams, kept for the ended ones it remembers.
    Resting(SubjectKey, Option<CopyVersion>, Activity),
}

impl KeptRecord<'_> {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
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
pub(super) fn surplus_resting(
    kept: &mut Vec<KeptRecord<'_>>,
) -> Vec<(SubjectKey, Option<CopyVersion>, Activity)> {
    let may_go = |activity: &Activity| activity.exception.is_none();
    let is_resting = |kept: &&KeptRecord<'_>| matches!(kept, KeptRecord::Resting(.., activity) if may_go(activity));
    let surplus = kept.iter().filter(is_resting).count();
    let mut dropped = Vec::new();
    for _ in RESTING_MAX..surplus {
        let oldest = kept
            .iter()
            .enumerate()
            .filter_map(|(at, kept)| match kept {
                KeptRecord::Resting(_, copy_version, activity) if may_go(activity) => {
                    let dirty = copy_version.is_some_and(|copy_version| copy_version.dirty);
                    Some((dirty, last_end(activity), at))
                }
                _ => None,
            })
            .min();
        if let Some((.., at)) = oldest
            && let KeptRecord::Resting(subject, copy_version, activity) = kept.remove(at)
        {
            dropped.push((subject, copy_version, activity));
        }
    }
    dropped
}

fn last_end(activity: &Activity) -> Moment {
    activity.last_end().unwrap_or(Moment::EARLIEST)
}
