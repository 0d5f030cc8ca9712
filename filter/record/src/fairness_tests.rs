//! What one account starts and ends changes nothing for its neighbours in a slot.

use streamgate_policy::activity::ENDED_KEPT_MS;
use streamgate_policy::{OnConflict, Refused, Unknown, Verdict};
use streamgate_values::stream_key::StreamKey;

use super::test_edge::TestEdge;
use super::watermarks::WATERMARKS_MAX;
use crate::testing::{TIMEOUT_MS, test};

/// All accounts are in one slot.
fn edge(on_conflict: OnConflict) -> TestEdge {
    TestEdge::with_limit(1, on_conflict)
}

/// An account starts a stream and stops it.
fn zaps(edge: &TestEdge, of: u8) -> StreamKey {
    edge.host.advance_ms(1);
    let stream = edge.starts(of);
    assert_eq!(edge.stop(of, stream), Verdict::Stopped);
    stream
}

#[track_caller]
fn begins(edge: &TestEdge, of: u8, minted: StreamKey) {
    let event = edge.event(minted, Unknown::Starts);
    let verdict = edge.decide(of, &event).unwrap().verdict;
    assert!(
        matches!(verdict, Verdict::Plays(ref plays) if plays.started),
        "{verdict:?}"
    );
}

#[track_caller]
fn is_over(edge: &TestEdge, of: u8, stream: StreamKey) {
    assert_eq!(edge.media(of, stream), Verdict::Refused(Refused::Over));
    assert_eq!(edge.heartbeat(of, stream), Verdict::Refused(Refused::Over));
}

#[test]
fn a_playback_that_was_minted_begins_however_often_a_neighbour_starts_and_stops() {
    let edge = edge(OnConflict::DenyNew);
    let minted = edge.mint();
    let first = zaps(&edge, 1);
    for _ in 0..1_000 {
        zaps(&edge, 1);
    }
    begins(&edge, 2, minted);
    is_over(&edge, 1, first);
}

#[test]
fn it_begins_however_often_a_neighbours_streams_are_evicted() {
    let edge = edge(OnConflict::StopOldest);
    let minted = edge.mint();
    edge.host.advance_ms(1);
    let streams: Vec<StreamKey> = (0..50)
        .map(|_| {
            edge.host.advance_ms(1);
            edge.starts(1)
        })
        .collect();
    begins(&edge, 2, minted);
    for victim in streams.into_iter().rev().skip(1) {
        assert!(matches!(edge.media(1, victim), Verdict::Refused(_)));
    }
}

#[test]
fn it_begins_when_the_neighbours_ends_have_been_forgotten() {
    let edge = edge(OnConflict::DenyNew);
    let minted = edge.mint();
    let ended: Vec<_> = (10..20).map(|of| (of, zaps(&edge, of))).collect();
    edge.host.advance_ms(ENDED_KEPT_MS + TIMEOUT_MS);
    edge.sweep_all();
    begins(&edge, 2, minted);
    for (of, stream) in ended {
        is_over(&edge, of, stream);
    }
}

#[test]
fn it_begins_when_as_many_neighbours_end_something_as_a_slot_has_watermarks() {
    let edge = edge(OnConflict::DenyNew);
    let minted = edge.mint();
    let accounts = 10..10 + WATERMARKS_MAX as u8;
    let ended: Vec<_> = accounts.map(|of| (of, zaps(&edge, of))).collect();
    begins(&edge, 2, minted);
    for (of, stream) in ended {
        is_over(&edge, of, stream);
    }
}

#[test]
fn where_more_do_the_oldest_end_holds_for_all_and_nothing_comes_back() {
    let edge = edge(OnConflict::DenyNew);
    let before = edge.mint();
    let ended: Vec<_> = (10..210).map(|of| (of, zaps(&edge, of))).collect();
    let after = edge.mint();
    for (of, stream) in ended {
        is_over(&edge, of, stream);
    }
    is_over(&edge, 2, before);
    begins(&edge, 2, after);
}
