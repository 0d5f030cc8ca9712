//! Tokens in front of paths, and paths that are what they look like.

/// `/~<token>/rest` into the token and `/rest`; what follows a token may also be
/// nothing, or a query alone.
#[must_use]
pub fn split_token(path: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let Some(after) = path.strip_prefix(b"/~") else {
        return (None, path);
    };
    let end = memchr::memchr2(b'/', b'?', after).unwrap_or(after.len());
    match after.split_at_checked(end) {
        Some((token, rest)) => (Some(token), rest),
        None => (None, path),
    }
}

/// Whether a path, without its query, has nothing that an origin could read in another way,
/// but for the case of its letters: it is empty or begins with a slash, has neither a
/// backslash, a `;` nor a byte up to `%` (controls, blanks, `#`, `$`, escapes) or beyond
/// ASCII, and no two slashes or dots stand beside each other, in whatever mixture.
#[must_use]
pub fn is_plain(path: &[u8]) -> bool {
    const ODD: u64 = u64::from_le_bytes([b'%' + 1; 8]);
    // Eight bytes at a time, the first of them lowest. A slash or a dot may be the last of
    // eight.
    let mut mark_before = 0;
    let (chunks, rest) = path.as_chunks::<8>();
    let mut last = [b'~'; 8];
    for (to, byte) in last.iter_mut().zip(rest) {
        *to = *byte;
    }
    let starts = matches!(path.first(), None | Some(b'/'));
    let ends = !matches!(path.last(), Some(b'.'));
    starts
        && ends
        && chunks.iter().chain([&last]).all(|chunk| {
            let bytes = u64::from_le_bytes(*chunk);
            let marks = !(differs(b'/', bytes) & differs(b'.', bytes)) & HIGH;
            let after_mark = (marks << 8) | mark_before;
            mark_before = marks >> 56;
            // With its highest bit set, no byte borrows from the next, and keeps that bit
            // where it is not below.
            let neither = differs(b'\\', bytes) & differs(b';', bytes);
            let always = (!(neither & (bytes | HIGH).wrapping_sub(ODD)) | bytes) & HIGH;
            always | (after_mark & marks) == 0
        })
}

/// The highest bit of each of eight bytes.
const HIGH: u64 = u64::from_le_bytes([0x80; 8]);

/// Which of eight ASCII bytes are another one, by their highest bits; what the lower bits say
/// means nothing. A byte beyond ASCII may spoil its neighbours'.
const fn differs(byte: u8, bytes: u64) -> u64 {
    const LOW: u64 = u64::from_le_bytes([0x7f; 8]);
    // Whatever is not zero carries into the highest bit, and no further.
    (bytes ^ u64::from_le_bytes([byte; 8])).wrapping_add(LOW)
}

#[cfg(test)]
mod tests {
    use super::{is_plain, split_token};
    use crate::test;

    #[test]
    fn a_token_ends_where_the_path_or_its_query_begins() {
        let cases: [(&str, Option<&str>, &str); 6] = [
            ("/~abc/vod/x", Some("abc"), "/vod/x"),
            ("/~abc?x", Some("abc"), "?x"),
            ("/~abc", Some("abc"), ""),
            ("/~/vod", Some(""), "/vod"),
            ("/vod/~abc", None, "/vod/~abc"),
            ("", None, ""),
        ];
        for (path, token, rest) in cases {
            let expected = (token.map(str::as_bytes), rest.as_bytes());
            assert_eq!(split_token(path.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn plain_paths_are_told_from_others_wherever_what_tells_them_stands() {
        for length in 1..40 {
            let name = |at| b"ab-_~Z:=(@,'*[&"[at % 15];
            let plain: Vec<u8> = b"/".iter().copied().chain((1..length).map(name)).collect();
            assert!(is_plain(&plain), "{plain:?}");
            for at in 1..length {
                for byte in (0..=b'%').chain([b'\\', b';']).chain(0x80..=0xff) {
                    let mut path = plain.clone();
                    path[at] = byte;
                    assert!(!is_plain(&path), "{path:?}");
                }
                for pair in [b"//", b"/.", b"./"] {
                    let mut path = plain.clone();
                    path.splice(at..=at, *pair);
                    assert!(!is_plain(&path), "{path:?}");
                }
                for byte in [b'/', b'.'] {
                    let mut path = plain.clone();
                    path.splice(at..=at, [b'x', byte, b'x']);
                    assert!(is_plain(&path), "{path:?}");
                }
            }
        }
        for plain in [&b""[..], b"/", b"/a/b.c/d/", b"/a.b/c-d.e"] {
            assert!(is_plain(plain), "{plain:?}");
        }
        for odd in [&b"a"[..], b"*", b"/a.", b"/a/..", b"//", b"/.", b"/a..b"] {
            assert!(!is_plain(odd), "{odd:?}");
        }
    }
}
