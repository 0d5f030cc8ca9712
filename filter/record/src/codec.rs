//! One subject's activity as bytes.
//!
//! ```text
//! activity   = calls count stream* count×4+excepted×2+fading ended*
//!              [count (key_prefix(8) at(6))*] [exception]
//! stream     = key(16) playback
//! ```
//!
//! Moments are six bytes, counts and lengths LEB128. The slot around it carries the
//! format's version. Each of the files of this module says how one part is written.

mod calls;
mod ended;
mod playback;
#[cfg(test)]
mod tests;

use streamgate_policy::activity::Activity;
use streamgate_policy::faded::Faded;
use streamgate_values::compact::{Reader, Writer};
use streamgate_values::stream_key::StreamKey;

use self::calls::{decode_calls, encode_calls};
use self::ended::{decode_ended, encode_ended};
use self::playback::{decode_playback, encode_playback};
use crate::exceptions;

/// Below the number of ended streams: whether faded ones follow, and an exception.
const FADING: usize = 1;
const EXCEPTED: usize = 2;
const FADING_BITS: u32 = 2;

pub(crate) fn encode(activity: &Activity) -> Vec<u8> {
    let mut out = Vec::new();
    encode_calls(&mut out, &activity.creates);
    out.put_number(activity.streams.len());
    for stream in &activity.streams {
        out.put(stream.key.as_bytes());
        encode_playback(&mut out, stream);
    }
    let fading = usize::from(!activity.faded.is_empty());
    let excepted = match activity.exception {
        Some(_) => EXCEPTED,
        None => 0,
    };
    out.put_number((activity.ended.len() << FADING_BITS) | excepted | fading);
    for ended in &activity.ended {
        encode_ended(&mut out, ended);
    }
    if fading > 0 {
        out.put_number(activity.faded.len());
        for Faded { key_prefix, at } in &activity.faded {
            out.put(key_prefix);
            out.put_moment(*at);
        }
    }
    if let Some(exception) = &activity.exception {
        exceptions::encode(&mut out, exception);
    }
    out
}

/// The same with its watermark in front, as a fleet's store keeps it (see `slot`).
pub(crate) fn encode_copy(activity: &Activity) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_moment(activity.watermark);
    out.put(&encode(activity));
    out
}

/// The inverse of [`encode_copy`].
pub(crate) fn decode_copy(bytes: &[u8]) -> Option<Activity> {
    let mut reader = Reader::new(bytes);
    let watermark = reader.moment()?;
    Some(Activity {
        watermark,
        ..decode(reader.rest())?
    })
}

/// How many live streams an activity has, or a copy of one, without a look at them.
pub(crate) fn stream_count(bytes: &[u8], is_copy: bool) -> Option<usize> {
    let mut reader = Reader::new(bytes);
    if is_copy {
        reader.moment()?;
    }
    decode_calls(&mut reader)?;
    reader.number()
}

/// `None` if these are not the bytes of an activity.
pub(crate) fn decode(bytes: &[u8]) -> Option<Activity> {
    let mut reader = Reader::new(bytes);
    let mut activity = Activity {
        creates: decode_calls(&mut reader)?,
        ..Activity::default()
    };
    for _ in 0..reader.number()? {
        let key = StreamKey::from_bytes(reader.array()?);
        activity.streams.push(decode_playback(&mut reader, key)?);
    }
    let ended = reader.number()?;
    for _ in 0..ended >> FADING_BITS {
        activity.ended.push(decode_ended(&mut reader)?);
    }
    if ended & FADING > 0 {
        for _ in 0..reader.number()? {
            activity.faded.push(Faded {
                key_prefix: reader.array()?,
                at: reader.moment()?,
            });
        }
    }
    if ended & EXCEPTED > 0 {
        activity.exception = Some(exceptions::decode(&mut reader)?);
    }
    reader.is_empty().then_some(activity)
}
