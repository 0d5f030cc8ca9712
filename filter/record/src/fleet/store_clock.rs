//! The store's clock, by which all edges of a fleet go.
//!
//! Each answer says what time it was at the store. That was between the moment at which the
//! call was made and the one at which the answer came; where own time would put it outside, own
//! time is wrong for certain, and is set by no more than it takes. A slow answer says less
//! and never anything wrong. Both moments are the steady clock's, so that what another worker
//! corrects meanwhile is not corrected twice.
//!
//! Of several shards the first that answers leads: an account's record is in one time then,
//! whichever edge writes it.

use streamgate_values::moment::Moment;

use crate::own_time::{difference, keep_within};
use crate::ports::Host;

/// Has own time agree with what time it was at the store between two moments of the steady
/// clock.
pub(super) fn follow<H: Host>(host: &H, store: Moment, made_at: Moment, came_at: Moment) {
    // The store's time is cut to whole milliseconds, and so are the others.
    let least = difference(store.as_ms(), came_at.as_ms()).saturating_sub(1);
    let most = difference(store.as_ms(), made_at.as_ms()).saturating_add(1);
    keep_within(host, least, most);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::own_time::learn;
    use crate::ports::Clock;
    use crate::testing::{MemoryHost, NOW, test};

    #[test]
    fn an_answer_that_fits_between_call_and_answer_changes_nothing() {
        let host = MemoryHost::new();
        learn(&host);
        let made = host.steady();
        host.advance_ms(400);
        let came = host.steady();
        for at in [0, 200, 400] {
            follow(&host, NOW.plus_ms(at), made, came);
            assert_eq!(host.now(), NOW.plus_ms(400));
        }
    }

    #[test]
    fn an_edge_that_is_off_is_set_to_within_the_time_an_answer_takes() {
        for off_ms in [-600_000_i64, -120_000, -30_000, 30_000, 120_000, 600_000] {
            let host = MemoryHost::new();
            host.set_machine_ahead(off_ms);
            learn(&host);
            assert_eq!(difference(host.now().as_ms(), NOW.as_ms()), off_ms);
            let made = host.steady();
            host.advance_ms(20);
            // Another worker hears of the same.
            for _ in 0..2 {
                follow(&host, NOW.plus_ms(10), made, host.steady());
                let wrong = host.now().as_ms().abs_diff(NOW.plus_ms(20).as_ms());
                assert!(wrong <= 12, "{off_ms}: {wrong}");
                let differs = host.machine_ahead_ms();
                assert!((differs - off_ms).abs() <= 12, "{off_ms}: {differs}");
            }
        }
    }
}
