//! What the core's own tests share.

/// Runs as an ordinary test natively and under wasm-bindgen-test on wasm32.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use core::prelude::v1::test;
#[cfg(target_arch = "wasm32")]
pub(crate) use wasm_bindgen_test::wasm_bindgen_test as test;

mod fixture;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod shipped;

pub(crate) use fixture::{CONFIG, as_door, config, config_with, env};
pub(crate) use streamgate_record::testing::*;
