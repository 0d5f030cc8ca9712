//! What plays for a session under a key of its own.

use streamgate_values::stream_key::StreamKey;

/// The player of a session that has a stream key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum SessionPlayer {
    /// There is none, and will be none.
    #[default]
    None,
    /// It has not begun yet.
    Awaited,
    /// It plays under this key, which is the session's own where the player was there first.
    Known(StreamKey),
}
