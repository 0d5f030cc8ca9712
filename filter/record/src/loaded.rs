//! A slot as it was loaded.

use streamgate_policy::activity::Activity;
use streamgate_policy::effect::StreamEnd;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::counting::{count, signed};
use crate::ends::lapsed;
use crate::metric::Metric;
use crate::ports::{Host, Store, StoreKey, Version};
use crate::slot::{RewrittenSlot, Slot};

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

    /// How many streams more the slot holds once it is rewritten with this activity.
    pub(super) fn growth_to(&self, activity: &Activity, rewritten: &RewrittenSlot) -> i64 {
        let gone = self.on_record.saturating_add(rewritten.lapsed.len());
        signed(activity.streams.len()).saturating_sub(signed(gone))
    }
}
