//! The edge: a request becomes an event, a verdict becomes what the proxy is to do.
//!
//! It does no I/O, reads no clock and knows no proxy: time, randomness and the store come in through
//! [`streamgate_record::ports`]. It therefore runs the same inside Envoy, in a native test and on
//! plain wasm32.
//!
//! The way of a request: [`edge`] asks [`request::surface`] what is asked, [`request::viewer`] who
//! asks, then [`api`] or [`playback`] turns it into an event. [`authority`] knows who has the last word:
//! it has [`streamgate_record`] decide the event or ask the fleet's store, and [`streamgate_policy`]
//! judges it there. What comes back is let through, or refused as [`refusal`] says.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::string_slice))]

pub mod api;
mod authority;
pub mod config;
mod credential_clock;
pub mod edge;
#[cfg(test)]
mod edge_tests;
pub mod exchange;
mod json;
pub mod named;
pub mod notices;
pub mod operator;
pub mod playback;
pub mod refusal;
pub mod request;
pub mod step;
#[cfg(test)]
mod testing;
