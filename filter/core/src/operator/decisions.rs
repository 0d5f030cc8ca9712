//! The latest decisions of an edge, kept under a fixed number of keys that all its workers share.
//!
//! Each decision takes the next number, by compare-and-set, and the key that its number says.
//! It names the one before it about an account of the same bucket, so that an account's are found
//! without looking at all. Nothing is kept where nobody could read it: the door says how many
//! are kept, and until it has nothing is written.

use streamgate_record::ports::{Host, Store, StoreKey, Swap};
use streamgate_values::compact::{Reader, Writer};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::decision::{KeptDecision, written};
use crate::exchange::LogEntry;

/// How often a write is tried before a decision is not kept. It is in the access log.
const TRIES: u32 = 16;

/// Accounts are spread over so many buckets, each of which knows its latest decision.
const BUCKETS: u32 = 4_096;

/// How many decisions of a bucket are looked at for those of one account.
const LOOKED_AT_MAX: usize = 256;

/// How often a worker looks whether there is a door, in milliseconds.
const LOOK_EVERY_MS: u64 = 1_000;

/// What decisions are numbered by, and how many are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DecisionsHead {
    /// How many decisions are kept.
    capacity: u32,
    /// The number of the next decision, the first being 1.
    next: u64,
}

impl DecisionsHead {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let head = Self {
            capacity: u32::from_be_bytes(reader.array()?),
            next: u64::from_be_bytes(reader.array()?),
        };
        (reader.is_empty() && head.capacity > 0).then_some(head)
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put(&self.capacity.to_be_bytes());
        out.put(&self.next.to_be_bytes());
        out
    }

    fn key(self, number: u64) -> StoreKey {
        let index = number.checked_rem(u64::from(self.capacity));
        StoreKey::Decision(u32::try_from(index.unwrap_or_default()).unwrap_or_default())
    }

    /// The oldest number that may still be kept.
    fn oldest(self) -> u64 {
        self.next.saturating_sub(u64::from(self.capacity)).max(1)
    }
}

/// What one worker knows of the decisions that are kept.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    is_open: bool,
    looked_at: Option<Moment>,
}

/// Some of the decisions as they are written, the newest last.
#[derive(Debug, Default)]
pub(super) struct Bytes(Vec<Vec<u8>>);

impl Bytes {
    pub(super) fn read(&self) -> impl Iterator<Item = KeptDecision<'_>> {
        self.0.iter().filter_map(|bytes| KeptDecision::parse(bytes))
    }
}

/// Some of the decisions, and where they stand among all.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) decisions: Bytes,
    /// The number of the last that there is.
    pub(super) latest: u64,
    /// There were others in between that are kept no longer.
    pub(super) is_cut: bool,
}

impl Decisions {
    pub(super) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Looks whether there is a door.
    pub(super) fn look(&mut self, store: &impl Store, now: Moment) {
        let is_fresh = |at: Moment| at <= now && now.ms_since(at) < LOOK_EVERY_MS;
        if self.looked_at.is_some_and(is_fresh) {
            return;
        }
        self.looked_at = Some(now);
        self.is_open = head(store).is_some();
    }

    /// There is a door, and so many decisions are kept for it.
    pub(super) fn open(&mut self, store: &impl Store, capacity: u32) {
        let found = store.load(StoreKey::Decisions);
        let known = found
            .as_ref()
            .and_then(|(bytes, _)| DecisionsHead::parse(bytes));
        self.is_open = true;
        if known.is_some_and(|head| head.capacity == capacity) {
            return;
        }
        let next = known.map_or(1, |head| head.next);
        let version = found.map(|(_, version)| version);
        let head = DecisionsHead { capacity, next };
        // On a conflict another worker has done it, or the next tick does.
        let _ = store.swap(StoreKey::Decisions, version, &head.to_bytes());
    }

    /// Keeps a decision about an account. One about nobody is not kept: whoever asks for
    /// nonsense would push out what others ask about.
    pub(super) fn keep(&self, host: &impl Host, log_entry: &LogEntry) {
        let Some(subject) = log_entry.subject.filter(|_| self.is_open) else {
            return;
        };
        let Some((head, number)) = take_number(host) else {
            return;
        };
        let at = log_entry.at.unwrap_or_else(|| host.now());
        let (kept_at, bucket) = (head.key(number), bucket_of(&subject));
        for _ in 0..TRIES {
            let latest = host.load(bucket);
            let previous = latest.as_ref().map_or(0, |(bytes, _)| number_in(bytes));
            let found = host.load(kept_at);
            let is_overtaken = found.as_ref().is_some_and(|(bytes, _)| {
                KeptDecision::parse(bytes).is_some_and(|other| other.number > number)
            });
            let version = found.map(|(_, version)| version);
            let decision = written(log_entry, &subject, number, previous, at);
            if is_overtaken || host.swap(kept_at, version, &decision) != Swap::Done {
                return;
            }
            let version = latest.map(|(_, version)| version);
            match host.swap(bucket, version, &number.to_be_bytes()) {
                Swap::Conflict => {}
                Swap::Done | Swap::Failed => return,
            }
        }
    }

    /// Up to `most` decisions after this number; without one, the latest.
    pub(super) fn after(&self, store: &impl Store, after: Option<u64>, most: u64) -> Read {
        let Some(head) = head(store) else {
            return Read::default();
        };
        let first = match after {
            // A number from before the edge started is none of these.
            Some(after) if after < head.next => after.saturating_add(1),
            Some(_) => head.next,
            None => head.next.saturating_sub(most),
        };
        let begin = first.max(head.oldest());
        let end = head.next.min(begin.saturating_add(most));
        let read = |number: u64| {
            let (bytes, _) = store.load(head.key(number))?;
            // What is not whole is left out where it is read.
            (number_in(&bytes) == number).then_some(bytes)
        };
        Read {
            decisions: Bytes((begin..end).filter_map(read).collect()),
            latest: end.saturating_sub(1),
            is_cut: after.is_some() && begin > first,
        }
    }

    /// The number of the latest decision; 0 for none.
    pub(super) fn latest(&self, store: &impl Store) -> u64 {
        head(store).map_or(0, |head| head.next.saturating_sub(1))
    }

    /// Up to `most` of the latest decisions about an account, the newest last.
    pub(super) fn of_account(
        &self,
        store: &impl Store,
        subject: &SubjectKey,
        most: usize,
    ) -> Bytes {
        let mut found = Vec::new();
        let Some(head) = head(store) else {
            return Bytes(found);
        };
        let latest = store.load(bucket_of(subject));
        let mut number = latest.map_or(0, |(bytes, _)| number_in(&bytes));
        for _ in 0..LOOKED_AT_MAX {
            if number < head.oldest() || found.len() >= most {
                break;
            }
            let Some((bytes, _)) = store.load(head.key(number)) else {
                break;
            };
            let Some(decision) = KeptDecision::parse(&bytes) else {
                break;
            };
            if decision.number != number {
                break;
            }
            number = decision.previous;
            if decision.subject == *subject {
                found.push(bytes);
            }
        }
        found.reverse();
        Bytes(found)
    }
}

fn head(store: &impl Store) -> Option<DecisionsHead> {
    let (bytes, _) = store.load(StoreKey::Decisions)?;
    DecisionsHead::parse(&bytes)
}

/// A number that no other decision has.
fn take_number(store: &impl Store) -> Option<(DecisionsHead, u64)> {
    for _ in 0..TRIES {
        let (bytes, version) = store.load(StoreKey::Decisions)?;
        let head = DecisionsHead::parse(&bytes)?;
        let taken = DecisionsHead {
            next: head.next.saturating_add(1),
            ..head
        };
        match store.swap(StoreKey::Decisions, Some(version), &taken.to_bytes()) {
            Swap::Done => return Some((taken, head.next)),
            Swap::Conflict => {}
            Swap::Failed => return None,
        }
    }
    None
}

fn bucket_of(subject: &SubjectKey) -> StoreKey {
    StoreKey::DecisionsOf(subject.spread().checked_rem(BUCKETS).unwrap_or_default())
}

/// The number that a decision, or a bucket, begins with; 0 for none.
fn number_in(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk()
        .map_or(0, |number| u64::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MemoryHost, NOW, test};

    fn refusal(account: u8) -> LogEntry {
        LogEntry {
            event: "refusal",
            reason: Some("limit-reached"),
            subject: Some(SubjectKey::from_bytes([account; 16])),
            ..LogEntry::default()
        }
    }

    fn numbers(bytes: &Bytes) -> Vec<u64> {
        bytes.read().map(|decision| decision.number).collect()
    }

    #[test]
    fn nothing_is_kept_before_there_is_a_door() {
        let host = MemoryHost::new();
        let mut viewers = Decisions::default();
        viewers.look(&host, NOW);
        viewers.keep(&host, &refusal(1));
        assert_eq!(host.calls().swaps, 0);
        let mut door = Decisions::default();
        door.open(&host, 64);
        viewers.look(&host, NOW.plus_ms(LOOK_EVERY_MS));
        viewers.keep(&host, &refusal(1));
        viewers.keep(&host, &LogEntry::default());
        assert_eq!(numbers(&door.after(&host, None, 10).decisions), [1]);
    }

    #[test]
    fn the_latest_are_kept_and_no_more_than_there_is_room_for() {
        let host = MemoryHost::new();
        let mut door = Decisions::default();
        door.open(&host, 64);
        for n in 0..100_000_u32 {
            door.keep(&host, &refusal(n.to_le_bytes()[0] % 3));
        }
        let all = door.after(&host, None, u64::MAX);
        assert_eq!(
            numbers(&all.decisions),
            (99_937..=100_000).collect::<Vec<_>>()
        );
        let polled = door.after(&host, Some(99_998), 100);
        assert_eq!(numbers(&polled.decisions), [99_999, 100_000]);
        assert!(!polled.is_cut);
        assert!(door.after(&host, Some(5), 100).is_cut);
        // From before a restart.
        assert!(
            door.after(&host, Some(u64::MAX), 100)
                .decisions
                .0
                .is_empty()
        );
        let subject = SubjectKey::from_bytes([1; 16]);
        let account = door.of_account(&host, &subject, 5);
        assert_eq!(account.read().count(), 5);
        assert!(account.read().all(|decision| decision.subject == subject));
        let numbers = numbers(&account);
        assert!(numbers.is_sorted() && numbers[4] > 99_990, "{numbers:?}");
    }

    /// The account's neighbours in its bucket cost a look each, and only so many.
    #[test]
    fn an_account_is_found_among_its_neighbours_with_few_looks() {
        let host = MemoryHost::new();
        let mut door = Decisions::default();
        door.open(&host, 8_192);
        let neighbour = |last: u8| {
            let mut bytes = [9; 16];
            bytes[15] = last;
            SubjectKey::from_bytes(bytes)
        };
        for last in 0..200 {
            let log_entry = LogEntry {
                subject: Some(neighbour(last)),
                ..refusal(0)
            };
            door.keep(&host, &log_entry);
        }
        let before = host.calls().loads;
        assert_eq!(numbers(&door.of_account(&host, &neighbour(3), 50)), [4]);
        assert!(host.calls().loads - before < 300);
    }

    #[test]
    fn a_decision_that_another_worker_overtakes_is_found_all_the_same() {
        let host = MemoryHost::new();
        let mut door = Decisions::default();
        door.open(&host, 64);
        let subject = SubjectKey::from_bytes([1; 16]);
        door.keep(&host, &refusal(1));
        for key in [StoreKey::Decisions, bucket_of(&subject)] {
            host.lose_next_swap_at(key);
            door.keep(&host, &refusal(1));
        }
        assert_eq!(numbers(&door.of_account(&host, &subject, 9)), [1, 2, 3]);
        host.fail_swaps(true);
        door.keep(&host, &refusal(1));
    }

    #[test]
    fn what_cannot_be_read_is_no_decision() {
        let host = MemoryHost::new();
        let mut door = Decisions::default();
        for damaged in [&b""[..], b"\0\0\0\0\0\0\0\0\0\0\0\0", &[7; 99]] {
            host.plant(StoreKey::Decisions, damaged);
            assert_eq!(door.latest(&host), 0);
            assert!(door.after(&host, None, 10).decisions.0.is_empty());
        }
        door.open(&host, 64);
        door.keep(&host, &refusal(1));
        host.plant(StoreKey::Decision(1), b"damaged");
        assert!(numbers(&door.after(&host, None, 10).decisions).is_empty());
        assert!(
            door.of_account(&host, &SubjectKey::from_bytes([1; 16]), 9)
                .0
                .is_empty()
        );
    }
}
