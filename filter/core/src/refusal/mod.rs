//! A refusal: its reason, with status, counter and code, and what apps are told about it.

pub mod advice;
pub(crate) mod counted;
pub mod lines;
pub(crate) mod misplaced;
pub mod reason;
pub mod repeated;
