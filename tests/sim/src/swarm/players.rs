//! What players do next, and what they are told.

use super::event::Event;
use super::options::Rollout;
use super::viewer::{Standing, Told, Way, Wish};
use super::witness::after_s;
use super::world::{TICK_MS, World};
use crate::edge::Outcome;

/// How long a request may wait at a time beyond `fleet.wait`, in milliseconds: until the next tick notices.
const NOTICED_WITHIN_MS: u64 = 2 * TICK_MS;

/// How long an edge that has just begun waits for its store before that: the default of
/// `fleet.start_within`.
const START_WITHIN_MS: u64 = 2_000;

/// How often it may: a segment before it goes to the origin, and when its response comes.
const fn waits(wish: Wish) -> u64 {
    match wish {
        Wish::Segment => 2,
        _ => 1,
    }
}

impl World {
    pub(super) fn acts_soon(&mut self, viewer: usize) {
        // In a rush nobody waits for the first segment.
        let rushes = self.options.gives_up && self.viewers[viewer].served_ms == 0;
        let pause_ms = match rushes {
            true => self.dice.u64(..self.options.starts_within_ms),
            false => self.dice.u64(300..2_000),
        };
        let at_ms = self.now_ms + pause_ms;
        self.agenda.put(at_ms, Event::Acts { viewer });
    }

    pub(super) fn acts(&mut self, at: usize) {
        let (quiet, dice) = (self.is_quiet(), &mut self.dice);
        let viewer = &mut self.viewers[at];
        let is_modest = self.accounts[viewer.account].is_modest;
        let mut chance = |percent: u32| dice.u32(..100) < percent;
        let gives_up = quiet || (self.options.gives_up && viewer.has_left());
        if gives_up && viewer.standing == Standing::Idle {
            return;
        }
        let plays = viewer.standing == Standing::Plays;
        viewer.wish = match (plays, viewer.has_session()) {
            (false, _) => viewer.first_wish(),
            (true, _) if quiet => Wish::Segment,
            (true, true) if !is_modest && chance(5) => Wish::Stop,
            (true, true) if chance(10) => Wish::Heartbeat,
            (true, _) if !is_modest && chance(4) => {
                // It just goes away.
                viewer.leaves();
                self.accounts[viewer.account].witness.loses(at);
                return self.acts_soon(at);
            }
            // It pauses, and lapses. An app with a session would begin a new one then.
            (true, _) if viewer.way == Way::OwnId && chance(2) => {
                self.accounts[viewer.account].witness.pauses(at);
                let back_ms = self.now_ms + self.options.timeout_s * 1_500;
                return self.agenda.put(back_ms, Event::Acts { viewer: at });
            }
            (true, _) => Wish::Segment,
        };
        if !quiet && chance(20) {
            viewer.worker = self.dice.usize(..self.options.workers);
        }
        if !quiet && self.dice.u32(..100) < 4 {
            viewer.edge = self.dice.usize(..self.options.edges);
        }
        let (edge, worker, now_ms) = (viewer.edge, viewer.worker, self.now_ms);
        viewer.standing = Standing::Waits {
            plays,
            since_ms: now_ms,
        };
        self.accounts[viewer.account]
            .witness
            .asks(at, viewer, now_ms);
        let request = viewer.request(&self.accounts[viewer.account].name);
        self.report.requests += 1;
        let number = u32::try_from(at).expect("few viewers");
        if let Some(outcome) = self.edge(edge).ask(worker, number, request) {
            self.told(at, outcome);
        }
        self.goes_on(edge, worker);
    }

    pub(super) fn told(&mut self, at: usize, outcome: Outcome) {
        let now_ms = self.now_ms;
        let viewer = &mut self.viewers[at];
        let wish = viewer.wish;
        let meets_by_ms = self.began_ms[viewer.edge] + START_WITHIN_MS;
        let (plays, asked_ms) = match viewer.standing {
            Standing::Waits { plays, since_ms } => (plays, since_ms),
            _ => (false, now_ms),
        };
        // Who has no time to hear of an answer makes a call once more: so it is for whoever asked before the
        // last worker got its time again.
        let is_starved = self.options.trouble.starvations > 0 && self.is_troubled_at(asked_ms);
        let wait_max_ms = self.options.wait_ms + NOTICED_WITHIN_MS;
        let viewer = &mut self.viewers[at];
        if let Standing::Waits { since_ms, .. } = viewer.standing
            && !is_starved
            && now_ms > since_ms.max(meets_by_ms) + waits(wish) * wait_max_ms
        {
            let waited_ms = now_ms - since_ms;
            self.report.wrongs.push(format!(
                "after {} s {wish:?} waited for {waited_ms} ms",
                after_s(now_ms)
            ));
        }
        let told = viewer.told(outcome, now_ms);
        let account = &mut self.accounts[viewer.account];
        // A stream that comes from an edge that keeps its account elsewhere is unknown here.
        let lays_out = self.options.rollout == Rollout::Shards;
        let (witness, excused_until_ms) = (&mut account.witness, self.excused_until_ms);
        let wrong = match &told {
            Told::Yes => witness.is_granted(at, wish, now_ms, excused_until_ms),
            // A stop that was made known twice, since the first answer was lost; or of a stream that is
            // known elsewhere.
            Told::No(404 | 410, _) if wish == Wish::Stop => {
                witness.loses(at);
                None
            }
            Told::No(_, why) => {
                let excused = (self.out_until_ms, excused_until_ms);
                witness.is_refused(at, (asked_ms, now_ms), why, excused)
            }
            Told::Later => {
                if wish == Wish::Create {
                    // It may have started all the same, and count.
                    witness.never_hears(at, now_ms);
                    account.is_modest = false;
                } else if plays {
                    // Its stream lapses meanwhile, where that takes long.
                    witness.waits(at);
                    account.is_modest = false;
                }
                (now_ms > excused_until_ms).then(|| "told to come again".to_owned())
            }
        };
        if let Some(wrong) = wrong.filter(|_| !lays_out) {
            let after_s = after_s(now_ms);
            self.report.wrongs.push(format!(
                "after {after_s} s {} at edge {}: {wish:?}, {told:?}: {wrong}",
                account.name, viewer.edge
            ));
        }
        if let Told::No(status, why) = told
            && account.is_modest
            && !lays_out
        {
            let after_s = after_s(now_ms);
            let wrong = format!(
                "after {after_s} s {} was refused at edge {}: {wish:?}, {status}, {why}",
                account.name, viewer.edge
            );
            self.report.wrongs.push(wrong);
            // It plays something else now, and what it had may still count.
            account.is_modest = false;
        }
        self.acts_soon(at);
    }
}
