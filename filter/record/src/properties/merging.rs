//! What a record and a copy of it come to, whatever happened to each.

use std::collections::BTreeSet;

use proptest::collection::btree_map;
use proptest::prelude::*;
use streamgate_policy::activity::{Activity, EndReason, Stream, Tombstone};
use streamgate_policy::faded::{Faded, key_prefix_of};
use streamgate_policy::session_player::SessionPlayer;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::super::merged;
use crate::testing::{NOW, TIMEOUT_MS};

/// So few streams that record and copy often know the same ones.
const STREAMS: u8 = 7;

/// What one of them knows of a stream.
#[derive(Debug, Clone)]
enum Known {
    /// It started so long after [`NOW`], and lapses a timeout after its last sign of life.
    Live { started: u64, lives: u64 },
    /// It ended so long after.
    Tombstone(u64),
    /// It ended so long after, and why is no longer known; of an id from outside.
    Faded(u64),
    /// It started and was released so long after.
    Released { started: u64, played: u64 },
}

fn known() -> impl Strategy<Value = Known> {
    prop_oneof![
        3 => (0..6_u64, 0..6_u64).prop_map(|(started, lives)| Known::Live { started, lives }),
        2 => (0..6_u64).prop_map(Known::Tombstone),
        2 => (0..6_u64).prop_map(Known::Faded),
        1 => (0..6_u64, 0..3_u64).prop_map(|(started, played)| Known::Released { started, played }),
    ]
}

/// Every second stream has an id from outside.
fn key(n: u8) -> StreamKey {
    match n % 2 {
        0 => StreamKey::mint(NOW, [n; StreamKey::RANDOM_LEN]),
        _ => StreamKey::external([n; 16]),
    }
}

fn activity() -> impl Strategy<Value = Activity> {
    btree_map(0..STREAMS, known(), 0..6).prop_map(|known| {
        let mut activity = Activity::default();
        for (n, known) in known {
            let key = key(n);
            let at = |ms| NOW.plus_ms(ms);
            match known {
                Known::Live { started, lives } => activity.streams.push(Stream {
                    started_at: at(started),
                    began_at: at(started),
                    lapses_at: at(started + lives + TIMEOUT_MS),
                    player: match lives % 3 {
                        0 => SessionPlayer::None,
                        1 => SessionPlayer::Awaited,
                        _ => SessionPlayer::Known(StreamKey::external([n | 0x80; 16])),
                    },
                    ..Stream::unplayed(key)
                }),
                Known::Tombstone(ms) => activity.remember(Tombstone {
                    key,
                    at: at(ms),
                    why: EndReason::Stopped,
                }),
                Known::Faded(ms) => {
                    if let Some(key_prefix) = key_prefix_of(&key) {
                        activity.fade(Faded {
                            key_prefix,
                            at: at(ms),
                        });
                    }
                }
                Known::Released { started, played } => activity.remember(Tombstone {
                    key,
                    at: at(started + played),
                    why: EndReason::Released(Box::new(Stream {
                        started_at: at(started),
                        began_at: at(started),
                        ..Stream::unplayed(key)
                    })),
                }),
            }
        }
        activity
    })
}

/// Up to when lives of a stream that began have ended, by either of them: a pause ends the life that was
/// paused.
fn end_of(both: [&Activity; 2], key: &StreamKey) -> Option<Moment> {
    let ends = both.into_iter().flat_map(|one| {
        let full = one.end_of(key);
        let full = full.map(|end| end.released().map_or(end.at, |stream| stream.began_at));
        let faded = one.faded_end_of(key).map(|faded| faded.at);
        [full, faded]
    });
    ends.flatten().max()
}

fn live(activity: &Activity) -> BTreeSet<StreamKey> {
    activity.streams.iter().map(|stream| stream.key).collect()
}

fn ended(activity: &Activity) -> BTreeSet<StreamKey> {
    activity.ended.iter().map(|ended| ended.key).collect()
}

proptest! {
    #[test]
    fn a_copy_that_knows_nothing_more_adds_nothing(record in activity()) {
        prop_assert_eq!(&merged(record.clone(), &record), &record);
        prop_assert_eq!(&merged(record.clone(), &Activity::default()), &record);
    }

    #[test]
    fn merging_once_is_enough(record in activity(), copy in activity()) {
        let both = merged(record.clone(), &copy);
        prop_assert_eq!(&merged(both.clone(), &copy), &both);
        prop_assert_eq!(&merged(both.clone(), &record), &both);
        prop_assert_eq!(&merged(both.clone(), &both), &both);
    }

    #[test]
    fn whichever_is_the_record_the_same_streams_play(record in activity(), copy in activity()) {
        let (one, other) = (merged(record.clone(), &copy), merged(copy, &record));
        prop_assert_eq!(live(&one), live(&other));
        prop_assert_eq!(ended(&one), ended(&other));
        prop_assert_eq!(&one.faded, &other.faded);
        prop_assert!(live(&one).is_disjoint(&ended(&one)));
    }

    #[test]
    fn what_ended_plays_only_if_it_started_again(record in activity(), copy in activity()) {
        let both = merged(record.clone(), &copy);
        for stream in &both.streams {
            if let Some(end) = end_of([&record, &copy], &stream.key) {
                prop_assert!(stream.began_at > end);
            }
        }
    }

    #[test]
    fn what_plays_plays_on_unless_it_ended(record in activity(), copy in activity()) {
        let both = merged(record.clone(), &copy);
        for known in record.streams.iter().chain(&copy.streams) {
            let ends = end_of([&record, &copy], &known.key);
            if ends.is_some_and(|end| end >= known.began_at) {
                continue;
            }
            let stream = both.stream(&known.key);
            let stream = stream.expect("it plays");
            prop_assert!(
                (stream.began_at, stream.lapses_at) >= (known.began_at, known.lapses_at)
            );
        }
    }

    /// Whoever paused a stream may not have heard yet that it was ended.
    #[test]
    fn a_pause_does_not_undo_an_end(record in activity(), copy in activity()) {
        for (one, other) in [(&record, &copy), (&copy, &record)] {
            let both = merged(one.clone(), other);
            for end in one.ended.iter().filter(|end| end.released().is_none()) {
                let now = both.end_of(&end.key).and_then(Tombstone::released);
                prop_assert!(now.is_none_or(|stream| stream.began_at > end.at));
            }
        }
    }

    /// A stream issued up to the record's watermark may have ended and be forgotten.
    #[test]
    fn what_may_be_forgotten_does_not_come_back_from_a_copy(copy in activity()) {
        let record = Activity {
            watermark: NOW,
            ..Activity::default()
        };
        let both = merged(record, &copy);
        prop_assert!(both.streams.iter().all(|stream| stream.key.issued_at().is_none()));
        prop_assert_eq!(both.watermark, NOW);
    }
}
