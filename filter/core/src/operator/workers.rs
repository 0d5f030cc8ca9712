//! How many workers serve viewers: each says from time to time that it does.

use streamgate_record::ports::{Host, Store, StoreKey};
use streamgate_values::compact::{Reader, Writer};
use streamgate_values::moment::Moment;

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
}

impl Workers {
    pub(super) fn on_tick(&mut self, host: &impl Host, now: Moment) {
        let is_fresh = |at: Moment| at <= now && now.ms_since(at) < SAID_EVERY_MS;
        if self.said_at.is_some_and(is_fresh) {
            return;
        }
        let id = *self.id.get_or_insert_with(|| {
            let [.., a, b, c, d, e, f, g, h] = host.random();
            [a, b, c, d, e, f, g, h]
        });
        let found = host.load(StoreKey::Workers);
        let mut at_work = found.as_ref().map_or_else(Vec::new, |(bytes, _)| parse(bytes));
        at_work.retain(|(other, at)| *other != id && is_believed(*at, now));
        at_work.truncate(WORKERS_MAX.saturating_sub(1));
        at_work.push((id, now));
        let mut bytes = Vec::new();
        for (id, at) in at_work {
            bytes.put(&id);
            bytes.put_moment(at);
        }
        let version = found.map(|(_, version)| version);
        // On a conflict the next tick says it.
        if host.swap(StoreKey::Workers, version, &bytes) == streamgate_record::ports::Swap::Done {
            self.said_at = Some(now);
        }
    }
}

/// How many workers have said that they serve viewers.
pub(super) fn count(store: &impl Store, now: Moment) -> usize {
    let found = store.load(StoreKey::Workers);
    let at_work = found.map_or_else(Vec::new, |(bytes, _)| parse(&bytes));
    let believed = at_work.iter().filter(|(_, at)| is_believed(*at, now));
    believed.count()
}

/// One in the future means that the clock was set back since.
fn is_believed(at: Moment, now: Moment) -> bool {
    now.ms_since(at) < BELIEVED_MS && at.ms_since(now) < BELIEVED_MS
}

fn parse(bytes: &[u8]) -> Vec<([u8; 8], Moment)> {
    let mut reader = Reader::new(bytes);
    let mut found = Vec::new();
    while let (Some(id), Some(at)) = (reader.array(), reader.moment()) {
        found.push((id, at));
    }
    found
}
