//! The eviction feed: the list by which edges hear of streams that others ended.
//!
//! Each shard keeps a list of the subjects of which a stream was ended. Now and then one
//! worker of an edge, whichever comes first, reads what was added to the list since the last
//! reading, and looks at the records of those of the subjects that play at this edge. How far
//! the edge has read is in a shared entry of its own, one for each shard.

use streamgate_values::compact::{Reader, Writer};
use streamgate_values::moment::Moment;

use crate::ports::{Store, StoreKey, Swap};

/// The cursor of an edge that has just come up, which holds no copies yet: a minute before the
/// present, by the clock of the store, which names positions in its list by its own time.
const FROM_JUST_NOW: &[u8] = b"new";

/// The cursor with which reading begins when a shard's memory begins anew.
const FROM_THE_START: &[u8] = b"0-0";

/// How far the workers of an edge have read in a shard's eviction feed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FeedReading {
    /// When one of them read last.
    at: Moment,
    /// Since when the shard remembered then; the earliest moment if nobody knows yet.
    since: Moment,
    /// Where to go on, as the store names positions in its list.
    cursor: Vec<u8>,
}

impl FeedReading {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        Some(Self {
            at: reader.moment()?,
            since: reader.moment()?,
            cursor: reader.rest().to_vec(),
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.put_moment(self.at);
        bytes.put_moment(self.since);
        bytes.put(&self.cursor);
        bytes
    }
}

/// Whose turn it is to read a shard's eviction feed.
#[derive(Debug)]
pub(super) struct Turn {
    /// When the feed was read last.
    pub(super) read_at: Moment,
    /// Where to go on, if it is this worker's turn.
    pub(super) cursor: Option<Vec<u8>>,
}

/// When a shard's eviction feed was read last, by whichever worker, and since when it remembers, if
/// one has heard.
pub(super) fn last_read(store: &impl Store, shard: u32) -> Option<(Moment, Option<Moment>)> {
    let (bytes, _) = store.load(StoreKey::Feed(shard))?;
    let reading = FeedReading::parse(&bytes)?;
    let since = (reading.since != Moment::EARLIEST).then_some(reading.since);
    Some((reading.at, since))
}

/// It is this worker's turn if no worker has read a shard's eviction feed for `every_ms`.
pub(super) fn claim(store: &impl Store, shard: u32, every_ms: u64, now: Moment) -> Turn {
    let found = store.load(StoreKey::Feed(shard));
    let version = found.as_ref().map(|(_, version)| *version);
    let reading = found.and_then(|(bytes, _)| FeedReading::parse(&bytes));
    let reading = reading.unwrap_or_else(|| FeedReading {
        at: Moment::EARLIEST,
        since: Moment::EARLIEST,
        cursor: FROM_JUST_NOW.to_vec(),
    });
    // One in the future means that the clock was set back since.
    if reading.at <= now && now.ms_since(reading.at) < every_ms {
        return Turn {
            read_at: reading.at,
            cursor: None,
        };
    }
    let claimed = FeedReading { at: now, ..reading };
    let is_ours = store.swap(StoreKey::Feed(shard), version, &claimed.to_bytes()) == Swap::Done;
    Turn {
        read_at: now,
        cursor: is_ours.then_some(claimed.cursor),
    }
}

/// Notes how far the eviction feed of a shard were read, and since when it remembers. Says whether
/// there is reason to read on at once: they begin anew, because the shard does.
pub(super) fn note(store: &impl Store, shard: u32, since: Moment, cursor: &[u8]) -> bool {
    let Some((bytes, version)) = store.load(StoreKey::Feed(shard)) else {
        return false;
    };
    let Some(reading) = FeedReading::parse(&bytes) else {
        return false;
    };
    let anew = reading.since != Moment::EARLIEST && reading.since != since;
    let cursor = if anew { FROM_THE_START } else { cursor };
    let fresh = FeedReading {
        at: if anew { Moment::EARLIEST } else { reading.at },
        since,
        cursor: cursor.to_vec(),
    };
    // On a conflict another worker has read on.
    let noted = store.swap(StoreKey::Feed(shard), Some(version), &fresh.to_bytes());
    anew && noted == Swap::Done
}

/// Has the eviction feed of a shard read on by whoever comes first.
pub(super) fn release(store: &impl Store, shard: u32) {
    if let Some((bytes, version)) = store.load(StoreKey::Feed(shard))
        && let Some(reading) = FeedReading::parse(&bytes)
    {
        let released = FeedReading {
            at: Moment::EARLIEST,
            ..reading
        };
        // On a conflict another worker has read on.
        let _ = store.swap(StoreKey::Feed(shard), Some(version), &released.to_bytes());
    }
}
