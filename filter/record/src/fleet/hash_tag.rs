//! What stands in braces in the keys of a shard, for a store in cluster mode.
//!
//! A cluster keeps a key at the node that owns its slot, which is the CRC-16 of what stands in braces in it,
//! and a script may name keys of one slot only. Envoy's discovery of such clusters (`envoy.clusters.redis`) sends a
//! call to the owner of the slot that XXH64 of the call's authority comes to, and the authority is
//! the shard's name. So all keys of a shard have the two bytes in braces that come to that slot. To any other store
//! they are bytes like others.

use twox_hash::XxHash64;

/// How many slots a cluster has: what is above these bits does not matter.
const SLOTS: u64 = 1 << 14;

/// CRC-16/XMODEM, as clusters compute it.
const POLYNOMIAL: u16 = 0x1021;

/// In a tag it would end it.
const CLOSES: u8 = b'}';

/// What stands in braces.
pub(super) type HashTag = [u8; 2];

/// The name of a shard, as the proxy is given it.
pub(super) fn shard_name(shard: u32) -> String {
    format!("shard-{shard}")
}

/// The tag of a shard's keys.
pub(super) fn hash_tag(shard: u32) -> HashTag {
    let hash = XxHash64::oneshot(0, shard_name(shard).as_bytes());
    let slot = u16::try_from(hash % SLOTS).unwrap_or_default();
    // Four checksums are of one slot. No slot has four with a brace.
    let checksums = [0_u16, 1, 2, 3].map(|above| slot | above << 14);
    let tags = checksums.map(two_bytes_with);
    let closes = |tag: &&HashTag| !tag.contains(&CLOSES);
    tags.iter().find(closes).copied().unwrap_or_default()
}

/// The two bytes whose checksum this is: sixteen steps of the shift register, backwards.
fn two_bytes_with(checksum: u16) -> HashTag {
    let back = |register: u16, _| match register & 1 {
        0 => register >> 1,
        _ => (register ^ POLYNOMIAL) >> 1 | 1 << 15,
    };
    (0..16).fold(checksum, back).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    /// As the specification of Redis Cluster gives it.
    fn checksum(bytes: &[u8]) -> u16 {
        bytes.iter().fold(0, |checksum: u16, byte| {
            let register = checksum ^ u16::from(*byte) << 8;
            (0..8).fold(register, |register, _| match register >> 15 {
                0 => register << 1,
                _ => register << 1 ^ POLYNOMIAL,
            })
        })
    }

    #[test]
    fn each_checksum_has_its_two_bytes() {
        // The example of the specification.
        assert_eq!(checksum(b"123456789"), 0x31c3);
        for wanted in 0..=u16::MAX {
            assert_eq!(checksum(&two_bytes_with(wanted)), wanted);
        }
    }

    #[test]
    fn a_tag_is_of_its_shards_slot_and_has_no_brace_that_ends_it() {
        for shard in 0..70_000 {
            let tag = hash_tag(shard);
            let slot = XxHash64::oneshot(0, shard_name(shard).as_bytes()) % SLOTS;
            assert_eq!(u64::from(checksum(&tag)) % SLOTS, slot);
            assert!(!tag.contains(&b'}'), "{shard}: {tag:?}");
        }
    }

    /// As three real nodes of Redis 7.0 and Envoy 1.40 had them: keys that change with a library's next
    /// version would be lost to all edges of before.
    #[test]
    fn tags_stay_what_they_are() {
        let slots = [0, 1, 63, 1_023].map(|shard| checksum(&hash_tag(shard)) & 0x3fff);
        assert_eq!(slots, [12_211, 8_227, 11_908, 11_375]);
    }
}
