//! A manifest that is held until it is whole, so that its URLs can be rewritten.

use streamgate_core::edge::Edge;
use streamgate_core::playback::{Coding, End, Rewrite};

use crate::host::Process;

/// A manifest of which some is there.
pub(crate) struct HeldManifest {
    pub(crate) rewrite: Box<Rewrite>,
    pub(crate) coding: Coding,
    pub(crate) end: End,
    pub(crate) body: Vec<u8>,
}

/// What becomes of a manifest after a piece of it.
pub(crate) enum Collected {
    /// More is to come.
    More,
    /// It is too much: it is passed on as it came.
    PassOn(Vec<u8>),
    /// It is whole.
    Whole(WholeManifest),
}

/// A manifest as it goes to the viewer.
pub(crate) struct WholeManifest {
    pub(crate) body: Vec<u8>,
    pub(crate) is_rewritten: bool,
    /// It is packed, as it came.
    pub(crate) is_packed: bool,
}

impl HeldManifest {
    /// A piece was put to it; `ends` where it is the last. `is_too_much`: of all that the
    /// worker holds.
    pub(crate) fn is_more_to_come(&self, ends: bool) -> bool {
        // Trailers may follow, and nothing can be put in front of those.
        !ends && self.end.length != Some(self.body.len())
    }

    /// Its URLs are rewritten, if need be.
    pub(crate) fn whole(self, edge: &Edge, process: &Process) -> WholeManifest {
        let rewritten = edge.rewrite_manifest(process, &self.rewrite, self.coding, &self.body);
        let is_rewritten = rewritten.is_some();
        WholeManifest {
            is_rewritten,
            is_packed: !is_rewritten && self.coding == Coding::Gzip,
            body: rewritten.unwrap_or(self.body),
        }
    }
}
