use super::*;
use crate::testing::{NOW, key, stream, test};

#[test]
fn a_silent_stream_is_gone_at_its_time_and_not_before() {
    let mut activity = Activity {
        streams: vec![stream(1, NOW)],
        ..Activity::default()
    };
    let lapses_at = activity.streams[0].lapses_at;
    assert_eq!(activity.prune(Moment::from_ms(lapses_at.as_ms() - 1)), 0);
    assert_eq!(activity.prune(lapses_at), 1);
    assert_eq!(activity, Activity::default());
}

#[test]
fn what_is_forgotten_moves_the_watermark() {
    let mut activity = Activity {
        streams: vec![stream(1, NOW)],
        ..Activity::default()
    };
    let key = activity.streams[0].key;
    assert!(activity.end(&key, EndReason::Stopped, NOW));
    assert!(!activity.end(&key, EndReason::Stopped, NOW));
    let end = Tombstone {
        key,
        at: NOW,
        why: EndReason::Stopped,
    };
    assert_eq!(activity.end_of(&key), Some(&end));
    assert_eq!(activity.watermark, Moment::EARLIEST);
    activity.prune(NOW.plus_ms(ENDED_KEPT_MS));
    assert_eq!(activity.end_of(&key), None);
    assert_eq!(activity.watermark, key.issued_at().unwrap());
}

#[test]
fn ended_streams_are_remembered_in_bounded_number() {
    let mut activity = Activity::default();
    for n in 0..100 {
        let stream = stream(n, NOW.plus_ms(u64::from(n)));
        let key = stream.key;
        activity.streams.push(stream);
        activity.end(&key, EndReason::Stopped, NOW);
    }
    assert_eq!(activity.ended.len(), ENDED_KEPT_MAX);
    assert_eq!(activity.watermark, NOW.plus_ms(91));
}

#[test]
fn an_end_the_watermark_cannot_hold_is_remembered_longest() {
    let mut activity = Activity::default();
    let outside = StreamKey::external([1; 16]);
    let mut first = stream(0, NOW);
    first.key = outside;
    activity.streams.push(first);
    activity.end(&outside, EndReason::Stopped, NOW);
    for n in 0..100 {
        activity.streams.push(stream(n, NOW));
        activity.end(&key(n, NOW), EndReason::Stopped, NOW);
    }
    assert_eq!(activity.ended.len(), ENDED_KEPT_MAX);
    assert!(activity.end_of(&outside).is_some());
}

#[test]
fn a_released_stream_is_remembered_as_it_was_and_forgetting_it_moves_no_watermark() {
    let mut activity = Activity::default();
    let mut paused = stream(1, NOW);
    paused.attributes.set("channel", "News 1");
    activity.streams.push(paused.clone());
    assert!(activity.release(&paused.key, NOW));
    assert!(!activity.release(&paused.key, NOW));
    let end = activity.end_of(&paused.key).unwrap();
    assert_eq!(end.released(), Some(&paused));
    activity.prune(NOW.plus_ms(ENDED_KEPT_MS));
    assert_eq!(activity, Activity::default());
}

#[test]
fn a_released_stream_with_much_to_say_comes_back_with_nothing_to_say() {
    let mut activity = Activity::default();
    let mut paused = stream(1, NOW);
    paused
        .attributes
        .set("note", "x".repeat(RELEASED_ATTRIBUTES_MAX));
    activity.streams.push(paused.clone());
    assert!(activity.release(&paused.key, NOW));
    let end = activity.end_of(&paused.key).unwrap();
    paused.attributes = Attributes::default();
    assert_eq!(end.released(), Some(&paused));
}

#[test]
fn an_edge_whose_clock_is_behind_ends_no_stream_before_it_started() {
    let mut activity = Activity::default();
    for n in [1, 2] {
        activity.streams.push(stream(n, NOW.plus_ms(1_000)));
    }
    let keys = [activity.streams[0].key, activity.streams[1].key];
    assert!(activity.end(&keys[0], EndReason::Stopped, NOW));
    assert!(activity.release(&keys[1], NOW));
    for key in keys {
        assert_eq!(activity.end_of(&key).unwrap().at, NOW.plus_ms(1_000));
    }
}

#[test]
fn a_released_stream_that_finds_no_room_is_over_like_one_that_was_ended() {
    let mut activity = Activity::default();
    for n in 0..100 {
        let stream = stream(n, NOW.plus_ms(u64::from(n)));
        let key = stream.key;
        activity.streams.push(stream);
        activity.release(&key, NOW.plus_ms(u64::from(n)));
    }
    assert_eq!(activity.ended.len(), ENDED_KEPT_MAX);
    assert_eq!(activity.watermark, NOW.plus_ms(91));
    // Those that were ended go before it.
    for n in 0..100 {
        activity.streams.push(stream(n, NOW));
        activity.end(&key(n, NOW), EndReason::Stopped, NOW.plus_ms(200));
    }
    let released = activity
        .ended
        .iter()
        .filter_map(Tombstone::released)
        .count();
    assert_eq!(released, ENDED_KEPT_MAX);
}
