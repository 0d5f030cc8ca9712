//! One shard as one worker sees it.

mod answer;
mod batch;

use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::call::SUBJECTS_A_CALL;
use super::layout::Layout;
use super::patience::{Patience, ShardStanding};
use super::queue::{Ask, Queue, QueueItem};
use super::returns::{FEED_EVERY_MS, Return};
use super::sent::Batch;
use super::store_answer::Failure;
use super::{AnsweredQuestion, At, CallId, Ticket, feed};
use crate::metric::Metric;
use crate::ports::Host;
use crate::{Decided, Unavailable};

/// How long a shard that failed is left alone, in milliseconds. Starts get what there is in
/// an outage meanwhile, without waiting.
const DOWN_MS: u64 = 500;

/// How long a call may be under way beyond its timeout until it is taken for lost, in
/// milliseconds.
const LOST_AFTER_MS: u64 = 5_000;

/// By how much a clock that counts milliseconds may be late, and a timer early.
const CLOCK_STEP_MS: u64 = 2;

/// Why a question that is not answered is not.
const UNANSWERED: Unavailable = Unavailable::Fleet;

/// One shard as one worker sees it.
#[derive(Debug)]
pub(super) struct Shard {
    number: u32,
    pub(super) queue: Queue,
    in_flight: Option<Batch>,
    /// Since when it remembers, as it said last.
    since: Option<Moment>,
    /// When its eviction feed was read last, as far as is known.
    feed_at: Moment,
    /// The store may lack the scripts.
    lacks_scripts: bool,
    standing: ShardStanding,
    layout: Layout,
    pub(super) back: Return,
    /// By the steady clock.
    not_before: Moment,
    /// The most subjects for the next call: fewer after an answer that was cut.
    most: usize,
    /// Of how many subjects the store was told something and had heard from another edge
    /// meanwhile. They stand first in line, and come first soon: whoever waited for its
    /// turn again could be overtaken each time by an edge that has more to tell.
    overtaken: usize,
    /// This edge goes by the clock of its store.
    pub(super) leads: bool,
}

impl Shard {
    pub(super) fn new(number: u32, subjects_max: usize) -> Self {
        Self {
            number,
            queue: Queue::new(subjects_max),
            in_flight: None,
            since: None,
            feed_at: Moment::EARLIEST,
            lacks_scripts: false,
            standing: ShardStanding::new(),
            layout: Layout::default(),
            back: Return::default(),
            not_before: Moment::EARLIEST,
            most: SUBJECTS_A_CALL,
            overtaken: 0,
            leads: false,
        }
    }

    pub(super) const fn is_down(&self) -> bool {
        self.standing.is_out()
    }

    /// Whether an edge can go by the clock of its store.
    pub(super) const fn tells_the_time(&self) -> bool {
        self.is_known() && !self.is_down()
    }

    /// Since when it remembers, as it said last.
    pub(super) const fn memory_since(&self) -> Option<Moment> {
        self.since
    }

    /// How other edges lay accounts out at its node, where that differs.
    pub(super) fn other_layout(&self) -> Option<&str> {
        self.layout.other()
    }

    pub(super) const fn was_overtaken(&self) -> bool {
        self.overtaken > 0
    }

    /// Whether it has ever answered, to this worker or another one.
    pub(super) const fn is_known(&self) -> bool {
        self.since.is_some()
    }

    /// Whether the answer to a call is awaited.
    pub(super) fn awaits(&self, call: CallId) -> bool {
        self.in_flight
            .as_ref()
            .is_some_and(|batch| batch.call == call)
    }

    /// Whether a call may be made at this moment of the steady clock.
    pub(super) fn may_speak(&self, steady: Moment) -> bool {
        self.in_flight.is_none() && steady >= self.not_before
    }

    pub(super) fn feed_is_due(&self, every_ms: u64, now: Moment) -> bool {
        now < self.feed_at || now.ms_since(self.feed_at) >= every_ms
    }

    /// Whether it is called with this tick because it has come back.
    pub(super) fn is_back<H>(&self, here: At<'_, H>) -> bool {
        let is_due = !self.queue.is_empty() || self.feed_is_due(FEED_EVERY_MS, here.now);
        is_due && self.back.hurries(here.steady)
    }

    /// Learns what other workers have heard of it.
    pub(super) fn look_what_others_know<H: Host>(&mut self, here: At<'_, H>) {
        if let Some((read_at, since)) = feed::last_read(here.host, self.number) {
            self.feed_at = self.feed_at.max(read_at);
            self.since = self.since.or(since);
        }
    }

    /// Whoever asked under this ticket is gone; what was sent may still come about.
    pub(super) fn forget(&mut self, ticket: Ticket) {
        let is_theirs = |ask: &Ask| ask.ticket == Some(ticket);
        let _ = self.queue.give_up(is_theirs);
        let sent = self.in_flight.iter_mut().flat_map(|batch| &mut batch.sent);
        for answered in sent.flat_map(|sent| &mut sent.answered) {
            if is_theirs(&answered.ask) {
                answered.ask.ticket = None;
            }
        }
    }

    /// Settles the questions that have waited for long enough.
    pub(super) fn give_up<H: Host>(
        &mut self,
        here: At<'_, H>,
        patience: Patience,
        settled: &mut Vec<AnsweredQuestion>,
    ) {
        let now = here.steady;
        let standing = &self.standing;
        let is_late = |ask: &Ask| standing.is_late(ask.since, patience, now);
        if self.queue.has_urgent() {
            for ask in self.queue.give_up(is_late) {
                settle(settled, &ask, Err(UNANSWERED), false);
            }
        }
        let Some(batch) = &mut self.in_flight else {
            return;
        };
        for answered in batch.sent.iter_mut().flat_map(|sent| &mut sent.answered) {
            if is_late(&answered.ask) {
                settle(settled, &answered.ask, Err(UNANSWERED), true);
                answered.ask.ticket = None;
            }
        }
        let lost_after_ms = patience.wait_ms.saturating_add(LOST_AFTER_MS);
        if now.ms_since(batch.made_at) >= lost_after_ms
            && let Some(batch) = self.in_flight.take()
        {
            self.failed(here, Failure::Timeout, batch, patience, settled);
        }
    }

    fn read_feed_soon<H: Host>(&mut self, here: At<'_, H>) {
        feed::release(here.host, self.number);
        self.feed_at = Moment::EARLIEST;
    }

    /// A call came to nothing.
    fn failed<H: Host>(
        &mut self,
        here: At<'_, H>,
        failure: Failure,
        batch: Batch,
        patience: Patience,
        settled: &mut Vec<AnsweredQuestion>,
    ) {
        here.host.add(Metric::FleetCallsFailed, 1);
        count(here, failure);
        // It may be that there was more to answer than the proxy takes.
        if failure == Failure::Unreachable {
            self.most = (self.most / 2).max(1);
        }
        self.lacks_scripts |= failure == Failure::NoScript;
        let now = here.steady;
        let again_at = self.standing.failed(failure, batch.made_at, patience, now);
        self.not_before = again_at.unwrap_or_else(|| now.plus_ms(DOWN_MS));
        self.put_back(here, batch);
        // Nobody waits for a shard that is down.
        let standing = &self.standing;
        let is_void = |ask: &Ask| again_at.is_none() || standing.is_late(ask.since, patience, now);
        for ask in self.queue.give_up(is_void) {
            settle(settled, &ask, Err(UNANSWERED), true);
        }
    }

    /// What was said has to be said again.
    fn put_back<H: Host>(&mut self, here: At<'_, H>, batch: Batch) {
        if batch.reads_feed {
            self.read_feed_soon(here);
        }
        // From the last to the first, so that they come in the same order again.
        for sent in batch.sent.into_iter().rev() {
            let subject: SubjectKey = sent.subject;
            let item: QueueItem = sent.back(true);
            if item.flushes || !item.asks.is_empty() {
                self.queue.put_back(subject, item);
            }
        }
    }
}

/// The answer to a question that found no room: as if the store did not answer.
pub(super) const fn no_room(ticket: Ticket) -> AnsweredQuestion {
    AnsweredQuestion {
        ticket,
        answer: Err(UNANSWERED),
        may_be_recorded: false,
    }
}

fn settle(
    settled: &mut Vec<AnsweredQuestion>,
    ask: &Ask,
    answer: Result<Option<Decided>, Unavailable>,
    may_be_recorded: bool,
) {
    settled.extend(ask.ticket.map(|ticket| AnsweredQuestion {
        ticket,
        answer,
        may_be_recorded,
    }));
}

fn count<H: Host>(here: At<'_, H>, failure: Failure) {
    here.host.add(failure.metric(), 1);
}
