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
