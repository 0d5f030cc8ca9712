//! Which shards have their turn in a tick.

use super::call::{SUBJECTS_A_CALL, TICK_MS};
use super::settings::Settings;
use super::shard::Shard;

/// In how many parts of a timeout every shard is told of signs of life once.
const ROUNDS_A_TIMEOUT: u64 = 9;

/// How many shards a worker that has just started calls for the first time in one tick.
const FIRST_CALLS_A_TICK: usize = 8;

/// The most shards that are called in one tick because they have come back.
pub(super) const BACK_A_TICK: usize = 64;

/// Up to `most` shards of a kind, from one of them on.
pub(super) fn in_turn(
    shards: &[Shard],
    from: usize,
    most: usize,
    is_one: impl Fn(&Shard) -> bool,
) -> Vec<usize> {
    let count = shards.len();
    let turns = (0..count).map(|turn| from.saturating_add(turn).checked_rem(count));
    let found = turns
        .flatten()
        .filter(|at| shards.get(*at).is_some_and(&is_one));
    found.take(most).collect()
}

/// The most shards whose eviction feed one tick asks for: all of them in the time given, and
/// those soon that have never been asked.
pub(super) fn feed_a_tick(shards: &[Shard], settings: &Settings) -> usize {
    let ticks = usize::try_from(settings.feed_every_ms() / TICK_MS).unwrap_or(usize::MAX);
    let in_time = shards.len().div_ceil(ticks.max(1));
    match shards.iter().all(Shard::is_known) {
        true => in_time,
        false => in_time.max(FIRST_CALLS_A_TICK),
    }
}

/// How many shards have to be told of signs of life in one tick, so that each of those
/// that wait has its turn a few times in a timeout, and more often if one call does not
/// suffice for it.
pub(super) fn patient_a_tick(shards: &[Shard], settings: &Settings) -> usize {
    let calls = shards
        .iter()
        .map(|shard| shard.queue.len().div_ceil(SUBJECTS_A_CALL));
    let calls = calls.fold(0, usize::saturating_add);
    let round_ms = settings.shortest_timeout_ms / ROUNDS_A_TIMEOUT;
    let ticks = usize::try_from(round_ms / TICK_MS).unwrap_or(usize::MAX);
    calls.div_ceil(ticks.max(1)).max(1)
}
