//! Who may play, and who has to go.
//!
//! [`judge()`] is the one place where that is decided; [`rule`] says what one limit
//! makes of it, [`book`] holds them all.

mod admit;
pub mod book;
pub mod event;
mod evictions;
mod hearing;
pub mod judge;
#[cfg(test)]
mod judge_tests;
mod languages;
pub mod message;
pub mod rule;
mod same_device;
pub mod target;

pub use crate::activity::Liveness;
pub use crate::limits::Limits;
pub use book::{Application, Mode, Policy, PolicyBook};
pub use event::{Breach, Event, Judgement, Play, Plays, Recall, Refused, Unknown, Verdict};
pub use judge::judge;
pub use message::Message;
pub use rule::{Count, OnConflict, Rule};
pub use target::{Comparison, Condition, Target, Test};
