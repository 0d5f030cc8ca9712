//! One spelling for every path, or none for paths that origins read differently.

use streamgate_bytes::{spell, split_once};

/// Paths up to this many bytes are looked at without an allocation.
const INLINE: usize = 512;

/// Longer paths, in bytes, have no plain spelling: players ask for none, and patterns
/// would be slow.
const LENGTH_MAX: usize = 4_096;

/// Hands `look` the path in its plain spelling: without the query, percent-decoded,
/// ASCII letters in lower case, runs of slashes as one. `None` where origins do not
/// agree which file is meant:
///
/// - a dot segment, encoded or not, also with the blanks that Windows drops;
/// - an encoded slash, a backslash: a separator to some, part of a name to others;
/// - `;`: path parameters to servlet containers, which cut them off;
/// - an encoded `?` or `%`, a `#`: what follows is cut off, or decoded once more;
/// - control characters, NUL above all, and bytes that only overlong UTF-8 has;
/// - broken percent-encoding;
///
/// and where it is longer than [`LENGTH_MAX`].
///
/// Players send none of them; `/film/1.ts%00.m3u8` is how somebody asks for `1.ts`.
pub(super) fn plain<R>(path: &[u8], look: impl FnOnce(Option<&[u8]>) -> R) -> R {
    let (path, _) = split_once(path, b'?').unwrap_or((path, b""));
    if path.len() > LENGTH_MAX {
        return look(None);
    }
    let mut inline = [0; INLINE];
    let mut allocated;
    let room = if path.len() <= INLINE {
        inline.as_mut_slice()
    } else {
        allocated = vec![0; path.len()];
        allocated.as_mut_slice()
    };
    look(spell(path, room))
}
