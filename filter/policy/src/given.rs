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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, book, stream, test};

    #[test]
    fn there_may_be_as_many_attributes_as_there_may_be_and_no_more() {
        let book = book(Vec::new(), &[]);
        let mut attributes = Attributes::default();
        for n in 0..ATTRIBUTES_MAX {
            attributes.set(format!("{n}"), "");
        }
        assert!(!are_too_many(&attributes, None, &book));
        attributes.set("more", "");
        assert!(are_too_many(&attributes, None, &book));
    }

    #[test]
    fn of_text_there_may_be_so_much_and_of_what_has_more_already_no_more_than_it_has() {
        let mut book = book(Vec::new(), &[]);
        book.max_attribute_bytes = 10;
        let of_size = |size: usize| {
            let mut attributes = Attributes::default();
            attributes.set("n", "x".repeat(size - 1));
            attributes
        };
        let known = |size| Stream {
            attributes: of_size(size),
            ..stream(1, NOW)
        };
        for (size, has, expected) in [
            (10, None, false),
            (11, None, true),
            (30, None, true),
            (10, Some(3), false),
            (11, Some(10), true),
            (20, Some(20), false),
            (19, Some(20), false),
            (21, Some(20), true),
            (40, Some(20), true),
        ] {
            let known = has.map(known);
            let are_too_many = are_too_many(&of_size(size), known.as_ref(), &book);
            assert_eq!(are_too_many, expected, "{size} {has:?}");
        }
    }
}
