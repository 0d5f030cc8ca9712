//! The format of a whole activity: what is written is read, and nothing else is.

use streamgate_policy::activity::{EndReason, Liveness, Terminator, Tombstone};
use streamgate_policy::reached::Reached;
use streamgate_policy::sharing::{Clients, SeenClient};
use streamgate_policy::throttle::Calls;
use streamgate_policy::{Allowance, Exception};
use streamgate_values::moment::Moment;

use super::*;
use crate::testing::{NOW, key, stream, test};

fn full() -> Activity {
    let mut first = stream(1, NOW);
    first.reached = Reached::of_bytes(&[3, 0, 16, 0, 0, 0, 0, 2]).unwrap();
    first.attributes.set("channel", "News 1");
    first.attributes.set("own", "wert ü");
    first.superseded = vec!["51fd351f".to_owned()];
    first.liveness = Liveness::Media;
    let seen = |n: u8| SeenClient {
        mark: [n; 8],
        since: NOW,
        until: NOW.plus_ms(n.into()),
    };
    first.clients = Clients::new(vec![seen(1), seen(2)], vec![seen(3)]);
    let mut paused = stream(6, NOW);
    paused.limits.set("climit12", 3);
    paused.reached = first.reached;
    paused.limits.set("devices", 1000);
    let ended = |n, why| Tombstone {
        key: key(n, NOW),
        at: NOW.plus_ms(5),
        why,
    };
    Activity {
        streams: vec![first, stream(2, NOW), paused.clone()],
        ended: vec![
            ended(6, EndReason::Released(Box::new(paused))),
            ended(3, EndReason::Stopped),
            ended(
                4,
                EndReason::Evicted {
                    policy: "p".to_owned(),
                    rule: "r".to_owned(),
                },
            ),
            ended(
                5,
                EndReason::Killed {
                    by: Terminator {
                        application: "app1".to_owned(),
                        started_at: NOW,
                        channel: Some("News 2".to_owned()),
                        device_name: None,
                        same_device: true,
                    },
                },
            ),
        ],
        faded: vec![
            Faded {
                key_prefix: [0x81; 8],
                at: NOW,
            },
            Faded {
                key_prefix: [0xff; 8],
                at: NOW.plus_ms(7),
            },
        ],
        creates: Calls {
            minute: 31_558_320,
            count: 3,
        },
        watermark: Moment::EARLIEST,
        exception: Some(Exception {
            allowance: Allowance::Max(7),
            set_at: NOW,
            until: NOW.plus_ms(9),
            reason: "quality of service".to_owned(),
        }),
    }
}

#[test]
fn decoding_inverts_encoding() {
    assert_eq!(decode(&encode(&full())), Some(full()));
    assert_eq!(
        decode(&encode(&Activity::default())),
        Some(Activity::default())
    );
}

#[test]
fn cut_or_lengthened_bytes_are_no_activity() {
    let bytes = encode(&full());
    for len in 0..bytes.len() {
        assert_eq!(decode(&bytes[..len]), None, "cut to {len}");
    }
    assert_eq!(decode(&[&bytes[..], b"x"].concat()), None);
}

/// The format is on disk nowhere, but two versions of the filter meet in one
/// shared table during an update: changing it means changing the version.
#[test]
fn the_format_is_the_one_written_down() {
    let activity = Activity {
        streams: vec![{
            let mut stream = stream(1, NOW);
            stream.attributes.set("channel", "n");
            stream.liveness = Liveness::Media;
            stream.limits.set("c", 3);
            stream
        }],
        ..Activity::default()
    };
    let hex: String = encode(&activity)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(
        hex,
        "00\
         01\
         01b8dd58e20001010101010101010101\
         01b8dd58e200\
         00\
         01b8dd5a4190\
         0461707031\
         0b\
         01016e\
         00\
         00\
         01016303\
         00"
    );
}
