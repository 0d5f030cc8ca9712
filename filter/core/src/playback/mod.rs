//! The gate in front of manifests and segments (contract, section 4).

mod class;
mod gate;
mod lease;
mod refusal;

pub use class::{Class, classify};
pub use gate::{Gate, Watch, Watched};
pub use lease::{Lease, Leases};
