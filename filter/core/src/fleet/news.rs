//! Hearing of what other edges ended.
//!
//! Each shard keeps a list of the subjects of which a stream was ended. Now and then one
//! worker of an edge reads on in it, whichever comes first, and has a look at the records
//! of those subjects that play here.

use crate::bytes::{Reader, Writer};
use crate::moment::Moment;
use crate::ports::{Place, Store, Swap};

/// Where reading begins at an edge that has just come up: it holds no copies yet.
const AFTER_THE_NEWEST: &[u8] = b"$";

/// Where it begins when a shard's memory begins anew.
const FROM_THE_START: &[u8] = b"0-0";

/// How far the workers of an edge have read in a shard's news.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reading {
    /// When one of them read last.
    at: Moment,
    /// Since when the shard remembered then; the earliest moment if nobody knows yet.
    since: Moment,
    /// Where to go on, as the store names places.
    place: Vec<u8>,
}

impl Reading {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        Some(Self {
            at: reader.moment()?,
            since: reader.moment()?,
            place: reader.rest().to_vec(),
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.put_moment(self.at);
        bytes.put_moment(self.since);
        bytes.put(&self.place);
        bytes
    }
}

/// When the news of a shard were read last, and the place to go on from if it is this
/// worker's turn: they were read at least `every_ms` ago, by whichever worker.
pub(super) fn claim(
    store: &impl Store,
    shard: u32,
    every_ms: u64,
    now: Moment,
) -> (Moment, Option<Vec<u8>>) {
    let found = store.load(Place::News(shard));
    let version = found.as_ref().map(|(_, version)| *version);
    let reading = found.and_then(|(bytes, _)| Reading::parse(&bytes));
    let reading = reading.unwrap_or_else(|| Reading {
        at: Moment::EARLIEST,
        since: Moment::EARLIEST,
        place: AFTER_THE_NEWEST.to_vec(),
    });
    // One in the future means that the clock was set back since.
    if reading.at <= now && now.ms_since(reading.at) < every_ms {
        return (reading.at, None);
    }
    let place = reading.place.clone();
    let claimed = Reading { at: now, ..reading };
    let is_ours = store.swap(Place::News(shard), version, &claimed.to_bytes()) == Swap::Done;
    (now, is_ours.then_some(place))
}

/// Notes how far the news of a shard were read, and since when it remembers. Says whether
/// there is reason to read on at once: they begin anew, because the shard does.
pub(super) fn note(store: &impl Store, shard: u32, since: Moment, place: &[u8]) -> bool {
    let Some((bytes, version)) = store.load(Place::News(shard)) else {
        return false;
    };
    let Some(reading) = Reading::parse(&bytes) else {
        return false;
    };
    let anew = reading.since != Moment::EARLIEST && reading.since != since;
    let place = if anew { FROM_THE_START } else { place };
    let fresh = Reading {
        at: if anew { Moment::EARLIEST } else { reading.at },
        since,
        place: place.to_vec(),
    };
    // On a conflict another worker has read on.
    let noted = store.swap(Place::News(shard), Some(version), &fresh.to_bytes());
    anew && noted == Swap::Done
}

/// Has the news of a shard read on by whoever comes first.
pub(super) fn release(store: &impl Store, shard: u32) {
    if let Some((bytes, version)) = store.load(Place::News(shard))
        && let Some(reading) = Reading::parse(&bytes)
    {
        let released = Reading {
            at: Moment::EARLIEST,
            ..reading
        };
        // On a conflict another worker has read on.
        let _ = store.swap(Place::News(shard), Some(version), &released.to_bytes());
    }
}
