//! Decoding what a client has encoded, as often as it did.

use std::borrow::Cow;

use super::UnreadablePath;

/// How often a path may be encoded: a proxy, an origin and a script behind it each decode
/// once. More is nobody's, and costs a look at all of it each time.
const TIMES_MAX: usize = 8;

/// A segment of a path, decoded until nothing is left to decode.
pub(super) struct Decoded<'p> {
    pub(super) bytes: Cow<'p, [u8]>,
    /// Whether origins agree what stands there.
    pub(super) is_agreed: bool,
}

impl Decoded<'_> {
    /// Whether nothing had to be decoded.
    pub(super) const fn is_written(&self) -> bool {
        matches!(self.bytes, Cow::Borrowed(_))
    }
}

/// Decodes what stands between two slashes.
pub(super) fn decoded(segment: &[u8]) -> Result<Decoded<'_>, UnreadablePath> {
    let mut bytes = Cow::Borrowed(segment);
    let mut times = 0_usize;
    while let Some(once) = replaced(&bytes, encoded) {
        bytes = Cow::Owned(once);
        times = times.saturating_add(1);
        if times > TIMES_MAX {
            return Err(UnreadablePath);
        }
    }
    let is_odd = |byte: &u8| {
        byte.is_ascii_control()
            || matches!(byte, b'/' | b'\\' | b';' | b'?' | b'#' | b'%' | 0xc0 | 0xc1)
    };
    let is_agreed = times <= 1 && !bytes.iter().any(is_odd);
    if let Some(other) = replaced(&bytes, other_case) {
        bytes = Cow::Owned(other);
    }
    Ok(Decoded { bytes, is_agreed })
}

/// With every character that `by` knows another for replaced by that; `None` if there is none. `by` says
/// what stands in front, and how long that is.
fn replaced(bytes: &[u8], by: fn(&[u8]) -> Option<(u8, usize)>) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    let mut rest = bytes;
    let mut is_changed = false;
    while let Some((byte, after)) = rest.split_first() {
        match by(rest) {
            Some((char, length)) => {
                is_changed = true;
                decoded.push(char);
                rest = rest.get(length..).unwrap_or_default();
            }
            None => {
                decoded.push(*byte);
                rest = after;
            }
        }
    }
    is_changed.then_some(decoded)
}

/// What is encoded in one way or another.
fn encoded(bytes: &[u8]) -> Option<(u8, usize)> {
    escape(bytes).or_else(|| overlong(bytes))
}

/// The byte that an escape stands for, and the escape's length: `%41`, or `%u0041` as
/// Microsoft's servers read it, there also in its full width.
fn escape(bytes: &[u8]) -> Option<(u8, usize)> {
    match bytes {
        [b'%', b'u' | b'U', a, b, c, d, ..] => {
            let code = u32::from(hex(*a, *b)?) << 8 | u32::from(hex(*c, *d)?);
            let code = match code {
                0xff01..=0xff5e => code.saturating_sub(0xfee0),
                code => code,
            };
            let byte = u8::try_from(code).ok().filter(u8::is_ascii)?;
            Some((byte, 6))
        }
        [b'%', high, low, ..] => Some((hex(*high, *low)?, 3)),
        _ => None,
    }
}

/// The byte that two hexadecimal digits stand for.
fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// The ASCII character that UTF-8 has written longer than it may (CVE-2000-0884), and how
/// long.
fn overlong(bytes: &[u8]) -> Option<(u8, usize)> {
    let (high, low, length) = match bytes {
        [high @ (0xc0 | 0xc1), low @ 0x80..=0xbf, ..] => (high & 1, low, 2),
        [0xe0, high @ (0x80 | 0x81), low @ 0x80..=0xbf, ..] => (high & 1, low, 3),
        [0xf0, 0x80, high @ (0x80 | 0x81), low @ 0x80..=0xbf, ..] => (high & 1, low, 4),
        _ => return None,
    };
    Some((high << 6 | (low & 0x3f), length))
}

/// The ASCII letter that the long s and the Kelvin sign are another case of, to whoever ignores case as
/// Unicode has it (APFS, ext4 with `casefold`, Java, Go), and how long they are.
fn other_case(bytes: &[u8]) -> Option<(u8, usize)> {
    match bytes {
        [0xc5, 0xbf, ..] => Some((b's', 2)),
        [0xe2, 0x84, 0xaa, ..] => Some((b'k', 3)),
        _ => None,
    }
}
