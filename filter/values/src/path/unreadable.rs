//! A path that nobody can be sure of.

/// A path that has a dot segment in some decoding, or is encoded over and over. No player
/// sends one, and every way to climb out of a prefix needs one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnreadablePath;
