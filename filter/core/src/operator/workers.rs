//! How many workers have served viewers: each says from time to time that it does, and where it keeps
//! whose record.

use streamgate_record::ports::{Host, Store, StoreKey, Swap};
use streamgate_values::compact::{Reader, Writer};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use crate::config::Config;

/// How often a worker says so, in milliseconds.
const SAID_EVERY_MS: u64 = 10_000;

/// How long that is believed.
const BELIEVED_MS: u64 = 35_000;

/// The most that are counted.
const WORKERS_MAX: usize = 1_024;

/// What one worker has said.
#[derive(Debug, Default)]
pub(super) struct Workers {
    id: Option<[u8; 8]>,
    said_at: Option<Moment>,
    layout: Option<[u8; 4]>,
}

/// What a worker says.
struct AtWork {
    id: [u8; 8],
    at: Moment,
    /// Where it keeps whose record: the same at the door, or that would look elsewhere.
    layout: [u8; 4],
}

impl Workers {
    pub(super) fn on_tick(&mut self, host: &impl Host, config: &Config, now: Moment) {
        let is_fresh = |at: Moment| at <= now && now.ms_since(at) < SAID_EVERY_MS;
        if self.said_at.is_some_and(is_fresh) {
            return;
        }
        let id = *self.id.get_or_insert_with(|| {
            let [.., a, b, c, d, e, f, g, h] = host.random();
            [a, b, c, d, e, f, g, h]
        });
        let found = host.load(StoreKey::Workers);
        let mut at_work = found
            .as_ref()
            .map_or_else(Vec::new, |(bytes, _)| parse(bytes));
        at_work.retain(|other| other.id != id && is_believed(other.at, now));
        at_work.truncate(WORKERS_MAX.saturating_sub(1));
        at_work.push(AtWork {
            id,
            at: now,
            layout: *self.layout.get_or_insert_with(|| layout(config)),
        });
        let mut bytes = Vec::new();
        for AtWork { id, at, layout } in at_work {
            bytes.put(&id);
            bytes.put_moment(at);
            bytes.put(&layout);
        }
        let version = found.map(|(_, version)| version);
        // On a conflict the next tick says it.
        if host.swap(StoreKey::Workers, version, &bytes) == Swap::Done {
            self.said_at = Some(now);
        }
    }
}

/// How many workers have said that they serve viewers.
pub(super) fn count(store: &impl Store, now: Moment) -> usize {
    let found = store.load(StoreKey::Workers);
    let at_work = found.map_or_else(Vec::new, |(bytes, _)| parse(&bytes));
    let believed = at_work.iter().filter(|other| is_believed(other.at, now));
    believed.count()
}

/// Whether all workers that serve viewers keep records where this configuration says.
pub(super) fn all_fit(store: &impl Store, config: &Config, now: Moment) -> bool {
    let found = store.load(StoreKey::Workers);
    let at_work = found.map_or_else(Vec::new, |(bytes, _)| parse(&bytes));
    let own = layout(config);
    let mut believed = at_work.iter().filter(|other| is_believed(other.at, now));
    believed.all(|other| other.layout == own)
}

/// The front of a keyed hash of what decides where an account's record is: the key of the hash
/// itself, and the number of slots.
fn layout(config: &Config) -> [u8; 4] {
    let slots = config.records.slots.get().to_be_bytes();
    let hash = config
        .hasher
        .external_stream(&SubjectKey::from_bytes([0; 16]), "layout", &slots);
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

/// One in the future means that the clock was set back since.
fn is_believed(at: Moment, now: Moment) -> bool {
    now.ms_since(at) < BELIEVED_MS && at.ms_since(now) < BELIEVED_MS
}

fn parse(bytes: &[u8]) -> Vec<AtWork> {
    let mut reader = Reader::new(bytes);
    let mut found = Vec::new();
    while let (Some(id), Some(at), Some(layout)) = (reader.array(), reader.moment(), reader.array())
    {
        found.push(AtWork { id, at, layout });
    }
    found
}
