//! Text from outside, decoded strictly.

use percent_encoding::percent_decode;
pub use streamgate_bytes::split_once;

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
