//! What is done to every byte of a request. This crate is compiled for speed, the rest of the
//! filter for size (`[profile.release.package]`): what is here runs for each segment, and is
//! made of loops.

mod fingerprint;
mod path;

pub use fingerprint::{Fingerprint, Fingerprinter};
pub use path::{is_plain, split_token};

/// The parts of `bytes` before and after the first `separator`.
#[must_use]
pub fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(separator, bytes)?;
    let (before, after) = bytes.split_at_checked(at)?;
    Some((before, after.split_first()?.1))
}

/// Whether bytes begin with these. Compared one by one: beginnings are short, and what this
/// target has for it is a call.
#[must_use]
pub fn begins_with(bytes: &[u8], beginning: &[u8]) -> bool {
    let mut pairs = bytes.iter().zip(beginning);
    bytes.len() >= beginning.len() && pairs.all(|(byte, expected)| byte == expected)
}

/// Whether bytes begin with these, whatever the case of their ASCII letters.
#[must_use]
pub fn begins_with_any_case(bytes: &[u8], beginning: &[u8]) -> bool {
    let mut pairs = bytes.iter().zip(beginning);
    bytes.len() >= beginning.len()
        && pairs.all(|(byte, expected)| byte.eq_ignore_ascii_case(expected))
}

#[cfg(all(test, not(target_family = "wasm")))]
use core::prelude::v1::test;
#[cfg(all(test, target_family = "wasm"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[cfg(test)]
mod tests {
    use super::{begins_with, begins_with_any_case, split_once, test};

    #[test]
    fn splitting_leaves_the_separator_out() {
        assert_eq!(split_once(b"a=b=c", b'='), Some((&b"a"[..], &b"b=c"[..])));
        assert_eq!(split_once(b"a=", b'='), Some((&b"a"[..], &b""[..])));
        assert_eq!(split_once(b"a", b'='), None);
    }

    #[test]
    fn bytes_begin_with_what_each_of_them_is_the_same_as() {
        let long: Vec<u8> = (0..21).collect();
        for length in 0..=long.len() {
            let beginning = &long[..length];
            assert!(begins_with(&long, beginning));
            assert_eq!(begins_with(beginning, &long), length == long.len());
            for at in 0..length {
                let mut other = beginning.to_vec();
                other[at] ^= 0x80;
                assert!(!begins_with(&long, &other));
            }
        }
    }

    #[test]
    fn case_may_be_ignored() {
        assert!(begins_with_any_case(b"/VoD/x", b"/vOd/"));
        assert!(begins_with_any_case(b"/vod/", b"/vod/"));
        for other in [&b"/vod"[..], b"/v0d/", b"", b"/\x76od"] {
            assert!(!begins_with_any_case(other, b"/vod/"));
        }
    }
}
