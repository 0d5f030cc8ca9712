//! How many calls in this minute (contract, section 2: throttle).

use streamgate_values::moment::Moment;

const MINUTE_MS: u64 = 60_000;

/// Calls counted in one minute of the clock.
///
/// Kept in the record of what is called about, so that it costs no memory of its own
/// and counts for all workers together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calls {
    /// Minutes since the Unix epoch.
    pub minute: u32,
    /// Calls in that minute.
    pub count: u32,
}

impl Calls {
    /// Counts a call made `now`, of which `per_minute` are allowed.
    ///
    /// # Errors
    ///
    /// If there have been that many, the moment when a call counts again.
    pub fn count(&mut self, per_minute: u32, now: Moment) -> Result<(), Moment> {
        let minute = now.as_ms().checked_div(MINUTE_MS).unwrap_or_default();
        let minute = u32::try_from(minute).unwrap_or(u32::MAX);
        if self.minute != minute {
            *self = Self { minute, count: 0 };
        }
        if self.count >= per_minute {
            let next = u64::from(minute).saturating_add(1);
            return Err(Moment::from_ms(next.saturating_mul(MINUTE_MS)));
        }
        self.count = self.count.saturating_add(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn so_many_a_minute_count_and_the_next_minute_begins_anew() {
        let start = Moment::from_ms(120_500);
        let mut calls = Calls::default();
        for _ in 0..200 {
            assert_eq!(calls.count(200, start), Ok(()));
        }
        let next = Moment::from_ms(180_000);
        assert_eq!(calls.count(200, start), Err(next));
        assert_eq!(calls.count(200, Moment::from_ms(179_999)), Err(next));
        assert_eq!(calls.count(200, next), Ok(()));
    }
}
