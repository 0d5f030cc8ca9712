//! Separators in parameters: `/vod;%2fx/film` is `/vod/film` to who drops parameters before
//! decoding, and `/vod/x/film` to who decodes before.

use super::decode::decoded;
use super::{is_separator, name};

/// Whether a path may begin with this, in whatever case: where a parameter may end at each
/// separator up to the slash that ends it for everybody.
pub(super) fn may_begin_with(path: &[u8], beginning: &[u8]) -> bool {
    let mut readings = Readings::new(beginning);
    let segments = path.split(|byte| *byte == b'/');
    for (at, written) in segments.enumerate() {
        if at > 0 || !written.is_empty() {
            readings.slash();
            readings.hidden.fill(false);
        }
        let Ok(segment) = decoded(written) else {
            return true;
        };
        for (at, part) in segment.bytes.split(|byte| is_separator(*byte)).enumerate() {
            if at > 0 {
                readings.slash();
            }
            for byte in name(part).iter().filter(|byte| !byte.is_ascii_control()) {
                readings.byte(*byte);
            }
            if part.contains(&b';') {
                readings.parameter();
            }
        }
        if readings.is_decided() {
            break;
        }
    }
    readings.is_found
}

/// How much of a beginning the readings of a path have gone through.
struct Readings<'b> {
    beginning: &'b [u8],
    /// By how many bytes were gone through: whether a reading is there.
    open: Vec<bool>,
    /// The same of readings that are inside a parameter.
    hidden: Vec<bool>,
    is_found: bool,
}

impl<'b> Readings<'b> {
    fn new(beginning: &'b [u8]) -> Self {
        let none = vec![false; beginning.len()];
        let mut open = none.clone();
        if let Some(first) = open.first_mut() {
            *first = true;
        }
        Self {
            beginning,
            open,
            hidden: none,
            is_found: beginning.is_empty(),
        }
    }

    /// Whether nothing that follows changes anything.
    fn is_decided(&self) -> bool {
        self.is_found
            || !self
                .open
                .iter()
                .chain(&self.hidden)
                .any(|is_there| *is_there)
    }

    /// Goes on with a byte that is part of a name.
    fn byte(&mut self, byte: u8) {
        self.advance(|expected| expected.eq_ignore_ascii_case(&byte), |_| false);
    }

    /// Goes on with a separator, which may end a parameter. Where one has just been gone
    /// through, it is merged with that.
    fn slash(&mut self) {
        for (open, hidden) in self.open.iter_mut().zip(&self.hidden) {
            *open |= *hidden;
        }
        self.advance(|expected| expected == b'/', |before| before == Some(b'/'));
    }

    /// Goes into a parameter.
    fn parameter(&mut self) {
        for (open, hidden) in self.open.iter_mut().zip(&mut self.hidden) {
            *hidden |= core::mem::take(open);
        }
    }

    fn advance(&mut self, goes_on: impl Fn(u8) -> bool, stays: impl Fn(Option<u8>) -> bool) {
        let mut arrives = false;
        let mut before = None;
        for (open, expected) in self.open.iter_mut().zip(self.beginning) {
            let was = core::mem::replace(open, arrives);
            *open |= was && stays(before);
            arrives = was && goes_on(*expected);
            before = Some(*expected);
        }
        self.is_found |= arrives;
    }
}
