//! RESP, from the store's side: commands in, replies out.

use redis_protocol::resp2::decode::decode_range;
use redis_protocol::resp2::types::RangeFrame;

/// The commands of a call, each as its parts.
///
/// # Panics
///
/// If it is not made of commands.
pub fn commands(call: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let mut rest = call;
    core::iter::from_fn(move || {
        let (frame, length) = decode_range(rest).expect("RESP")?;
        let RangeFrame::Array(parts) = frame else {
            panic!("no command: {frame:?}");
        };
        let parts = parts.iter().map(|part| bytes_of(part, rest)).collect();
        rest = &rest[length..];
        Some(parts)
    })
}

/// Adds a command to a call.
pub fn say(call: &mut Vec<u8>, parts: &[&[u8]]) {
    call.extend(format!("*{}\r\n", parts.len()).as_bytes());
    for part in parts {
        bulk(call, part);
    }
}

pub(super) fn bulk(said: &mut Vec<u8>, bytes: &[u8]) {
    said.extend(format!("${}\r\n", bytes.len()).as_bytes());
    said.extend(bytes);
    said.extend(b"\r\n");
}

pub(super) fn status(said: &mut Vec<u8>, text: &str) {
    said.extend(format!("+{text}\r\n").as_bytes());
}

pub(super) fn error(said: &mut Vec<u8>, text: &str) {
    said.extend(format!("-{text}\r\n").as_bytes());
}

fn bytes_of<'a>(part: &RangeFrame, of: &'a [u8]) -> &'a [u8] {
    match part {
        RangeFrame::BulkString((from, to)) => &of[*from..*to],
        other => panic!("no bytes: {other:?}"),
    }
}
