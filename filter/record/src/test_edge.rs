//! An edge small enough to look into: a record in plain memory.

use core::num::NonZeroU32;

use streamgate_policy::activity::Stream;
use streamgate_policy::{Event, OnConflict, PolicyBook, Unknown, Verdict};
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use super::memory_since::memory_since;
use super::slot::Slot;
use super::sweep::{SWEEP_EVERY_MS, sweep};
use super::{Decided, Records, Unavailable, activity, consult, transact};
use crate::ports::{Clock, Entropy, StoreKey};
use crate::testing::{MemoryHost, book, limit, play};

/// Bytes of a slot that holds nothing: version, watermark and no watermark.
pub(super) const EMPTY_SLOT: usize = 8;

/// Several threads may use one by reference, as workers of an Envoy.
pub(super) struct TestEdge {
    pub(super) host: MemoryHost,
    pub(super) records: Records,
    memory_since: Moment,
}

/// Subject `n`; it lives in slot `n`, if there are that many, else in `n` modulo them.
pub(super) fn subject(n: u8) -> SubjectKey {
    let mut bytes = [0; 16];
    bytes[3] = n;
    SubjectKey::from_bytes(bytes)
}

impl TestEdge {
    /// An edge with room for 100 streams.
    pub(super) fn new(slots: u32, book: PolicyBook) -> Self {
        let host = MemoryHost::new();
        Self {
            memory_since: memory_since(&host, host.now()),
            host,
            records: Records {
                slots: NonZeroU32::new(slots).unwrap(),
                max_streams: 100,
                book,
                has_fleet: false,
            },
        }
    }

    /// One slot, and one policy of one rule, which only `app` lists: `other` does not.
    pub(super) fn with_limit(max: u32, on_conflict: OnConflict) -> Self {
        let applications: [(&str, &[&str]); 2] = [("app", &["P"]), ("other", &[])];
        Self::new(1, book(vec![limit("P", max, on_conflict)], &applications))
    }

    /// Envoy restarts: what was on record is lost.
    pub(super) fn restart(&mut self) {
        self.host.forget_everything();
        self.memory_since = memory_since(&self.host, self.host.now());
    }

    pub(super) fn mint(&self) -> StreamKey {
        StreamKey::mint(self.host.now(), self.host.random())
    }

    pub(super) fn decide(&self, of: u8, event: &Event) -> Result<Decided, Unavailable> {
        let Self {
            host,
            records,
            memory_since,
        } = self;
        transact(
            host,
            records,
            &subject(of),
            event,
            *memory_since,
            host.now(),
        )
        .map(|recorded| recorded.decided)
    }

    /// What would be decided?
    pub(super) fn consult(&self, of: u8, event: &Event) -> Result<Decided, Unavailable> {
        let Self {
            host,
            records,
            memory_since,
        } = self;
        consult(
            host,
            records,
            &subject(of),
            event,
            *memory_since,
            host.now(),
        )
    }

    /// `stream` of `app` wants to play.
    pub(super) fn event(&self, stream: StreamKey, unknown: Unknown) -> Event {
        Event::Play(play(&self.records.book, "app", stream, unknown))
    }

    /// A new stream of `app` starts, if it may.
    pub(super) fn start(&self, of: u8) -> (StreamKey, Result<Verdict, Unavailable>) {
        let stream = self.mint();
        let decided = self.decide(of, &self.event(stream, Unknown::IsNew));
        (stream, decided.map(|decided| decided.verdict))
    }

    /// A new stream of `app` starts, and nothing is in its way.
    #[track_caller]
    pub(super) fn starts(&self, of: u8) -> StreamKey {
        let (stream, verdict) = self.start(of);
        assert!(matches!(verdict, Ok(Verdict::Plays(_))), "{verdict:?}");
        stream
    }

    pub(super) fn heartbeat(&self, of: u8, stream: StreamKey) -> Verdict {
        let decided = self.decide(of, &self.event(stream, Unknown::IsOver));
        decided.unwrap().verdict
    }

    pub(super) fn media(&self, of: u8, stream: StreamKey) -> Verdict {
        let decided = self.decide(of, &self.event(stream, Unknown::Starts));
        decided.unwrap().verdict
    }

    pub(super) fn stop(&self, of: u8, stream: StreamKey) -> Verdict {
        let application = self.records.book.application("app").unwrap();
        let event = Event::Stop {
            stream,
            application: application.clone(),
        };
        self.decide(of, &event).unwrap().verdict
    }

    /// The live streams of a subject, oldest first.
    pub(super) fn live(&self, of: u8) -> Vec<StreamKey> {
        self.streams(of).iter().map(|stream| stream.key).collect()
    }

    /// The same with all that is known of them.
    pub(super) fn streams(&self, of: u8) -> Vec<Stream> {
        activity(&self.host, &self.records, &subject(of), self.host.now()).streams
    }

    /// The stream with this key as it was when it was released, if that is remembered.
    pub(super) fn released(&self, of: u8, key: &StreamKey) -> Option<Stream> {
        let activity = activity(&self.host, &self.records, &subject(of), self.host.now());
        activity.end_of(key)?.released().cloned()
    }

    /// A slot's value, empty if there is none.
    pub(super) fn stored(&self, slot: u32) -> Vec<u8> {
        self.host.stored(StoreKey::Slot(slot)).unwrap_or_default()
    }

    /// How many streams are on record, lapsed or not.
    pub(super) fn on_record(&self) -> usize {
        let streams_of = |slot| {
            let bytes = self.stored(slot);
            let slot = Slot::parse(&bytes).unwrap_or_default();
            let activities = slot
                .subjects()
                .filter_map(|subject| slot.activity(&subject));
            activities
                .map(|activity| activity.streams.len())
                .sum::<usize>()
        };
        (0..self.records.slots.get()).map(streams_of).sum()
    }

    /// The gauge tells the number of streams on record.
    #[track_caller]
    pub(super) fn assert_gauge_is_true(&self) {
        assert_eq!(self.host.live(), self.on_record() as u64);
    }

    /// One sweep of this worker, at its next turn.
    pub(super) fn sweep_once(&self) {
        self.host.advance_ms(SWEEP_EVERY_MS);
        sweep(&self.host, &self.records, self.host.now());
    }

    /// Sweeps every slot.
    pub(super) fn sweep_all(&self) {
        for _ in 0..self.records.slots.get() {
            self.sweep_once();
        }
    }
}
