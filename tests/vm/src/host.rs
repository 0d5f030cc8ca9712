//! What all workers of one Envoy have in common.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use crate::shared_data::SharedData;

/// When every host begins: 2030-01-01T00:00:00Z, in nanoseconds since the epoch.
const BEGINNING_NS: u64 = 1_893_456_000_000_000_000;

/// The host of several workers: clock, shared data, statistics. Clones are the same.
#[derive(Debug, Clone)]
pub struct Host(Rc<RefCell<State>>);

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) now_ns: u64,
    pub(crate) shared_data: SharedData,
    /// Names and values; a metric's id is its place.
    pub(crate) metrics: Vec<(String, u64)>,
    /// Where the sequence of random numbers has come to.
    dealt: u64,
}

impl Host {
    /// A host on which nothing has happened yet.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a host is begun, not defaulted to"
    )]
    pub fn new() -> Self {
        Self(Rc::new(RefCell::new(State {
            now_ns: BEGINNING_NS,
            shared_data: SharedData::default(),
            metrics: Vec::new(),
            dealt: 0,
        })))
    }

    /// Moves the clock on.
    pub fn advance_ms(&self, ms: u64) {
        self.state().now_ns += ms * 1_000_000;
    }

    /// The value of the counter or gauge called `name`; `None` if nobody defined it.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<u64> {
        let state = self.state();
        let mut metrics = state.metrics.iter();
        metrics
            .find(|(known, _)| known == name)
            .map(|(_, value)| *value)
    }

    pub(crate) fn state(&self) -> RefMut<'_, State> {
        self.0.borrow_mut()
    }
}

impl State {
    /// The id of the metric called `name`.
    pub(crate) fn define_metric(&mut self, name: &str) -> u32 {
        let known = self.metrics.iter().position(|(known, _)| known == name);
        let place = known.unwrap_or_else(|| {
            self.metrics.push((name.to_owned(), 0));
            self.metrics.len() - 1
        });
        u32::try_from(place).expect("so few metrics")
    }

    /// Fills `bytes` with what no two calls share, and each run repeats (splitmix64).
    pub(crate) fn random(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.dealt = self.dealt.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.dealt;
            for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
                mixed = (mixed ^ (mixed >> shift)).wrapping_mul(factor);
            }
            let mixed = (mixed ^ (mixed >> 31)).to_le_bytes();
            chunk.copy_from_slice(&mixed[..chunk.len()]);
        }
    }
}
