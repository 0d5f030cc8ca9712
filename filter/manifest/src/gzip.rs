//! Unpacking what an origin packed with gzip (RFC 1952).
//!
//! The library unpacks; its frame, a head and a checksum, is read here: what reads frames for
//! any use has three times the size.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF as WHOLE_OUTPUT;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// Why a body was not unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packed {
    /// It is no gzip, or was damaged on its way.
    Malformed,
    /// It is larger than allowed once unpacked.
    TooLarge,
}

/// With how much room unpacking begins, in bytes.
const ROOM: usize = 65_536;

/// Unpacks a gzip body of at most `max` bytes. No more than that is ever unpacked, however
/// much is packed.
///
/// # Errors
///
/// Why it is to be passed on as it is.
pub fn gunzip(body: &[u8], max: usize) -> Result<Vec<u8>, Packed> {
    let mut unpacked = Vec::new();
    let mut rest = body;
    // There may be several, one after the other.
    loop {
        let packed = behind_head(rest).ok_or(Packed::Malformed)?;
        let start = unpacked.len();
        let consumed = inflate(packed, &mut unpacked, max)?;
        let trailer = packed.get(consumed..).unwrap_or_default();
        let Some((trailer, behind)) = trailer.split_first_chunk::<8>() else {
            return Err(Packed::Malformed);
        };
        let member = unpacked.get(start..).unwrap_or_default();
        let [a, b, c, d, e, f, g, h] = *trailer;
        let length = u64::from(u32::from_le_bytes([e, f, g, h]));
        let is_whole = u64::try_from(member.len()).is_ok_and(|len| len & 0xffff_ffff == length);
        if !is_whole || crc32(member) != u32::from_le_bytes([a, b, c, d]) {
            return Err(Packed::Malformed);
        }
        rest = behind;
        if rest.is_empty() {
            return Ok(unpacked);
        }
    }
}

/// What follows the head of a gzip member.
fn behind_head(member: &[u8]) -> Option<&[u8]> {
    const TEXT: u8 = 1;
    const CHECKSUM: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    const KNOWN: u8 = TEXT | CHECKSUM | EXTRA | NAME | COMMENT;

    let (head, mut rest) = member.split_first_chunk::<10>()?;
    let [0x1f, 0x8b, 8, flags, ..] = *head else {
        return None;
    };
    if flags & !KNOWN != 0 {
        return None;
    }
    if flags & EXTRA != 0 {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        rest = behind.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = memchr::memchr(0, rest)?;
            rest = rest.get(end.checked_add(1)?..)?;
        }
    }
    if flags & CHECKSUM != 0 {
        rest = rest.get(2..)?;
    }
    Some(rest)
}

/// Unpacks onto the end of `unpacked`; how many bytes of `packed` that took.
fn inflate(packed: &[u8], unpacked: &mut Vec<u8>, max: usize) -> Result<usize, Packed> {
    let mut decompressor = Box::<DecompressorOxide>::default();
    let start = unpacked.len();
    let (mut consumed, mut length) = (0_usize, start);
    loop {
        // A byte more than allowed tells that there is more.
        let most = max.saturating_add(1);
        let room = length.saturating_mul(2).max(length.saturating_add(ROOM));
        unpacked.resize(room.min(most).max(length), 0);
        let input = packed.get(consumed..).unwrap_or_default();
        let output = unpacked.get_mut(start..).unwrap_or_default();
        let at = length.saturating_sub(start);
        let (status, read, written) =
            decompress(&mut decompressor, input, output, at, WHOLE_OUTPUT);
        consumed = consumed.saturating_add(read);
        length = length.saturating_add(written);
        if length > max {
            return Err(Packed::TooLarge);
        }
        match status {
            TINFLStatus::Done => {
                unpacked.truncate(length);
                return Ok(consumed);
            }
            TINFLStatus::HasMoreOutput => {}
            _ => return Err(Packed::Malformed),
        }
    }
}

/// The checksum of gzip, a byte at a time.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        let [low, ..] = crc.to_le_bytes();
        let entry = TABLE.get(usize::from(low ^ byte)).copied();
        crc = (crc >> 8) ^ entry.unwrap_or_default();
    }
    !crc
}

/// What each byte adds to it.
static TABLE: [u32; 256] = table();

#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "computed when it is compiled"
)]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use std::io::Write as _;

    use flate2::write::GzEncoder;
    use flate2::{Compression, GzBuilder};
    use proptest::prelude::*;

    use super::*;
    use crate::test;

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(body).expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        assert_eq!(gunzip(&gzip(b"#EXTM3U"), 7), Ok(b"#EXTM3U".to_vec()));
        assert_eq!(gunzip(&gzip(b""), 0), Ok(Vec::new()));
        let two = [gzip(b"#EXT"), gzip(b"M3U")].concat();
        assert_eq!(gunzip(&two, 7), Ok(b"#EXTM3U".to_vec()));
        let large: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        assert_eq!(gunzip(&gzip(&large), large.len()).as_ref(), Ok(&large));
        assert_eq!(
            gunzip(&gzip(&large), large.len() - 1),
            Err(Packed::TooLarge)
        );
    }

    #[test]
    fn a_head_may_say_more() {
        let head = GzBuilder::new()
            .filename("master.m3u8")
            .comment("a playlist")
            .extra(vec![7; 300])
            .mtime(7);
        let mut encoder = head.write(Vec::new(), Compression::fast());
        encoder.write_all(b"#EXTM3U").expect("memory");
        let mut body = encoder.finish().expect("memory");
        assert_eq!(gunzip(&body, 7), Ok(b"#EXTM3U".to_vec()));
        body[3] |= 0x80;
        assert_eq!(gunzip(&body, 7), Err(Packed::Malformed));
    }

    #[test]
    fn no_more_is_unpacked_than_allowed() {
        assert_eq!(gunzip(&gzip(b"#EXTM3U"), 6), Err(Packed::TooLarge));
        let bomb = gzip(&vec![0; 50_000_000]);
        assert!(bomb.len() < 100_000);
        assert_eq!(gunzip(&bomb, 1000), Err(Packed::TooLarge));
        let two = [gzip(b"#EXT"), bomb].concat();
        assert_eq!(gunzip(&two, 1000), Err(Packed::TooLarge));
    }

    #[test]
    fn damage_is_noticed() {
        let whole = gzip(b"#EXTM3U #EXTM3U");
        for length in 0..whole.len() {
            assert_eq!(
                gunzip(&whole[..length], 100),
                Err(Packed::Malformed),
                "{length}"
            );
        }
        for from_end in 1..=8 {
            let mut changed = whole.clone();
            let at = changed.len() - from_end;
            changed[at] ^= 1;
            assert_eq!(gunzip(&changed, 100), Err(Packed::Malformed));
        }
        assert_eq!(gunzip(b"#EXTM3U", 100), Err(Packed::Malformed));
        assert_eq!(
            gunzip(&[&whole[..], b"x"].concat(), 100),
            Err(Packed::Malformed)
        );
    }

    proptest! {
        #[test]
        fn all_that_a_library_packs_is_unpacked_and_any_bytes_are_borne(
            body in prop::collection::vec(any::<u8>(), 0..3_000),
            level in 0..10_u32,
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
            encoder.write_all(&body).expect("memory");
            let mut packed = encoder.finish().expect("memory");
            prop_assert_eq!(gunzip(&packed, body.len()), Ok(body.clone()));
            let at = at.index(packed.len());
            packed[at] = byte;
            let _ = gunzip(&packed, body.len());
            let _ = gunzip(&body, 100);
        }
    }
}
