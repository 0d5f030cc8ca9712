//! What stands for a name in a table.

use siphasher::sip128::SipHasher24;

/// What stands for a name in a table: 16 bytes in place of a hundred. They lie in the table
/// itself, so that looking a name up takes one look at memory, and remembering it none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub u128);

impl Fingerprint {
    /// Evenly spread bits, to choose a place in a table.
    #[must_use]
    pub const fn spread(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0.to_ne_bytes();
        u64::from_ne_bytes([a, b, c, d, e, f, g, h])
    }
}

/// Gives names their fingerprints: SipHash-2-4 of 128 bits, with a key that nobody knows. A name
/// that was not remembered is taken for one that was with a chance of 1 in 2¹²⁸ for each,
/// and no choice of names betters it.
#[derive(Debug, Clone, Copy)]
pub struct Fingerprinter(SipHasher24);

impl Fingerprinter {
    /// One with this key.
    #[must_use]
    pub fn new(key: &[u8; 16]) -> Self {
        Self(SipHasher24::new_with_key(key))
    }

    /// What stands for a name.
    #[must_use]
    pub fn fingerprint(&self, name: &[u8]) -> Fingerprint {
        Fingerprint(self.0.hash(name).into())
    }
}

#[cfg(test)]
mod tests {
    use super::Fingerprinter;
    use crate::test;

    #[test]
    fn a_name_is_told_from_others_by_each_of_its_bytes() {
        let fingerprinter = Fingerprinter::new(&[7; 16]);
        let long: Vec<u8> = (0..21).collect();
        for at in 0..long.len() {
            let mut other = long.clone();
            other[at] ^= 1;
            assert_ne!(
                fingerprinter.fingerprint(&other),
                fingerprinter.fingerprint(&long)
            );
            assert_ne!(
                fingerprinter.fingerprint(&long[..at]),
                fingerprinter.fingerprint(&long)
            );
        }
        assert_eq!(
            fingerprinter.fingerprint(&long),
            fingerprinter.fingerprint(&long)
        );
        assert_ne!(
            fingerprinter.fingerprint(&long),
            Fingerprinter::new(&[8; 16]).fingerprint(&long)
        );
    }
}
