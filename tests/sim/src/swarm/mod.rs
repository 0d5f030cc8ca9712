//! Small fleets in trouble: calls that get lost, a store that forgets or hangs, edges that
//! restart and whose clocks differ. Then comes calm, in which everything must be right again.
//!
//! Some accounts never have more players than they may play: they are never refused
//! anything, whatever happens. The others try to get more than their share: each refusal of theirs has to
//! be right by what can be seen from outside, and they are over the limit only while a store is in
//! trouble, or soon after.
//!
//! Or a rush without any trouble: dozens of players of an account start at the same moment, and
//! who has lost its place has to be refused in time.

mod account;
mod calls;
mod event;
mod judge;
mod options;
mod players;
mod viewer;
mod witness;
mod world;

pub use self::options::{Options, Rollout, Trouble};
pub use self::world::{Report, run};
