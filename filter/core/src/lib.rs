//! The heart of streamgate: how many streams an account plays at once, decided.
//!
//! This crate holds everything that decides: policies, the record of who plays,
//! signed ids, the session API's wire, the playback gate. It does no I/O, reads no
//! clock and knows no proxy: time, randomness and the store come in through
//! [`ports`]. It therefore runs the same inside Envoy, in a native test and on
//! plain wasm32.
//!
//! The way of a request: [`edge`] asks [`surface`] what is asked, by the one reading of its
//! [`path`], and [`viewer`] who
//! asks, then [`api`] or [`playback`] turns it into an event, [`ledger`] carries it
//! to the store and [`policy`] judges it.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::string_slice))]

pub mod activity;
pub mod advice;
pub mod api;
pub mod attributes;
mod bytes;
pub mod cat;
pub mod config;
mod decimal;
pub mod edge;
#[cfg(test)]
mod edge_tests;
pub mod exchange;
pub mod fleet;
mod keeper;
pub mod ledger;
pub mod limits;
pub mod mac;
pub mod metric;
pub mod moment;
pub mod path;
pub mod playback;
pub mod policy;
pub mod ports;
pub mod reason;
pub mod recent;
pub mod repeated;
pub mod signed;
mod sorted;
pub mod stream_key;
pub mod subject;
pub mod surface;
#[cfg(test)]
mod testing;
pub mod text;
pub mod throttle;
pub mod viewer;
