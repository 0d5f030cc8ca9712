//! How a record is laid out, and what becomes of an event that is decided by it.

use streamgate_policy::activity::Activity;
use streamgate_policy::{Judgement, PolicyBook, Verdict};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

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

#[cfg(test)]
mod tests {
    use core::num::NonZeroU32;

    use super::*;
    use crate::testing::{book, test};

    #[test]
    fn a_group_is_the_lower_half_of_a_slots_number() {
        let records = Records {
            slots: NonZeroU32::new(1 << 20).unwrap(),
            max_streams: 1,
            book: book(Vec::new(), &[]),
            has_fleet: false,
        };
        let of = |n: u32| {
            let subject = SubjectKey::from_bytes([n.to_le_bytes(); 4].concat().try_into().unwrap());
            (records.slot_of(&subject), records.group_of(&subject))
        };
        let groups: Vec<_> = (0..1_000_u32)
            .map(|n| of(n.wrapping_mul(2_654_435_761)))
            .collect();
        assert!(
            groups
                .iter()
                .all(|(slot, group)| slot % 65_536 == u32::from(*group))
        );
        assert!(groups.iter().any(|(slot, _)| *slot >= 65_536));
    }
}
