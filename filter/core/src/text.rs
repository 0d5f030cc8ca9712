//! Text from outside, decoded strictly.

use percent_encoding::percent_decode;

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

/// The parts of `bytes` before and after the first `separator`.
#[must_use]
pub fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(separator, bytes)?;
    let (before, after) = bytes.split_at_checked(at)?;
    Some((before, after.split_first()?.1))
}

/// Whether two sequences of bytes are the same. Eight at a time: what this target has for it
/// goes byte by byte, and names are long.
#[must_use]
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    let (chunks, rest) = one.as_chunks::<8>();
    let (other_chunks, other_rest) = other.as_chunks::<8>();
    let mut pairs = chunks.iter().zip(other_chunks);
    let mut rests = rest.iter().zip(other_rest);
    one.len() == other.len()
        && pairs.all(|(one, other)| u64::from_ne_bytes(*one) == u64::from_ne_bytes(*other))
        && rests.all(|(one, other)| one == other)
}

/// Whether bytes begin with these.
#[must_use]
pub fn begins_with(bytes: &[u8], beginning: &[u8]) -> bool {
    let beginning_there = bytes.get(..beginning.len());
    beginning_there.is_some_and(|there| is_same(there, beginning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

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

    #[test]
    fn bytes_are_the_same_where_each_of_them_is() {
        let long: Vec<u8> = (0..21).collect();
        for length in 0..=long.len() {
            let bytes = &long[..length];
            assert!(is_same(bytes, bytes));
            assert!(begins_with(&long, bytes));
            assert_eq!(begins_with(bytes, &long), length == long.len());
            for at in 0..length {
                let mut other = bytes.to_vec();
                other[at] ^= 0x80;
                assert!(!is_same(bytes, &other));
                assert!(!is_same(bytes, &bytes[..at]));
                assert!(!begins_with(&long, &other));
            }
        }
    }

    #[test]
    fn splitting_leaves_the_separator_out() {
        assert_eq!(split_once(b"a=b=c", b'='), Some((&b"a"[..], &b"b=c"[..])));
        assert_eq!(split_once(b"a=", b'='), Some((&b"a"[..], &b""[..])));
        assert_eq!(split_once(b"a", b'='), None);
    }
}
