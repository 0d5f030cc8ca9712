//! One call to a shard: the commands that go out in it, and what is expected in answer to each.

use streamgate_policy::activity::{Activity, ENDED_KEPT_MS};
use streamgate_policy::{Event, Recall, Verdict, judge};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::Shard;
use crate::copy::{self, RecordCopy};
use crate::copy_version::WriteIds;
use crate::fleet::hash_tag::shard_name;
use crate::fleet::layout::Layout;
use crate::fleet::queue::{Ask, Question, QueueItem};
use crate::fleet::resp::Pipeline;
use crate::fleet::returns::FEED_EVERY_MS;
use crate::fleet::script::{self, FEED_READ, GREET, MEMORY_KEPT_MS, NewRecord, SWAP, SwapCommand};
use crate::fleet::sent::{AnsweredAsk, Batch, PreparedAnswer, Sent, SentKind};
use crate::fleet::{At, CallId, Settings, StoreCall, StoreCredentials, feed};
use crate::live::live;
use crate::metric::Metric;
use crate::ports::Host;
use crate::{CopyVersion, Records, WriteId};

/// The most bytes of one call.
const REQUEST_MAX: usize = 512 << 10;

/// The most bytes an answer may have, unless the call has as many. The proxy shuts its half
/// of the connection down behind a call, and a store that has noticed sends no more than
/// what it could hand over at once.
const REPLY_MAX: usize = 48 << 10;

/// How long a record is expected to be of which this edge knows nothing, in bytes.
const RECORD_EXPECTED: usize = 1024;

/// What an answer holds besides records, in bytes.
const REPLY_MARGIN: usize = 64;

impl Shard {
    /// A call that says what there is to say.
    pub(in crate::fleet) fn call<H: Host>(
        &mut self,
        here: At<'_, H>,
        settings: &Settings,
        ids: &mut WriteIds,
        id: CallId,
    ) -> Option<StoreCall> {
        let At {
            host, records, now, ..
        } = here;
        if self.since.is_none() {
            self.look_what_others_know(here);
        }
        let every_ms = match self.back.hurries(here.steady) {
            true => FEED_EVERY_MS.min(settings.feed_every_ms()),
            false => settings.feed_every_ms(),
        };
        let mut cursor = None;
        if self.feed_is_due(every_ms, now) {
            let turn = feed::claim(host, self.number, every_ms, now);
            self.feed_at = turn.read_at;
            cursor = turn.cursor;
        }
        if cursor.is_none() && self.queue.is_empty() && !self.is_down() {
            return None;
        }
        let own = settings.layout.as_deref();
        let own = own.filter(|_| self.layout.is_due(here.steady));
        let mut maker = Maker {
            host,
            records,
            now,
            shard: self.number,
            since: self.since,
            ids,
            layout: own.map(|own| (own, &self.layout)),
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
        Some(StoreCall {
            id,
            shard: shard_name(self.number),
            payload,
            timeout_ms: settings.wait_ms,
        })
    }
}

/// What is needed to make up a batch.
struct Maker<'a, H> {
    host: &'a H,
    records: &'a Records,
    now: Moment,
    shard: u32,
    /// Since when the shard remembers, as far as is known.
    since: Option<Moment>,
    ids: &'a mut WriteIds,
    /// How this edge lays accounts out, and what is known of the node, if it is time to compare.
    layout: Option<(&'a str, &'a Layout)>,
}

impl<H: Host> Maker<'_, H> {
    /// A call that says of up to `most` subjects what there is to say, and reads the
    /// shard's eviction feed from `cursor` on.
    fn batch(
        &mut self,
        call: CallId,
        credentials: Option<&StoreCredentials>,
        loads: bool,
        cursor: Option<&[u8]>,
        most: usize,
        mut take: impl FnMut() -> Option<(SubjectKey, QueueItem)>,
    ) -> (Batch, Vec<u8>) {
        let mut pipeline = Pipeline::default();
        if let Some(StoreCredentials { user, password }) = credentials {
            match user {
                Some(user) => pipeline.push(&[b"AUTH", user.as_bytes(), password.as_bytes()]),
                None => pipeline.push(&[b"AUTH", password.as_bytes()]),
            }
        }
        if loads {
            for script in [GREET, SWAP] {
                pipeline.push(&[b"SCRIPT", b"LOAD", script.text.as_bytes()]);
            }
        }
        pipeline.push(&[
            b"EVALSHA",
            GREET.hash.as_bytes(),
            b"2",
            &script::memory_key(self.shard),
            &script::feed_key(self.shard),
            MEMORY_KEPT_MS,
            cursor.unwrap_or_default(),
        ]);
        if let Some((own, layout)) = self.layout {
            pipeline.push(
                &layout
                    .question(own, self.shard)
                    .each_ref()
                    .map(Vec::as_slice),
            );
        }
        let mut sent: Vec<Sent> = Vec::new();
        let feed_len = FEED_READ.saturating_mul(size_of::<SubjectKey>());
        let mut reply = cursor.map_or(0, |_| feed_len);
        let may_go_on = |sent: &[Sent], said: usize, reply: usize| {
            sent.len() < most && said < REQUEST_MAX && reply < REPLY_MAX.max(said)
        };
        while may_go_on(&sent, pipeline.len(), reply) {
            let Some((subject, item)) = take() else {
                break;
            };
            if let Some(one) = self.say(&mut pipeline, subject, item) {
                reply = reply.saturating_add(one.expects);
                sent.push(one);
            }
        }
        pipeline.push(&[b"QUIT"]);
        let batch = Batch {
            call,
            made_at: self.host.steady(),
            sent,
            loads,
            reads_feed: cursor.is_some(),
            has_credentials: credentials.is_some(),
            asks_layout: self.layout.is_some(),
        };
        (batch, pipeline.into_bytes())
    }

    fn say(
        &mut self,
        pipeline: &mut Pipeline,
        subject: SubjectKey,
        item: QueueItem,
    ) -> Option<Sent> {
        if item.asks.is_empty() {
            return self.flush(pipeline, subject, &item);
        }
        let generation = self.host.generation(self.records.group_of(&subject));
        let mut copy = copy::read(self.host, self.records, &subject, self.now);
        let generation = copy.copy_version.map(|_| generation);
        if let (None, Some(found)) = (copy.copy_version, item.found) {
            let (write, activity) = *found;
            copy.copy_version = Some(CopyVersion::stored(Some(write), &activity, self.now));
            copy.activity = activity;
        }
        let was_dirty = copy.is_dirty();
        let before = copy.write();
        let record_len = copy.copy_version.map_or(RECORD_EXPECTED, |_| copy.len);
        let (answered, activity) = self.hear(copy, item.asks);
        let judgements = answered
            .iter()
            .filter_map(|answered| match &answered.answer {
                PreparedAnswer::Judged(judgement) => Some(judgement),
                _ => None,
            });
        let (mut changed, mut silenced) = (was_dirty || item.again, item.feed);
        for judgement in judgements {
            changed |= judgement.changed;
            silenced |= judgement.silenced;
        }
        let kind = if changed {
            let id = self.ids.next();
            let told = CopyVersion::stored(Some(id), &activity, self.now);
            let record = NewRecord {
                id,
                content: &copy::content(&activity),
                kept_until: told.kept_until,
                feed: silenced,
            };
            self.swap(pipeline, &subject, before, Some(record));
            SentKind::Write {
                id,
                before,
                activity,
            }
        } else {
            self.swap(pipeline, &subject, before, None);
            SentKind::Check { generation }
        };
        Some(Sent {
            subject,
            kind,
            answered,
            was_dirty,
            again: item.again,
            feed: silenced && changed,
            expects: record_len.saturating_add(REPLY_MARGIN),
        })
    }

    fn flush(
        &mut self,
        pipeline: &mut Pipeline,
        subject: SubjectKey,
        item: &QueueItem,
    ) -> Option<Sent> {
        let id = self.ids.next();
        let flush = copy::flush(self.host, self.records, &subject, id, item.again, self.now)?;
        let copy::Flush {
            before,
            content,
            kept_until,
        } = flush;
        let record = NewRecord {
            id,
            content: &content,
            kept_until,
            feed: item.feed,
        };
        self.swap(pipeline, &subject, before, Some(record));
        Some(Sent {
            subject,
            kind: SentKind::Tell,
            answered: Vec::new(),
            was_dirty: true,
            again: item.again,
            feed: item.feed,
            expects: content.len().saturating_add(REPLY_MARGIN),
        })
    }

    /// Judges questions one after the other, going by the copy.
    fn hear(&self, copy: RecordCopy, asks: Vec<Ask>) -> (Vec<AnsweredAsk>, Activity) {
        let is_absent = copy.write().is_none();
        let mut activity = copy.activity;
        if is_absent {
            activity.watermark = activity.watermark.max(self.watermark_of_the_absent());
        }
        let mut answered = Vec::with_capacity(asks.len());
        for ask in asks {
            let answer = match &ask.question {
                Question::Look => PreparedAnswer::Looked,
                Question::Decide(event) => self.judge(&mut activity, event),
            };
            answered.push(AnsweredAsk { ask, answer });
        }
        (answered, activity)
    }

    fn judge(&self, activity: &mut Activity, event: &Event) -> PreparedAnswer {
        let recall = Recall {
            watermark: activity.watermark,
            memory_since: self.since.unwrap_or(Moment::EARLIEST),
        };
        let Records {
            book, max_streams, ..
        } = self.records;
        let before = activity.clone();
        let judgement = judge(activity, event, book, &recall, self.now);
        let starts = matches!(&judgement.verdict, Verdict::Plays(plays) if plays.started);
        let grows = activity.streams.len() > before.streams.len();
        if starts && grows && live(self.host) >= *max_streams {
            *activity = before;
            return PreparedAnswer::Full;
        }
        PreparedAnswer::Judged(Box::new(judgement))
    }

    /// Streams issued up to this moment are over where nothing is on record: whoever ended
    /// one of them later than that would be remembered. A store that has not remembered for
    /// that long cannot say so; there the shard's beginning decides.
    fn watermark_of_the_absent(&self) -> Moment {
        let watermark = Moment::from_ms(self.now.as_ms().saturating_sub(ENDED_KEPT_MS));
        match self.since {
            Some(since) if since <= watermark => watermark,
            _ => Moment::EARLIEST,
        }
    }

    /// Has a record written if the last write to it is the one `before`, or without one only asks
    /// whether it is.
    fn swap(
        &self,
        pipeline: &mut Pipeline,
        subject: &SubjectKey,
        before: Option<WriteId>,
        record: Option<NewRecord<'_>>,
    ) {
        let command = SwapCommand {
            shard: self.shard,
            since: self.since,
            subject,
            before,
            record,
        };
        command.push(pipeline, self.now);
    }
}
