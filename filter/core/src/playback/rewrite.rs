//! What is needed to have the token kept by a response.

use streamgate_manifest::Origin;

/// How a manifest is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    Identity,
    /// With gzip.
    Gzip,
}

/// Whether a manifest's body is held until all of it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It is.
    Until(End, Coding),
    /// It is passed on as it comes.
    No,
}

/// When a manifest that is held is whole, or too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// How many bytes it has, if that was told.
    pub length: Option<usize>,
    /// The most bytes it may have.
    pub max: usize,
}

/// What is needed to have the token kept by the response to a request under it: by the URLs of a manifest, or by
/// where a redirect leads.
#[derive(Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// What goes in front of paths: `/~` and the token.
    pub(super) prefix: String,
    /// The path that was asked for, without the token.
    pub(super) path: String,
    /// This host, as the request names it.
    pub(super) origin: Option<Origin>,
    /// Place of the protected path in the configuration.
    pub(super) path_index: usize,
    /// What the viewer has of the manifest, as its `If-None-Match` says.
    pub(super) known: Vec<u8>,
    /// The token may be one that a redirect gave.
    pub(super) is_redirected: bool,
    /// The most bytes of a manifest, unpacked; 0: it is none, or is left alone.
    pub(super) max: usize,
}

impl Rewrite {
    /// Whether the response may be a manifest that is rewritten.
    pub(crate) const fn is_of_manifest(&self) -> bool {
        self.max > 0
    }
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
