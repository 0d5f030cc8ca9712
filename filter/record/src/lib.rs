//! The record of who plays, kept where every worker sees it, and every edge of a fleet.
//!
//! [`transact()`] is the one algorithm: load the subject's activity, judge the event, write if
//! nobody else wrote meanwhile, else try again. The store behind it is one of the [`ports`], filled by
//! Envoy's shared data. Where the store of a fleet has the last word, the record here is a [`copy`]
//! of what is there, and [`fleet`] says what that store is asked and told.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::string_slice))]

mod codec;
#[cfg(test)]
mod codec_tests;
pub mod copy;
pub mod copy_version;
mod counting;
pub mod ends;
pub mod exception_room;
mod exceptions;
pub mod fleet;
mod generations;
mod granted;
pub mod live;
mod loaded;
pub mod memory_since;
mod merge;
pub mod metric;
pub mod own_time;
pub mod ports;
pub mod records;
pub mod rule_metric;
pub mod slot;
pub mod sweep;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod transact;
mod watermarks;

#[cfg(test)]
mod counting_tests;
#[cfg(test)]
mod ends_tests;
#[cfg(test)]
mod exceptions_tests;
#[cfg(test)]
mod fairness_tests;
#[cfg(test)]
mod memory_tests;
#[cfg(test)]
mod merge_tests;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod race_tests;
#[cfg(test)]
mod size_tests;
#[cfg(test)]
mod sweep_tests;
#[cfg(test)]
mod test_edge;
#[cfg(test)]
mod transact_tests;

pub use copy_version::{CopyVersion, WriteId};
pub(crate) use counting::count_verdict;
pub use generations::{Generations, LookCount};
pub use merge::merged;
pub use records::{Basis, Decided, Recorded, Records, Seen, Unavailable};
pub use transact::{activity, consult, transact, transact_if};
