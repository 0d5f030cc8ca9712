//! What is needed to rewrite a manifest.

/// What is needed to rewrite the manifest that answers a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// What goes in front of paths: `/~` and the token.
    pub(super) prefix: String,
    /// The path that was asked for, without the token.
    pub(super) path: String,
    pub(super) scheme: String,
    pub(super) authority: String,
    /// The token may be one that a redirect gave.
    pub(super) is_redirected: bool,
    /// The most bytes of a manifest, unpacked.
    pub(super) max: usize,
}

impl core::fmt::Debug for Rewrite {
    /// Without the prefix, which holds a token.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Rewrite")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
