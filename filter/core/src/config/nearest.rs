//! "Did you mean …?"

/// The name among `known` that `found` was probably meant to be: at most a third of
/// its letters are wrong, missing, too many or swapped with their neighbours.
pub(super) fn nearest<'a>(
    found: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let found = found.to_ascii_lowercase();
    let near = known.into_iter().filter_map(|name| {
        let tolerated = found.len().max(name.len()) / 3;
        // Lengths alone tell most names apart, at no cost.
        if found.len().abs_diff(name.len()) > tolerated {
            return None;
        }
        let distance = strsim::osa_distance(&found, &name.to_ascii_lowercase());
        (distance <= tolerated).then_some((distance, name))
    });
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        let known = ["deny_new", "stop_oldest", "max"];
        let cases = [
            ("deny_now", Some("deny_new")),
            ("denyNew", Some("deny_new")),
            ("DENY-NEW", Some("deny_new")),
            ("stop_odlest", Some("stop_oldest")),
            ("mx", Some("max")),
            ("deny", None),
            ("limit", None),
            ("", None),
        ];
        for (found, expected) in cases {
            assert_eq!(nearest(found, known), expected, "{found}");
        }
    }
}
