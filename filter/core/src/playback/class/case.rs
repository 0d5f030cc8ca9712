//! Names whatever the case of their letters.

/// Paths up to this many bytes are looked at without an allocation.
pub(super) const INLINE: usize = 512;

/// Hands `look` the path in lower case.
pub(super) fn in_lower_case<R>(path: &[u8], look: impl FnOnce(&[u8]) -> R) -> R {
    let mut inline = [0; INLINE];
    match inline.get_mut(..path.len()) {
        Some(room) => {
            room.copy_from_slice(path);
            room.make_ascii_lowercase();
            look(room)
        }
        None => look(&path.to_ascii_lowercase()),
    }
}
