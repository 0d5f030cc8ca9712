//! Who may play, and who has to go.
//!
//! [`judge()`] is the one place where that is decided: the [`activity`] of a subject and an
//! [`event`] come in, a verdict and the activity that follows come out. [`rule`] says what one
//! limit makes of it, [`book`] holds them all. It sees no host, no clock and no store.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::string_slice))]

pub mod action;
pub mod activity;
#[cfg(test)]
mod activity_tests;
mod admit;
pub mod book;
#[cfg(test)]
mod book_tests;
mod contender_standing;
pub mod effect;
mod evaluate;
pub mod event;
mod evictions;
pub mod exception;
pub mod faded;
mod given;
pub mod judge;
#[cfg(test)]
mod judge_tests;
mod languages;
pub mod message;
mod operate;
mod other;
pub mod places;
pub mod reached;
pub mod rule;
mod same_device;
pub mod session_player;
mod set_back;
mod shared;
pub mod sharing;
#[cfg(test)]
mod sharing_tests;
pub mod standing;
mod stops;
pub mod stream;
mod taken_up;
pub mod target;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod throttle;
pub mod tombstone;

pub use action::Action;
pub use book::{Application, Mode, Policy, PolicyBook};
pub use effect::{Effects, StreamEnd, WatchedRule};
pub use event::{
    Breach, Event, Judgement, Operation, Play, Plays, Recall, Refused, Unknown, Verdict,
};
pub use exception::{Allowance, Exception};
pub use judge::judge;
pub use message::Message;
pub use places::Places;
pub use rule::{Count, OnConflict, Rule};
pub use set_back::{bring_back, is_of_another_time};
pub use sharing::{Client, Sharing, SharingAction};
pub use target::{Comparison, Condition, Target, Test};
