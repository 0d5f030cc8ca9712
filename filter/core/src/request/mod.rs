//! A request: what it asks for, and who asks.

pub(crate) mod endless;
pub mod surface;
pub mod viewer;
