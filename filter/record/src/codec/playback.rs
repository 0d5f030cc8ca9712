//! What a stream is besides its key, as bytes.
//!
//! ```text
//! playback   = started(6) began lapses(6) [buffer] application(text) traits (name value(text))*
//!              superseded(texts) calls [count (claim(text) limit)*] [clients clients]
//! began      = when(1) [at(6)] [player(16)]
//! when       = 0 (when it started) | 1 (at), + 2 if its player is awaited, or 4 if it is known,
//!              + 8 if lapses counts a buffer in, of so many seconds
//! clients    = count (mark(8) since(6) until(6))*, of networks, then of agents
//! traits     = number of attributes, ×8, + 4 if there are clients, + 2 if there are limits,
//!              + 1 if it lives by media
//! name       = code(1) | 0 name(text)
//! claim      = a claim's name | how many streams the account reached, of 8 bytes, below any letter
//! ```

use streamgate_policy::activity::{Liveness, Stream};
use streamgate_policy::reached::Reached;
use streamgate_policy::session_player::SessionPlayer;
use streamgate_policy::sharing::{Clients, SeenClient};
use streamgate_values::attributes::Attributes;
use streamgate_values::compact::{Reader, Writer};
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::calls::{decode_calls, encode_calls};
use crate::granted;

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

pub(super) fn encode_playback(out: &mut Vec<u8>, stream: &Stream) {
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
    if granted::has_any(stream) {
        granted::encode(out, stream);
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
    if granted::has_any(stream) {
        traits |= HAS_LIMITS;
    }
    if !stream.clients.is_empty() {
        traits |= HAS_CLIENTS;
    }
    traits
}

pub(super) fn decode_playback(reader: &mut Reader<'_>, key: StreamKey) -> Option<Stream> {
    let started_at = reader.moment()?;
    let (began_at, player, has_buffer) = decode_began(reader, started_at)?;
    let lapses_at = reader.moment()?;
    let buffer_s = match has_buffer {
        true => u16::try_from(reader.number()?).ok()?,
        false => 0,
    };
    let application = reader.text()?.to_owned();
    let traits = reader.number()?;
    let attributes = decode_attributes(reader, traits >> TRAITS)?;
    let superseded = reader.texts()?;
    let calls = decode_calls(reader)?;
    let (limits, reached) = match traits & HAS_LIMITS {
        0 => (Limits::default(), Reached::default()),
        _ => granted::decode(reader)?,
    };
    Some(Stream {
        key,
        application,
        started_at,
        began_at,
        player,
        lapses_at,
        buffer_s,
        attributes,
        liveness: if traits & LIVES_BY_MEDIA == 0 {
            Liveness::Any
        } else {
            Liveness::Media
        },
        superseded,
        calls,
        limits,
        reached,
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
