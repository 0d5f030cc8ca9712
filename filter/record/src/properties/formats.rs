//! The compact format on any activity and on any bytes.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use streamgate_policy::activity::{
    Activity, ENDED_KEPT_MS, EndReason, Liveness, Stream, Terminator, Tombstone,
};
use streamgate_policy::faded::Faded;
use streamgate_policy::reached::Reached;
use streamgate_policy::session_player::SessionPlayer;
use streamgate_policy::sharing::{Clients, SeenClient};
use streamgate_policy::throttle::Calls;
use streamgate_values::attributes::Attributes;
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::super::slot::{Change, Slot};
use super::super::{codec, test_edge};

fn moment() -> impl Strategy<Value = Moment> {
    any::<u64>().prop_map(Moment::from_ms)
}

fn key() -> impl Strategy<Value = StreamKey> {
    any::<[u8; 16]>().prop_map(StreamKey::from_bytes)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "\\PC{0,12}",
        1 => prop::sample::select(vec!["channel", "deviceId", "osName", ""]).prop_map(str::to_owned),
        1 => "[a-z]{127,130}",
    ]
}

fn attributes() -> impl Strategy<Value = Attributes> {
    vec((text(), text()), 0..6).prop_map(|pairs| {
        let mut attributes = Attributes::default();
        for (name, value) in pairs {
            attributes.set(name, value);
        }
        attributes
    })
}

fn stream() -> impl Strategy<Value = Stream> {
    let fields = (
        key(),
        text(),
        (moment(), moment()),
        moment(),
        attributes(),
        (
            limits(),
            any::<bool>(),
            clients(),
            player(),
            any::<u16>(),
            reached(),
        ),
        vec(text(), 0..4),
        calls(),
    );
    fields.prop_map(
        |(key, application, starts, lapses_at, attributes, life, superseded, calls)| Stream {
            key,
            application,
            started_at: starts.0,
            began_at: starts.1,
            lapses_at,
            attributes,
            limits: life.0,
            liveness: if life.1 {
                Liveness::Media
            } else {
                Liveness::Any
            },
            superseded,
            calls,
            clients: life.2,
            player: life.3,
            buffer_s: life.4,
            reached: life.5,
        },
    )
}

fn reached() -> impl Strategy<Value = Reached> {
    prop::array::uniform8(0..=16_u8).prop_map(|most| Reached::of_bytes(&most).unwrap())
}

fn player() -> impl Strategy<Value = SessionPlayer> {
    prop_oneof![
        Just(SessionPlayer::None),
        Just(SessionPlayer::Awaited),
        key().prop_map(SessionPlayer::Known),
    ]
}

fn clients() -> impl Strategy<Value = Clients> {
    let seen = || {
        let one = (any::<[u8; 8]>(), moment(), moment());
        let one = one.prop_map(|(mark, since, until)| SeenClient { mark, since, until });
        vec(one, 0..12)
    };
    (seen(), seen()).prop_map(|(networks, agents)| Clients::new(networks, agents))
}

fn limits() -> impl Strategy<Value = Limits> {
    vec((text(), any::<u32>()), 0..6).prop_map(|pairs| {
        let mut limits = Limits::default();
        for (claim, limit) in pairs {
            limits.set(claim, limit);
        }
        limits
    })
}

fn calls() -> impl Strategy<Value = Calls> {
    prop_oneof![
        Just(Calls::default()),
        (any::<u32>(), 1..1_000_000_u32).prop_map(|(minute, count)| Calls { minute, count }),
    ]
}

fn why() -> impl Strategy<Value = EndReason> {
    let terminator = (
        text(),
        moment(),
        option::of(text()),
        option::of(text()),
        any::<bool>(),
    );
    prop_oneof![
        Just(EndReason::Stopped),
        (text(), text()).prop_map(|(policy, rule)| EndReason::Evicted { policy, rule }),
        terminator.prop_map(
            |(application, started_at, channel, device_name, same_device)| {
                EndReason::Killed {
                    by: Terminator {
                        application,
                        started_at,
                        channel,
                        device_name,
                        same_device,
                    },
                }
            }
        ),
        stream().prop_map(|stream| EndReason::Released(Box::new(stream))),
    ]
}

fn ended() -> impl Strategy<Value = Tombstone> {
    (key(), moment(), why()).prop_map(|(key, at, mut why)| {
        if let EndReason::Released(stream) = &mut why {
            stream.key = key;
        }
        Tombstone { key, at, why }
    })
}

fn activity() -> impl Strategy<Value = Activity> {
    let faded = (any::<[u8; 8]>(), moment()).prop_map(|(key_prefix, at)| Faded { key_prefix, at });
    let ends = (vec(ended(), 0..9), vec(faded, 0..4));
    (vec(stream(), 0..6), ends, calls()).prop_map(|(streams, (ended, faded), creates)| Activity {
        streams,
        ended,
        faded,
        creates,
        watermark: Moment::EARLIEST,
        exception: None,
    })
}

/// Bytes that are a good value here and there damaged, or nothing like one.
fn almost(good: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let damage = vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let damaged = (good, damage, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(mut bytes, damage, end, cut)| {
            for (at, byte) in damage {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
            }
            if cut {
                bytes.truncate(end.index(bytes.len() + 1));
            }
            bytes
        },
    );
    prop_oneof![3 => damaged, 1 => vec(any::<u8>(), 0..200)]
}

/// A slot in which these subjects have these activities.
fn slot_of(activities: &[Activity], now: Moment) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (of, activity) in (0..).zip(activities) {
        let mut activity = activity.clone();
        activity.prune(now);
        let slot = Slot::parse(&bytes).unwrap_or_default();
        let change = Change {
            subject: &test_edge::subject(of),
            activity: &activity,
            copy_version: None,
        };
        bytes = slot.rewrite(Some(change), now).bytes;
    }
    bytes
}

proptest! {
    #[test]
    fn decoding_an_activity_inverts_encoding_it(activity in activity()) {
        prop_assert_eq!(codec::decode(&codec::encode(&activity)), Some(activity));
    }

    #[test]
    fn whatever_can_be_decoded_means_the_same_once_encoded_again(
        bytes in almost(activity().prop_map(|activity| codec::encode(&activity)))
    ) {
        if let Some(activity) = codec::decode(&bytes) {
            prop_assert_eq!(codec::decode(&codec::encode(&activity)), Some(activity));
        }
    }

    #[test]
    fn a_slot_gives_back_what_was_put_into_it(
        activities in vec(activity(), 1..5),
        now in moment(),
    ) {
        let bytes = slot_of(&activities, now);
        let slot = Slot::parse(&bytes).unwrap();
        for (of, mut activity) in (0..).zip(activities) {
            activity.prune(now);
            activity.watermark = Moment::EARLIEST;
            if activity.streams.is_empty() && !activity.remembers_ends() {
                // Nothing is kept for a count of calls alone.
                activity.creates = Calls::default();
            }
            prop_assert_eq!(slot.activity(&test_edge::subject(of)), Some(activity));
        }
    }

    #[test]
    fn rewriting_a_slot_at_once_changes_nothing(
        activities in vec(activity(), 0..5),
        now in moment(),
    ) {
        let bytes = slot_of(&activities, now);
        let slot = Slot::parse(&bytes).unwrap_or_default();
        prop_assert!(!slot.has_lapsed(now));
        let rewritten = slot.rewrite(None, now);
        prop_assert_eq!(rewritten.lapsed.len(), 0);
        if !bytes.is_empty() {
            prop_assert_eq!(rewritten.bytes, bytes);
        }
    }

    /// Bytes may say the same in several ways (a padded length, a name spelled out
    /// that has a code); what is written is one of them, from then on.
    #[test]
    fn whatever_can_be_parsed_and_rewritten_can_be_parsed_again(
        bytes in almost((vec(activity(), 0..4), moment()).prop_map(|(activities, now)| {
            slot_of(&activities, now)
        })),
        now in moment(),
    ) {
        let Some(slot) = Slot::parse(&bytes) else {
            return Ok(());
        };
        for subject in slot.subjects() {
            let _ = slot.activity(&subject);
        }
        let once = slot.rewrite(None, now).bytes;
        let again = Slot::parse(&once).unwrap();
        prop_assert!(!again.has_lapsed(now));
        prop_assert!(again.watermark >= slot.watermark);
        let twice = again.rewrite(None, now);
        prop_assert_eq!(twice.lapsed.len(), 0);
        prop_assert_eq!(twice.bytes, once);
    }

    #[test]
    fn a_slot_whose_time_has_passed_is_empty_once_rewritten(
        activities in vec(activity(), 0..5),
        now in (0_u64..1 << 40).prop_map(Moment::from_ms),
    ) {
        let early = |at: Moment| Moment::from_ms(at.as_ms() >> 8);
        let activities: Vec<_> = activities
            .into_iter()
            .map(|mut activity| {
                activity.streams.iter_mut().for_each(|live| live.lapses_at = early(live.lapses_at));
                activity.ended.iter_mut().for_each(|ended| ended.at = early(ended.at));
                activity.faded.iter_mut().for_each(|faded| faded.at = early(faded.at));
                activity
            })
            .collect();
        let bytes = slot_of(&activities, now);
        let slot = Slot::parse(&bytes).unwrap_or_default();
        let late = Moment::from_ms(1 << 40).plus_ms(ENDED_KEPT_MS);
        // What was ended is held against its account, and once that is long ago by the watermark.
        let bytes = slot.rewrite(None, late).bytes;
        let slot = Slot::parse(&bytes).unwrap();
        // A key may say that it was issued at any moment of 47 bits.
        let later = Moment::from_ms(1 << 48);
        prop_assert_eq!(slot.rewrite(None, later).bytes.len(), test_edge::EMPTY_SLOT);
    }
}
