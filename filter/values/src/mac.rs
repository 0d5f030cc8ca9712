//! HMAC-SHA-256, cut to 16 bytes: what signs ids and tokens, and what stands for a subject.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes kept of a MAC: 128 bits, the least RFC 2104 section 5 recommends for SHA-256.
pub const MAC_LEN: usize = 16;

/// HMAC-SHA-256 with `secret` absorbed; cloning it saves absorbing it again.
pub fn keyed(secret: &[u8]) -> Hmac<Sha256> {
    match Hmac::new_from_slice(secret) {
        Ok(mac) => mac,
        // HMAC takes keys of every length; the error exists for other MACs.
        Err(_) => Hmac::new(&Default::default()),
    }
}

/// The first [`MAC_LEN`] bytes of the result.
pub fn shortened(mac: Hmac<Sha256>) -> [u8; MAC_LEN] {
    let full: [u8; 32] = mac.finalize().into_bytes().into();
    let mut short = [0; MAC_LEN];
    for (to, from) in short.iter_mut().zip(full) {
        *to = from;
    }
    short
}

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
