//! Tidying up behind streams that lapsed.
//!
//! Nothing depends on it: a lapsed stream counts for nothing the moment its time
//! has come, and goes from the record with the next write to its slot. The sweep
//! only gives memory back and keeps the gauge of live streams true while nobody
//! writes. Workers share the work: whoever moves the hand on sweeps the stretch. Where much lapses
//! at once, a stretch ends early, and whoever ticks next goes on with it.

use streamgate_values::moment::Moment;

use super::counting::forget_lapsed;
use super::records::Records;
use super::slot::Slot;
use crate::ports::{Host, StoreKey, Swap};

/// How often a worker is to call [`sweep()`], in milliseconds.
pub const SWEEP_EVERY_MS: u64 = 100;

/// How long a whole round takes, in milliseconds, unless there are more slots than 76,800, or more
/// lapses than [`WORK_MAX`] allows.
const ROUND_MS: u64 = 60_000;

/// The most slots that one call sweeps: less than a millisecond's work where each holds fifteen
/// accounts that play. No request of this worker is served meanwhile.
const STRETCH_MAX: u32 = 128;

/// After how many lapsed streams, and records taken apart, one call sweeps no further slot: about
/// half a millisecond's work.
const WORK_MAX: usize = 1_024;

/// Sweeps the next stretch of slots, if no worker did so just now.
pub fn sweep(host: &impl Host, records: &Records, now: Moment) {
    let slots = records.slots.get();
    let Some(first) = claim(host, slots, now) else {
        return;
    };
    let mut work = 0_usize;
    for slot in first..first.saturating_add(stretch(slots)).min(slots) {
        if work >= WORK_MAX {
            put_back(host, slot);
            return;
        }
        work = work.saturating_add(sweep_slot(host, StoreKey::Slot(slot), now));
    }
}

/// How many slots one call sweeps, so that [`ROUND_MS`] suffices for all if it can.
fn stretch(slots: u32) -> u32 {
    let calls = ROUND_MS.checked_div(SWEEP_EVERY_MS).unwrap_or(1);
    let fair = slots.div_ceil(u32::try_from(calls).unwrap_or(1).max(1));
    fair.min(STRETCH_MAX)
}

/// Moves the hand on; `None` if another worker has it.
fn claim(host: &impl Host, slots: u32, now: Moment) -> Option<u32> {
    let loaded = host.load(StoreKey::Sweep);
    let hand = loaded.as_ref().and_then(|(bytes, _)| Hand::parse(bytes));
    let first = match hand {
        Some(hand) if hand.has_just_moved(now) => return None,
        Some(hand) if hand.next < slots => hand.next,
        _ => 0,
    };
    let hand = Hand {
        next: first.saturating_add(stretch(slots)),
        moved_at: now,
    };
    let version = loaded.map(|(_, version)| version);
    (host.swap(StoreKey::Sweep, version, &hand.to_bytes()) == Swap::Done).then_some(first)
}

/// Leaves the rest of a stretch, from `next` on, to whichever worker ticks first.
fn put_back(host: &impl Host, next: u32) {
    let version = host.load(StoreKey::Sweep).map(|(_, version)| version);
    let hand = Hand {
        next,
        moved_at: Moment::EARLIEST,
    };
    // Where another worker has moved the hand on meanwhile, its stretch is swept twice.
    let _: Swap = host.swap(StoreKey::Sweep, version, &hand.to_bytes());
}

/// How far the sweep has come: the next slot (four bytes) and the moment of the last
/// move (six).
struct Hand {
    next: u32,
    moved_at: Moment,
}

impl Hand {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (next, moved_at) = bytes.split_first_chunk()?;
        Some(Self {
            next: u32::from_be_bytes(*next),
            moved_at: Moment::from_bytes(moved_at.try_into().ok()?),
        })
    }

    /// A move in the future means that the clock was set back since.
    fn has_just_moved(&self, now: Moment) -> bool {
        self.moved_at <= now && now.ms_since(self.moved_at) < SWEEP_EVERY_MS
    }

    fn to_bytes(&self) -> Vec<u8> {
        [&self.next.to_be_bytes()[..], &self.moved_at.to_bytes()].concat()
    }
}

/// Sweeps a slot; how much work that was, as [`WORK_MAX`] counts it.
fn sweep_slot(host: &impl Host, key: StoreKey, now: Moment) -> usize {
    let Some((bytes, version)) = host.load(key) else {
        return 0;
    };
    let Some(slot) = Slot::parse(&bytes).filter(|slot| slot.has_lapsed(now)) else {
        return 0;
    };
    let rewritten = slot.rewrite(None, now);
    // On a conflict the other writer has just tidied the slot.
    if host.swap(key, Some(version), &rewritten.bytes) == Swap::Done {
        forget_lapsed(host, &rewritten);
    }
    slot.idle(now).saturating_add(rewritten.lapsed.len())
}
