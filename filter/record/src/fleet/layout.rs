//! How edges lay accounts out in the store, compared.
//!
//! Edges with another number of shards, or another key that makes an account's name, keep the same
//! account elsewhere: each then has a limit of its own, and no record shows it. So each node holds a
//! line for each way in which edges lay accounts out. An edge that does not find its own line adds
//! it, with the script that writes records, and whoever finds another line says so.

use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectHasher;

use super::resp::{NoReply, StoreReply};
use super::script::{self, SWAP};

/// How often a worker compares, for each shard, with a call that is made anyway.
const EVERY_MS: u64 = 60_000;

/// How long a node keeps the lines, in milliseconds. Who finds its own line does not renew them: when
/// all edges have come to agree, the lines of before are gone by then.
const KEPT_MS: &[u8] = b"600000";

/// The most bytes of a node's lines with another line added.
const LINES_MAX: usize = 512;

/// The most of another line that is repeated, in bytes.
const SHOWN_MAX: usize = 80;

/// The line of edges with so many shards and this key of subjects.
#[must_use]
pub fn layout_line(shards: u32, hasher: &SubjectHasher) -> String {
    format!("format=5 shards={shards} subject_key={}", hasher.check())
}

/// What one worker knows of the layout at one shard's node.
#[derive(Debug, Default)]
pub(super) struct Layout {
    compared_at: Option<Moment>,
    /// What the node held, where this edge's line was not among it.
    lacking: Option<Vec<u8>>,
    /// Another line, and when it was found.
    other: Option<(String, Moment)>,
}

impl Layout {
    /// Whether it is time to compare, by the steady clock.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.compared_at
            .is_none_or(|at| now.ms_since(at) >= EVERY_MS)
    }

    /// Asks the node for its lines, and gives it this edge's where that is lacking.
    pub(super) fn question(&self, own: &str, shard: u32) -> [Vec<u8>; 10] {
        let key = script::layout_key(shard);
        let found = self.lacking.as_deref().unwrap_or_default();
        let mut lines = found.to_vec();
        if !lines.is_empty() {
            lines.push(b'\n');
        }
        lines.extend(own.as_bytes());
        [
            b"EVALSHA".to_vec(),
            SWAP.hash.as_bytes().to_vec(),
            b"3".to_vec(),
            // Where there are no lines, there is no beginning under this key either.
            key.clone(),
            key.clone(),
            key,
            // A write names itself in eight bytes; these stand for it.
            found.get(..8).unwrap_or(found).to_vec(),
            lines,
            KEPT_MS.to_vec(),
            Vec::new(),
        ]
    }

    /// The node has answered; unless it took this edge's line just now, with the lines that it
    /// holds. Says whether another line than `own` is among them.
    pub(super) fn heard(
        &mut self,
        own: &str,
        reply: Result<StoreReply<'_>, NoReply>,
        now: Moment,
    ) -> bool {
        self.compared_at = Some(now);
        self.lacking = None;
        let Ok(StoreReply::Bytes(found)) = reply else {
            return false;
        };
        let is_own = |line: &&[u8]| *line == own.as_bytes();
        let mut lines = found.split(|byte| *byte == b'\n');
        if !lines.clone().any(|line| is_own(&line)) && found.len() < LINES_MAX {
            self.lacking = Some(found.to_vec());
            self.compared_at = None;
        }
        if let Some(other) = lines.find(|line| !is_own(line)) {
            self.other = Some((shown(other), now));
            return true;
        }
        // The lines may just have lapsed, and others have yet to add theirs again.
        let is_fresh = |(_, at): &(String, Moment)| now.ms_since(*at) <= 2 * EVERY_MS;
        self.other = self.other.take().filter(is_fresh);
        false
    }

    /// The line of other edges, where it differs from this edge's own.
    pub(super) fn other(&self) -> Option<&str> {
        self.other.as_ref().map(|(line, _)| line.as_str())
    }
}

/// Whatever a store holds there is not to break a line of the log.
fn shown(line: &[u8]) -> String {
    let bytes = line.iter().take(SHOWN_MAX);
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~');
    let plain = bytes.map(|byte| if is_plain(*byte) { *byte } else { b'?' });
    plain.map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, test};

    const OWN: &str = "format=5 shards=64";
    const OTHER: &str = "format=5 shards=8";

    fn finds(lines: &str) -> Result<StoreReply<'_>, NoReply> {
        Ok(StoreReply::Bytes(lines.as_bytes()))
    }

    #[test]
    fn lines_are_compared_at_once_and_then_now_and_then() {
        let mut layout = Layout::default();
        assert!(layout.is_due(NOW));
        assert!(!layout.heard(OWN, Ok(StoreReply::Number(1)), NOW));
        assert!(!layout.is_due(NOW.plus_ms(EVERY_MS - 1)));
        assert!(layout.is_due(NOW.plus_ms(EVERY_MS)));
    }

    #[test]
    fn an_edge_that_does_not_find_its_line_adds_it_with_the_next_call() {
        let mut layout = Layout::default();
        assert_eq!(layout.question(OWN, 7)[6..8], [b"".to_vec(), OWN.into()]);
        assert!(layout.heard(OWN, finds(OTHER), NOW));
        assert!(layout.is_due(NOW));
        let both = format!("{OTHER}\n{OWN}");
        let question = layout.question(OWN, 7);
        assert_eq!(question[6..8], [b"format=5".to_vec(), both.clone().into()]);
        // It was taken: that says nothing of the others.
        assert!(!layout.heard(OWN, Ok(StoreReply::Number(1)), NOW));
        assert_eq!(layout.other(), Some(OTHER));
        assert!(!layout.is_due(NOW.plus_ms(1)));
        assert!(layout.heard(OTHER, finds(&both), NOW));
        assert_eq!(layout.other(), Some(OWN));
    }

    #[test]
    fn another_line_is_told_until_it_was_not_found_for_a_while() {
        let mut layout = Layout::default();
        assert!(layout.heard(OWN, finds(&format!("{OWN}\n{OTHER}")), NOW));
        for rounds in 1..=3 {
            assert!(!layout.heard(OWN, finds(OWN), NOW.plus_ms(rounds * EVERY_MS)));
            assert_eq!(layout.other().is_some(), rounds <= 2, "{rounds}");
        }
    }

    #[test]
    fn what_a_store_holds_in_their_place_cannot_write_into_the_log_and_does_not_grow() {
        let mut layout = Layout::default();
        let line = [&b"\xff\r\x1b"[..], &[b'x'; 1_000]].concat();
        assert!(layout.heard(OWN, Ok(StoreReply::Bytes(&line)), NOW));
        let told = layout.other().unwrap();
        assert!(told.starts_with("???x") && told.len() == SHOWN_MAX);
        assert!(!layout.is_due(NOW));
        for strange in [b"".as_slice(), b"x", b"\n\n\n"] {
            let _ = layout.heard(OWN, Ok(StoreReply::Bytes(strange)), NOW);
            let _ = layout.question(OWN, 7);
        }
        for no_line in [Ok(StoreReply::Error(b"OOM")), Err(NoReply::Cut)] {
            assert!(!Layout::default().heard(OWN, no_line, NOW));
        }
    }

    #[test]
    fn a_line_says_the_format_the_shards_and_the_key_without_showing_it() {
        let line = |shards, key: &str| layout_line(shards, &SubjectHasher::new(key.as_bytes()));
        let one = line(64, "a key of some length");
        assert!(one.starts_with("format=5 shards=64 subject_key="), "{one}");
        assert!(!one.contains("some length"));
        assert_ne!(one, line(64, "another key"));
        assert_ne!(one, line(8, "a key of some length"));
    }

    #[test]
    fn no_line_is_added_where_there_is_no_room() {
        for (len, adds) in [(LINES_MAX - 1, true), (LINES_MAX, false)] {
            let mut layout = Layout::default();
            let found = "x".repeat(len);
            assert!(layout.heard(OWN, finds(&found), NOW));
            assert_eq!(layout.is_due(NOW), adds, "{len}");
        }
    }
}
