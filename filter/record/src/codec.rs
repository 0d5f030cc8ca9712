//! One subject's activity as bytes.
//!
//! ```text
//! activity   = calls count stream* count×4+excepted×2+fading ended*
//!              [count (key_prefix(8) at(6))*] [exception]
//! stream     = key(16) playback
//! playback   = started(6) began lapses(6) [buffer] application(text) traits (name value(text))*
//!              superseded(texts) calls [count (claim(text) limit)*] [clients clients]
//! began      = when(1) [at(6)] [player(16)]
//! when       = 0 (when it started) | 1 (at), + 2 if its player is awaited, or 4 if it is known,
//!              + 8 if lapses counts a buffer in, of so many seconds
//! calls      = 0 | count minute(4)
//! clients    = count (mark(8) since(6) until(6))*, of networks, then of agents
//! traits     = number of attributes, ×8, + 4 if there are clients, + 2 if there are limits,
//!              + 1 if it lives by media
//! name       = code(1) | 0 name(text)
//! ended      = key(16) at(6) reason(1) [policy(text) rule(text)
//!              | application(text) started(6) channel(opt text) device(opt text), for another
//!                device and for the same
//!              | playback]
//! ```
//!
//! Moments are six bytes, counts and lengths LEB128. The slot around it carries the
//! format's version.

use streamgate_policy::activity::{Activity, EndReason, Liveness, Stream, Terminator, Tombstone};
use streamgate_policy::faded::Faded;
use streamgate_policy::session_player::SessionPlayer;
use streamgate_policy::sharing::{Clients, SeenClient};
use streamgate_policy::throttle::Calls;
use streamgate_values::attributes::Attributes;
use streamgate_values::compact::{Reader, Writer};
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use crate::exceptions;

/// Attribute names that cost one byte instead of their spelling. Part of the
/// format: append only.
const KNOWN_NAMES: [&str; 16] = [
    "channel",
    "deviceId",
    "deviceName",
    "deviceType",
    "assetId",
    "package",
    "platform",
    "idp",
    "mvpd",
    "hba_status",
    "hba",
    "mobileDevice",
    "contentType",
    "zipcode",
    "applicationName",
    "osName",
];

const STOPPED: u8 = 0;
const EVICTED: u8 = 1;
const KILLED: u8 = 2;
const RELEASED: u8 = 3;
const KILLED_BY_ITS_DEVICE: u8 = 4;

/// In `when`.
const BEGAN_ANEW: u8 = 1;
const PLAYER_AWAITED: u8 = 2;
const PLAYER_KNOWN: u8 = 4;
const HAS_BUFFER: u8 = 8;

/// In `traits`.
const LIVES_BY_MEDIA: usize = 1;
const HAS_LIMITS: usize = 2;
const HAS_CLIENTS: usize = 4;
const TRAITS: u32 = 3;

/// Below the number of ended streams: whether faded ones follow, and an exception.
const FADING: usize = 1;
const EXCEPTED: usize = 2;
const FADING_BITS: u32 = 2;

pub(super) fn encode(activity: &Activity) -> Vec<u8> {
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
pub(super) fn encode_copy(activity: &Activity) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_moment(activity.watermark);
    out.put(&encode(activity));
    out
}

/// The inverse of [`encode_copy`].
pub(super) fn decode_copy(bytes: &[u8]) -> Option<Activity> {
    let mut reader = Reader::new(bytes);
    let watermark = reader.moment()?;
    Some(Activity {
        watermark,
        ..decode(reader.rest())?
    })
}

/// How many live streams an activity has, or a copy of one, without a look at them.
pub(super) fn stream_count(bytes: &[u8], is_copy: bool) -> Option<usize> {
    let mut reader = Reader::new(bytes);
    if is_copy {
        reader.moment()?;
    }
    decode_calls(&mut reader)?;
    reader.number()
}

/// `None` if these are not the bytes of an activity.
pub(super) fn decode(bytes: &[u8]) -> Option<Activity> {
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

fn encode_playback(out: &mut Vec<u8>, stream: &Stream) {
    out.put_moment(stream.started_at);
    encode_began(out, stream);
    out.put_moment(stream.lapses_at);
    if stream.buffer_s > 0 {
        out.put_number(usize::from(stream.buffer_s));
    }
    out.put_text(&stream.application);
    out.put_number(traits(stream));
    for (name, value) in stream.attributes.iter() {
        encode_name(out, name);
        out.put_text(value);
    }
    out.put_texts(&stream.superseded);
    encode_calls(out, &stream.calls);
    if !stream.limits.is_empty() {
        out.put_number(stream.limits.len());
        for (claim, limit) in stream.limits.iter() {
            out.put_text(claim);
            out.put_number(usize::try_from(limit).unwrap_or(usize::MAX));
        }
    }
    encode_clients(out, &stream.clients);
}

/// One byte where a stream began when it started and is its own player, as nearly all are. The
/// byte says, too, whether a buffer follows.
fn encode_began(out: &mut Vec<u8>, stream: &Stream) {
    let anew = stream.began_at != stream.started_at;
    let player = match stream.player {
        SessionPlayer::None => 0,
        SessionPlayer::Awaited => PLAYER_AWAITED,
        SessionPlayer::Known(_) => PLAYER_KNOWN,
    };
    let anew_bit = if anew { BEGAN_ANEW } else { 0 };
    let buffer_bit = if stream.buffer_s > 0 { HAS_BUFFER } else { 0 };
    out.put(&[anew_bit | player | buffer_bit]);
    if anew {
        out.put_moment(stream.began_at);
    }
    if let SessionPlayer::Known(key) = &stream.player {
        out.put(key.as_bytes());
    }
}

/// When it began, what plays for it, and whether its buffer is counted in.
fn decode_began(
    reader: &mut Reader<'_>,
    started_at: Moment,
) -> Option<(Moment, SessionPlayer, bool)> {
    let when = reader.byte()?;
    let began_at = match when & BEGAN_ANEW {
        0 => started_at,
        _ => reader.moment()?,
    };
    let player = match when & !(BEGAN_ANEW | HAS_BUFFER) {
        0 => SessionPlayer::None,
        PLAYER_AWAITED => SessionPlayer::Awaited,
        PLAYER_KNOWN => SessionPlayer::Known(StreamKey::from_bytes(reader.array()?)),
        _ => return None,
    };
    Some((began_at, player, when & HAS_BUFFER != 0))
}

fn traits(stream: &Stream) -> usize {
    let mut traits = stream.attributes.len() << TRAITS;
    if stream.liveness == Liveness::Media {
        traits |= LIVES_BY_MEDIA;
    }
    if !stream.limits.is_empty() {
        traits |= HAS_LIMITS;
    }
    if !stream.clients.is_empty() {
        traits |= HAS_CLIENTS;
    }
    traits
}

fn decode_playback(reader: &mut Reader<'_>, key: StreamKey) -> Option<Stream> {
    let started_at = reader.moment()?;
    let (began_at, player, has_buffer) = decode_began(reader, started_at)?;
    let lapses_at = reader.moment()?;
    let buffer_s = match has_buffer {
        true => u16::try_from(reader.number()?).ok()?,
        false => 0,
    };
    let application = reader.text()?.to_owned();
    let traits = reader.number()?;
    Some(Stream {
        key,
        application,
        started_at,
        began_at,
        player,
        lapses_at,
        buffer_s,
        attributes: decode_attributes(reader, traits >> TRAITS)?,
        liveness: if traits & LIVES_BY_MEDIA == 0 {
            Liveness::Any
        } else {
            Liveness::Media
        },
        superseded: reader.texts()?,
        calls: decode_calls(reader)?,
        limits: if traits & HAS_LIMITS == 0 {
            Limits::default()
        } else {
            decode_limits(reader)?
        },
        clients: if traits & HAS_CLIENTS == 0 {
            Clients::default()
        } else {
            Clients::new(decode_clients(reader)?, decode_clients(reader)?)
        },
    })
}

/// Nothing where nothing is remembered.
fn encode_clients(out: &mut Vec<u8>, clients: &Clients) {
    if clients.is_empty() {
        return;
    }
    for all in [clients.networks(), clients.agents()] {
        out.put_number(all.len());
        for SeenClient { mark, since, until } in all {
            out.put(mark);
            out.put_moment(*since);
            out.put_moment(*until);
        }
    }
}

fn decode_clients(reader: &mut Reader<'_>) -> Option<Vec<SeenClient>> {
    let mut all = Vec::new();
    for _ in 0..reader.number()? {
        all.push(SeenClient {
            mark: reader.array()?,
            since: reader.moment()?,
            until: reader.moment()?,
        });
    }
    Some(all)
}

fn decode_limits(reader: &mut Reader<'_>) -> Option<Limits> {
    let mut limits = Limits::default();
    for _ in 0..reader.number()? {
        let claim = reader.text()?;
        limits.set(claim, u32::try_from(reader.number()?).ok()?);
    }
    Some(limits)
}

fn encode_calls(out: &mut Vec<u8>, calls: &Calls) {
    out.put_number(usize::try_from(calls.count).unwrap_or(usize::MAX));
    if calls.count > 0 {
        out.put(&calls.minute.to_be_bytes());
    }
}

fn decode_calls(reader: &mut Reader<'_>) -> Option<Calls> {
    let count = u32::try_from(reader.number()?).ok()?;
    let minute = match count {
        0 => 0,
        _ => u32::from_be_bytes(reader.array()?),
    };
    Some(Calls { minute, count })
}

fn decode_attributes(reader: &mut Reader<'_>, count: usize) -> Option<Attributes> {
    let mut attributes = Attributes::default();
    for _ in 0..count {
        let name = match reader.byte()? {
            0 => reader.text()?,
            code => KNOWN_NAMES.get(usize::from(code).checked_sub(1)?)?,
        };
        attributes.set(name, reader.text()?);
    }
    Some(attributes)
}

fn encode_name(out: &mut Vec<u8>, name: &str) {
    let code = (1_u8..)
        .zip(KNOWN_NAMES)
        .find(|(_, known)| *known == name)
        .map(|(code, _)| code);
    match code {
        Some(code) => out.put(&[code]),
        None => {
            out.put(&[0]);
            out.put_text(name);
        }
    }
}

fn encode_ended(out: &mut Vec<u8>, ended: &Tombstone) {
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

fn decode_ended(reader: &mut Reader<'_>) -> Option<Tombstone> {
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

#[cfg(test)]
mod tests {
    use streamgate_policy::{Allowance, Exception};

    use super::*;
    use crate::testing::{NOW, key, stream, test};

    fn full() -> Activity {
        let mut first = stream(1, NOW);
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
        paused.limits.set("climit", 3);
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
}
