//! Who may play, and who has to go.
//!
//! [`judge()`] is the one place where that is decided; [`book`] is what it goes by.

pub mod book;
pub mod event;
pub mod judge;
#[cfg(test)]
mod judge_tests;

pub use book::{Application, OnConflict, Policy, PolicyBook, Rule};
pub use event::{Breach, Event, Judgement, Play, Plays, Recall, Refused, Unknown, Verdict};
pub use judge::judge;
