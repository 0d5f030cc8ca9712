//! How a path is read: one reading for all that goes by paths.
//!
//! Origins differ. Some decode a path twice, some take `\` for `/`, some drop what follows a
//! `;`, merge slashes, ignore case, or drop what Windows drops. A path that means one file
//! to this filter and another to the origin leads around every rule that goes by paths, so
//! there is one [`Reading`] of a path, and protected prefixes, scopes of leases and tokens,
//! templates, classes and what is left out all go by it.
//!
//! The reading is the one that undoes all that any origin is known to undo. That is enough:
//! whatever an origin leaves undone, a prefix that its reading begins with is written in
//! plain bytes, and undoing more changes none of these. Two things are no matter of undoing
//! more, and are told apart: a dot segment, without which there is no reading at all
//! ([`UnreadablePath`]), and a separator that is hidden behind a `;`, which may end what is
//! dropped or be dropped with it ([`Reading::may_begin_with`]).

mod decode;
mod hidden;
mod segment;
mod unreadable;

pub use unreadable::UnreadablePath;

use std::ops::Deref;

use streamgate_bytes::{begins_with_any_case, is_plain, split_once};

use self::decode::decoded;
use self::segment::{climbs, is_separator, name};

/// Longer paths, in bytes, are not agreed on: players ask for none, and patterns would be
/// slow.
const AGREED_MAX: usize = 4_096;

/// A path as it is read, without its query: decoded until nothing is left to decode, with
/// `\` as `/`, without parameters (`;…`), without empty segments, without controls and
/// without what Windows drops from names (dots and blanks at the end, `:$…`). The case of
/// its letters is as it was asked for.
///
/// It is read as bytes: it derefs to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<'p> {
    /// The path as it was written.
    written: &'p [u8],
    /// What it reads, where that is something else.
    read: Option<Box<[u8]>>,
    is_agreed: bool,
    is_hiding: bool,
}

impl<'p> Reading<'p> {
    /// Reads a path; a query may follow.
    ///
    /// # Errors
    ///
    /// [`UnreadablePath`].
    pub fn of(path: &'p [u8]) -> Result<Self, UnreadablePath> {
        let (path, _) = split_once(path, b'?').unwrap_or((path, b""));
        // Every request passes through here, and nearly all paths are what they look like.
        if is_plain(path) {
            return Ok(Self {
                written: path,
                read: None,
                is_agreed: path.len() <= AGREED_MAX,
                is_hiding: false,
            });
        }
        read(path)
    }

    /// Whether origins agree which file is meant, but for the case of its letters. They do
    /// not where there is, in some decoding:
    ///
    /// - an encoded slash, a backslash: a separator to some, part of a name to others;
    /// - `;`: path parameters to servlet containers, which cut them off;
    /// - an encoded `?` or `%`, a `#`: what follows is cut off, or decoded once more;
    /// - control characters, NUL above all, and bytes that only overlong UTF-8 has;
    /// - what Windows drops from a name;
    /// - broken percent-encoding;
    ///
    /// and where the path is longer than 4 KiB. Players send none of them;
    /// `/film/1.ts%00.m3u8` is how somebody asks for `1.ts`.
    #[must_use]
    pub const fn is_agreed(&self) -> bool {
        self.is_agreed
    }

    /// Whether nothing had to be undone to read the path.
    #[must_use]
    pub const fn is_as_written(&self) -> bool {
        self.read.is_none()
    }

    /// Whether a separator is hidden in a parameter: origins differ in what is dropped.
    #[must_use]
    pub const fn is_hiding(&self) -> bool {
        self.is_hiding
    }

    /// Whether nothing follows in `path`, which this is the reading of: no query.
    #[must_use]
    pub const fn is_all_of(&self, path: &[u8]) -> bool {
        self.written.len() == path.len()
    }

    /// Whether some origin may read the path so that it begins with this, in whatever case.
    #[must_use]
    pub fn may_begin_with(&self, beginning: &[u8]) -> bool {
        begins_with_any_case(self, beginning)
            || (self.is_hiding && hidden::may_begin_with(self.written, beginning))
    }
}

impl Deref for Reading<'_> {
    type Target = [u8];

    // Called several times for each segment, and shorter than a call.
    #[inline(always)]
    fn deref(&self) -> &[u8] {
        self.read.as_deref().unwrap_or(self.written)
    }
}

fn read(path: &[u8]) -> Result<Reading<'_>, UnreadablePath> {
    let mut file = Vec::with_capacity(path.len().saturating_add(1));
    let mut is_agreed = path.len() <= AGREED_MAX;
    let mut is_hiding = false;
    let mut ends_in_slash = false;
    let mut segments = path.split(|byte| *byte == b'/');
    // Nothing stands before the first slash.
    if path.first() == Some(&b'/') {
        segments.next();
    }
    for written in segments {
        let segment = decoded(written)?;
        is_agreed &= segment.is_agreed;
        let mut in_parameter = false;
        for part in segment.bytes.split(|byte| is_separator(*byte)) {
            is_hiding |= in_parameter;
            if climbs(part, segment.is_written()) {
                return Err(UnreadablePath);
            }
            let name = name(part);
            in_parameter |= part.contains(&b';');
            // A name of dots alone means nobody's file, kept or dropped.
            is_agreed &= name.len() == part.len() || part.iter().all(|byte| *byte == b'.');
            ends_in_slash = name.is_empty();
            if !ends_in_slash {
                file.push(b'/');
                file.extend(name.iter().filter(|byte| !byte.is_ascii_control()));
            }
        }
    }
    if ends_in_slash || file.is_empty() {
        file.push(b'/');
    }
    Ok(Reading {
        written: path,
        read: Some(file.into()),
        is_agreed,
        is_hiding,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    fn read(path: &str) -> Option<String> {
        let reading = Reading::of(path.as_bytes()).ok()?;
        Some(String::from_utf8_lossy(&reading).into_owned())
    }

    #[test]
    fn every_spelling_reads_the_same() {
        for path in [
            "/vod/a b/1.ts",
            "/vod/a%20b/1.ts",
            "/vod/a%2520b/1.ts",
            "/%76od/a b/1%2ets",
            "//vod///a b//1.ts?x=/../",
            "/vod%2fa b%5c1.ts",
            "\\vod\\a b\\1.ts",
            "/vod%252fa b/1.ts",
            "/vod;x=1/a b/1.ts;y",
            "/vod./a b../1.ts.",
            "/vod%20/a b /1.ts",
            "/vod::$INDEX_ALLOCATION/a b/1.ts::$DATA",
            "/v%00od/a b/1.t%0as",
            "/vod%c0%afa b/1.ts",
            "/vod%u002fa b/1.ts",
            "vod/a b/1.ts",
        ] {
            assert_eq!(read(path).as_deref(), Some("/vod/a b/1.ts"), "{path}");
        }
    }

    #[test]
    fn what_is_read_reads_the_same_again() {
        for path in [
            "/a%2525b/c;d",
            "/%%332f",
            "/a%/b%zz",
            "/%e4%b8%ad/x:1",
            "/x/;y",
        ] {
            let once = read(path).unwrap();
            assert_eq!(read(&once), Some(once), "{path}");
        }
    }

    #[test]
    fn letters_of_another_case_are_those_of_unicode_too() {
        for path in [
            "/kids/x",
            "/\u{212a}id\u{17f}/x",
            "/%E2%84%AAid%c5%bf/x",
            "/%25E2%2584%25AAids/x",
            "/\u{212a}ids%2fx",
        ] {
            assert_eq!(read(path).as_deref(), Some("/kids/x"), "{path}");
        }
        for path in [
            "/\u{2129}ids/x",
            "/kid\u{17e}/x",
            "/%E2%84ids/x",
            "/kid%c5/x",
        ] {
            let reading = Reading::of(path.as_bytes()).unwrap();
            assert!(!reading.may_begin_with(b"/kids/"), "{path}");
        }
    }

    #[test]
    fn a_slash_at_the_end_stays_one() {
        for path in [
            "/vod/", "/vod//", "/vod/;x", "/vod%2f", "/vod\\", "/vod/%20", "/vod/.;/",
        ] {
            let expected = (!path.contains("/.;")).then_some("/vod/");
            assert_eq!(read(path).as_deref(), expected, "{path}");
        }
        for path in ["/", "//", "/;x", "/%2f"] {
            assert_eq!(read(path).as_deref(), Some("/"), "{path}");
        }
        assert_eq!(read("").as_deref(), Some(""));
    }

    #[test]
    fn dot_segments_have_no_reading() {
        for dots in [
            ".",
            "..",
            "%2e",
            "%2E.",
            "%252e%252e",
            "%25252e",
            "..;x",
            ";x/..",
            "..\\",
            "..%5c",
            "..%2f",
            "..%252f",
            "%2e%2e%255c",
            "..%20",
            ".%20.",
            "..%00",
            "..%00x",
            "..%3fx",
            "..%23",
            "..::$DATA",
            "%c0%ae.",
            "%e0%80%ae.",
            "%u002e.",
            "..%09",
            "%0a..",
            "x%2f..",
            "x%5c%2e",
            ";%2f..",
            "x;y%2f..;z",
        ] {
            for path in [
                format!("/{dots}"),
                format!("/{dots}/"),
                format!("/vod/{dots}/x?y"),
                format!("/a/{dots}"),
            ] {
                assert_eq!(Reading::of(path.as_bytes()), Err(UnreadablePath), "{path}");
            }
        }
    }

    #[test]
    fn ordinary_names_are_read() {
        for path in [
            "/a..b/x",
            "/a.../x...y",
            "/.well-known/x",
            "/name.ism/.mpd",
            "/..a",
            "/...b/c",
            "/a/.hidden",
            "/x?../..",
            "/x?a=/../b",
            "/a/;..",
            "/100%/x",
            "/a%20b/c%C3%BC",
            "/mp4:a.mp4/x",
            "/.../x",
        ] {
            assert!(read(path).is_some(), "{path}");
        }
    }

    #[test]
    fn who_encodes_over_and_over_is_not_read() {
        let nested = |times: usize| format!("/vod/{}41", "%".to_owned() + &"25".repeat(times));
        assert_eq!(read(&nested(2)).as_deref(), Some("/vod/A"));
        assert_eq!(Reading::of(nested(40).as_bytes()), Err(UnreadablePath));
    }

    #[test]
    fn some_origin_may_begin_where_a_parameter_ends() {
        let may = |path: &str, beginning: &str| {
            let reading = Reading::of(path.as_bytes()).unwrap();
            reading.may_begin_with(beginning.as_bytes())
        };
        for path in [
            "/vod/film/1.ts",
            "/VOD/Film/1.ts",
            "/vod;%2fb/film/1.ts",
            "/vod;\\b/film/1.ts",
            "/vod;%252fb%5c/film/1.ts",
            "/vod;a%2ffilm/1.ts",
            "/vod%3bx%2fb/film/1.ts",
            "/vod.;%2fb/film./1.ts",
        ] {
            assert!(may(path, "/vod/film/"), "{path}");
        }
        for path in [
            "/vod;a/x/film/1.ts",
            "/vod;%2fb/x/film/1.ts",
            "/a;%2fvod/",
            "/vo;%2f",
        ] {
            assert!(!may(path, "/vod/film/"), "{path}");
        }
    }
}
