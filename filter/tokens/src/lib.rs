//! What proves something: signed ids, playback tokens, Common Access Tokens.
//!
//! Bytes from a request come in, with the keys that may vouch for them; what the token grants comes
//! out, or why it is worth nothing. No policy is known here: who may play with a good token is
//! for others to judge.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::string_slice))]

pub mod cat;
pub mod signed;
#[cfg(test)]
mod testing;
