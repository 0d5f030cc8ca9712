//! Refusals of one stream for one reason that follow each other: one line a second.

use streamgate_bytes::Fingerprint;
use streamgate_values::moment::Moment;
use streamgate_values::recent::Recent;

use crate::exchange::Record;

/// How many streams are remembered.
const STREAMS: usize = 4_096;

/// How long a refusal stands for those that follow it, in milliseconds.
const STANDS_MS: u64 = 1_000;

/// A refusal that left a line, and how many did not since.
#[derive(Debug, Clone, Copy)]
struct Told {
    at: Moment,
    since: u32,
}

/// What one worker has told of refusals.
#[derive(Debug)]
pub(super) struct Repeats(Recent<Told>);

impl Repeats {
    pub(super) fn new() -> Self {
        Self(Recent::new(STREAMS))
    }

    /// Whether a decision is worth a line; it is told then how many came before it that were not.
    pub(super) fn is_new(&mut self, record: &mut Record, now: impl FnOnce() -> Moment) -> bool {
        let (Some(subject), Some(stream)) = (&record.subject, &record.stream) else {
            return true;
        };
        if record.event != "refusal" {
            return true;
        }
        let reason = record.reason.unwrap_or_default().bytes();
        let reason = reason.fold(0_u128, |sum, byte| sum.rotate_left(7) ^ u128::from(byte));
        let subject = u128::from_be_bytes(*subject.as_bytes()).rotate_left(41);
        let stream = u128::from_be_bytes(*stream.as_bytes());
        let fingerprint = Fingerprint(subject ^ stream ^ reason);
        let now = now();
        let known = self.0.value(fingerprint).copied();
        let repeats = known.filter(|told| told.at <= now && now.ms_since(told.at) < STANDS_MS);
        if let Some(told) = repeats {
            let since = told.since.saturating_add(1);
            self.0.insert(fingerprint, Told { since, ..told });
            return false;
        }
        record.repeated = known.map_or(0, |told| told.since);
        self.0.insert(fingerprint, Told { at: now, since: 0 });
        true
    }
}
