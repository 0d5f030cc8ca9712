//! Whatever is known of a stream comes back from its bytes: each of it alone.

use streamgate_policy::activity::{Activity, EndReason, Liveness, Stream, Terminator, Tombstone};
use streamgate_policy::session_player::SessionPlayer;
use streamgate_policy::sharing::{Clients, SeenClient};
use streamgate_policy::throttle::Calls;

use super::codec::{decode, decode_copy, encode, encode_copy};
use crate::testing::{NOW, key, stream, test};

/// A stream of which one thing is other than usual.
fn with(change: impl Fn(&mut Stream)) -> Stream {
    let mut stream = stream(1, NOW);
    change(&mut stream);
    assert_ne!(stream, crate::testing::stream(1, NOW));
    stream
}

fn clients(networks: usize, agents: usize) -> Clients {
    let seen = |n: usize| SeenClient {
        mark: [n as u8; 8],
        since: NOW.plus_ms(n as u64),
        until: NOW.plus_ms(100),
    };
    Clients::new(
        (0..networks).map(seen).collect(),
        (0..agents).map(seen).collect(),
    )
}

fn streams() -> Vec<Stream> {
    vec![
        stream(1, NOW),
        with(|it| it.began_at = NOW.plus_ms(1)),
        with(|it| it.started_at = NOW.plus_ms(1)),
        with(|it| it.lapses_at = NOW),
        with(|it| it.buffer_s = 1),
        with(|it| it.buffer_s = u16::MAX),
        with(|it| {
            it.buffer_s = 300;
            it.began_at = NOW.plus_ms(1);
            it.player = SessionPlayer::Known(key(2, NOW));
        }),
        with(|it| it.application = "another".to_owned()),
        with(|it| it.liveness = Liveness::Media),
        with(|it| it.superseded = vec!["51fd351f".to_owned(), String::new()]),
        with(|it| {
            it.calls = Calls {
                minute: 7,
                count: 1,
            }
        }),
        with(|it| it.attributes.set("channel", "")),
        with(|it| it.attributes.set("osName", "the last that has a number")),
        with(|it| it.attributes.set("channels", "a name of its own")),
        with(|it| it.limits.set("climit", 0)),
        with(|it| it.limits.set("", u32::MAX)),
        with(|it| it.clients = clients(1, 0)),
        with(|it| it.clients = clients(0, 1)),
        with(|it| it.clients = clients(3, 2)),
        with(|it| it.player = SessionPlayer::Awaited),
        with(|it| it.player = SessionPlayer::Known(key(2, NOW))),
    ]
}

fn terminator() -> Terminator {
    Terminator {
        application: "app1".to_owned(),
        started_at: NOW,
        channel: None,
        device_name: None,
        same_device: false,
    }
}

fn ends() -> Vec<EndReason> {
    let killed = |change: fn(&mut Terminator)| {
        let mut by = terminator();
        change(&mut by);
        EndReason::Killed { by }
    };
    let evicted = |policy: &str, rule: &str| EndReason::Evicted {
        policy: policy.to_owned(),
        rule: rule.to_owned(),
    };
    let released = streams().into_iter().map(Box::new).map(EndReason::Released);
    [
        EndReason::Stopped,
        evicted("policy", "rule"),
        evicted("", ""),
        killed(|_| ()),
        killed(|by| by.same_device = true),
        killed(|by| by.channel = Some("News".to_owned())),
        killed(|by| by.device_name = Some("Kitchen".to_owned())),
        killed(|by| by.application = String::new()),
    ]
    .into_iter()
    .chain(released)
    .collect()
}

#[test]
fn each_thing_that_is_known_of_a_stream_comes_back() {
    for stream in streams() {
        let activity = Activity {
            streams: vec![stream],
            ..Activity::default()
        };
        assert_eq!(decode(&encode(&activity)), Some(activity));
    }
    let all = Activity {
        streams: streams(),
        watermark: NOW,
        ..Activity::default()
    };
    assert_eq!(decode_copy(&encode_copy(&all)), Some(all));
}

#[test]
fn each_reason_that_a_stream_ended_for_comes_back() {
    for why in ends() {
        let activity = Activity {
            ended: vec![Tombstone {
                key: key(1, NOW),
                at: NOW.plus_ms(9),
                why,
            }],
            ..Activity::default()
        };
        assert_eq!(decode(&encode(&activity)), Some(activity));
    }
}

#[test]
fn numbers_that_stand_for_nothing_are_no_activity() {
    // Behind when it started: whether it began anew (1), of its player (2 or 4, never both), and
    // whether a buffer follows (8), which here none does.
    let mut bytes = encode(&Activity {
        streams: vec![stream(1, NOW)],
        ..Activity::default()
    });
    let began = 1 + 1 + 16 + 6;
    assert_eq!(bytes[began], 0);
    for number in 6..=u8::MAX {
        bytes[began] = number;
        assert_eq!(decode(&bytes), None, "{number}");
    }
    // The last byte of an end that has nothing more to say: its reason.
    let mut bytes = encode(&Activity {
        ended: vec![Tombstone {
            key: key(1, NOW),
            at: NOW,
            why: EndReason::Stopped,
        }],
        ..Activity::default()
    });
    let reason = bytes.len() - 1;
    for number in 1..=u8::MAX {
        bytes[reason] = number;
        assert_eq!(decode(&bytes), None, "{number}");
    }
}
