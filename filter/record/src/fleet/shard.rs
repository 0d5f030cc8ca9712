//! One shard as one worker sees it.

use streamgate_policy::Event;
use streamgate_policy::activity::Activity;
use streamgate_values::moment::Moment;
use streamgate_values::recent::Recent;
use streamgate_values::subject::SubjectKey;

use super::batch::{Answer, Answered, Batch, Kind, Maker, Sent, WriteIds};
use super::patience::{Patience, Standing};
use super::queue::{Ask, Item, Question, Queue};
use super::resp::Replies;
use super::script::FEED_READ;
use super::store_answer::{Failure, Greeting, StoreAnswer, store_answer};
use super::{
    At, Call, CallFailure, CallId, SUBJECTS_A_CALL, Settings, Settled, TICK_MS, Ticket, feed,
    fingerprint,
};
use crate::copy::{self, UpToDate};
use crate::metric::Metric;
use crate::ports::Host;
use crate::{Basis, Decided, Unavailable, WriteId, count_verdict};

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
    standing: Standing,
    not_before: Moment,
    /// The most subjects for the next call: fewer after an answer that was cut.
    most: usize,
    /// Of how many subjects the store was told something and had heard from another edge
    /// meanwhile. They stand first in line, and come first soon: whoever waited for its
    /// turn again could be overtaken each time by an edge that has more to tell.
    overtaken: usize,
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
            standing: Standing::new(),
            not_before: Moment::EARLIEST,
            most: SUBJECTS_A_CALL,
            overtaken: 0,
        }
    }

    pub(super) const fn is_down(&self) -> bool {
        self.standing.is_out()
    }

    /// Since when it remembers, as it said last.
    pub(super) const fn since(&self) -> Option<Moment> {
        self.since
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

    /// Whether a call may be made.
    pub(super) fn may_speak(&self, now: Moment) -> bool {
        self.in_flight.is_none() && now >= self.not_before
    }

    pub(super) fn feed_is_due(&self, every_ms: u64, now: Moment) -> bool {
        now < self.feed_at || now.ms_since(self.feed_at) >= every_ms
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

    /// A call that says what there is to say.
    pub(super) fn call<H: Host>(
        &mut self,
        here: At<'_, H>,
        settings: &Settings,
        ids: &mut WriteIds,
        id: CallId,
    ) -> Option<Call> {
        let At { host, records, now } = here;
        if self.since.is_none() {
            self.look_what_others_know(here);
        }
        let every_ms = settings.feed_every_ms();
        let mut cursor = None;
        if self.feed_is_due(every_ms, now) {
            let turn = feed::claim(host, self.number, every_ms, now);
            self.feed_at = turn.read_at;
            cursor = turn.cursor;
        }
        if cursor.is_none() && self.queue.is_empty() && !self.is_down() {
            return None;
        }
        let mut maker = Maker {
            host,
            records,
            now,
            shard: self.number,
            since: self.since,
            ids,
        };
        // Just those who were overtaken, where there are any: others would be, too.
        let most = match core::mem::take(&mut self.overtaken) {
            overtaken @ 1.. if !self.queue.has_urgent() => self.most.min(overtaken),
            _ => self.most,
        };
        let queue = &mut self.queue;
        let (batch, payload) = maker.batch(
            id,
            settings.credentials.as_ref(),
            self.lacks_scripts,
            cursor.as_deref(),
            most,
            || queue.take(),
        );
        self.in_flight = Some(batch);
        host.add(Metric::FleetCalls, 1);
        Some(Call {
            id,
            shard: format!("shard-{}", self.number),
            payload,
            timeout_ms: settings.wait_ms,
        })
    }

    /// Settles the questions that have waited for long enough.
    pub(super) fn give_up<H: Host>(
        &mut self,
        here: At<'_, H>,
        patience: Patience,
        settled: &mut Vec<Settled>,
    ) {
        let now = here.now;
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

    pub(super) fn on_reply<H: Host>(
        &mut self,
        here: At<'_, H>,
        call: CallId,
        reply: Result<&[u8], CallFailure>,
        patience: Patience,
        settled: &mut Vec<Settled>,
        confirmed: &mut Recent<Moment>,
    ) {
        let Some(batch) = self.in_flight.take_if(|batch| batch.call == call) else {
            return;
        };
        let bytes = match reply {
            Ok(bytes) => bytes,
            Err(CallFailure) => {
                let took_ms = here.now.ms_since(batch.made_at);
                let failure = match took_ms.saturating_add(CLOCK_STEP_MS) >= patience.wait_ms {
                    true => Failure::Timeout,
                    false => Failure::Unreachable,
                };
                return self.failed(here, failure, batch, patience, settled);
            }
        };
        let mut replies = Replies::new(bytes);
        match batch.greeting(&mut replies) {
            Ok(greeting) => self.greeted(here, &greeting),
            Err(Failure::NoScript) if !batch.loads => {
                self.lacks_scripts = true;
                return self.put_back(here, batch);
            }
            Err(failure) => return self.failed(here, failure, batch, patience, settled),
        }
        self.standing.answered(here.now);
        self.lacks_scripts = false;
        let mut sent = batch.sent.into_iter();
        for one in sent.by_ref() {
            let subject = one.subject;
            match store_answer(&mut replies, here.now) {
                Ok(StoreAnswer::Done) => {
                    confirmed.insert(fingerprint(&subject), here.now);
                    self.done(here, one, settled);
                }
                Ok(StoreAnswer::Another(activity, write)) => {
                    confirmed.insert(fingerprint(&subject), here.now);
                    self.is_another(here, one, activity, write, settled);
                }
                Ok(StoreAnswer::Failed(failure)) => self.refused(here, failure, one, settled),
                Err(_) => {
                    // Too much for one answer, or the connection broke.
                    count(here, Failure::Protocol);
                    self.most = (self.most / 2).max(1);
                    self.not_before = here.now.plus_ms(TICK_MS);
                    self.queue.put_back(subject, one.back(true));
                    sent.for_each(|one| self.queue.put_back(one.subject, one.back(true)));
                    return;
                }
            }
        }
        self.most = self.most.saturating_mul(2).min(SUBJECTS_A_CALL);
    }

    fn greeted<H: Host>(&mut self, here: At<'_, H>, greeting: &Greeting<'_>) {
        let At { host, records, now } = here;
        self.since = Some(greeting.since);
        let Some((cursor, subjects)) = &greeting.feed else {
            return;
        };
        if feed::note(host, self.number, greeting.since, cursor) {
            self.feed_at = Moment::EARLIEST;
        }
        for subject in subjects {
            host.add(Metric::FleetEvictionsRead, 1);
            let copy = copy::read(host, records, subject, now);
            if !copy.activity.streams.is_empty() {
                let look = Ask {
                    ticket: None,
                    question: Question::Look,
                    since: now,
                };
                // Without room it is seen at the stream's own next sign of life.
                let _ = self.queue.ask(*subject, look);
            }
        }
        if subjects.len() >= FEED_READ {
            self.read_feed_soon(here);
        }
    }

    fn read_feed_soon<H: Host>(&mut self, here: At<'_, H>) {
        feed::release(here.host, self.number);
        self.feed_at = Moment::EARLIEST;
    }

    /// The store did as it was told.
    fn done<H: Host>(&mut self, here: At<'_, H>, sent: Sent, settled: &mut Vec<Settled>) {
        let At { host, records, now } = here;
        let subject = sent.subject;
        let (generation, recorded) = match sent.kind {
            Kind::Tell => return host.add(Metric::FleetRefreshes, 1),
            Kind::Check { generation } => (generation, None),
            Kind::Write {
                id,
                before,
                activity,
            } => {
                host.add(Metric::RecordWrites, 1);
                match copy::follow(host, records, &subject, (&activity, id), before, now) {
                    Ok(copy) => {
                        if copy.is_dirty {
                            self.queue.flush(subject, false);
                        }
                        (Some(copy.generation), Some(copy.activity))
                    }
                    Err(_) => (None, None),
                }
            }
        };
        for Answered { ask, answer } in sent.answered {
            host.add(Metric::FleetQuestions, 1);
            let answer = match (answer, &ask.question) {
                (Answer::Looked, _) | (_, Question::Look) => Ok(None),
                (Answer::Full, _) => Err(Unavailable::Full),
                (Answer::Judged(judgement), Question::Decide(event)) => {
                    if judgement.changed {
                        count_verdict(host, event, &judgement);
                    }
                    // It is recorded in the store, whatever became of the copy: without one
                    // the next request asks again. So it does where the stream has been ended
                    // since, by a later question of the same write or by another worker: a
                    // bump for it came before this.
                    let is_over = recorded.as_ref().is_some_and(|now| has_ended(event, now));
                    Ok(Some(Decided {
                        verdict: judgement.verdict,
                        basis: generation.filter(|_| !is_over).map(|generation| Basis {
                            generation,
                            pending: false,
                        }),
                        retry_at: judgement.retry_at,
                    }))
                }
            };
            settle(settled, &ask, answer, false);
        }
    }

    /// The store has something else than this edge believed.
    fn is_another<H: Host>(
        &mut self,
        here: At<'_, H>,
        sent: Sent,
        activity: Activity,
        write: Option<WriteId>,
        settled: &mut Vec<Settled>,
    ) {
        let At { host, records, now } = here;
        let subject = sent.subject;
        host.add(Metric::FleetConflicts, 1);
        let feed = sent.feed;
        let mut item = sent.back(false);
        match copy::take_over(host, records, &subject, &activity, write, now) {
            Ok(UpToDate { is_dirty, .. }) => (item.flushes, item.again) = (is_dirty, false),
            Err(unavailable) => {
                for ask in item.asks.drain(..) {
                    settle(settled, &ask, Err(unavailable), false);
                }
            }
        }
        item.found = write.map(|write| Box::new((write, activity)));
        item.feed = feed && item.flushes;
        let waits = !item.asks.is_empty() || item.feed;
        if item.flushes && !waits {
            self.overtaken = self.overtaken.saturating_add(1);
        }
        if item.flushes || waits {
            self.queue.put_back(subject, item);
        }
    }

    /// The store refused to do as it was told.
    fn refused<H: Host>(
        &mut self,
        here: At<'_, H>,
        failure: Failure,
        sent: Sent,
        settled: &mut Vec<Settled>,
    ) {
        count(here, failure);
        self.lacks_scripts |= failure == Failure::NoScript;
        self.not_before = here.now.plus_ms(TICK_MS);
        let subject = sent.subject;
        let mut item = sent.back(true);
        for ask in item.asks.drain(..) {
            settle(settled, &ask, Err(UNANSWERED), false);
        }
        if item.flushes {
            self.queue.put_back(subject, item);
        }
    }

    /// A call came to nothing.
    fn failed<H: Host>(
        &mut self,
        here: At<'_, H>,
        failure: Failure,
        batch: Batch,
        patience: Patience,
        settled: &mut Vec<Settled>,
    ) {
        here.host.add(Metric::FleetCallsFailed, 1);
        count(here, failure);
        // It may be that there was more to answer than the proxy takes.
        if failure == Failure::Unreachable {
            self.most = (self.most / 2).max(1);
        }
        self.lacks_scripts |= failure == Failure::NoScript;
        let now = here.now;
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
            let item: Item = sent.back(true);
            if item.flushes || !item.asks.is_empty() {
                self.queue.put_back(subject, item);
            }
        }
    }
}

/// Whether the stream that an event is about plays no longer.
fn has_ended(event: &Event, activity: &Activity) -> bool {
    matches!(event, Event::Play(play) if activity.stream(&play.stream).is_none())
}

/// The answer to a question that found no room: as if the store did not answer.
pub(super) const fn no_room(ticket: Ticket) -> Settled {
    Settled {
        ticket,
        answer: Err(UNANSWERED),
        may_be_recorded: false,
    }
}

fn settle(
    settled: &mut Vec<Settled>,
    ask: &Ask,
    answer: Result<Option<Decided>, Unavailable>,
    may_be_recorded: bool,
) {
    settled.extend(ask.ticket.map(|ticket| Settled {
        ticket,
        answer,
        may_be_recorded,
    }));
}

fn count<H: Host>(here: At<'_, H>, failure: Failure) {
    here.host.add(failure.metric(), 1);
}
