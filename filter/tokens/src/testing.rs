//! What the tests of this crate share.

/// Runs as an ordinary test natively and under wasm-bindgen-test on wasm32.
#[cfg(all(test, not(target_arch = "wasm32")))]
pub(crate) use core::prelude::v1::test;
pub(crate) use streamgate_values::testing::{Headers, NOW};
#[cfg(all(test, target_arch = "wasm32"))]
pub(crate) use wasm_bindgen_test::wasm_bindgen_test as test;
