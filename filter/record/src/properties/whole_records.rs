//! Merging gives the same record, whole, in whatever order copies meet: who plays and since when, who
//! ended, why and when, calls and watermark.

use std::collections::BTreeSet;

use proptest::collection::btree_map;
use proptest::prelude::*;
use streamgate_policy::activity::{Activity, EndReason, Liveness, Stream, Terminator, Tombstone};
use streamgate_policy::faded::{Faded, key_prefix_of};
use streamgate_policy::reached::Reached;
use streamgate_policy::throttle::Calls;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::super::merged;
use crate::testing::{NOW, TIMEOUT_MS};

/// What one copy knows of a stream.
#[derive(Debug, Clone)]
enum Known {
    Live(Life),
    Ended { at: u64, why: u8 },
    Faded(u64),
    Released { life: Life, at: u64 },
}

/// A stream that began some time after it first started, and what was said of it last.
#[derive(Debug, Clone)]
struct Life {
    started: u64,
    anew: u64,
    lives: u64,
    said: u8,
}

impl Life {
    fn stream(&self, key: StreamKey) -> Stream {
        let began = self.started + self.anew;
        let mut stream = Stream {
            application: format!("app{}", self.said % 2),
            started_at: NOW.plus_ms(self.started),
            began_at: NOW.plus_ms(began),
            lapses_at: NOW.plus_ms(began + self.lives + TIMEOUT_MS),
            liveness: if self.said.is_multiple_of(3) {
                Liveness::Media
            } else {
                Liveness::Any
            },
            calls: Calls {
                minute: u32::from(self.said % 2),
                count: u32::from(self.said) + 1,
            },
            superseded: vec![format!("code{}", self.said)],
            buffer_s: u16::from(self.said % 4),
            reached: Reached::of_bytes(&[self.said % 3, 0, 0, 0, 0, 0, 0, self.said % 4]).unwrap(),
            ..Stream::unplayed(key)
        };
        stream.attributes.set("channel", self.said.to_string());
        stream.limits.set("claim", u32::from(self.said / 2));
        stream
    }
}

fn life() -> impl Strategy<Value = Life> {
    (0..6_u64, 0..3_u64, 0..4_u64, 0..6_u8).prop_map(|(started, anew, lives, said)| Life {
        started,
        anew,
        lives,
        said,
    })
}

fn why(n: u8) -> EndReason {
    match n % 4 {
        0 => EndReason::Stopped,
        1 | 2 => EndReason::Evicted {
            policy: "household".to_owned(),
            rule: format!("rule{n}"),
        },
        _ => EndReason::Killed {
            by: Terminator {
                same_device: n > 4,
                application: "app".to_owned(),
                started_at: NOW.plus_ms(u64::from(n)),
                channel: (n > 3).then(|| "News 1".to_owned()),
                device_name: None,
            },
        },
    }
}

fn live_or_ended() -> impl Strategy<Value = Known> {
    prop_oneof![
        3 => life().prop_map(Known::Live),
        2 => (0..6_u64, 0..8_u8).prop_map(|(at, why)| Known::Ended { at, why }),
    ]
}

fn anything() -> impl Strategy<Value = Known> {
    prop_oneof![
        4 => live_or_ended(),
        1 => (0..6_u64).prop_map(Known::Faded),
        1 => (life(), 0..3_u64).prop_map(|(life, at)| Known::Released { life, at }),
    ]
}

/// Every second stream has an id from outside.
fn key(n: u8) -> StreamKey {
    match n % 2 {
        0 => StreamKey::mint(NOW, [n; StreamKey::RANDOM_LEN]),
        _ => StreamKey::external([n; 16]),
    }
}

fn activity(known: impl Strategy<Value = Known>) -> impl Strategy<Value = Activity> {
    // The watermark lies before every stream here: what it says of older ones is another property.
    let rest = (0..4_u32, 0..4_u32, 0..5_u64);
    (btree_map(0..7_u8, known, 0..6), rest).prop_map(|(known, (minute, count, watermark))| {
        let mut activity = Activity {
            creates: Calls { minute, count },
            watermark: Moment::from_ms(NOW.as_ms() - 10 + watermark),
            ..Activity::default()
        };
        for (n, known) in known {
            let key = key(n);
            match known {
                Known::Live(life) => activity.streams.push(life.stream(key)),
                Known::Ended { at, why: n } => activity.remember(Tombstone {
                    key,
                    at: NOW.plus_ms(at),
                    why: why(n),
                }),
                Known::Faded(at) => {
                    if let Some(key_prefix) = key_prefix_of(&key) {
                        activity.fade(Faded {
                            key_prefix,
                            at: NOW.plus_ms(at),
                        });
                    }
                }
                Known::Released { life, at } => {
                    let stream = life.stream(key);
                    activity.remember(Tombstone {
                        key,
                        at: stream.began_at.plus_ms(at),
                        why: EndReason::Released(Box::new(stream)),
                    });
                }
            }
        }
        activity
    })
}

/// A record whose lists are in an order of their own: neither list promises any among equals.
fn whole(mut activity: Activity) -> Activity {
    activity.streams.sort_by_key(|stream| stream.key);
    activity.ended.sort_by_key(|ended| (ended.at, ended.key));
    activity
}

/// Who plays and since when for certain, who ended, why and when.
fn in_short(activity: Activity) -> Activity {
    let mut short = whole(activity);
    for stream in &mut short.streams {
        let began_at = stream.began_at;
        *stream = Stream {
            began_at,
            ..Stream::unplayed(stream.key)
        };
    }
    short
}

/// How it stands with a stream, and since when for certain.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stands {
    Plays(Moment),
    Pauses(Moment),
    HasEnded(Moment),
}

/// Who plays, pauses and has ended.
fn who_and_when(activity: &Activity) -> BTreeSet<(Vec<u8>, Stands)> {
    let mut all = BTreeSet::new();
    let name = |key: &StreamKey| match key_prefix_of(key) {
        Some(key_prefix) => key_prefix.to_vec(),
        None => format!("{key:?}").into_bytes(),
    };
    for stream in &activity.streams {
        all.insert((name(&stream.key), Stands::Plays(stream.began_at)));
    }
    for ended in &activity.ended {
        let stands = match ended.released() {
            Some(stream) => Stands::Pauses(stream.began_at),
            None => Stands::HasEnded(ended.at),
        };
        all.insert((name(&ended.key), stands));
    }
    for faded in &activity.faded {
        all.insert((faded.key_prefix.to_vec(), Stands::HasEnded(faded.at)));
    }
    all
}

proptest! {
    #[test]
    fn whichever_is_the_record_the_whole_is_the_same(
        one in activity(anything()),
        other in activity(anything()),
    ) {
        let there = whole(merged(one.clone(), &other));
        prop_assert_eq!(there, whole(merged(other, &one)));
    }

    #[test]
    fn what_was_merged_adds_nothing_to_the_whole(
        one in activity(anything()),
        other in activity(anything()),
    ) {
        let both = whole(merged(one.clone(), &other));
        for known in [&one, &other, &both] {
            prop_assert_eq!(&whole(merged(both.clone(), known)), &both);
            prop_assert_eq!(&whole(merged(known.clone(), &both)), &both);
        }
    }

    /// What is said of the streams is left out: of one that started three times around an end,
    /// of which no copy knows all, the order decides which of its lives is described.
    #[test]
    fn in_whatever_order_three_meet_the_whole_is_the_same(
        a in activity(live_or_ended()),
        b in activity(live_or_ended()),
        c in activity(live_or_ended()),
    ) {
        let left = merged(merged(a.clone(), &b), &c);
        let right = merged(a, &merged(b, &c));
        prop_assert_eq!(in_short(left), in_short(right));
    }

    /// With pauses and faded ends among them. Why is left out: of an end that has faded, a copy may
    /// know the reason of an earlier one.
    #[test]
    fn in_whatever_order_three_of_any_kind_meet_the_same_play_pause_and_have_ended(
        a in activity(anything()),
        b in activity(anything()),
        c in activity(anything()),
    ) {
        let left = merged(merged(a.clone(), &b), &c);
        let right = merged(a, &merged(b, &c));
        prop_assert_eq!(who_and_when(&left), who_and_when(&right));
    }

    /// As long as nobody ended anything, ages are the same in every order, too: the first start.
    #[test]
    fn a_stream_is_as_old_as_its_first_start(
        a in activity(life().prop_map(Known::Live)),
        b in activity(life().prop_map(Known::Live)),
        c in activity(life().prop_map(Known::Live)),
    ) {
        let left = whole(merged(merged(a.clone(), &b), &c));
        prop_assert_eq!(&left, &whole(merged(a.clone(), &merged(b.clone(), &c))));
        for stream in &left.streams {
            let known = [&a, &b, &c].map(|one| one.stream(&stream.key).map(|one| one.started_at));
            prop_assert_eq!(Some(stream.started_at), known.into_iter().flatten().min());
        }
    }
}
