//! What an activity says of itself, and how it remembers ends.

use streamgate_values::attributes::Attributes;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use crate::activity::{
    Activity, ENDED_KEPT_MS, EndReason, RELEASED_ATTRIBUTES_MAX, Stream, Tombstone,
};
use crate::faded::Faded;
use crate::testing::{NOW, key, stream, test};
use crate::{Allowance, Exception};

fn exception(allowance: Allowance) -> Exception {
    Exception {
        allowance,
        set_at: NOW,
        until: NOW.plus_ms(60_000),
        reason: "a test".to_owned(),
    }
}

fn end(n: u8, at: Moment) -> Tombstone {
    Tombstone {
        key: key(n, NOW),
        at,
        why: EndReason::Stopped,
    }
}

fn faded(n: u8, at: Moment) -> Faded {
    Faded {
        key_prefix: [n; 8],
        at,
    }
}

fn of_ended(ended: Vec<Tombstone>) -> Activity {
    Activity {
        ended,
        ..Activity::default()
    }
}

fn of_faded(faded: Vec<Faded>) -> Activity {
    Activity {
        faded,
        ..Activity::default()
    }
}

fn of_exception() -> Activity {
    Activity {
        exception: Some(exception(Allowance::Unlimited)),
        ..Activity::default()
    }
}

fn of_stream(stream: Stream) -> Activity {
    Activity {
        streams: vec![stream],
        ..Activity::default()
    }
}

#[test]
fn ends_and_an_exception_are_remembered_without_a_live_stream() {
    let both = Activity {
        faded: vec![faded(1, NOW), faded(2, NOW)],
        ..of_ended(vec![end(1, NOW)])
    };
    for (activity, ends, all, number) in [
        (Activity::default(), false, false, 0),
        (of_stream(stream(1, NOW)), false, false, 0),
        (of_ended(vec![end(1, NOW)]), true, true, 1),
        (of_faded(vec![faded(1, NOW), faded(2, NOW)]), true, true, 2),
        (of_exception(), false, true, 1),
        (both, true, true, 3),
    ] {
        assert_eq!(activity.remembers_ends(), ends, "{activity:?}");
        assert_eq!(activity.remembers(), all, "{activity:?}");
        assert_eq!(activity.remembered(), number, "{activity:?}");
    }
}

#[test]
fn the_last_end_is_the_latest_of_those_with_a_reason_and_those_without() {
    let [early, late] = [NOW.plus_ms(1), NOW.plus_ms(2)];
    assert_eq!(Activity::default().last_end(), None);
    let of = |ended, lost| Activity {
        faded: vec![faded(1, lost)],
        ..of_ended(vec![end(1, ended)])
    };
    assert_eq!(of(early, late).last_end(), Some(late));
    assert_eq!(of(late, early).last_end(), Some(late));
}

#[test]
fn ends_stand_in_the_order_in_which_they_happened_the_later_remembered_of_two_at_once_behind() {
    let mut activity = Activity::default();
    let ends = [(1, 5), (2, 3), (3, 9), (4, 3), (5, 7)];
    for (n, ms) in ends {
        activity.remember(end(n, NOW.plus_ms(ms)));
    }
    let keys: Vec<_> = activity.ended.iter().map(|end| end.key).collect();
    assert_eq!(keys, [2, 4, 1, 5, 3].map(|n| key(n, NOW)));
}

#[test]
fn an_end_without_its_reason_is_remembered_for_an_hour() {
    let mut activity = of_faded(vec![faded(1, NOW)]);
    activity.prune(NOW.plus_ms(ENDED_KEPT_MS - 1));
    assert_eq!(activity.faded, [faded(1, NOW)]);
    activity.prune(NOW.plus_ms(ENDED_KEPT_MS));
    assert_eq!(activity.faded, []);
}

#[test]
fn an_exception_holds_until_its_end_and_not_at_it() {
    let mut activity = of_exception();
    activity.prune(NOW.plus_ms(59_999));
    assert_eq!(activity.allowance(), Some(Allowance::Unlimited));
    activity.prune(NOW.plus_ms(60_000));
    assert_eq!(activity.allowance(), None);
}

#[test]
fn a_released_stream_keeps_as_much_text_as_it_may() {
    let mut paused = stream(1, NOW);
    let text = "x".repeat(RELEASED_ATTRIBUTES_MAX - "note".len());
    paused.attributes.set("note", text);
    assert_eq!(paused.attributes.size(), RELEASED_ATTRIBUTES_MAX);
    let kept = |stream: &Stream| -> Attributes {
        let mut activity = of_stream(stream.clone());
        activity.release(&stream.key, NOW);
        let end = activity.end_of(&stream.key).unwrap();
        end.released().unwrap().attributes.clone()
    };
    assert_eq!(kept(&paused), paused.attributes);
    paused.attributes.set("n", "");
    assert_eq!(kept(&paused), Attributes::default());
}

#[test]
fn what_ended_a_stream_is_one_word() {
    let mut by = crate::activity::Terminator::operator(NOW);
    let killed = |by: &crate::activity::Terminator| EndReason::Killed { by: by.clone() }.name();
    assert_eq!(killed(&by), "stopped-by-operator");
    by.application = "app".to_owned();
    assert_eq!(killed(&by), "stopped-from-another-device");
    by.same_device = true;
    assert_eq!(killed(&by), "replaced");
    let evicted = EndReason::Evicted {
        policy: "P".to_owned(),
        rule: "limit".to_owned(),
    };
    assert_eq!(evicted.name(), "evicted");
    assert_eq!(EndReason::Stopped.name(), "stopped");
}

#[test]
fn a_key_from_outside_is_told_from_one_that_an_edge_issued() {
    let outside = StreamKey::external([1; 16]);
    let mut activity = of_stream(Stream {
        key: outside,
        ..stream(1, NOW)
    });
    activity.end(&outside, EndReason::Stopped, NOW);
    let left = activity.ended[0].faded();
    assert_eq!(left.map(|faded| faded.at), Some(NOW));
    assert_eq!(end(1, NOW).faded(), None);
}
