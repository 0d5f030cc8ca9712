//! How many exceptions there may be.

use streamgate_values::subject::SubjectKey;

use crate::ports::{Host, StoreKey};
use crate::records::Records;
use crate::slot::Slot;

/// The most accounts of one slot that may have an exception: they are kept whatever plays, and
/// an operator who wrote one for every account would fill the memory.
pub const EXCEPTIONS_PER_SLOT: usize = 16;

/// Whether there is room for another account's exception in the slot of this one.
#[must_use]
pub fn has_room(host: &impl Host, records: &Records, subject: &SubjectKey) -> bool {
    let loaded = host.load(StoreKey::Slot(records.slot_of(subject)));
    let bytes = loaded.map(|(bytes, _)| bytes).unwrap_or_default();
    let Some(slot) = Slot::parse(&bytes) else {
        return true;
    };
    let others = slot.subjects().filter(|other| other != subject);
    let has_one = |other: &SubjectKey| {
        let activity = slot.activity(other);
        activity.is_some_and(|activity| activity.exception.is_some())
    };
    others.filter(has_one).count() < EXCEPTIONS_PER_SLOT
}
