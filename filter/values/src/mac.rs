//! BLAKE3 in its keyed mode, cut to 16 bytes: what signs ids and tokens, and what stands for a subject.
//!
//! For what streamgate alone makes and verifies ([decision 31](../../../docs/decisions/0031-signatures-of-ones-own.md)).
//! What others verify is signed as their standards say.

/// Bytes kept of a MAC: 128 bits, as many as BLAKE3 gives security against forgery.
pub const MAC_LEN: usize = 16;

/// Bytes of a message for which no allocation grows: more than a token without attributes has.
const USUAL_LEN: usize = 256;

/// A key for one purpose.
#[derive(Clone)]
pub struct MacKey([u8; 32]);

impl MacKey {
    /// The key that a configured secret, of any length, gives for the purpose that `context` names. Keys
    /// of different contexts tell nothing of each other.
    #[must_use]
    pub fn derived(context: &str, secret: &[u8]) -> Self {
        Self(blake3::derive_key(context, secret))
    }

    /// The MAC of a message, given in parts: of what they are when put together.
    #[must_use]
    pub fn mac(&self, message: &[&[u8]]) -> Mac {
        #[cfg(any(test, feature = "testing"))]
        count::note();
        let mut whole = Vec::with_capacity(USUAL_LEN);
        for part in message {
            whole.extend_from_slice(part);
        }
        let full: [u8; 32] = blake3::keyed_hash(&self.0, &whole).into();
        let mut short = [0; MAC_LEN];
        for (to, from) in short.iter_mut().zip(full) {
            *to = from;
        }
        Mac(short)
    }
}

/// A MAC. Whether two are equal takes as long whatever differs.
#[derive(Clone, Copy, Debug)]
pub struct Mac(pub [u8; MAC_LEN]);

impl PartialEq for Mac {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq::constant_time_eq_16(&self.0, &other.0)
    }
}

impl Eq for Mac {}

/// How many signatures are computed, for tests that hold refusals to one cost.
#[cfg(any(test, feature = "testing"))]
#[allow(clippy::arithmetic_side_effects, reason = "tests may fail loudly")]
pub mod count {
    use core::cell::Cell;

    thread_local! {
        static MACS: Cell<u32> = const { Cell::new(0) };
    }

    /// One more was computed.
    pub fn note() {
        MACS.set(MACS.get() + 1);
    }

    /// How many signatures `work` computes.
    pub fn counted(work: impl FnOnce()) -> u32 {
        let before = MACS.get();
        work();
        MACS.get() - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    /// Another MAC would be another place for each account's streams, and the end of all sessions: the
    /// version bytes and the contexts have to change with it.
    #[test]
    fn a_message_has_the_same_mac_in_whatever_parts_and_in_every_version() {
        let key = MacKey::derived("streamgate test", b"a secret");
        let whole = key.mac(&[b"a message"]);
        assert_eq!(whole, key.mac(&[b"a ", b"", b"message"]));
        assert_eq!(whole.0, KNOWN);
    }

    /// As another binding of BLAKE3, Python's, has it.
    const KNOWN: [u8; MAC_LEN] = [
        0x65, 0x62, 0xe4, 0xc2, 0xfd, 0xee, 0x44, 0x1e, 0x92, 0x0e, 0xb0, 0xfb, 0xa2, 0x81, 0x5a,
        0x8b,
    ];

    #[test]
    fn every_byte_of_key_context_and_message_counts() {
        let mac = |context: &str, secret: &[u8], message: &[u8]| {
            MacKey::derived(context, secret).mac(&[message])
        };
        let one = mac("context", b"secret", b"message");
        for other in [
            mac("context2", b"secret", b"message"),
            mac("context", b"secret2", b"message"),
            mac("context", b"secret", b"message\0"),
            mac("context", b"secret", b""),
        ] {
            assert_ne!(one, other);
        }
        for at in 0..MAC_LEN {
            let mut other = one;
            other.0[at] ^= 1;
            assert_ne!(one, other, "{at}");
        }
    }
}
