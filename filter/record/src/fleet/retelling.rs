//! Telling a store that lost its memory again what plays at this edge.

use super::call::{At, TICK_MS, shard_of};
use super::returns::Return;
use super::settings::Settings;
use super::shard::Shard;
use crate::copy;
use crate::ports::Host;

/// The part of the shortest timeout in which every copy is told again.
const PARTS_OF_A_TIMEOUT: u64 = 18;

/// The most slots that are gone through in one tick: some ten milliseconds' work.
const SLOTS_A_TICK: u32 = 8_192;

/// A round through this edge's copies, where one is under way.
#[derive(Debug, Default)]
pub(super) struct Retelling {
    next: u32,
    left: u32,
    /// When all shards were doubted last.
    doubts: Return,
}

impl Retelling {
    /// Goes on with the round, or begins one. A node that lost a shard's memory lost that of its other
    /// shards: all of them are asked.
    pub(super) fn on_tick<H: Host>(
        &mut self,
        here: At<'_, H>,
        shards: &mut [Shard],
        settings: &Settings,
    ) {
        let (now, slots) = (here.steady, here.records.slots.get());
        let mut is_news = false;
        for shard in &mut *shards {
            is_news |= shard.back.look_after(now);
        }
        if is_news {
            self.left = slots;
            if !self.doubts.hurries(now) {
                self.doubts.begins(now);
                for shard in &mut *shards {
                    shard.back.is_doubted(now);
                }
            }
        }
        if self.left == 0 {
            return;
        }
        let time_ms = settings.shortest_timeout_ms / PARTS_OF_A_TIMEOUT;
        let ticks = u32::try_from(time_ms / TICK_MS).unwrap_or(u32::MAX).max(1);
        let stretch = slots.div_ceil(ticks).min(SLOTS_A_TICK).min(self.left);
        for _ in 0..stretch {
            let slot = self.next;
            self.next = slot.saturating_add(1).checked_rem(slots).unwrap_or(0);
            for subject in copy::subjects(here.host, slot) {
                let shard = shards.get_mut(shard_of(settings.shards, &subject));
                if let Some(shard) = shard.filter(|shard| shard.back.retells()) {
                    shard.queue.flush_again(subject);
                }
            }
        }
        self.left = self.left.saturating_sub(stretch);
        if self.left == 0 {
            shards.iter_mut().for_each(|it| it.back.has_been_told());
        }
    }
}
