//! The record of who plays, kept where every worker sees it.
//!
//! [`transact()`] is the one algorithm: load the subject's activity, judge the event,
//! write if nobody else wrote meanwhile, else again. The store behind it is a port.

mod bells;
mod codec;
pub mod copy;
pub mod epoch;
pub mod live;
mod merge;
pub mod slot;
pub mod stamp;
pub mod sweep;
pub mod transact;
mod watermarks;

#[cfg(test)]
mod epoch_tests;
#[cfg(test)]
mod fairness_tests;
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

pub use bells::{Bells, Heard};
pub use merge::merged;
pub use stamp::{Stamp, WriteId};
pub(crate) use transact::count_verdict;
pub use transact::{
    Basis, Decided, Ledger, Outage, Seen, Settled, activity, consult, transact, transact_if,
};
