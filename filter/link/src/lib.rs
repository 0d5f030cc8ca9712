//! The last step of building the module, after wasm-opt: [`through_table`] has what is called
//! seldom called through a table.
//!
//! Envoy runs V8 without its baseline compiler (`--no-liftoff`), so that V8 knows of no call how
//! often it is made, and takes in at each call whatever is called: up to sixty functions and twice
//! the caller's size, and what those call as well. That is twice as much to compile as there is,
//! before a worker serves. A call through a table it leaves alone.
//!
//! The way of the data: bytes → [`functions`] (what there is, from the sections) → [`table`] (who
//! is called how) → [`rewrite`] → bytes. Small functions keep their calls as they are, and so do
//! those of the [`fast_path`].

#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        reason = "here a panic is how a test says what it found"
    )
)]

pub mod error;
pub mod fast_path;
pub mod functions;
pub mod rewrite;
pub mod table;

#[cfg(test)]
mod tests;

pub use error::LinkError;
pub use rewrite::through_table;
