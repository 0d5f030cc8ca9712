//! What holds whatever happens, in whatever order.
//!
//! A random day on one edge, beside a model of it that is as simple as can be: sets
//! and counts, no keys' ages, no bytes, no slots.

mod days;
mod formats;
mod merging;
mod model;
mod sharing;

use model::{Model, Outcome};
