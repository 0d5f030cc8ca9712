//! Who has the last word on a record: this edge alone, or the store of its fleet.
//!
//! An edge alone decides at once. In a fleet, this edge's copy suffices for what changes
//! nothing that others could object to: a stream that is known here goes on, pauses, or
//! was ended. Everything else is asked of the store, and whoever asked waits.

use core::cell::Cell;

use streamgate_policy::activity::Activity;
use streamgate_policy::{Event, Refused, Verdict};
use streamgate_record::fleet::{Fleet, OnOutage, Question, Ticket};
use streamgate_record::metric::Metric;
use streamgate_record::ports::Host;
use streamgate_record::{self as record, Decided, Records, Seen, Settled, Unavailable};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

/// What is known of this edge's copy of a record, in a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyState {
    /// Nothing: the store can be asked.
    Unverified,
    /// The store was asked a moment ago, and the copy is up to date.
    Verified,
    /// The store was asked, and did not answer.
    Unreachable,
}

/// What became of an event.
#[derive(Debug)]
#[must_use]
pub(crate) enum Decision {
    /// The event is decided.
    Decided(Decided),
    /// The fleet's store has to be asked, and the request waits.
    Wait,
    /// The fleet's store was asked, and nobody waits for the answer.
    Later,
}

/// Where records are kept, for the time of one callback.
pub(crate) struct Authority<'a> {
    pub(crate) records: &'a Records,
    pub(crate) fleet: Option<&'a mut Fleet>,
    /// Since when this edge remembers.
    pub(crate) memory_since: Moment,
    pub(crate) copy_state: CopyState,
}

impl Authority<'_> {
    /// What would become of an event; nothing is recorded. `again`: whether the event will be
    /// decided later in any case, so that this edge's copy suffices for now.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if that cannot be said: the edge is full, or the fleet's store is out of reach and
    /// `on_outage` refuses.
    pub(crate) fn consult(
        &self,
        host: &impl Host,
        subject: &SubjectKey,
        event: &Event,
        again: impl FnOnce() -> bool,
        now: Moment,
    ) -> Result<Decision, Unavailable> {
        let fleet = self.fleet.as_ref();
        // What the store remembers goes further back than what this edge does, or less far.
        let since = fleet.and_then(|fleet| fleet.since(subject));
        let memory_since = since.unwrap_or(self.memory_since);
        let decided = record::consult(host, self.records, subject, event, memory_since, now)?;
        let Some(fleet) = fleet else {
            return Ok(Decision::Decided(decided));
        };
        let suffices = match &decided.verdict {
            Verdict::Plays(plays) if !plays.started => true,
            Verdict::Plays(_) => again() || fleet.is_confirmed(subject, now),
            Verdict::Refused(Refused::Over | Refused::Blocked) => fleet.is_confirmed(subject, now),
            Verdict::Refused(refused) => is_final(refused),
            Verdict::Stopped => true,
            Verdict::Operated { .. } => false,
        };
        match self.copy_state {
            _ if suffices => Ok(Decision::Decided(decided)),
            CopyState::Verified => Ok(Decision::Decided(decided)),
            CopyState::Unverified if fleet.is_up(subject) => Ok(Decision::Wait),
            CopyState::Unverified | CopyState::Unreachable => match fleet.settings().on_outage {
                OnOutage::Admit => {
                    let memory_since = memory_since_in_outage(now);
                    record::consult(host, self.records, subject, event, memory_since, now)
                        .map(Decision::Decided)
                }
                OnOutage::Refuse => {
                    host.add(Metric::FleetOutageRefusals, 1);
                    Err(Unavailable::Fleet)
                }
            },
        }
    }

    /// Decides an event and records what follows. Where the store has to be asked about a
    /// stream that `plays` here, the request does not wait for the answer.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if what follows could not be recorded; then nothing has happened.
    pub(crate) fn decide(
        &mut self,
        host: &impl Host,
        subject: &SubjectKey,
        event: &Event,
        plays: bool,
        now: Moment,
    ) -> Result<Decision, Unavailable> {
        let (records, memory_since) = (self.records, self.memory_since);
        let Some(fleet) = &mut self.fleet else {
            let decided = record::transact(host, records, subject, event, memory_since, now)?;
            return Ok(Decision::Decided(decided));
        };
        let (changed, silenced) = (Cell::new(false), Cell::new(false));
        let note = |seen: &Seen<'_>| {
            changed.set(seen.judgement.changed);
            silenced.set(seen.judgement.silenced);
        };
        let by_copy = |seen: &Seen<'_>| {
            note(seen);
            copy_suffices(event, seen)
        };
        let settled =
            record::transact_if(host, records, subject, event, memory_since, now, by_copy)?;
        if let Settled::Decided(decided) = settled {
            if changed.get() {
                fleet.flush(*subject, silenced.get());
            }
            return Ok(Decision::Decided(decided));
        }
        if self.copy_state == CopyState::Unverified && fleet.is_up(subject) {
            if !plays {
                return Ok(Decision::Wait);
            }
            fleet.ask(*subject, None, Question::Decide(event.clone()), now);
            return Ok(Decision::Later);
        }
        // An operator's wish is carried out here at least, and the store hears of it later.
        let is_operators = matches!(event, Event::Operate(_));
        if fleet.settings().on_outage == OnOutage::Refuse && !is_operators {
            host.add(Metric::FleetOutageRefusals, u64::from(!plays));
            return Err(Unavailable::Fleet);
        }
        let by_what_is_known = |seen: &Seen<'_>| {
            note(seen);
            true
        };
        let memory_since = memory_since_in_outage(now);
        let settled = record::transact_if(
            host,
            records,
            subject,
            event,
            memory_since,
            now,
            by_what_is_known,
        )?;
        let (Settled::Decided(decided) | Settled::Open(decided)) = settled;
        if changed.get() {
            fleet.flush(*subject, silenced.get());
        }
        if matches!(&decided.verdict, Verdict::Plays(plays) if plays.started) {
            host.add(Metric::FleetOutageAdmits, 1);
        }
        Ok(Decision::Decided(decided))
    }

    /// Whether the store has to be asked before a subject's streams are listed.
    pub(crate) fn must_look(&self, subject: &SubjectKey) -> bool {
        let fleet = self.fleet.as_ref();
        self.copy_state == CopyState::Unverified && fleet.is_some_and(|fleet| fleet.is_up(subject))
    }

    /// Has the store asked a question, for whose answer the request of this `ticket` waits.
    pub(crate) fn ask(
        &mut self,
        subject: SubjectKey,
        ticket: Ticket,
        question: Question,
        now: Moment,
    ) {
        if let Some(fleet) = &mut self.fleet {
            fleet.ask(subject, Some(ticket), question, now);
        }
    }
}

/// Since when this edge remembers what happened in its fleet while nobody can be asked: since
/// now. A stream it has never heard of may play at another edge, so it is not over.
const fn memory_since_in_outage(now: Moment) -> Moment {
    now
}

/// Whether this edge's copy suffices to decide an event: it changes nothing that other
/// edges could object to.
fn copy_suffices(event: &Event, seen: &Seen<'_>) -> bool {
    match &seen.judgement.verdict {
        Verdict::Plays(plays) => {
            let others = plays.evicted.max(plays.killed).max(plays.replaced);
            !plays.started && others == 0 && !plays.learned
        }
        // Others may start as soon as it has: the app that stops a stream waits.
        Verdict::Stopped => matches!(event, Event::Release { .. }),
        // Nor is there a way to know that an account has nothing to stop anywhere.
        Verdict::Operated { .. } => false,
        Verdict::Refused(_) if matches!(event, Event::Operate(_)) => false,
        Verdict::Refused(Refused::MissingAttributes(_)) => is_known(event, seen.activity),
        Verdict::Refused(refused) => !seen.judgement.changed && is_final(refused),
    }
}

/// Whether all is known here that a stream has said about itself.
fn is_known(event: &Event, activity: &Activity) -> bool {
    let Event::Play(play) = event else {
        return false;
    };
    let is_live = activity.stream(&play.stream).is_some();
    is_live || activity.end_of(&play.stream).is_some()
}

/// Whether a refusal stands whatever happened at other edges.
const fn is_final(refused: &Refused) -> bool {
    match refused {
        Refused::Evicted(_)
        | Refused::Killed(_)
        | Refused::Foreign
        | Refused::TooManyAttributes
        | Refused::Immutable(_)
        | Refused::Throttled { .. } => true,
        Refused::Conflict(_)
        | Refused::Blocked
        | Refused::Over
        | Refused::MissingAttributes(_)
        | Refused::SubjectFull => false,
    }
}

#[cfg(test)]
mod tests {
    use core::num::NonZeroU32;

    use streamgate_policy::activity::Stream;
    use streamgate_policy::{Count, Play, Unknown};
    use streamgate_record::copy;
    use streamgate_record::fleet::Settings;
    use streamgate_record::ports::Clock;

    use super::*;
    use crate::testing::{MemoryHost, NOW, TIMEOUT_MS, book, key, limit, play, stream, test};

    const ALICE: SubjectKey = SubjectKey::from_bytes([7; 16]);

    struct Edge {
        host: MemoryHost,
        records: Records,
        fleet: Fleet,
    }

    /// An edge that counts channels, and knows of these streams from the store.
    fn edge(streams: Vec<Stream>) -> Edge {
        let mut policy = limit("P", 2, streamgate_policy::OnConflict::DenyNew);
        policy.rules[0].count = Count::Distinct("channel".to_owned());
        let host = MemoryHost::new();
        let records = Records {
            slots: NonZeroU32::new(16).unwrap(),
            max_streams: 1_000,
            book: book(vec![policy], &[("app1", &["P"])]),
            has_fleet: true,
        };
        let record = Activity {
            streams,
            ..Activity::default()
        };
        let write = Some(record::WriteId(*b"elsewher"));
        copy::take_over(&host, &records, &ALICE, &record, write, NOW).unwrap();
        let fleet = Fleet::new(Settings {
            cluster: "valkey".to_owned(),
            shards: NonZeroU32::MIN,
            wait_ms: 500,
            start_within_ms: 2_000,
            evictions_within_ms: 10_000,
            shortest_timeout_ms: TIMEOUT_MS,
            on_outage: OnOutage::Admit,
            credentials: None,
        });
        Edge {
            host,
            records,
            fleet,
        }
    }

    impl Edge {
        fn decides(&mut self, of: Play, plays: bool) -> Decision {
            let mut authority = Authority {
                records: &self.records,
                fleet: Some(&mut self.fleet),
                memory_since: NOW.plus_ms(1),
                copy_state: CopyState::Unverified,
            };
            let now = self.host.now().plus_ms(1);
            let decision = authority.decide(&self.host, &ALICE, &Event::Play(of), plays, now);
            decision.unwrap()
        }

        fn sign_of_life(&self, n: u8) -> Play {
            let known = key(n, NOW);
            play(&self.records.book, "app1", known, Unknown::IsOver)
        }
    }

    fn on_a_channel(n: u8) -> Stream {
        let mut stream = stream(n, NOW);
        stream.attributes.set("channel", "News");
        stream
    }

    #[test]
    fn a_sign_of_life_of_a_known_stream_asks_nobody() {
        let mut edge = edge(vec![on_a_channel(1)]);
        let decision = edge.decides(edge.sign_of_life(1), true);
        assert!(matches!(decision, Decision::Decided(_)), "{decision:?}");
    }

    /// Which rule it falls under may depend on it.
    #[test]
    fn what_is_new_about_a_stream_is_for_the_store_to_judge() {
        let mut edge = edge(vec![on_a_channel(1)]);
        let mut zaps = edge.sign_of_life(1);
        zaps.attributes.set("channel", "Sports");
        let decision = edge.decides(zaps, true);
        assert!(matches!(decision, Decision::Later), "{decision:?}");
    }

    /// The edge that issued its id may be another one, and this one cannot ask whether it
    /// ended.
    #[test]
    fn a_session_of_another_edge_goes_on_here_while_nobody_can_be_asked() {
        let mut edge = edge(vec![on_a_channel(1)]);
        let mut heartbeat = edge.sign_of_life(2);
        heartbeat.is_call = true;
        heartbeat.attributes.set("channel", "News");
        let event = Event::Play(heartbeat);
        let mut authority = Authority {
            records: &edge.records,
            fleet: Some(&mut edge.fleet),
            memory_since: Moment::EARLIEST,
            copy_state: CopyState::Unreachable,
        };
        let now = edge.host.now().plus_ms(1);
        let seen = authority.consult(&edge.host, &ALICE, &event, || false, now);
        let ruled = authority.decide(&edge.host, &ALICE, &event, false, now);
        for decision in [seen, ruled] {
            let Ok(Decision::Decided(decided)) = decision else {
                panic!("{decision:?}");
            };
            assert!(matches!(decided.verdict, Verdict::Plays(_)), "{decided:?}");
        }
    }

    /// What a neighbour's stream was issued at says nothing about who plays elsewhere.
    #[test]
    fn a_stream_of_another_edge_is_not_over_because_a_neighbours_end_was_forgotten() {
        let mut edge = edge(vec![]);
        let mut neighbour = *ALICE.as_bytes();
        neighbour[15] = 0;
        let forgetful = Activity {
            streams: vec![on_a_channel(1)],
            watermark: NOW.plus_ms(1),
            ..Activity::default()
        };
        let (of, write) = (SubjectKey::from_bytes(neighbour), None);
        copy::take_over(&edge.host, &edge.records, &of, &forgetful, write, NOW).unwrap();
        let mut segment = edge.sign_of_life(2);
        segment.unknown = Unknown::Starts;
        let event = Event::Play(segment);
        let authority = Authority {
            records: &edge.records,
            fleet: Some(&mut edge.fleet),
            memory_since: Moment::EARLIEST,
            copy_state: CopyState::Verified,
        };
        let now = edge.host.now().plus_ms(1);
        let seen = authority.consult(&edge.host, &ALICE, &event, || false, now);
        let Ok(Decision::Decided(decided)) = seen else {
            panic!("{seen:?}");
        };
        assert!(matches!(decided.verdict, Verdict::Plays(_)), "{decided:?}");
    }

    #[test]
    fn what_is_missing_of_a_stream_may_be_known_at_another_edge() {
        let mut edge = edge(vec![stream(1, NOW)]);
        for (n, is_known) in [(1, true), (2, false)] {
            let mut heartbeat = edge.sign_of_life(n);
            heartbeat.is_call = true;
            let decision = edge.decides(heartbeat, false);
            let refused = match &decision {
                Decision::Decided(decided) => {
                    matches!(
                        decided.verdict,
                        Verdict::Refused(Refused::MissingAttributes(_))
                    )
                }
                _ => false,
            };
            assert_eq!(refused, is_known, "{decision:?}");
        }
    }
}
