//! How much of an account's streams one answer repeats.
//!
//! Whoever is refused is told which streams are in the way, and an application may list what
//! plays. Both repeat what applications once said of those streams, to everybody who asks as
//! often as he likes; so an answer has an end, however much there is to repeat.

use streamgate_policy::Breach;
use streamgate_policy::activity::Stream;
pub use streamgate_policy::event::CONFLICTS_MAX as STREAMS_MAX;

/// The most bytes of attributes that one answer repeats, as they stand in JSON.
pub const BYTES_MAX: usize = 16 << 10;

/// What is left of it in one answer.
#[derive(Debug)]
pub struct Room {
    streams: usize,
    bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            streams: STREAMS_MAX,
            bytes: BYTES_MAX,
        }
    }
}

impl Room {
    /// Whether there is room for a stream, which it takes then. There always is for the first.
    pub fn takes(&mut self, stream: &Stream) -> bool {
        let bytes = bytes_of(stream);
        let is_first = self.streams == STREAMS_MAX;
        if self.streams == 0 || (bytes > self.bytes && !is_first) {
            return false;
        }
        self.streams = self.streams.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
        true
    }
}

/// How many of each breach's streams one answer names, from the oldest on: the breaches take
/// turns, so that each names its oldest before another names its second.
pub(crate) fn named_of(breaches: &[&Breach]) -> Vec<usize> {
    let mut room = Room::default();
    let mut named = vec![0_usize; breaches.len()];
    let mut goes_on = vec![true; breaches.len()];
    while goes_on.contains(&true) {
        for ((breach, named), goes_on) in breaches.iter().zip(&mut named).zip(&mut goes_on) {
            if *goes_on {
                let next = breach.conflicts.get(*named);
                *goes_on = next.is_some_and(|stream| room.takes(stream));
                *named = named.saturating_add(usize::from(*goes_on));
            }
        }
    }
    named
}

/// What an answer says of a stream's attributes: all of them, two once more under names of
/// their own, and whom it superseded.
fn bytes_of(stream: &Stream) -> usize {
    let again = ["channel", "deviceName"];
    let again = again.into_iter().filter_map(|name| {
        let value = stream.attributes.value(name)?;
        Some((name, value))
    });
    let superseded = stream.superseded.iter().map(|code| ("", code.as_str()));
    let all = stream.attributes.iter().chain(again).chain(superseded);
    all.map(|(name, value)| json_len(name).saturating_add(json_len(value)))
        .fold(0, usize::saturating_add)
}

/// How long a text is in JSON, without its quotation marks.
fn json_len(text: &str) -> usize {
    let lengths = text.bytes().map(|byte| match byte {
        b'"' | b'\\' => 2,
        0..=0x1f => 6,
        _ => 1,
    });
    lengths.fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use streamgate_policy::Message;

    use super::*;
    use crate::testing::{NOW, stream, test};

    fn with_bytes(n: u8, bytes: usize) -> Stream {
        let mut stream = stream(n, NOW);
        if bytes > 0 {
            stream.attributes.set("a", "x".repeat(bytes - 1));
        }
        stream
    }

    fn breach(conflicts: Vec<Stream>) -> Breach {
        Breach {
            policy: String::new(),
            rule: String::new(),
            message: Message::plain(""),
            action: None,
            attribute: None,
            threshold: 1,
            scope: Vec::new(),
            conflicts,
            others: 0,
            room_at: None,
            level: 0,
        }
    }

    #[test]
    fn an_answer_has_room_for_few_streams_and_few_bytes() {
        let mut room = Room::default();
        let taken = (0..100).filter(|n| room.takes(&with_bytes(*n, 0))).count();
        assert_eq!(taken, STREAMS_MAX);
        let mut room = Room::default();
        let taken = (0..100)
            .filter(|n| room.takes(&with_bytes(*n, 2_048)))
            .count();
        assert_eq!(taken, BYTES_MAX / 2_048);
    }

    #[test]
    fn a_stream_with_more_than_an_answer_repeats_is_named_where_it_is_the_first() {
        let mut room = Room::default();
        assert!(room.takes(&with_bytes(1, BYTES_MAX + 1)));
        assert!(!room.takes(&with_bytes(2, 1)));
        assert!(room.takes(&with_bytes(3, 0)));
    }

    #[test]
    fn breaches_take_turns() {
        let many = |bytes| breach((0..16).map(|n| with_bytes(n, bytes)).collect());
        let few = breach(vec![with_bytes(1, 0)]);
        assert_eq!(named_of(&[&many(0), &many(0)]), [8, 8]);
        assert_eq!(named_of(&[&many(0), &few]), [15, 1]);
        assert_eq!(named_of(&[&many(4_096), &many(4_096)]), [2, 2]);
        assert_eq!(named_of(&[&breach(Vec::new())]), [0]);
    }

    #[test]
    fn what_json_makes_longer_counts_as_long() {
        for text in ["", "plain", "\"\\\"", "a\nb\u{1}", "ü"] {
            let json = serde_json::to_string(text).unwrap();
            assert!(json_len(text) + 2 >= json.len(), "{text:?}");
        }
    }
}
