//! How many streams an account has played at once, for each policy: so that it counts once for each
//! number that it reaches, however often it zaps.
//!
//! Each live stream of an account carries it, so that it is forgotten with the last of them. One
//! stream at once is not noted: whatever plays says so.

/// Policies whose numbers in the book differ by a multiple of this share a place.
const PLACES: usize = 8;

/// The highest number there is, which stands for those above it, too.
pub const REACHED_MAX: usize = 16;

/// The most streams at once so far, by policies: a byte of each place, none above [`REACHED_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Reached(u64);

/// The highest bit of each byte, which none has.
const HIGHEST: u64 = 0x8080_8080_8080_8080;

/// What lifts more than [`REACHED_MAX`] to that bit.
const ABOVE: u64 = 0x6f6f_6f6f_6f6f_6f6f;

impl Reached {
    /// What was written down as [`Self::bytes`]; `None` if these are others.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let places = u64::from_be_bytes(bytes.try_into().ok()?);
        let is_one = (places | places.wrapping_add(ABOVE)) & HIGHEST == 0;
        is_one.then_some(Self(places))
    }

    /// To be written down; each is ASCII.
    #[must_use]
    pub const fn bytes(self) -> [u8; PLACES] {
        self.0.to_be_bytes()
    }

    /// Whether there is anything to write down.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The most streams at once that the policy with this number has seen.
    pub(crate) const fn by(self, policy: usize) -> usize {
        let most = self.0.wrapping_shr(shift(policy)) & 0xff;
        if most == 0 { 1 } else { most as usize }
    }

    /// The policy with this number sees so many.
    pub(crate) fn raise(&mut self, policy: usize, streams: usize) {
        if streams > 1 {
            let most = streams.min(REACHED_MAX) as u64;
            self.merge(Self(most.wrapping_shl(shift(policy))));
        }
    }

    /// What either of two knows.
    pub const fn merge(&mut self, other: Self) {
        // The bit stays in the bytes that are no less than the other's, and fills them.
        let at_least = ((self.0 | HIGHEST).wrapping_sub(other.0) & HIGHEST) >> 7;
        let own = at_least.wrapping_mul(0xff);
        self.0 = (self.0 & own) | (other.0 & !own);
    }
}

/// By how many bits a policy's place is shifted.
const fn shift(policy: usize) -> u32 {
    (policy % PLACES).wrapping_mul(8) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn the_most_streams_at_once_are_kept_for_each_policy() {
        let mut one = Reached::default();
        one.raise(3, 1);
        assert!(one.is_empty(), "what plays says so");
        one.raise(3, 4);
        one.raise(3, 2);
        one.raise(0, 99);
        let mut other = Reached::default();
        other.raise(3, 5);
        other.raise(2, 2);
        let mut both = [one, other];
        both[0].merge(other);
        both[1].merge(one);
        assert_eq!(both[0], both[1]);
        assert_eq!([0, 1, 2, 3].map(|policy| both[0].by(policy)), [16, 1, 2, 5]);
        // A policy further down the book shares a place.
        assert_eq!(both[0].by(11), 5);
    }

    #[test]
    fn what_was_written_down_is_read_and_nothing_else() {
        let mut reached = Reached::default();
        reached.raise(7, 16);
        assert_eq!(Reached::of_bytes(&reached.bytes()), Some(reached));
        for other in [
            &b"climit12"[..],
            &[0; 7],
            &[0; 9],
            &[17, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(Reached::of_bytes(other), None, "{other:?}");
        }
    }

    #[test]
    fn each_place_is_the_higher_of_two() {
        let of = |most: [u8; 8]| Reached::of_bytes(&most).unwrap();
        for most in 0..=16 {
            for other in 0..=16 {
                let [one, two] = [
                    [most, other, 16, 0, most, 7, other, 0],
                    [other, most, 0, 16, other, 7, most, 0],
                ];
                let mut both = of(one);
                both.merge(of(two));
                let higher: Vec<u8> = one.iter().zip(two).map(|(a, b)| b.max(*a)).collect();
                assert_eq!(both.bytes().to_vec(), higher);
            }
        }
    }
}
