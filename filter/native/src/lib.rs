//! The native Envoy module: Envoy's hooks in, the core's decisions out.
//!
//! Nothing is decided here. [`export`] is what Envoy calls, [`envoy`] what is asked of Envoy, over the
//! declarations in [`abi`]. [`host`] fills the core's ports from the process, with the record in [`store`] and the
//! counts in [`meters`]. [`desk`] is one worker's edge and what its requests wait for, [`request`] Envoy's hooks
//! for one request, [`http`] what is done with it, [`pieces`] what of its response has passed, [`route`] whether its
//! route is chosen anew, [`plugin`] a configuration in force with its ticker and its calls to the fleet's store,
//! [`health`] what an operator is told of it.
//!
//! Code that the compiler cannot vouch for is in [`abi`], [`envoy`], [`export`] and [`confined`], nowhere else.

#![deny(clippy::undocumented_unsafe_blocks)]

mod abi;
mod carry_out;
mod confined;
mod desk;
mod envoy;
mod export;
mod head;
mod health;
mod host;
mod http;
mod manifest;
mod meters;
mod panics;
mod pieces;
mod plugin;
mod request;
mod route;
mod seldom;
mod standing;
mod store;
mod todo;
mod worker;
