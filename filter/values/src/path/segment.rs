//! A segment of a path, as origins may read it.

use streamgate_bytes::split_once;

pub(super) const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// What is left of a decoded segment: without its parameters, without the name of a stream
/// of the file (NTFS), without the dots and blanks at its end.
pub(super) fn name(segment: &[u8]) -> &[u8] {
    let (name, _) = split_once(segment, b';').unwrap_or((segment, b""));
    let begins_stream = |pair: &[u8]| matches!(pair, b":$" | b"::");
    let stream = name.windows(2).position(begins_stream);
    let name = stream.and_then(|at| name.get(..at)).unwrap_or(name);
    let is_dropped = |byte: &u8| matches!(byte, b'.' | b' ') || byte.is_ascii_control();
    let end = name.iter().rposition(|byte| !is_dropped(byte));
    name.get(..end.map_or(0, |at| at.saturating_add(1)))
        .unwrap_or_default()
}

/// Whether a decoded segment is `.` or `..`, or some origin takes it for that: with
/// something behind it that is cut off, with blanks as Windows drops them, with controls.
///
/// Of more dots, who drops those at the end and decodes once more may find two: `.%2e.`. So
/// these are only a name where they are `written` as such.
pub(super) fn climbs(segment: &[u8], is_written: bool) -> bool {
    if segment
        .first()
        .is_none_or(|byte| !matches!(byte, b'.' | 0..=b' ' | 0x7f))
    {
        return false;
    }
    let end = |byte: &u8| matches!(byte, b';' | b'?' | b'#' | b':' | 0);
    let name = segment.split(end).next().unwrap_or_default();
    let (mut dots, mut blanks) = (0_usize, 0_usize);
    for byte in name {
        match byte {
            b'.' => dots = dots.saturating_add(1),
            b' ' => blanks = blanks.saturating_add(1),
            byte if byte.is_ascii_control() => {}
            _ => return false,
        }
    }
    matches!(dots, 1 | 2) || (dots > 0 && (blanks > 0 || !is_written))
}
