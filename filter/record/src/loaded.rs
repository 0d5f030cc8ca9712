//! A slot as it was loaded, and what an event makes of it.

use streamgate_policy::activity::Activity;
use streamgate_policy::effect::StreamEnd;
use streamgate_policy::{Event, Judgement, Recall, judge};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::counting::{count, signed};
use crate::copy_version::CopyVersion;
use crate::ends::lapsed;
use crate::metric::Metric;
use crate::ports::{Host, Store, StoreKey, Version};
use crate::records::{Basis, Decided, Recorded, Records};
use crate::slot::{Change, RewrittenSlot, Slot};

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
    pub(super) fn judged(
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
    /// The streams that have lapsed.
    pub(super) lapsed: Vec<(SubjectKey, StreamEnd)>,
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
        let lapsed = lapsed(&activity, subject, now).collect();
        activity.prune(now);
        Self {
            lapsed,
            on_record,
            activity,
        }
    }
}

/// An event judged by what was found, and nothing recorded yet.
pub(super) struct Judged<'a> {
    slot: Slot<'a>,
    /// With the activity as the event leaves it.
    pub(super) pruned: Pruned,
    pub(super) judgement: Judgement,
}

impl Judged<'_> {
    pub(super) fn recorded(self, generation: Option<u32>) -> Recorded {
        Recorded {
            changed: self.judgement.changed,
            silenced: self.judgement.silenced,
            decided: self.decided(generation),
        }
    }

    pub(super) fn decided(self, generation: Option<u32>) -> Decided {
        Decided {
            verdict: self.judgement.verdict,
            basis: generation.map(|generation| Basis {
                generation,
                pending: false,
            }),
            retry_at: self.judgement.retry_at,
        }
    }

    pub(super) fn rewritten(
        &self,
        records: &Records,
        subject: &SubjectKey,
        now: Moment,
    ) -> RewrittenSlot {
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
    pub(super) fn growth(&self, rewritten: &RewrittenSlot) -> i64 {
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
