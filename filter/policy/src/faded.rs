//! What is left of an end that no watermark can hold, once there is no room for its reason.

use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

/// The most such ends remembered for one subject, besides the tombstones.
pub const FADED_KEPT_MAX: usize = 56;

/// Eight bytes that stand for a stream with an id from outside: the beginning of its key, which
/// is a hash already.
pub type KeyPrefix = [u8; 8];

/// That a stream with an id from outside was ended, and when. Such an id does not say when it
/// was issued, so that the watermark does not hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faded {
    /// Which stream.
    pub key_prefix: KeyPrefix,
    /// When it ended, or was refused last because of that.
    pub at: Moment,
}

/// What stands for a stream; `None` if an edge issued its key.
#[must_use]
pub fn key_prefix_of(key: &StreamKey) -> Option<KeyPrefix> {
    let [a, b, c, d, e, f, g, h, ..] = *key.as_bytes();
    let is_external = key.issued_at().is_none();
    is_external.then_some([a, b, c, d, e, f, g, h])
}
