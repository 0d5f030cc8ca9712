//! A request: what it asks for, and who asks.

pub mod surface;
pub mod viewer;
