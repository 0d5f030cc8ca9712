//! Text from outside, decoded strictly.

use percent_encoding::percent_decode;
pub use streamgate_bytes::split_once;

/// Whether a short `part` stands in `text`. The standard library's search, which is as fast for a
/// long one, takes 5 KB of the filter.
#[must_use]
pub fn contains(text: &str, part: &str) -> bool {
    split_at_part(text, part).is_some()
}

/// What stands before and after the first `part` of a text.
#[must_use]
pub fn split_at_part<'t>(text: &'t str, part: &str) -> Option<(&'t str, &'t str)> {
    let at = streamgate_bytes::find(text.as_bytes(), part.as_bytes())?;
    let (before, after) = text.split_at_checked(at)?;
    Some((before, after.strip_prefix(part)?))
}

/// The text with `by` in the place of each `part`, which is not empty.
#[must_use]
pub fn replaced(text: &str, part: &str, by: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while !part.is_empty()
        && let Some((before, after)) = split_at_part(rest, part)
    {
        replaced.push_str(before);
        replaced.push_str(by);
        rest = after;
    }
    replaced.push_str(rest);
    replaced
}

/// Bytes that are no well-formed text: broken percent-encoding, not UTF-8, or with
/// control characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// Decodes percent-encoding (RFC 3986, section 2.1) into printable UTF-8.
///
/// # Errors
///
/// [`Malformed`] where a `%` is not followed by two hexadecimal digits or the result
/// is no printable UTF-8.
pub fn percent_decoded(encoded: &[u8]) -> Result<String, Malformed> {
    let mut rest = encoded;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let (_, after) = rest
            .split_at_checked(at.saturating_add(1))
            .ok_or(Malformed)?;
        match after {
            [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => rest = after,
            _ => return Err(Malformed),
        }
    }
    let decoded: Vec<u8> = percent_decode(encoded).collect();
    printable(&decoded).map(str::to_owned)
}

/// The bytes as UTF-8 without control characters.
///
/// # Errors
///
/// [`Malformed`] where they are not that.
pub fn printable(bytes: &[u8]) -> Result<&str, Malformed> {
    let text = core::str::from_utf8(bytes).map_err(|_| Malformed)?;
    if text.chars().any(char::is_control) {
        return Err(Malformed);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn parts_are_found_and_replaced_as_the_standard_library_does() {
        for (text, part, by) in [
            ("", "ab", "x"),
            ("ab", "ab", "x"),
            ("aab", "ab", ""),
            ("ababab", "ab", "ab"),
            ("aaaa", "aaa", "a"),
            ("a\u{fc}b\u{fc}", "\u{fc}", "ue"),
            ("{limit} of {limit}", "{limit}", "{limit}"),
        ] {
            assert_eq!(replaced(text, part, by), text.replace(part, by), "{text}");
            assert_eq!(contains(text, part), text.contains(part), "{text}");
            assert_eq!(split_at_part(text, part), text.split_once(part), "{text}");
        }
    }

    #[test]
    fn well_formed_text_is_decoded_and_nothing_else_passes() {
        assert_eq!(percent_decoded(b"a%20b%C3%BC"), Ok("a bü".to_owned()));
        assert_eq!(percent_decoded(b"a+b"), Ok("a+b".to_owned()));
        for bad in [
            &b"%"[..],
            b"%2",
            b"%zz",
            b"a%00b",
            b"%ff",
            b"\xff",
            b"a%0ab",
            b"100%",
        ] {
            assert_eq!(percent_decoded(bad), Err(Malformed), "{bad:?}");
        }
    }
}
