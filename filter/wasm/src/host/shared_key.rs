//! What the places of the store are called in Envoy's shared data.

// A key is text without being looked through.
#![allow(unsafe_code)]

use streamgate_record::ports::StoreKey;

/// A CAS value that no entry ever has. Writing with it succeeds only where there is
/// no entry: the host checks the value against existing entries alone.
pub(super) const CREATE_ONLY: u32 = u32::MAX;

/// A shared-data key: a letter and eight hexadecimal digits, built without allocating.
pub(super) struct SharedKey([u8; 9]);

impl SharedKey {
    /// That of a place in the store.
    pub(super) fn of(key: StoreKey) -> Self {
        match key {
            StoreKey::Slot(slot) => Self::new(b's', slot),
            StoreKey::MemorySince => Self::new(b'e', 0),
            StoreKey::Sweep => Self::new(b'w', 0),
            StoreKey::Feed(shard) => Self::new(b'n', shard),
            StoreKey::Bumps => Self::new(b'r', 0),
            StoreKey::Redirected(key) => Self::new(b'm', key),
            StoreKey::Redirects(key) => Self::new(b'o', key),
            StoreKey::Prefetched(key) => Self::new(b'p', key),
            StoreKey::Live => Self::new(b'l', 0),
            StoreKey::Decisions => Self::new(b'h', 0),
            StoreKey::Decision(index) => Self::new(b'd', index),
            StoreKey::DecisionsOf(bucket) => Self::new(b'i', bucket),
            StoreKey::RefusedAccounts(index) => Self::new(b'f', index),
            StoreKey::Accounts => Self::new(b'a', 0),
            StoreKey::Workers => Self::new(b'k', 0),
            StoreKey::OwnTime => Self::new(b't', 0),
        }
    }

    /// That of the levels that a policy was counted for.
    pub(super) fn levels(number: u32) -> Self {
        Self::new(b'v', number)
    }

    /// That of a slot group's generation.
    pub(super) fn generation(group: u16) -> Self {
        Self::new(b'b', group.into())
    }

    fn new(kind: u8, number: u32) -> Self {
        // Half bytes spread over bytes, the first of them highest, and made digits all at
        // once: the sums stay in their bytes.
        let halves = u64::from(number);
        let halves = (halves | (halves << 16)) & 0x0000_ffff_0000_ffff;
        let halves = (halves | (halves << 8)) & 0x00ff_00ff_00ff_00ff;
        let halves = (halves | (halves << 4)) & 0x0f0f_0f0f_0f0f_0f0f;
        let letters = (halves.wrapping_add(0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
        let to_letter = letters.wrapping_mul(u64::from(b'a' - b'0' - 10));
        let digits = halves
            .wrapping_add(0x3030_3030_3030_3030)
            .wrapping_add(to_letter);
        let [a, b, c, d, e, f, g, h] = digits.to_be_bytes();
        Self([kind, a, b, c, d, e, f, g, h])
    }
}

impl core::ops::Deref for SharedKey {
    type Target = str;

    fn deref(&self) -> &str {
        // SAFETY: a letter and hexadecimal digits are ASCII.
        unsafe { core::str::from_utf8_unchecked(&self.0) }
    }
}
