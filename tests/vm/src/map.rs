//! Header maps as proxy-wasm hands them over: number of pairs, lengths of each name and
//! value, then each followed by a zero byte; numbers are 32 bits, little-endian.

/// Names and values in their order.
pub(crate) type Map = Vec<(String, Vec<u8>)>;

/// The value of the first header called `name`.
pub(crate) fn first<'a>(map: &'a Map, name: &str) -> Option<&'a [u8]> {
    let mut pairs = map.iter();
    pairs
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_slice())
}

pub(crate) fn encode(map: &Map) -> Vec<u8> {
    let number = |n: usize| u32::try_from(n).expect("a short header").to_le_bytes();
    let mut bytes = number(map.len()).to_vec();
    for (name, value) in map {
        bytes.extend(number(name.len()));
        bytes.extend(number(value.len()));
    }
    for (name, value) in map {
        for part in [name.as_bytes(), value] {
            bytes.extend(part);
            bytes.push(0);
        }
    }
    bytes
}

/// Reads an encoded map; `None` if the bytes are none.
pub(crate) fn decode(bytes: &[u8]) -> Option<Map> {
    if bytes.is_empty() {
        return Some(Map::new());
    }
    let number = |at: usize| {
        let (bytes, _) = bytes.get(at..)?.split_first_chunk()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let pairs = number(0)?;
    let mut at = 4 + pairs * 8;
    let mut part = |length: usize| {
        let part = bytes.get(at..at + length)?;
        at += length + 1;
        Some(part.to_vec())
    };
    (0..pairs)
        .map(|pair| {
            let name = part(number(4 + pair * 8)?)?;
            let value = part(number(8 + pair * 8)?)?;
            Some((String::from_utf8(name).ok()?, value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_laid_out_as_the_abi_says() {
        let map = vec![
            (":path".to_owned(), b"/a".to_vec()),
            ("x".to_owned(), b"\xff".to_vec()),
        ];
        let bytes = b"\x02\0\0\0\x05\0\0\0\x02\0\0\0\x01\0\0\0\x01\0\0\0:path\0/a\0x\0\xff\0";
        assert_eq!(encode(&map), bytes);
        assert_eq!(decode(bytes), Some(map));
        assert_eq!(decode(&bytes[..bytes.len() - 3]), None);
        assert_eq!(decode(b""), Some(Map::new()));
    }
}
