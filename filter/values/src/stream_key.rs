//! What names one stream inside the edge.

use core::fmt;

use crate::moment::Moment;

/// Sixteen bytes that name one stream of one subject.
///
/// A key is either **minted** by an edge, and then begins with the moment of its
/// issue, or **external**: made from an id that came from outside (CMCD `sid`, a
/// trusted header). The top bit tells them apart; no moment reaches it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamKey([u8; 16]);

/// Set in external keys only.
const EXTERNAL: u128 = 1 << 127;

/// Bits of randomness in a minted key, behind the moment of its issue.
const RANDOM_BITS: u32 = 80;

impl StreamKey {
    /// Bytes of randomness in a minted key.
    pub const RANDOM_LEN: usize = 10;

    /// A fresh key, issued `now`.
    #[must_use]
    pub fn mint(now: Moment, random: [u8; Self::RANDOM_LEN]) -> Self {
        let random = random
            .iter()
            .fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
        let issued = u128::from(now.as_ms()) << RANDOM_BITS;
        Self(((issued | random) & !EXTERNAL).to_be_bytes())
    }

    /// The key for an id given from outside, from a hash of it.
    #[must_use]
    pub const fn external(hash: [u8; 16]) -> Self {
        Self((u128::from_be_bytes(hash) | EXTERNAL).to_be_bytes())
    }

    /// The key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The key's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// When an edge issued this key; `None` for an external one.
    #[must_use]
    pub const fn issued_at(&self) -> Option<Moment> {
        let [t0, t1, t2, t3, t4, t5, ..] = self.0;
        if u128::from_be_bytes(self.0) & EXTERNAL == 0 {
            Some(Moment::from_bytes([t0, t1, t2, t3, t4, t5]))
        } else {
            None
        }
    }

    /// The code by which a viewer picks this stream to stop (contract, section 2):
    /// eight hexadecimal digits.
    #[must_use]
    pub fn termination_code(&self) -> String {
        let [.., a, b, c, d] = self.0;
        format!("{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamKey({:032x})", u128::from_be_bytes(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn a_minted_key_carries_its_issue_time_and_an_external_one_none() {
        let now = Moment::from_ms(1_893_499_260_000);
        assert_eq!(StreamKey::mint(now, [7; 10]).issued_at(), Some(now));
        assert_eq!(StreamKey::external([0; 16]).issued_at(), None);
        assert_eq!(StreamKey::external([0xff; 16]).issued_at(), None);
    }

    #[test]
    fn a_termination_code_is_eight_hexadecimal_digits() {
        let key = StreamKey::mint(Moment::EARLIEST, [0, 0, 0, 0, 0, 0, 0x51, 0xfd, 0x35, 0x1f]);
        assert_eq!(key.termination_code(), "51fd351f");
    }
}
