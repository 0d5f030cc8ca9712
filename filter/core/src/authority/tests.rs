//! Who is asked, and what is done where nobody can be.

use core::num::NonZeroU32;

use streamgate_policy::activity::{Activity, Stream};
use streamgate_policy::{Count, Play, Unknown};
use streamgate_record::ports::Clock;
use streamgate_record::{Records, copy};

use streamgate_record::fleet::{OnOutage, Settings};

use super::*;
use crate::playback::Watch;
use crate::testing::{MemoryHost, NOW, TIMEOUT_MS, book, key, limit, play, stream, test};

const ALICE: SubjectKey = SubjectKey::from_bytes([7; 16]);

struct Edge {
    host: MemoryHost,
    records: Records,
    copy_state: CopyState,
    authority: Authority,
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
        layout: None,
    });
    let mut authority = Authority::new(Some(fleet));
    authority.memory_since = Some(NOW.plus_ms(1));
    Edge {
        host,
        records,
        authority,
        copy_state: CopyState::Unverified,
    }
}

impl Edge {
    /// What is said of an event, a moment later.
    fn asks<T>(&mut self, ask: impl FnOnce(&mut Authority, &Inquiry<'_, MemoryHost>) -> T) -> T {
        let of = Inquiry {
            host: &self.host,
            records: &self.records,
            ticket: Ticket(1),
            subject: &ALICE,
            now: self.host.now().plus_ms(1),
            copy_state: self.copy_state,
        };
        ask(&mut self.authority, &of)
    }

    fn decides(&mut self, of: Play) -> Decision {
        let watch = Watch::of_a_start(ALICE, &of);
        let event = Event::Play(of);
        let after = || AfterDecision::Response { watch, ends: false };
        let decision = self.asks(|authority, of| authority.decide(of, &event, after));
        decision.unwrap()
    }

    fn notes(&mut self, of: Play) -> Option<Decided> {
        let event = Event::Play(of);
        let decided = self.asks(|authority, of| authority.note(of, &event));
        decided.unwrap()
    }

    fn foresees(&mut self, event: &Event) -> Decision {
        let decision = self.asks(|authority, of| authority.foresee(of, event, || false));
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
    let decided = edge.notes(edge.sign_of_life(1));
    assert!(decided.is_some());
    assert!(!edge.authority.fleet().is_some_and(Fleet::has_calls));
}

/// Which rule it falls under may depend on it.
#[test]
fn what_is_new_about_a_stream_is_for_the_store_to_judge() {
    let mut edge = edge(vec![on_a_channel(1)]);
    let mut zaps = edge.sign_of_life(1);
    zaps.attributes.set("channel", "Sports");
    let decided = edge.notes(zaps);
    assert!(decided.is_none(), "{decided:?}");
    assert!(edge.authority.fleet().is_some_and(Fleet::has_calls));
}

/// A request that has just waited for its copy notes something that the copy does not suffice for.
#[test]
fn a_copy_that_is_up_to_date_is_no_outage() {
    let mut edge = edge(vec![on_a_channel(1)]);
    edge.copy_state = CopyState::Verified;
    let mut zaps = edge.sign_of_life(1);
    zaps.attributes.set("channel", "Sports");
    let decided = edge.notes(zaps);
    assert!(decided.is_none(), "{decided:?}");
    assert!(edge.authority.fleet().is_some_and(Fleet::has_calls));
}

/// The edge that issued its id may be another one, and this one cannot ask whether it
/// ended.
#[test]
fn a_session_of_another_edge_goes_on_here_while_nobody_can_be_asked() {
    let mut edge = edge(vec![on_a_channel(1)]);
    let mut heartbeat = edge.sign_of_life(2);
    heartbeat.is_call = true;
    heartbeat.attributes.set("channel", "News");
    let event = Event::Play(heartbeat.clone());
    edge.authority.memory_since = Some(Moment::EARLIEST);
    edge.copy_state = CopyState::Unreachable;
    // There is no shard that answers.
    let foreseen = edge.foresees(&event);
    let decision = edge.decides(heartbeat);
    for decision in [foreseen, decision] {
        let Decision::Decided(decided) = decision else {
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
    edge.authority.memory_since = Some(Moment::EARLIEST);
    edge.copy_state = CopyState::Verified;
    let Decision::Decided(decided) = edge.foresees(&Event::Play(segment)) else {
        panic!("the copy is up to date");
    };
    assert!(matches!(decided.verdict, Verdict::Plays(_)), "{decided:?}");
}

#[test]
fn what_is_missing_of_a_stream_may_be_known_at_another_edge() {
    let mut edge = edge(vec![stream(1, NOW)]);
    for (n, is_known) in [(1, true), (2, false)] {
        let mut heartbeat = edge.sign_of_life(n);
        heartbeat.is_call = true;
        let decision = edge.decides(heartbeat);
        let refused = match &decision {
            Decision::Decided(decided) => {
                matches!(
                    decided.verdict,
                    Verdict::Refused(Refused::MissingAttributes(_))
                )
            }
            Decision::Parked => false,
        };
        assert_eq!(refused, is_known, "{decision:?}");
    }
}

/// The copy is not judged first: whatever it says, the store decides.
#[test]
fn a_start_is_left_to_the_store_without_being_judged_here() {
    let mut edge = edge(vec![on_a_channel(1)]);
    for unknown in [Unknown::IsNew, Unknown::Starts] {
        let mut start = edge.sign_of_life(2);
        start.unknown = unknown;
        let loads = edge.host.calls().loads;
        let decision = edge.decides(start);
        assert!(matches!(decision, Decision::Parked), "{decision:?}");
        let looked = u32::from(unknown == Unknown::Starts);
        assert_eq!(edge.host.calls().loads - loads, looked);
    }
}
