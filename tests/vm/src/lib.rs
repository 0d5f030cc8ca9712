//! The filter as it is built, in a host of its own instead of Envoy, to count what a
//! request costs: host calls by name, and instructions.
//!
//! ```text
//! let mut worker = Vm::start(&Host::new(), CONFIG, &[]);
//! let exchange = worker.request(get("/vod/a/1.m4s"));
//! exchange.cost().buffer_calls
//! ```
//!
//! The numbers depend on the module alone, not on the machine or its load. What they
//! may be stands in `tests/vm/budget.json`; see `docs/decisions/0009-counting-host-calls.md`.
//!
//! What only Envoy can show (routing, threads, time) is shown in `tests/e2e/`.

pub mod budget;
pub mod door;
pub mod module;
pub mod scenarios;

mod cost;
mod guest;
mod host;
mod imports;
mod map;
mod message;
mod shared_data;
mod toolchain;
mod vm;

pub use cost::{Calls, Cost};
pub use host::Host;
pub use message::{Answer, Ask, Exchange, Outcome, get, post};
pub use toolchain::toolchain;
pub use vm::Vm;
