//! The clock by which credentials end that others have issued.
//!
//! An edge alone judges them by its machine's clock as it is set now, as Envoy does with JWTs:
//! its own time may have begun when that clock was wrong. In a fleet the store's clock is one
//! for all edges.

use streamgate_record::ports::Clock;

use crate::config::Config;

/// By how many milliseconds that clock is ahead of the edge's own time.
pub(crate) fn credentials_ahead_ms(config: &Config, clock: &impl Clock) -> i64 {
    match config.fleet {
        Some(_) => 0,
        None => clock.machine_ahead_ms(),
    }
}
