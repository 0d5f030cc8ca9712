//! The record's store: a table in the memory of the process.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use streamgate_record::ends::Ends;
use streamgate_record::ports::{StoreKey, Swap, Version};

/// In how many parts the table is, each with a lock of its own: two workers that write wait for
/// each other once in so many times.
const SHARDS: usize = 256;

/// As many as there are numbers of slot groups.
const GROUPS: usize = 1 << 16;

/// No clock is ahead of another by so much.
const UNKNOWN: i64 = i64::MIN;

/// A value with its version.
type Entry = (Version, Box<[u8]>);

/// On lines of their own, so that a worker's locking does not disturb its neighbours'.
#[derive(Debug, Default)]
#[repr(align(64))]
struct TableShard(Mutex<HashMap<StoreKey, Entry>>);

/// The table, and the generations of slot groups beside it, which take no lock.
#[derive(Debug)]
pub(crate) struct StoreTable {
    shards: Box<[TableShard]>,
    generations: Box<[AtomicU32]>,
    /// By how many milliseconds own time is ahead of the steady clock; [`UNKNOWN`] at first.
    ahead_ms: AtomicI64,
    /// By how many milliseconds the machine's clock is ahead of own time.
    machine_ahead_ms: AtomicI64,
    /// Streams that have ended and were not told yet.
    ends: Mutex<Ends>,
}

impl StoreTable {
    fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| TableShard::default()).collect(),
            generations: (0..GROUPS).map(|_| AtomicU32::new(0)).collect(),
            ahead_ms: AtomicI64::new(UNKNOWN),
            machine_ahead_ms: AtomicI64::new(0),
            ends: Mutex::new(Ends::new()),
        }
    }

    /// Streams that have ended at any worker and were not told yet.
    pub(crate) fn ends(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By how many milliseconds own time is ahead of the steady clock, and the machine's clock ahead
    /// of own time, once that is known.
    pub(crate) fn own_time(&self) -> Option<(i64, i64)> {
        let ahead_ms = self.ahead_ms.load(Ordering::Acquire);
        (ahead_ms != UNKNOWN).then(|| (ahead_ms, self.machine_ahead_ms.load(Ordering::Relaxed)))
    }

    pub(crate) fn go_by(&self, ahead_ms: i64, machine_ahead_ms: i64) {
        self.machine_ahead_ms
            .store(machine_ahead_ms, Ordering::Relaxed);
        self.ahead_ms.store(ahead_ms, Ordering::Release);
    }

    /// The table that configurations of this name share, now and after updates.
    pub(crate) fn named(name: &str) -> Arc<Self> {
        static TABLES: Mutex<Vec<(String, Arc<StoreTable>)>> = Mutex::new(Vec::new());
        let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, table)) = tables.iter().find(|(known, _)| known == name) {
            return Arc::clone(table);
        }
        let table = Arc::new(Self::new());
        tables.push((name.to_owned(), Arc::clone(&table)));
        table
    }

    /// Does something with the part of the table that a key is in. No panic leaves a part in
    /// disorder: an entry is put in as a whole.
    fn with<R>(&self, key: StoreKey, act: impl FnOnce(&mut HashMap<StoreKey, Entry>) -> R) -> R {
        let number = match key {
            StoreKey::Slot(number)
            | StoreKey::Feed(number)
            | StoreKey::Redirected(number)
            | StoreKey::Redirects(number)
            | StoreKey::Prefetched(number)
            | StoreKey::Decision(number)
            | StoreKey::DecisionsOf(number)
            | StoreKey::RefusedAccounts(number) => number,
            StoreKey::MemorySince
            | StoreKey::Sweep
            | StoreKey::Bumps
            | StoreKey::Live
            | StoreKey::OwnTime
            | StoreKey::Decisions
            | StoreKey::Accounts
            | StoreKey::Workers => 0,
        };
        let index = usize::try_from(number).unwrap_or(0) % SHARDS;
        let Some(TableShard(shard)) = self.shards.get(index) else {
            return act(&mut HashMap::new());
        };
        act(&mut shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn load(&self, key: StoreKey) -> Option<(Vec<u8>, Version)> {
        self.with(key, |shard| {
            let (version, value) = shard.get(&key)?;
            Some((value.to_vec(), *version))
        })
    }

    pub(crate) fn swap(&self, key: StoreKey, expected: Option<Version>, value: &[u8]) -> Swap {
        let value = Box::from(value);
        self.with(key, |shard| {
            let known = shard.get(&key).map(|(version, _)| *version);
            if known != expected {
                return Swap::Conflict;
            }
            let Version(number) = known.unwrap_or(Version(0));
            shard.insert(key, (Version(number.wrapping_add(1)), value));
            Swap::Done
        })
    }

    pub(crate) fn generation(&self, group: u16) -> u32 {
        let generation = self.generations.get(usize::from(group));
        generation.map_or(0, |generation| generation.load(Ordering::Acquire))
    }

    pub(crate) fn bump(&self, group: u16) {
        if let Some(generation) = self.generations.get(usize::from(group)) {
            generation.fetch_add(1, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_by_whoever_saw_the_latest() {
        let table = StoreTable::new();
        let key = StoreKey::Slot(7);
        assert!(table.load(key).is_none());
        assert_eq!(table.swap(key, Some(Version(1)), b"x"), Swap::Conflict);
        assert_eq!(table.swap(key, None, b"first"), Swap::Done);
        assert_eq!(table.swap(key, None, b"x"), Swap::Conflict);
        let (value, version) = table.load(key).unwrap();
        assert_eq!(value, b"first");
        assert_eq!(table.swap(key, Some(version), b""), Swap::Done);
        assert_eq!(table.swap(key, Some(version), b"x"), Swap::Conflict);
        let (value, _) = table.load(key).unwrap();
        assert_eq!(value, b"");
    }

    #[test]
    fn keys_of_different_kinds_with_the_same_number_are_different() {
        let table = StoreTable::new();
        let keys = [
            StoreKey::Slot(0),
            StoreKey::Feed(0),
            StoreKey::Redirected(0),
            StoreKey::Redirects(0),
            StoreKey::Prefetched(0),
            StoreKey::MemorySince,
            StoreKey::Sweep,
            StoreKey::Bumps,
            StoreKey::Live,
            StoreKey::OwnTime,
            StoreKey::Decisions,
            StoreKey::Decision(0),
            StoreKey::DecisionsOf(0),
            StoreKey::RefusedAccounts(0),
            StoreKey::Accounts,
            StoreKey::Workers,
        ];
        for key in keys {
            assert_eq!(table.swap(key, None, b"x"), Swap::Done, "{key:?}");
        }
    }

    #[test]
    fn of_all_who_write_at_once_none_is_lost() {
        let table = StoreTable::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..2_000_u32 {
                        let key = StoreKey::Slot(n % 3);
                        loop {
                            let loaded = table.load(key);
                            let (mut value, version) = match loaded {
                                Some((value, version)) => (value, Some(version)),
                                None => (Vec::new(), None),
                            };
                            value.push(1);
                            if table.swap(key, version, &value) == Swap::Done {
                                break;
                            }
                        }
                        table.bump(5);
                    }
                });
            }
        });
        let lengths = (0..3).map(|slot| table.load(StoreKey::Slot(slot)).unwrap().0.len());
        assert_eq!(lengths.sum::<usize>(), 8_000);
        assert_eq!((table.generation(5), table.generation(6)), (8_000, 0));
    }

    #[test]
    fn a_name_has_one_table() {
        let (first, other) = (
            StoreTable::named("a test"),
            StoreTable::named("another test"),
        );
        assert_eq!(first.swap(StoreKey::Live, None, b"1"), Swap::Done);
        assert!(StoreTable::named("a test").load(StoreKey::Live).is_some());
        assert!(other.load(StoreKey::Live).is_none());
    }
}
