//! Reading and writing the compact format's pieces.

use crate::moment::Moment;

/// Reads from the front of bytes that may be anything.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads from the beginning of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether all was read.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes are left.
    pub const fn left(&self) -> usize {
        self.0.len()
    }

    /// All that is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// The next `N` bytes; `None` if there are fewer.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*front)
    }

    /// The next byte; `None` at the end.
    pub fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    /// A moment, in six bytes; `None` if there are fewer.
    pub fn moment(&mut self) -> Option<Moment> {
        self.array().map(Moment::from_bytes)
    }

    /// A number of at most 28 bits in LEB128: seven bits a byte, low bits first.
    pub fn number(&mut self) -> Option<usize> {
        let mut value = 0_usize;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            value |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// The next `len` bytes; `None` if there are fewer.
    pub fn slice(&mut self, len: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(front)
    }

    /// A text with its length before it; `None` if it is cut off or no UTF-8.
    pub fn text(&mut self) -> Option<&'a str> {
        let len = self.number()?;
        core::str::from_utf8(self.slice(len)?).ok()
    }

    /// Texts with their number before them; `None` if any is cut off or no UTF-8.
    pub fn texts(&mut self) -> Option<Vec<String>> {
        let count = self.number()?;
        (0..count).map(|_| self.text().map(str::to_owned)).collect()
    }
}

/// Appends the same pieces.
pub trait Writer {
    /// Appends `bytes`.
    fn put(&mut self, bytes: &[u8]);

    /// Appends a moment, in six bytes.
    fn put_moment(&mut self, moment: Moment) {
        self.put(&moment.to_bytes());
    }

    /// The inverse of [`Reader::number`]; what does not fit in 28 bits is cut to the most that does.
    fn put_number(&mut self, number: usize) {
        let mut left = number.min((1 << 28) - 1);
        loop {
            let [low, ..] = left.to_le_bytes();
            left >>= 7;
            if left == 0 {
                return self.put(&[low & 0x7f]);
            }
            self.put(&[low | 0x80]);
        }
    }

    /// Appends a text with its length before it.
    fn put_text(&mut self, text: &str) {
        self.put_number(text.len());
        self.put(text.as_bytes());
    }

    /// Appends texts with their number before them.
    fn put_texts(&mut self, texts: &[String]) {
        self.put_number(texts.len());
        for text in texts {
            self.put_text(text);
        }
    }
}

impl Writer for Vec<u8> {
    /// Appends `bytes`.
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn numbers_survive_the_round_trip_at_every_length() {
        for number in [
            0,
            1,
            127,
            128,
            16_383,
            16_384,
            (1 << 21) - 1,
            1 << 21,
            (1 << 28) - 1,
        ] {
            let mut bytes = Vec::new();
            bytes.put_number(number);
            assert_eq!(Reader::new(&bytes).number(), Some(number));
        }
        assert_eq!(Reader::new(&[0xff; 9]).number(), None);
    }

    #[test]
    fn a_length_that_runs_past_the_end_is_no_text() {
        assert_eq!(Reader::new(b"\x05abc").text(), None);
        assert_eq!(Reader::new(b"\x02\xff\xfe").text(), None);
    }
}
