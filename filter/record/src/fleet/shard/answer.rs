//! What an answer of the store leads to.

use streamgate_policy::Event;
use streamgate_policy::activity::{Activity, Stream};
use streamgate_values::moment::Moment;
use streamgate_values::recent::Recent;

use super::{CLOCK_STEP_MS, Shard, UNANSWERED, count, settle};
use crate::copy::{self, UpToDate};
use crate::fleet::call::SUBJECTS_A_CALL;
use crate::fleet::patience::Patience;
use crate::fleet::queue::{Ask, Question};
use crate::fleet::resp::Replies;
use crate::fleet::script::FEED_READ;
use crate::fleet::sent::{AnsweredAsk, PreparedAnswer, Sent, SentKind};
use crate::fleet::store_answer::{Failure, Greeting, StoreAnswer, store_answer};
use crate::fleet::store_clock;
use crate::fleet::{
    AnsweredQuestion, At, CallFailure, CallId, Settings, TICK_MS, feed, fingerprint,
};
use crate::metric::Metric;
use crate::ports::Host;
use crate::{Basis, Decided, Unavailable, WriteId, count_verdict};

/// The part of the shortest timeout after which a loss of memory is no news to the other workers of an edge of
/// which one has heard of it: it takes half of that to tell all copies again.
const PARTS_OF_A_TIMEOUT: u64 = 9;

impl Shard {
    pub(in crate::fleet) fn on_reply<H: Host>(
        &mut self,
        here: At<'_, H>,
        call: CallId,
        reply: Result<&[u8], CallFailure>,
        patience: Patience,
        settings: &Settings,
        (settled, confirmed): (&mut Vec<AnsweredQuestion>, &mut Recent<Moment>),
    ) {
        let Some(batch) = self.in_flight.take_if(|batch| batch.call == call) else {
            return;
        };
        let bytes = match reply {
            Ok(bytes) => bytes,
            Err(CallFailure) => {
                let took_ms = here.steady.ms_since(batch.made_at);
                let failure = match took_ms.saturating_add(CLOCK_STEP_MS) >= patience.wait_ms {
                    true => Failure::Timeout,
                    false => Failure::Unreachable,
                };
                return self.failed(here, failure, batch, patience, settled);
            }
        };
        let mut replies = Replies::new(bytes);
        let mut here = here;
        match batch.greeting(&mut replies) {
            Ok(greeting) => {
                if self.leads {
                    store_clock::follow(here.host, greeting.time, batch.made_at, here.steady);
                    here.now = here.host.now();
                }
                self.greeted(here, &greeting, settings);
            }
            Err(Failure::NoScript) if !batch.loads => {
                self.lacks_scripts = true;
                return self.put_back(here, batch);
            }
            Err(failure) => return self.failed(here, failure, batch, patience, settled),
        }
        let own = settings.layout.as_deref();
        if let Some(own) = own.filter(|_| batch.asks_layout)
            && self.layout.heard(own, replies.next(), here.steady)
        {
            here.host.add(Metric::FleetLayoutMismatches, 1);
        }
        if self.standing.is_out() {
            self.back.begins(here.steady);
        }
        self.standing.answered(here.steady);
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
                    self.not_before = here.steady.plus_ms(TICK_MS);
                    self.queue.put_back(subject, one.back(true));
                    sent.for_each(|one| self.queue.put_back(one.subject, one.back(true)));
                    return;
                }
            }
        }
        self.most = self.most.saturating_mul(2).min(SUBJECTS_A_CALL);
    }

    fn greeted<H: Host>(&mut self, here: At<'_, H>, greeting: &Greeting<'_>, settings: &Settings) {
        let At {
            host, records, now, ..
        } = here;
        let known = self.since.replace(greeting.since);
        let is_news = known.is_some_and(|known| known != greeting.since);
        if is_news && !self.was_looked_after(here, greeting.since, settings) {
            self.back.begins(here.steady);
            self.back.has_lost_memory(false);
            self.read_feed_soon(here);
        }
        let Some((cursor, subjects)) = &greeting.feed else {
            return;
        };
        if feed::note(host, self.number, greeting.since, cursor) {
            self.feed_at = Moment::EARLIEST;
            self.back.has_lost_memory(true);
        }
        for subject in subjects {
            host.add(Metric::FleetEvictionsRead, 1);
            let copy = copy::read(host, records, subject, now);
            if !copy.activity.streams.is_empty() {
                let look = Ask {
                    ticket: None,
                    question: Question::Look,
                    since: here.steady,
                };
                // Without room it is seen at the stream's own next sign of life.
                let _ = self.queue.ask(*subject, look);
            }
        }
        if subjects.len() >= FEED_READ {
            self.read_feed_soon(here);
        }
    }

    /// Whether a loss of memory is so long ago that the worker of this edge that heard of it first has told
    /// the shard again by now.
    fn was_looked_after<H: Host>(
        &self,
        here: At<'_, H>,
        since: Moment,
        settings: &Settings,
    ) -> bool {
        let heard = feed::last_read(here.host, self.number).and_then(|(_, heard)| heard);
        let told_ms = settings.shortest_timeout_ms / PARTS_OF_A_TIMEOUT;
        heard == Some(since) && here.now.ms_since(since) > told_ms
    }

    /// The store did as it was told.
    fn done<H: Host>(&mut self, here: At<'_, H>, sent: Sent, settled: &mut Vec<AnsweredQuestion>) {
        let At {
            host, records, now, ..
        } = here;
        let subject = sent.subject;
        let (generation, recorded) = match sent.kind {
            SentKind::Tell => return host.add(Metric::FleetRefreshes, 1),
            SentKind::Check { generation } => (generation, None),
            SentKind::Write {
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
        for AnsweredAsk { ask, answer } in sent.answered {
            host.add(Metric::FleetQuestions, 1);
            let answer = match (answer, &ask.question) {
                (PreparedAnswer::Looked, _) | (_, Question::Look) => Ok(None),
                (PreparedAnswer::Full, _) => Err(Unavailable::Full),
                (PreparedAnswer::Judged(judgement), Question::Decide(event)) => {
                    if judgement.changed {
                        count_verdict(host, &records.book, &subject, event, &judgement);
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
        settled: &mut Vec<AnsweredQuestion>,
    ) {
        let At {
            host, records, now, ..
        } = here;
        let subject = sent.subject;
        host.add(Metric::FleetConflicts, 1);
        let mut feed = sent.feed;
        let mut item = sent.back(false);
        match copy::take_over(host, records, &subject, &activity, write, now) {
            Ok(UpToDate {
                is_dirty,
                activity: both,
                ..
            }) => {
                (item.flushes, item.again) = (is_dirty, false);
                // What both know besides each other may be more than may play: all are to look.
                let is_new = |stream: &Stream| activity.stream(&stream.key).is_none();
                feed |= !activity.streams.is_empty() && both.streams.iter().any(is_new);
            }
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
        settled: &mut Vec<AnsweredQuestion>,
    ) {
        count(here, failure);
        self.lacks_scripts |= failure == Failure::NoScript;
        self.not_before = here.steady.plus_ms(TICK_MS);
        let subject = sent.subject;
        let mut item = sent.back(true);
        for ask in item.asks.drain(..) {
            settle(settled, &ask, Err(UNANSWERED), false);
        }
        if item.flushes {
            self.queue.put_back(subject, item);
        }
    }
}

/// Whether the stream that an event is about plays no longer.
fn has_ended(event: &Event, activity: &Activity) -> bool {
    matches!(event, Event::Play(play) if activity.stream(&play.stream).is_none())
}
