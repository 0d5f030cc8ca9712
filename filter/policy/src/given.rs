//! What an event may say of a stream: how much, and what must stay as it is.

use streamgate_values::attributes::{ATTRIBUTES_MAX, Attributes, IMMUTABLE};

use super::activity::Stream;
use super::book::PolicyBook;

/// Whether a stream would have more attributes than one may have. One that has more already,
/// from an edge that allows more or from before this one allowed less, may not get more still.
pub(super) fn are_too_many(
    attributes: &Attributes,
    known: Option<&Stream>,
    book: &PolicyBook,
) -> bool {
    if attributes.len() > ATTRIBUTES_MAX {
        return true;
    }
    let size = attributes.size();
    size > book.max_attribute_bytes && known.is_none_or(|known| size > known.attributes.size())
}

/// The first attribute that must stay as it is and would not.
pub(super) fn changes_immutable(known: &Attributes, given: &Attributes) -> Option<String> {
    // One that says nothing yet may be set; one that is set may not be emptied.
    let changed = |name: &&str| match (known.known(name), given.value(name)) {
        (Some(known), Some(given)) => known != given,
        _ => false,
    };
    IMMUTABLE.iter().copied().find(changed).map(str::to_owned)
}
