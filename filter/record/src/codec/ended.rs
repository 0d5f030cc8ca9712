//! A tombstone as bytes.
//!
//! ```text
//! ended      = key(16) at(6) reason(1) [policy(text) rule(text)
//!              | application(text) started(6) channel(opt text) device(opt text), for another
//!                device and for the same
//!              | playback]
//! ```

use streamgate_policy::activity::{EndReason, Terminator, Tombstone};
use streamgate_values::compact::{Reader, Writer};
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::playback::{decode_playback, encode_playback};

const STOPPED: u8 = 0;
const EVICTED: u8 = 1;
const KILLED: u8 = 2;
const RELEASED: u8 = 3;
const KILLED_BY_ITS_DEVICE: u8 = 4;

pub(super) fn encode_ended(out: &mut Vec<u8>, ended: &Tombstone) {
    out.put(ended.key.as_bytes());
    out.put_moment(ended.at);
    match &ended.why {
        EndReason::Stopped => out.put(&[STOPPED]),
        EndReason::Evicted { policy, rule } => {
            out.put(&[EVICTED]);
            out.put_text(policy);
            out.put_text(rule);
        }
        EndReason::Killed { by } => {
            out.put(&[match by.same_device {
                false => KILLED,
                true => KILLED_BY_ITS_DEVICE,
            }]);
            out.put_text(&by.application);
            out.put_moment(by.started_at);
            for text in [&by.channel, &by.device_name] {
                out.put_texts(text.as_slice());
            }
        }
        EndReason::Released(stream) => {
            out.put(&[RELEASED]);
            encode_playback(out, stream);
        }
    }
}

pub(super) fn decode_ended(reader: &mut Reader<'_>) -> Option<Tombstone> {
    let key = StreamKey::from_bytes(reader.array()?);
    let at: Moment = reader.moment()?;
    let reason = reader.byte()?;
    let why = match reason {
        STOPPED => EndReason::Stopped,
        EVICTED => EndReason::Evicted {
            policy: reader.text()?.to_owned(),
            rule: reader.text()?.to_owned(),
        },
        KILLED | KILLED_BY_ITS_DEVICE => EndReason::Killed {
            by: Terminator {
                application: reader.text()?.to_owned(),
                started_at: reader.moment()?,
                channel: reader.texts()?.pop(),
                device_name: reader.texts()?.pop(),
                same_device: reason == KILLED_BY_ITS_DEVICE,
            },
        },
        RELEASED => EndReason::Released(Box::new(decode_playback(reader, key)?)),
        _ => return None,
    };
    Some(Tombstone { key, at, why })
}
