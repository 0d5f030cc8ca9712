//! Who has something to ask in which slice.

/// A calendar of slices: as many as fit, then it begins again.
#[derive(Debug)]
pub(super) struct Wheel {
    slices: Vec<Vec<u32>>,
}

impl Wheel {
    /// One that looks ahead by fewer slices than this.
    pub(super) fn new(ahead: u64) -> Self {
        let count = usize::try_from(ahead).expect("not that far") + 1;
        Self {
            slices: vec![Vec::new(); count],
        }
    }

    pub(super) fn put(&mut self, slice: u64, viewer: u32) {
        let at = self.at(slice);
        self.slices[at].push(viewer);
    }

    pub(super) fn take(&mut self, slice: u64) -> Vec<u32> {
        let at = self.at(slice);
        core::mem::take(&mut self.slices[at])
    }

    fn at(&self, slice: u64) -> usize {
        let count = self.slices.len() as u64;
        usize::try_from(slice % count).expect("below the count")
    }
}
