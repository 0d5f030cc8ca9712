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

/// What serde says of an unknown field or variant, with the nearest of the names that
/// it expected in place of them all. `None` if it says something else or none is near.
pub(super) fn suggestion(said: &str) -> Option<String> {
    let (what, rest) = said.split_once(" `")?;
    if !matches!(what, "unknown field" | "unknown variant") {
        return None;
    }
    let (found, expected) = rest.split_once("`, expected ")?;
    // Every second piece between backticks is a name.
    let known = expected.split('`').skip(1).step_by(2);
    let name = nearest(found, known)?;
    Some(format!("{what} `{found}`, did you mean `{name}`?"))
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

    #[test]
    fn only_what_serde_says_of_unknown_names_is_rewritten() {
        let said = "unknown field `mx`, expected one of `name`, `max` at line 1 column 9";
        let suggested = "unknown field `mx`, did you mean `max`?";
        assert_eq!(suggestion(said).as_deref(), Some(suggested));
        for other in [
            "unknown field `mx`, there are no fields",
            "unknown field `limit`, expected `name` or `max`",
            "unknown variant ``, expected `a`",
            "missing field `max`",
            "invalid type: string \"unknown field `mx`, expected `max`\", expected u32",
            "EOF while parsing a value",
        ] {
            assert_eq!(suggestion(other), None, "{other}");
        }
    }
}
