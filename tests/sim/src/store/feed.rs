//! An eviction feed, trimmed as the real ones are.

use std::collections::VecDeque;

/// How many are kept, and how many are let go of at once: a real stream is made of blocks
/// of a hundred entries, and `MAXLEN ~` takes away whole ones only.
const KEPT: usize = 4096;
const BLOCK: usize = 100;

/// The most that one call reads.
const READ: usize = 512;

/// Where in the list something stands: milliseconds, then a count within them.
type StoreKey = (u64, u64);

/// The subjects of which a stream was ended, in their order.
#[derive(Debug, Default)]
pub(super) struct Feed {
    entries: VecDeque<(StoreKey, Vec<u8>)>,
    last: StoreKey,
    until_ms: u64,
}

impl Feed {
    pub(super) const fn is_kept(&self, now_ms: u64) -> bool {
        now_ms <= self.until_ms
    }

    pub(super) fn add(&mut self, subject: &[u8], now_ms: u64, kept_ms: u64) {
        let (last_ms, count) = self.last;
        self.last = match now_ms > last_ms {
            true => (now_ms, 0),
            false => (last_ms, count + 1),
        };
        self.entries.push_back((self.last, subject.to_vec()));
        while self.entries.len() >= KEPT + BLOCK {
            self.entries.drain(..BLOCK);
        }
        self.until_ms = now_ms + kept_ms;
    }

    /// What follows a place, and where it ends; `None` if nothing follows.
    pub(super) fn after(&self, place: &[u8]) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
        let from = parsed(place);
        let first = self.entries.partition_point(|(at, _)| *at <= from);
        let read: Vec<_> = self.entries.iter().skip(first).take(READ).collect();
        let ((ms, count), _) = read.last()?;
        let subjects = read.iter().map(|(_, subject)| subject.clone()).collect();
        Some((format!("{ms}-{count}").into_bytes(), subjects))
    }
}

fn parsed(place: &[u8]) -> StoreKey {
    let text = core::str::from_utf8(place).expect("a place");
    let (ms, count) = text.split_once('-').expect("a place");
    (
        ms.parse().expect("a place"),
        count.parse().expect("a place"),
    )
}
