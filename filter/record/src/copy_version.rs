//! How an edge's copy of a record relates to the one in the fleet's store.

use streamgate_policy::activity::{Activity, ENDED_KEPT_MS};
use streamgate_values::compact::{Reader, Writer};
use streamgate_values::moment::Moment;

/// Names one write of one record: eight bytes that no other write has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WriteId(pub [u8; 8]);

/// Gives ids to writes.
#[derive(Debug)]
pub(crate) struct WriteIds {
    next: u64,
}

impl WriteIds {
    /// Ids that count up from a random number: those of two workers do not meet.
    pub(crate) fn new(random: [u8; 8]) -> Self {
        Self {
            next: u64::from_be_bytes(random),
        }
    }

    /// One that no write had.
    pub(crate) fn next(&mut self) -> WriteId {
        self.next = self.next.wrapping_add(1).max(1);
        WriteId(self.next.to_be_bytes())
    }
}

/// What an edge knows of a record in the fleet's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyVersion {
    /// The write that left it there; `None`: as far as is known, there is none.
    pub write: Option<WriteId>,
    /// The copy is dirty: it holds something that the store has to be told.
    pub dirty: bool,
    /// Until when the store is to keep the record.
    pub kept_until: Moment,
}

impl CopyVersion {
    /// The version once this edge has changed its copy to `activity` and not told the store.
    #[must_use]
    pub fn dirty(before: Option<Self>, activity: &Activity, now: Moment) -> Self {
        Self {
            write: before.and_then(|copy_version| copy_version.write),
            dirty: true,
            kept_until: kept_until(activity, now),
        }
    }

    /// The version of what is in the store since `write`.
    #[must_use]
    pub fn stored(write: Option<WriteId>, activity: &Activity, now: Moment) -> Self {
        Self {
            write,
            dirty: false,
            kept_until: kept_until(activity, now),
        }
    }

    /// Bytes of an encoded version.
    pub(super) const LEN: usize = 15;

    /// What no write is named.
    const NO_WRITE: [u8; 8] = [0; 8];

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let write: [u8; 8] = reader.array()?;
        Some(Self {
            write: (write != Self::NO_WRITE).then_some(WriteId(write)),
            dirty: reader.byte()? != 0,
            kept_until: reader.moment()?,
        })
    }

    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put(&self.write.map_or(Self::NO_WRITE, |WriteId(bytes)| bytes));
        out.put(&[u8::from(self.dirty)]);
        out.put_moment(self.kept_until);
    }
}

/// Until when the store is to keep a record with this activity.
///
/// What ended is remembered for [`ENDED_KEPT_MS`]; after that, streams issued longer ago
/// are over wherever nothing is on record (`fleet::record`). A stream that lapses is
/// remembered for as long as it has played, so that a viewer who pauses for a while may
/// go on. Both bound what is kept by what has played: an invented account leaves
/// nothing behind but its timeout.
fn kept_until(activity: &Activity, now: Moment) -> Moment {
    let ends = activity.last_end();
    let ends = ends.map(|last| last.plus_ms(ENDED_KEPT_MS));
    let oldest = activity.streams.iter().map(|stream| stream.started_at);
    let played_ms = oldest.min().map_or(0, |oldest| now.ms_since(oldest));
    let lapse = activity
        .live_until()
        .map(|lapse| lapse.plus_ms(played_ms.min(ENDED_KEPT_MS)));
    let excepted = activity.exception.as_ref().map(|exception| exception.until);
    ends.max(lapse).max(excepted).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use streamgate_policy::activity::EndReason;

    use super::*;
    use crate::testing::{NOW, TIMEOUT_MS, key, stream, test};

    fn playing_for(ms: u64) -> Activity {
        let mut stream = stream(1, NOW);
        stream.lapses_at = NOW.plus_ms(ms + TIMEOUT_MS);
        Activity {
            streams: vec![stream],
            ..Activity::default()
        }
    }

    #[test]
    fn whoever_has_just_come_leaves_nothing_but_its_timeout() {
        let until = kept_until(&playing_for(0), NOW);
        assert_eq!(until, NOW.plus_ms(TIMEOUT_MS));
    }

    #[test]
    fn a_stream_that_lapses_is_remembered_for_as_long_as_it_has_played_up_to_an_hour() {
        for (played, kept) in [(600_000, 600_000), (7_200_000, ENDED_KEPT_MS)] {
            let until = kept_until(&playing_for(played), NOW.plus_ms(played));
            assert_eq!(until, NOW.plus_ms(played + TIMEOUT_MS + kept));
        }
    }

    #[test]
    fn an_end_is_remembered_for_its_hour_whatever_lapses() {
        let mut activity = playing_for(0);
        activity.end(&key(1, NOW), EndReason::Stopped, NOW.plus_ms(5));
        let until = kept_until(&activity, NOW.plus_ms(5));
        assert_eq!(until, NOW.plus_ms(5 + ENDED_KEPT_MS));
        assert_eq!(kept_until(&Activity::default(), NOW), NOW);
    }
}
