//! How often the access log is told the same.
//!
//! A player that is refused may ask hundreds of times a second. The same refusal of the same
//! stream for the same reason is a line a second at most for each worker, and that line says how
//! many were left out.
//! Refusals without a stream may be of many who ask: the same of a subject, or of nobody known, are
//! so many lines a second at most.

use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use crate::exchange::LogEntry;

/// How many refusals a worker remembers. Two with the same index push each other out, and are
/// lines each.
const REFUSALS_MAX: usize = 512;

/// For how long the same is not told again, in milliseconds.
const QUIET_MS: u64 = 1_000;

/// How many lines a second there are of the same refusals without a stream.
const WITHOUT_STREAM_MAX: u32 = 32;

/// What a worker has logged of late.
#[derive(Debug, Default)]
pub struct Lines {
    /// Made with the first refusal: most workers of most edges refuse nobody.
    logged: Vec<Option<LoggedRefusal>>,
}

/// A refusal that has a line.
#[derive(Debug, Clone, Copy)]
struct LoggedRefusal {
    /// The stream; where there is none the subject; zeros where nobody is known.
    of: [u8; 16],
    event: &'static str,
    reason: &'static str,
    at: Moment,
    /// How many lines since `at`.
    lines: u32,
    left_out: u32,
}

/// The same refusal of a stream that was given again, and that nobody asked about a line for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) stream: StreamKey,
    pub(crate) reason: &'static str,
    pub(crate) times: u32,
}

impl Lines {
    /// Takes note of what is not told, for the next line of the same.
    pub(crate) fn leave_out(&mut self, left_out: &LeftOut) {
        let of = *left_out.stream.as_bytes();
        if let Some(logged) = self.logged.get_mut(index_of(&of, left_out.reason))
            && let Some(logged) = logged
            && logged.of == of
            && (logged.event, logged.reason) == ("refusal", left_out.reason)
        {
            logged.left_out = logged.left_out.saturating_add(left_out.times);
        }
    }

    /// Whether a log entry is to be told, and how many like it were not since the last that was.
    /// `clock` is read for what has a reason alone.
    pub fn tells(&mut self, log_entry: &LogEntry, clock: impl FnOnce() -> Moment) -> Option<u32> {
        let Some(reason) = log_entry.reason else {
            return Some(0);
        };
        let (of, most) = match (log_entry.stream, log_entry.subject) {
            (Some(stream), _) => (*stream.as_bytes(), 1),
            (None, Some(subject)) => (*subject.as_bytes(), WITHOUT_STREAM_MAX),
            (None, None) => ([0; 16], WITHOUT_STREAM_MAX),
        };
        let now = clock();
        self.logged.resize(REFUSALS_MAX, None);
        let Some(kept) = self.logged.get_mut(index_of(&of, reason)) else {
            return Some(0);
        };
        let mut left_out = 0;
        if let Some(logged) = kept
            && logged.of == of
            && (logged.event, logged.reason) == (log_entry.event, reason)
        {
            // A clock that was set back silences nobody.
            if logged.at <= now && now.ms_since(logged.at) < QUIET_MS {
                if logged.lines < most {
                    logged.lines = logged.lines.saturating_add(1);
                    return Some(0);
                }
                logged.left_out = logged.left_out.saturating_add(1);
                return None;
            }
            left_out = logged.left_out;
        }
        *kept = Some(LoggedRefusal {
            of,
            event: log_entry.event,
            reason,
            at: now,
            lines: 1,
            left_out: 0,
        });
        Some(left_out)
    }
}

fn index_of(of: &[u8; 16], reason: &str) -> usize {
    hash(of, &[reason]) % REFUSALS_MAX
}

/// Of a key and what is told apart of it. A key's last bytes are random, or a hash's.
fn hash(of: &[u8; 16], told_apart: &[&str]) -> usize {
    let [.., a, b] = *of;
    let mut hash = usize::from(u16::from_be_bytes([a, b]));
    for text in told_apart {
        for byte in text.bytes() {
            hash = hash.wrapping_mul(31).wrapping_add(byte.into());
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use streamgate_values::subject::SubjectKey;

    use super::*;
    use crate::testing::{NOW, test};

    fn refusal(stream: u16, reason: &'static str) -> LogEntry {
        let mut key = [7; 16];
        key[14..].copy_from_slice(&stream.to_be_bytes());
        LogEntry {
            event: "refusal",
            reason: Some(reason),
            stream: Some(StreamKey::from_bytes(key)),
            ..LogEntry::default()
        }
    }

    #[test]
    fn the_same_refusal_of_the_same_stream_is_a_line_a_second_with_a_count() {
        let mut lines = Lines::default();
        let told: Vec<u32> = (0..5_000)
            .filter_map(|ms| lines.tells(&refusal(1, "evicted"), || NOW.plus_ms(ms)))
            .collect();
        assert_eq!(told, [0, 999, 999, 999, 999]);
    }

    #[test]
    fn what_differs_is_told_each() {
        let mut lines = Lines::default();
        for log_entry in [
            refusal(1, "evicted"),
            refusal(2, "evicted"),
            refusal(1, "stream-over"),
            // With the same index as the first.
            refusal(1 + 512, "evicted"),
        ] {
            assert_eq!(lines.tells(&log_entry, || NOW), Some(0), "{log_entry:?}");
        }
        let start = LogEntry {
            reason: None,
            ..refusal(1, "")
        };
        for _ in 0..3 {
            let clock = || panic!("it is told whatever the time");
            assert_eq!(lines.tells(&start, clock), Some(0));
        }
    }

    /// As of a player whose token has ended on one path and whose stream has on another.
    #[test]
    fn refusals_of_a_stream_in_turns_for_several_reasons_are_a_line_a_second_of_each() {
        let mut lines = Lines::default();
        let reasons = ["evicted", "stream-over", "token-expired"];
        let mut told = [(); 3].map(|()| Vec::new());
        for ms in 0..3_000 {
            for (reason, told) in reasons.iter().zip(&mut told) {
                told.extend(lines.tells(&refusal(1, reason), || NOW.plus_ms(ms)));
            }
        }
        for told in told {
            assert_eq!(told, [0, 999, 999]);
        }
        let left_out = LeftOut {
            stream: refusal(1, "").stream.unwrap(),
            reason: "evicted",
            times: 7,
        };
        lines.leave_out(&left_out);
        let later = || NOW.plus_ms(3_000);
        assert_eq!(lines.tells(&refusal(1, "stream-over"), later), Some(999));
        assert_eq!(lines.tells(&refusal(1, "evicted"), later), Some(1_006));
    }

    #[test]
    fn the_same_refusals_without_a_stream_are_so_many_lines_a_second_with_a_count() {
        let of = |subject: Option<SubjectKey>, reason: &'static str| LogEntry {
            stream: None,
            subject,
            ..refusal(1, reason)
        };
        let reasons = [
            "malformed",
            "unauthorized",
            "forbidden",
            "not-found",
            "method-not-allowed",
            "body-too-large",
            "unsupported-media-type",
            "throttled",
            "token-invalid",
            "no-stream",
        ];
        for subject in [None, Some(SubjectKey::from_bytes([9; 16]))] {
            let mut lines = Lines::default();
            let mut told = vec![Vec::new(); reasons.len()];
            for ms in 0..2_500 {
                for (reason, told) in reasons.iter().zip(&mut told) {
                    let log_entry = of(subject, reason);
                    told.extend(lines.tells(&log_entry, || NOW.plus_ms(ms)));
                }
            }
            let second = |left_out| [vec![left_out], vec![0; 31]].concat();
            let expected = [second(0), second(968), second(968)].concat();
            for (reason, told) in reasons.iter().zip(told) {
                assert_eq!(told, expected, "{reason} of {subject:?}");
            }
        }
        let mut lines = Lines::default();
        let subjects = [1_u8, 2].map(|of| SubjectKey::from_bytes([of; 16]));
        for subject in subjects.iter().cycle().take(64) {
            assert_eq!(
                lines.tells(&of(Some(*subject), "throttled"), || NOW),
                Some(0)
            );
        }
    }

    /// A long response is cut while the same player asks for something else.
    #[test]
    fn a_cut_is_told_beside_a_refusal_for_the_same_reason() {
        let mut lines = Lines::default();
        let refused = refusal(1, "evicted");
        let cut = LogEntry {
            event: "cut",
            ..refused.clone()
        };
        for log_entry in [refused, cut] {
            assert_eq!(lines.tells(&log_entry, || NOW), Some(0), "{log_entry:?}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_silences_nobody() {
        let mut lines = Lines::default();
        let later = NOW.plus_ms(3_600_000);
        assert_eq!(lines.tells(&refusal(1, "evicted"), || later), Some(0));
        assert_eq!(lines.tells(&refusal(1, "evicted"), || later), None);
        assert_eq!(lines.tells(&refusal(1, "evicted"), || NOW), Some(1));
    }
}
