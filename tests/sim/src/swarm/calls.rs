//! What goes from edges to the store and back, and what gets lost.

use streamgate_record::fleet::{CallFailure, StoreCall};
use streamgate_record::metric::Metric;

use super::event::{Caller, Event};
use super::options::Options;
use super::witness::after_s;
use super::world::{TICK_MS, World};

impl World {
    pub(super) fn ticks(&mut self, edge: usize, worker: usize) {
        self.counts_outage_admits(edge);
        let calls = self.edge(edge).tick(worker);
        self.make(edge, worker, calls);
        self.goes_on(edge, worker);
        let at = edge * self.options.workers + worker;
        let made = core::mem::take(&mut self.in_tick[at]);
        // By then whatever fell silent before all was quiet has lapsed.
        if self.now_ms >= self.ends_ms() - self.options.timeout_s * 1_000 {
            self.quiet.ticks += 1;
            self.quiet.calls += made;
            self.quiet.most_calls_in_tick = self.quiet.most_calls_in_tick.max(made);
        }
        self.agenda
            .put(self.now_ms + TICK_MS, Event::Tick { edge, worker });
    }

    fn make(&mut self, edge: usize, worker: usize, calls: Vec<StoreCall>) {
        let is_troubled = self.is_troubled();
        let Options { trouble, nodes, .. } = &self.options;
        let (delay_ms, nodes) = (trouble.delay_ms, *nodes);
        let (lost_percent, resets_percent) = match is_troubled {
            true => (trouble.lost_percent, trouble.resets_percent),
            false => (0, 0),
        };
        for call in calls {
            self.report.calls += 1;
            self.in_tick[edge * self.options.workers + worker] += 1;
            let from = Caller {
                edge,
                worker,
                life: self.lives[edge],
                call: call.id,
            };
            self.under_way.insert(from);
            let fate = self.dice.u32(..300);
            let shard = call
                .shard
                .strip_prefix("shard-")
                .and_then(|n| n.parse().ok());
            let shard: usize = shard.expect("shards have numbers");
            let node = shard % nodes;
            let line = (edge, worker, shard);
            let breaks =
                is_troubled && !self.broken.remove(&line) && self.dice.u32(..100) < resets_percent;
            if breaks {
                self.broken.insert(line);
            }
            let breaks_late = breaks && self.dice.bool();
            let refused =
                fate < lost_percent || !self.reaches(edge, node) || (breaks && !breaks_late);
            let vanishes = !refused && fate < 2 * lost_percent;
            let answer_is_lost =
                breaks_late || (fate >= 2 * lost_percent && fate < 3 * lost_percent);
            let fails_after_ms = match (refused, breaks) {
                (true, _) => 1,
                (false, true) => 2 * delay_ms + 1,
                (false, false) => call.timeout_ms,
            };
            let reply = Err(CallFailure);
            self.agenda.put(
                self.now_ms + fails_after_ms,
                Event::Heard { to: from, reply },
            );
            if !refused && !vanishes {
                let event = Event::Arrives {
                    node,
                    from,
                    payload: call.payload,
                    answer_is_lost,
                };
                let at_ms = self.now_ms + self.dice.u64(1..=delay_ms);
                self.agenda.put(at_ms, event);
            }
        }
    }

    /// Nobody is admitted as in an outage while the store is well.
    fn counts_outage_admits(&mut self, edge: usize) {
        let admits = self.edges[edge].host.count(Metric::FleetOutageAdmits);
        let before = core::mem::replace(&mut self.outage_admits[edge], admits);
        if admits > before && self.now_ms > self.excused_until_ms {
            let after_s = after_s(self.now_ms);
            self.report.wrongs.push(format!(
                "after {after_s} s edge {edge} admitted {} as in an outage",
                admits - before
            ));
        }
    }

    pub(super) fn arrives(
        &mut self,
        node: usize,
        from: Caller,
        payload: Vec<u8>,
        answer_is_lost: bool,
    ) {
        let frozen_until_ms = self.frozen_until_ms[node];
        if self.now_ms < frozen_until_ms {
            let event = Event::Arrives {
                node,
                from,
                payload,
                answer_is_lost,
            };
            return self.agenda.put(frozen_until_ms, event);
        }
        let said = self.nodes[node].answer(&payload, self.now_ms);
        if self.records {
            self.report.exchanges.push((payload, said.clone()));
        }
        if !answer_is_lost {
            let at_ms = self.now_ms + self.dice.u64(1..=self.options.trouble.delay_ms);
            let reply = Ok(said);
            self.agenda.put(at_ms, Event::Heard { to: from, reply });
        }
    }

    pub(super) fn hears(&mut self, to: Caller, reply: &Result<Vec<u8>, CallFailure>) {
        if self.under_way.remove(&to) && self.lives[to.edge] == to.life {
            let reply = reply.as_deref().map_err(|failure| *failure);
            self.edge(to.edge).hear(to.worker, to.call, reply);
            self.goes_on(to.edge, to.worker);
        }
    }

    /// Requests that have waited go on, and what came up goes to the store.
    pub(super) fn goes_on(&mut self, edge: usize, worker: usize) {
        for resolved in self.edge(edge).resolved(worker) {
            self.told(resolved.viewer as usize, resolved.outcome);
        }
        let calls = self.edge(edge).calls(worker);
        self.make(edge, worker, calls);
    }
}
