//! Time that was set back since a record was written: the clock that it goes by is another one,
//! or was set. What it says of the future must not hold until that future has come.

use streamgate_values::moment::Moment;

use crate::activity::{Activity, ENDED_KEPT_MS, Stream};

/// By how much clocks may differ that agree, in milliseconds.
pub(crate) const AGREE_MS: u64 = 1_000;

/// Brings back what lies further in the future than any sign of life could have put it. No stream
/// lives for more than two of the longest timeouts then, and what its own player had buffered; nobody
/// is locked out, and whoever started then is older than whoever starts now. Says whether there was anything to write.
pub fn bring_back(activity: &mut Activity, longest_timeout_ms: u64, now: Moment) -> bool {
    let latest = now.plus_ms(longest_timeout_ms.saturating_mul(2));
    let mut changed = false;
    for stream in &mut activity.streams {
        if stream.started_at > now.plus_ms(AGREE_MS) {
            // Whoever starts now is younger. Of several, ids that say when they were issued keep their order.
            stream.started_at = now.shifted_ms(-1);
            changed = true;
        }
        if lapses_beyond(stream, latest) {
            stream.lapses_at = now.plus_ms(longest_timeout_ms).plus_ms(buffer_ms(stream));
            changed = true;
        }
        changed |= stream.clients.forget_beyond(latest);
    }
    let watermark = watermark_now(activity.watermark, now);
    changed |= watermark != activity.watermark;
    activity.watermark = watermark;
    changed
}

/// Whether a stream lapses later than any sign of life until now could have it lapse.
#[must_use]
pub fn is_of_another_time(stream: &Stream, longest_timeout_ms: u64, now: Moment) -> bool {
    lapses_beyond(stream, now.plus_ms(longest_timeout_ms.saturating_mul(2)))
}

fn lapses_beyond(stream: &Stream, latest: Moment) -> bool {
    stream.lapses_at > latest.plus_ms(buffer_ms(stream))
}

fn buffer_ms(stream: &Stream) -> u64 {
    u64::from(stream.buffer_s).saturating_mul(1_000)
}

/// What a watermark says now. One in the future would end whatever is issued until then; ids
/// that are so old that nothing else remembers their end stay over.
pub(crate) fn watermark_now(watermark: Moment, now: Moment) -> Moment {
    match watermark > now.plus_ms(AGREE_MS) {
        true => Moment::from_ms(now.as_ms().saturating_sub(ENDED_KEPT_MS)),
        false => watermark,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, stream, test};

    const LONGEST_MS: u64 = 90_000;

    #[test]
    fn two_timeouts_and_what_is_buffered_are_of_this_time_and_more_is_of_another() {
        for (buffer_s, longest_ms) in [(0, 180_000), (30, 210_000)] {
            let of = |ms| Stream {
                lapses_at: NOW.plus_ms(ms),
                buffer_s,
                ..stream(1, NOW)
            };
            for (ms, is_of_another) in [(longest_ms, false), (longest_ms + 1, true)] {
                let stream = of(ms);
                assert_eq!(is_of_another_time(&stream, LONGEST_MS, NOW), is_of_another);
                let mut activity = Activity {
                    streams: vec![stream],
                    ..Activity::default()
                };
                assert_eq!(bring_back(&mut activity, LONGEST_MS, NOW), is_of_another);
                let expected = match is_of_another {
                    true => NOW.plus_ms(LONGEST_MS + u64::from(buffer_s) * 1_000),
                    false => NOW.plus_ms(ms),
                };
                assert_eq!(activity.streams[0].lapses_at, expected, "{buffer_s} {ms}");
            }
        }
    }

    #[test]
    fn a_watermark_as_far_ahead_as_clocks_may_differ_holds() {
        let agrees = NOW.plus_ms(AGREE_MS);
        assert_eq!(watermark_now(agrees, NOW), agrees);
        let long_ago = Moment::from_ms(NOW.as_ms() - ENDED_KEPT_MS);
        assert_eq!(watermark_now(NOW.plus_ms(AGREE_MS + 1), NOW), long_ago);
    }
}
