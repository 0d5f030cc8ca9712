//! CBOR (RFC 8949) as far as a token needs it: every read is of a whole item, what is
//! nested deep, of indefinite length or left over is refused, nothing is copied.

use minicbor::Decoder;
use minicbor::data::Type;

/// How deep arrays, maps and tags may nest.
const DEPTH_MAX: u8 = 16;

/// The most entries of a map.
const ENTRIES_MAX: usize = 64;

/// Bytes that are not the one item that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MalformedCbor;

impl From<minicbor::decode::Error> for MalformedCbor {
    fn from(_: minicbor::decode::Error) -> Self {
        Self
    }
}

/// What names an entry of a map: a claim, a header parameter (RFC 9052, section 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label<'a> {
    Int(i64),
    Text(&'a str),
}

/// A map's entries in their order, values as encoded. No label comes twice.
pub(super) type Entries<'a> = Vec<(Label<'a>, &'a [u8])>;

/// The entries of a map.
pub(super) fn entries(item: &[u8]) -> Result<Entries<'_>, MalformedCbor> {
    whole(item, |decoder| {
        let count = decoder.map()?.ok_or(MalformedCbor)?;
        let mut entries: Entries<'_> = Vec::new();
        for _ in 0..count {
            let label = match decoder.datatype()? {
                Type::String => Label::Text(decoder.str()?),
                _ => Label::Int(decoder.i64()?),
            };
            if entries.len() == ENTRIES_MAX || entries.iter().any(|(known, _)| *known == label) {
                return Err(MalformedCbor);
            }
            entries.push((label, next(decoder)?));
        }
        Ok(entries)
    })
}

/// The value under a label.
pub(super) fn find<'a>(entries: &Entries<'a>, label: Label<'_>) -> Option<&'a [u8]> {
    let found = entries.iter().find(|(known, _)| *known == label);
    found.map(|(_, value)| *value)
}

/// The elements of an array, as encoded.
pub(super) fn elements(item: &[u8]) -> Result<Vec<&[u8]>, MalformedCbor> {
    whole(item, |decoder| {
        let count = decoder.array()?.ok_or(MalformedCbor)?;
        (0..count).map(|_| next(decoder)).collect()
    })
}

/// A tag's number and the item behind it, if the item is tagged.
pub(super) fn tagged(item: &[u8]) -> Result<Option<(u64, &[u8])>, MalformedCbor> {
    let mut decoder = Decoder::new(item);
    if decoder.datatype()? != Type::Tag {
        return Ok(None);
    }
    let tag = decoder.tag()?.as_u64();
    let inner = item.get(decoder.position()..).ok_or(MalformedCbor)?;
    Ok(Some((tag, inner)))
}

pub(super) fn bytes(item: &[u8]) -> Result<&[u8], MalformedCbor> {
    whole(item, |decoder| Ok(decoder.bytes()?))
}

pub(super) fn text(item: &[u8]) -> Result<&str, MalformedCbor> {
    whole(item, |decoder| Ok(decoder.str()?))
}

pub(super) fn integer(item: &[u8]) -> Result<i64, MalformedCbor> {
    whole(item, |decoder| Ok(decoder.i64()?))
}

/// A number of seconds, whole or not, in milliseconds; 0 if negative, the largest
/// number if too large. RFC 8392, section 2 (NumericDate) allows both encodings.
pub(super) fn seconds_as_ms(item: &[u8]) -> Result<u64, MalformedCbor> {
    whole(item, |decoder| match decoder.datatype()? {
        Type::F32 | Type::F64 => {
            let seconds = decoder.f64()?;
            if !seconds.is_finite() {
                return Err(MalformedCbor);
            }
            // The conversion saturates at both ends.
            Ok((seconds * 1000.0) as u64)
        }
        _ => {
            let seconds = i128::from(decoder.int()?).max(0);
            Ok(u64::try_from(seconds)
                .unwrap_or(u64::MAX)
                .saturating_mul(1000))
        }
    })
}

/// What `read` makes of an item that it must use up.
fn whole<'a, T>(
    item: &'a [u8],
    read: impl FnOnce(&mut Decoder<'a>) -> Result<T, MalformedCbor>,
) -> Result<T, MalformedCbor> {
    let mut decoder = Decoder::new(item);
    let value = read(&mut decoder)?;
    if decoder.position() == item.len() {
        Ok(value)
    } else {
        Err(MalformedCbor)
    }
}

/// The next item as encoded.
fn next<'a>(decoder: &mut Decoder<'a>) -> Result<&'a [u8], MalformedCbor> {
    let start = decoder.position();
    pass(decoder, DEPTH_MAX)?;
    let item = decoder.input().get(start..decoder.position());
    item.ok_or(MalformedCbor)
}

/// Goes past one item. A length that was made up costs nothing: each round reads at
/// least one byte that is there.
fn pass(decoder: &mut Decoder<'_>, depth: u8) -> Result<(), MalformedCbor> {
    let inner = depth.checked_sub(1).ok_or(MalformedCbor)?;
    match decoder.datatype()? {
        Type::Array => {
            for _ in 0..decoder.array()?.ok_or(MalformedCbor)? {
                pass(decoder, inner)?;
            }
        }
        Type::Map => {
            for _ in 0..decoder.map()?.ok_or(MalformedCbor)? {
                pass(decoder, inner)?;
                pass(decoder, inner)?;
            }
        }
        Type::Tag => {
            decoder.tag()?;
            pass(decoder, inner)?;
        }
        Type::BytesIndef
        | Type::StringIndef
        | Type::ArrayIndef
        | Type::MapIndef
        | Type::Break
        | Type::Unknown(_) => return Err(MalformedCbor),
        // Bytes and text of a known length, numbers and simple values.
        _ => decoder.skip()?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn a_map_is_read_by_label_without_being_copied() {
        // {1: "a", "b": [1, {2: h''}]}
        let item = b"\xa2\x01\x61a\x61b\x82\x01\xa1\x02\x40";
        let expected = vec![
            (Label::Int(1), &b"\x61a"[..]),
            (Label::Text("b"), b"\x82\x01\xa1\x02\x40"),
        ];
        assert_eq!(entries(item), Ok(expected));
        assert_eq!(elements(b"\x82\x01\x61a"), Ok(vec![&b"\x01"[..], b"\x61a"]));
        assert_eq!(tagged(b"\xd8\x3d\x01"), Ok(Some((61, &b"\x01"[..]))));
        assert_eq!(tagged(b"\x01"), Ok(None));
    }

    #[test]
    fn numbers_and_simple_values_are_as_long_as_their_first_byte_says() {
        let items: [&[u8]; 14] = [
            b"\x17",
            b"\x18\xff",
            b"\x19\x01\0",
            b"\x1a\0\x01\0\0",
            b"\x1b\0\0\0\x01\0\0\0\0",
            b"\x20",
            b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\xe0",
            b"\xf8\xff",
            b"\xf4",
            b"\xf6",
            b"\xf9\x3c\0",
            b"\xfa\x3f\x80\0\0",
            b"\xfb\x3f\xf0\0\0\0\0\0\0",
        ];
        let array = [&[0x80 + 14], &items.concat()[..]].concat();
        assert_eq!(elements(&array), Ok(items.to_vec()));
        for item in items {
            let (_, short) = item.split_last().unwrap();
            let array = [b"\x82\0", short].concat();
            assert_eq!(elements(&array), Err(MalformedCbor), "{item:x?}");
        }
    }

    #[test]
    fn what_is_ambiguous_or_broken_is_refused() {
        for (why, bad) in [
            ("nothing", &b""[..]),
            ("not a map", b"\x80"),
            ("left over", b"\xa1\x01\x01\x00"),
            ("cut short", b"\xa1\x01"),
            ("a label twice", b"\xa2\x01\x01\x01\x02"),
            ("indefinite length", b"\xbf\x01\x01\xff"),
            ("indefinite length inside", b"\xa1\x01\x9f\xff"),
            ("indefinite text inside", b"\xa1\x01\x7f\x61a\xff"),
            ("indefinite length in a map", b"\xa1\x01\xa1\x01\x9f\xff"),
            ("indefinite length under a tag", b"\xa1\x01\xc1\x9f\xff"),
            ("a label that is bytes", b"\xa1\x41\x01\x01"),
            ("no UTF-8", b"\xa1\x01\x61\xff"),
            (
                "a length that is made up",
                b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
            ),
            (
                "one inside",
                b"\xa1\x01\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
            ),
            ("a reserved form", b"\xa1\x01\x1c"),
            ("a stray break", b"\xa1\x01\xff"),
        ] {
            assert_eq!(entries(bad), Err(MalformedCbor), "{why}");
        }
        // Arrays, maps and tags, one in the other.
        for head in [&b"\x81"[..], b"\xa1\x01", b"\xc1"] {
            let deep = |depth: usize| [b"\x81", &head.repeat(depth)[..], b"\x01"].concat();
            let deepest = usize::from(DEPTH_MAX) - 1;
            assert!(elements(&deep(deepest)).is_ok(), "{head:x?}");
            assert_eq!(
                elements(&deep(deepest + 1)),
                Err(MalformedCbor),
                "{head:x?}"
            );
        }

        let many: Vec<u8> = (0..=64).flat_map(|n| [0x18, n + 100, 0]).collect();
        assert!(entries(&[&[0xb8, 64], &many[..192]].concat()).is_ok());
        assert_eq!(
            entries(&[&[0xb8, 65], &many[..]].concat()),
            Err(MalformedCbor)
        );
    }

    #[test]
    fn seconds_are_integers_or_floats() {
        assert_eq!(seconds_as_ms(b"\x0a"), Ok(10_000));
        assert_eq!(seconds_as_ms(b"\xfb\x3f\xf8\0\0\0\0\0\0"), Ok(1_500));
        assert_eq!(seconds_as_ms(b"\xfa\x3f\xc0\0\0"), Ok(1_500));
        assert_eq!(seconds_as_ms(b"\x29"), Ok(0));
        assert_eq!(seconds_as_ms(b"\xfb\xbf\xf8\0\0\0\0\0\0"), Ok(0));
        let largest = b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff";
        assert_eq!(seconds_as_ms(largest), Ok(u64::MAX));
        for bad in [
            &b"\xfb\x7f\xf8\0\0\0\0\0\0"[..],
            b"\xfa\x7f\x80\0\0",
            b"\x611",
            b"\xc1\x01",
        ] {
            assert_eq!(seconds_as_ms(bad), Err(MalformedCbor));
        }
    }
}
