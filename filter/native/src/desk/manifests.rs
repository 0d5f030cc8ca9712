//! The manifests that a worker holds until they are whole.

use super::{Desk, Kept};
use crate::host::Process;
use crate::manifest::{Collected, WholeManifest};

/// The most bytes of manifests that a worker holds at once. What comes on top is passed on as
/// it is.
const HELD_MAX: usize = 33_554_432;

impl Desk {
    /// A piece of a collected manifest is there.
    pub(crate) fn on_manifest(
        &mut self,
        process: &Process,
        ticket: u32,
        mut piece: Vec<u8>,
        ends: bool,
    ) -> Collected {
        let Some(Kept::Manifest(mut manifest)) = self.kept.remove(&ticket) else {
            return Collected::PassOn(piece);
        };
        self.held = self.held.saturating_add(piece.len());
        manifest.body.append(&mut piece);
        if self.held > HELD_MAX || manifest.body.len() > manifest.end.max {
            manifest.rewrite.pass_on(process);
            self.held = self.held.saturating_sub(manifest.body.len());
            return Collected::PassOn(manifest.body);
        }
        if manifest.is_more_to_come(ends) {
            self.kept.insert(ticket, Kept::Manifest(manifest));
            return Collected::More;
        }
        self.held = self.held.saturating_sub(manifest.body.len());
        Collected::Whole(manifest.whole(&self.edge, process))
    }

    /// A collected manifest has ended, and its last piece was not known for it.
    pub(crate) fn on_manifest_end(
        &mut self,
        process: &Process,
        ticket: u32,
    ) -> Option<WholeManifest> {
        let Some(Kept::Manifest(manifest)) = self.kept.remove(&ticket) else {
            return None;
        };
        self.held = self.held.saturating_sub(manifest.body.len());
        Some(manifest.whole(&self.edge, process))
    }
}
