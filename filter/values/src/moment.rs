//! Points in time, as the core is told them.

// The two date libraries take a `SystemTime`; it is only ever built here, from a
// `Moment`, and no clock is read.
#![allow(clippy::disallowed_types)]

use std::time::{Duration, SystemTime};

/// A point in time in milliseconds since the Unix epoch.
///
/// The core never asks for the time: whoever calls it says what time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(u64);

/// The largest moment the 48-bit wire formats carry (the year 10889).
const LATEST_MS: u64 = (1 << 48) - 1;

impl Moment {
    /// The Unix epoch; earlier than everything that happens.
    pub const EARLIEST: Self = Self(0);

    /// The moment `ms` milliseconds after the Unix epoch, at most 2^48 − 1.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        if ms > LATEST_MS {
            Self(LATEST_MS)
        } else {
            Self(ms)
        }
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_ms(self) -> u64 {
        self.0
    }

    /// The moment `ms` milliseconds later.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self::from_ms(self.0.saturating_add(ms))
    }

    /// The moment `ms` milliseconds later, or earlier where that is negative.
    #[must_use]
    pub const fn shifted_ms(self, ms: i64) -> Self {
        Self::from_ms(self.0.saturating_add_signed(ms))
    }

    /// Milliseconds from `earlier` to this moment; 0 if `earlier` is not earlier.
    #[must_use]
    pub const fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Six bytes, big end first, so that byte order is time order.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 6] {
        let [_, _, a, b, c, d, e, f] = self.0.to_be_bytes();
        [a, b, c, d, e, f]
    }

    /// The inverse of [`Moment::to_bytes`].
    #[must_use]
    pub const fn from_bytes([a, b, c, d, e, f]: [u8; 6]) -> Self {
        Self(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }

    /// As in an HTTP `Date` or `Expires` header (RFC 9110, section 5.6.7), cut to whole seconds.
    #[must_use]
    pub fn to_http_date(self) -> String {
        httpdate::fmt_http_date(self.within_four_digit_years())
    }

    /// As in the session API's JSON (RFC 3339), cut to whole seconds: `2030-01-01T12:01:00Z`.
    #[must_use]
    pub fn to_rfc3339_seconds(self) -> String {
        humantime::format_rfc3339_seconds(self.within_four_digit_years()).to_string()
    }

    /// As in advice (RFC 3339) with milliseconds: `2030-01-01T11:40:00.000Z`.
    #[must_use]
    pub fn to_rfc3339_millis(self) -> String {
        humantime::format_rfc3339_millis(self.within_four_digit_years()).to_string()
    }

    /// Both date formats write four-digit years and their libraries panic past the year 9999.
    fn within_four_digit_years(self) -> SystemTime {
        const LAST_MS_OF_9999: u64 = 253_402_300_799_999;
        let since_unix_epoch = Duration::from_millis(self.0.min(LAST_MS_OF_9999));
        SystemTime::UNIX_EPOCH
            .checked_add(since_unix_epoch)
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn formats_are_the_contracts() {
        let noon = Moment::from_ms(1_893_499_260_000);
        assert_eq!(noon.to_http_date(), "Tue, 01 Jan 2030 12:01:00 GMT");
        assert_eq!(noon.to_rfc3339_seconds(), "2030-01-01T12:01:00Z");
        assert_eq!(noon.to_rfc3339_millis(), "2030-01-01T12:01:00.000Z");
    }

    #[test]
    fn the_far_future_is_a_date_and_no_panic() {
        let end = Moment::from_ms(u64::MAX);
        assert_eq!(end.to_http_date(), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(Moment::from_bytes(end.to_bytes()), end);
    }
}
