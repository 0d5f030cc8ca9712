//! The plain values that all rooms speak of: moments, subjects, stream keys, attributes, limits.
//!
//! What is here decides nothing and knows nobody: the policy's model is made of these values, and
//! so is what tokens vouch for. They come in as [`text`] or [`compact`] bytes and are checked
//! there; the rest of the filter takes them as they are.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::string_slice))]

pub mod attributes;
pub mod compact;
pub mod decimal;
pub mod hash;
pub mod head;
pub mod limits;
pub mod mac;
pub mod moment;
pub mod path;
pub mod recent;
pub mod sorted;
pub mod stream_key;
pub mod subject;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
