//! Unpacking what an origin packed all the same.

use std::io::Read as _;

use flate2::bufread::MultiGzDecoder;

/// Why a body was not unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packed {
    /// It is no gzip, or was damaged on its way.
    Malformed,
    /// It is larger than allowed once unpacked.
    TooLarge,
}

/// Unpacks a gzip body of at most `max` bytes. No more than that is ever unpacked, however
/// much is packed.
///
/// # Errors
///
/// Why it is to be passed on as it is.
pub fn gunzip(body: &[u8], max: usize) -> Result<Vec<u8>, Packed> {
    let limit = u64::try_from(max.saturating_add(1)).unwrap_or(u64::MAX);
    let mut unpacked = Vec::new();
    let mut decoder = MultiGzDecoder::new(body).take(limit);
    match decoder.read_to_end(&mut unpacked) {
        Ok(_) if unpacked.len() > max => Err(Packed::TooLarge),
        Ok(_) => Ok(unpacked),
        Err(_) => Err(Packed::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

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
    }

    #[test]
    fn no_more_is_unpacked_than_allowed() {
        assert_eq!(gunzip(&gzip(b"#EXTM3U"), 6), Err(Packed::TooLarge));
        let bomb = gzip(&vec![0; 50_000_000]);
        assert!(bomb.len() < 100_000);
        assert_eq!(gunzip(&bomb, 1000), Err(Packed::TooLarge));
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
        let mut changed = whole.clone();
        let crc = changed.len() - 8;
        changed[crc] ^= 1;
        assert_eq!(gunzip(&changed, 100), Err(Packed::Malformed));
        assert_eq!(gunzip(b"#EXTM3U", 100), Err(Packed::Malformed));
    }
}
