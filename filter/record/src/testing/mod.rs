//! A host in plain memory to test with, here and in the crates above.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::new_without_default,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may fail loudly"
)]

mod memory;

/// Runs as an ordinary test natively and under wasm-bindgen-test on wasm32.
#[cfg(all(test, not(target_arch = "wasm32")))]
pub(crate) use core::prelude::v1::test;
pub use memory::MemoryHost;
pub use streamgate_policy::testing::*;
#[cfg(all(test, target_arch = "wasm32"))]
pub(crate) use wasm_bindgen_test::wasm_bindgen_test as test;
