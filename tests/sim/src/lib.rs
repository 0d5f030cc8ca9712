//! A fleet in virtual time: many edges, each with the real core and several workers, one
//! model of the store, and all who watch. Nothing here reads a clock, and the same seed
//! gives the same run.
//!
//! - [`swarm`] puts small fleets through whatever can go wrong and checks what must hold.
//! - [`crowd`] counts what millions of streams ask of a fleet and its store.
//! - [`store`] is the model of a store's node; a test holds it to a real one.
//! - [`real_store`] measures what a real one needs for what a crowd told the model.

pub mod crowd;
pub mod edge;
pub mod host;
pub mod real_store;
pub mod request;
pub mod settings;
pub mod store;
pub mod swarm;
