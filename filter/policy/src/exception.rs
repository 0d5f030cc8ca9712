//! What an operator has said of one account: another limit than its policies have, none, or
//! that nothing plays on it.

use streamgate_values::moment::Moment;

/// The longest reason of an exception, in bytes.
pub const REASON_MAX: usize = 256;

/// The longest time that an exception holds, in milliseconds: 30 days.
pub const EXCEPTION_MS_MAX: u64 = 30 * 24 * 3_600_000;

/// What an operator has said of one account, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// What holds in the place of the account's limits.
    pub allowance: Allowance,
    /// When the operator said so.
    pub set_at: Moment,
    /// Until when it holds.
    pub until: Moment,
    /// Why, in the operator's words.
    pub reason: String,
}

/// What holds in the place of an account's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// So many streams, in each rule that counts all streams of the account. A rule that counts
    /// distinct values, or for each value of a scope, stays as it is.
    Max(u32),
    /// No rule refuses or evicts anything.
    Unlimited,
    /// Nothing plays.
    Blocked,
    /// The policies, as if there had been no exception: it was taken back. This is remembered
    /// for as long as the exception would have held, or an edge that has not heard of it would
    /// bring the exception back.
    Lifted,
}

impl Exception {
    /// Which of two holds that two edges know of: what was said last.
    #[must_use]
    pub fn later(one: Option<Self>, other: Option<&Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) if other.set_at > one.set_at => Some(other.clone()),
            (Some(one), _) => Some(one),
            (None, other) => other.cloned(),
        }
    }

    /// How many streams it allows, where it says a number.
    #[must_use]
    pub const fn max(&self) -> Option<u32> {
        match self.allowance {
            Allowance::Max(max) => Some(max),
            _ => None,
        }
    }

    /// Whether it changes anything about what may play.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        self.allowance != Allowance::Lifted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, test};

    fn exception(allowance: Allowance, set_at: Moment) -> Exception {
        Exception {
            allowance,
            set_at,
            until: NOW.plus_ms(60_000),
            reason: String::new(),
        }
    }

    #[test]
    fn of_two_that_edges_know_what_was_said_last_holds() {
        let early = exception(Allowance::Max(1), NOW);
        let late = exception(Allowance::Max(2), NOW.plus_ms(1));
        let at_once = exception(Allowance::Max(3), NOW);
        let later = |one: &Exception, other| Exception::later(Some(one.clone()), Some(other));
        assert_eq!(later(&early, &late), Some(late.clone()));
        assert_eq!(later(&late, &early), Some(late.clone()));
        assert_eq!(later(&early, &at_once), Some(early.clone()));
        assert_eq!(Exception::later(None, Some(&late)), Some(late.clone()));
        assert_eq!(Exception::later(Some(late.clone()), None), Some(late));
        assert_eq!(Exception::later(None, None), None);
    }

    #[test]
    fn one_that_was_taken_back_is_in_force_no_longer_and_a_number_is_a_limit() {
        for (allowance, max, is_in_force) in [
            (Allowance::Max(7), Some(7), true),
            (Allowance::Unlimited, None, true),
            (Allowance::Blocked, None, true),
            (Allowance::Lifted, None, false),
        ] {
            let exception = exception(allowance, NOW);
            assert_eq!(exception.max(), max, "{allowance:?}");
            assert_eq!(exception.is_in_force(), is_in_force, "{allowance:?}");
        }
    }

    #[test]
    fn the_longest_holds_for_thirty_days() {
        let thirty_days = core::time::Duration::from_secs(2_592_000);
        assert_eq!(u128::from(EXCEPTION_MS_MAX), thirty_days.as_millis());
    }
}
