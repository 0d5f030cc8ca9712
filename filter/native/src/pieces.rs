//! The pieces of a response's body on their way to the viewer, as its request knows them.

use core::cell::Cell;

/// How many bytes may have gone to the viewer before the worker's desk is told of them. A viewer takes two seconds
/// for so many at the pace that a burst is thought to reach him, if he is not faster.
const UNTOLD_MAX: usize = 262_144;

/// What has gone to the viewer. The worker's desk, behind its lock, is told of it where the response is large or
/// takes longer than to the next tick: a segment of ordinary size has ended by then, and costs no more than
/// an addition for each piece.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    /// Bytes that the desk was not told of.
    untold: Cell<usize>,
    /// The tick at which it was last told of any, or the response began.
    told_at: Cell<u32>,
}

impl Pieces {
    /// The response begins, after so many ticks.
    pub(crate) fn begin(&self, ticks: u32) {
        self.told_at.set(ticks);
    }

    /// So many bytes more go to the viewer, and it is not the end; those that the desk is to be told of now, if it is.
    pub(crate) fn pass(&self, bytes: usize, ticks: u32) -> Option<usize> {
        let untold = self.untold.get().saturating_add(bytes);
        let is_early = untold < UNTOLD_MAX && self.told_at.get() == ticks;
        self.untold.set(if is_early { untold } else { 0 });
        self.told_at.set(ticks);
        (!is_early).then_some(untold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_small_and_quick_is_told_to_nobody() {
        let pieces = Pieces::default();
        pieces.begin(7);
        for _ in 0..13 {
            assert_eq!(pieces.pass(16_384, 7), None);
        }
    }

    #[test]
    fn what_is_large_or_slow_is_told_and_no_byte_twice() {
        let pieces = Pieces::default();
        pieces.begin(7);
        assert_eq!(pieces.pass(UNTOLD_MAX - 1, 7), None);
        assert_eq!(pieces.pass(1, 7), Some(UNTOLD_MAX));
        assert_eq!(pieces.pass(10, 7), None);
        // The next tick has come.
        assert_eq!(pieces.pass(1, 8), Some(11));
        assert_eq!(pieces.pass(5, 8), None);
        // Any other number is another tick: they are counted round.
        assert_eq!(pieces.pass(0, 0), Some(5));
        assert_eq!(pieces.pass(usize::MAX, 0), Some(usize::MAX));
    }
}
