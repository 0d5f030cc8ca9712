//! What is told of streams that end, once for each.

use streamgate_policy::effect::StreamEnd;
use streamgate_policy::{Event, OnConflict, Operation};
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use super::ends::ENDS_MAX;
use super::test_edge::{TestEdge, subject};
use crate::ports::{Clock, Meter};
use crate::testing::test;

/// What was told since the last time; no more ended than that.
fn told(edge: &TestEdge) -> Vec<(SubjectKey, StreamEnd)> {
    let ends = edge.host.take_ends();
    assert_eq!(ends.left_out, 0);
    ends.kept
}

fn brief(ends: &[(SubjectKey, StreamEnd)]) -> Vec<(SubjectKey, StreamKey, &str, u64)> {
    let brief = ends.iter();
    let brief = brief.map(|(of, end)| (*of, end.stream, end.why, end.lasted_ms));
    brief.collect()
}

#[test]
fn an_eviction_is_told_with_its_rule_and_the_stream_that_plays_instead() {
    let edge = TestEdge::with_limit(1, OnConflict::StopOldest);
    let first = edge.starts(1);
    assert_eq!(told(&edge), []);
    edge.host.advance_ms(5_000);
    edge.host.lose_next_swaps(3);
    let winner = edge.starts(1);
    let ends = told(&edge);
    assert_eq!(brief(&ends), [(subject(1), first, "evicted", 5_000)]);
    let (_, end) = &ends[0];
    assert_eq!((end.policy.as_str(), end.winner), ("P", Some(winner)));
    assert_eq!(end.application, "app");
    assert!(!end.rule.is_empty());
    assert_eq!(told(&edge), [], "once");
}

#[test]
fn what_only_would_have_ended_is_not_told() {
    let edge = TestEdge::with_limit(1, OnConflict::StopOldest);
    edge.starts(1);
    let event = edge.event(edge.mint(), streamgate_policy::Unknown::IsNew);
    let _ = edge.consult(1, &event).unwrap();
    assert_eq!(told(&edge), []);
    edge.host.fail_swaps(true);
    assert!(edge.decide(1, &event).is_err());
    assert_eq!(told(&edge), []);
}

#[test]
fn a_lapse_is_told_once_whoever_finds_it() {
    let edge = TestEdge::with_limit(9, OnConflict::DenyNew);
    let [own, neighbour] = [edge.starts(1), edge.starts(2)];
    let timeout = edge.streams(1)[0].lapses_at.ms_since(edge.host.now());
    edge.host.advance_ms(timeout);
    // A look tells nothing: the record is as it was.
    assert!(edge.streams(1).is_empty());
    assert_eq!(told(&edge), []);
    // A write to the slot finds its own and its neighbour's.
    edge.starts(1);
    let expected = [
        (subject(1), own, "lapsed", timeout),
        (subject(2), neighbour, "lapsed", timeout),
    ];
    assert_eq!(brief(&told(&edge)), expected);
    edge.sweep_all();
    assert_eq!(told(&edge), []);
    // Else the sweep does.
    edge.host.advance_ms(timeout);
    edge.sweep_all();
    assert_eq!(told(&edge).len(), 1);
    edge.sweep_all();
    assert_eq!(told(&edge), []);
}

#[test]
fn a_stop_of_its_own_app_is_told_by_the_call_and_an_operators_by_the_end() {
    let edge = TestEdge::with_limit(9, OnConflict::DenyNew);
    let [first, second] = [edge.starts(1), edge.starts(1)];
    let _ = edge.stop(1, first);
    assert_eq!(told(&edge), []);
    assert_eq!(edge.host.lasted_ms(), [0], "counted all the same");
    let _ = edge.decide(1, &Event::Operate(Operation::StopAll)).unwrap();
    let expected = [(subject(1), second, "stopped-by-operator", 0)];
    assert_eq!(brief(&told(&edge)), expected);
}

#[test]
fn of_a_flood_the_first_are_kept_and_the_others_counted() {
    let edge = TestEdge::with_limit(1, OnConflict::StopOldest);
    for _ in 0..=ENDS_MAX + 7 {
        edge.starts(1);
    }
    let ends = edge.host.take_ends();
    assert_eq!((ends.kept.len(), ends.left_out), (ENDS_MAX, 7));
    assert_eq!(edge.host.take_ends(), Default::default());
}
