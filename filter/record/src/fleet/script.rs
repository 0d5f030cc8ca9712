//! What the store does by itself: two short scripts.
//!
//! Keys begin with [`PREFIX`], which names the format: edges with another format do not
//! read each other's records. Behind it, in braces, stands the shard's tag (see `hash_tag`).
//!
//! | key | holds |
//! |---|---|
//! | `sg5:{tag}` subject (16 bytes) | a record: the id of the write that left it (8), then its content (see `record::slot`) |
//! | `sg5:{tag}e:` shard | since when the shard remembers, as a moment (6 bytes) |
//! | `sg:{tag}l` | how edges lay accounts out, a line for each way (see `layout`); the same whatever the format |
//! | `sg5:{tag}n:` shard | its eviction feed: a stream of the subjects of which a stream was ended |

use core::num::NonZeroU32;

use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::call::shard_of;
use super::hash_tag::hash_tag;
use super::resp::Pipeline;
use crate::WriteId;

/// What every key but that of the layout begins with.
const PREFIX: &[u8] = b"sg5:";

/// What that one begins with, whatever the format: edges of two formats are to meet.
const LAYOUT_PREFIX: &[u8] = b"sg:";

/// The most entries that a shard keeps in its eviction feed. An edge that misses some still hears of an eviction when
/// the stream's lease is due.
#[cfg(test)]
const FEED_MAX: u32 = 4096;

/// The most entries of it read at once.
pub(super) const FEED_READ: usize = 512;

/// How long the eviction feed is kept, in milliseconds.
#[cfg(test)]
const FEED_KEPT_MS: u32 = 600_000;

/// How long the beginning of a shard's memory is remembered while nobody asks for the
/// shard, in milliseconds. Every edge asks for every shard every few seconds; a shard that
/// was away for longer begins anew, so that streams it never heard of may come back.
pub(super) const MEMORY_KEPT_MS: &[u8] = b"60000";

/// A script, called by the hash of its text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Script {
    /// Its text.
    pub(super) text: &'static str,
    /// SHA-1 of the text in hexadecimal, as `EVALSHA` takes it.
    pub(super) hash: &'static str,
}

/// Says what time it is at the store, since when a shard remembers, and what is new in it.
///
/// - `KEYS`: since when the shard remembers; its eviction feed.
/// - `ARGV`: how long the beginning is kept (ms); where reading the eviction feed goes on, `new`
///   for a minute before the present, or empty for not at all.
/// - Answer: what time it is (6 bytes); since when the shard remembers (6 bytes); if the eviction feed was asked for, the
///   length of the cursor to go on from (1 byte), the cursor, and the subjects of the eviction feed (16 bytes each).
pub(super) const GREET: Script = Script {
    text: include_str!("greet.lua"),
    hash: "3a6bcb43c0b60d32d624e813818631ba5aa8f287",
};

/// Writes a record if the last write to it is the one that the writer knows of.
///
/// - `KEYS`: the record; since when the shard remembers; its eviction feed.
/// - `ARGV`: the write that is expected (8 bytes), or for no record the beginning that the
///   shard is believed to have (6 bytes, or empty); the new record, or empty to write
///   nothing; how long it is kept (ms); the subject, if this is for the eviction feed, or empty.
/// - Answer: 1, or else the record that is there, empty if there is none.
///
/// An absent record is expected together with since when the shard remembers, because it means
/// something else in a store that has just lost its memory.
pub(super) const SWAP: Script = Script {
    text: include_str!("swap.lua"),
    hash: "b5b9a8e145297462424866d796fffb5b1f308d4f",
};

/// [`SWAP`] as a command.
#[derive(Debug)]
pub(super) struct SwapCommand<'a> {
    pub(super) shard: u32,
    /// Since when the shard is believed to remember.
    pub(super) since: Option<Moment>,
    pub(super) subject: &'a SubjectKey,
    /// The write that is expected; `None` for no record.
    pub(super) before: Option<WriteId>,
    /// What to write; `None` for nothing.
    pub(super) record: Option<NewRecord<'a>>,
}

/// A record to write.
#[derive(Debug)]
pub(super) struct NewRecord<'a> {
    pub(super) id: WriteId,
    pub(super) content: &'a [u8],
    pub(super) kept_until: Moment,
    /// Whether this is for the eviction feed.
    pub(super) feed: bool,
}

impl SwapCommand<'_> {
    /// Adds the command to what is sent.
    pub(super) fn push(&self, pipeline: &mut Pipeline, now: Moment) {
        let since = self.since.map(Moment::to_bytes);
        let expected = match (&self.before, &since) {
            (Some(WriteId(id)), _) => &id[..],
            (None, Some(since)) => &since[..],
            (None, None) => b"",
        };
        let (mut bytes, mut kept_ms, mut feed) = (Vec::new(), 0, &b""[..]);
        if let Some(record) = &self.record {
            bytes = [&record.id.0[..], record.content].concat();
            kept_ms = record.kept_until.ms_since(now).max(1);
            if record.feed {
                feed = self.subject.as_bytes();
            }
        }
        pipeline.push(&[
            b"EVALSHA",
            SWAP.hash.as_bytes(),
            b"3",
            &record_key_in(self.shard, self.subject),
            &memory_key(self.shard),
            &feed_key(self.shard),
            expected,
            &bytes,
            kept_ms.to_string().as_bytes(),
            feed,
        ]);
    }
}

/// The key of a subject's record in the store of edges with so many shards.
#[must_use]
pub fn record_key(shards: NonZeroU32, subject: &SubjectKey) -> Vec<u8> {
    let shard = u32::try_from(shard_of(shards, subject)).unwrap_or_default();
    record_key_in(shard, subject)
}

/// The same for a subject of this shard.
fn record_key_in(shard: u32, subject: &SubjectKey) -> Vec<u8> {
    key(PREFIX, shard, subject.as_bytes())
}

/// The key of a shard's beginning.
pub(super) fn memory_key(shard: u32) -> Vec<u8> {
    key(PREFIX, shard, format!("e:{shard}").as_bytes())
}

/// The key of how the node of a shard is laid out. Each number has a tag of its own, however many shards there are: edges
/// that disagree over that have to meet.
pub(super) fn layout_key(shard: u32) -> Vec<u8> {
    key(LAYOUT_PREFIX, shard, b"l")
}

/// The key of a shard's eviction feed.
pub(super) fn feed_key(shard: u32) -> Vec<u8> {
    key(PREFIX, shard, format!("n:{shard}").as_bytes())
}

fn key(prefix: &[u8], shard: u32, name: &[u8]) -> Vec<u8> {
    [prefix, b"{", &hash_tag(shard), b"}", name].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;
    use sha1::{Digest, Sha1};

    #[test]
    fn scripts_are_called_by_the_hash_of_their_text() {
        for script in [GREET, SWAP] {
            let hash = Sha1::digest(script.text.as_bytes());
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(script.hash, hash, "of {:?}", script.text);
        }
    }

    #[test]
    fn scripts_and_constants_agree() {
        assert!(GREET.text.contains(&format!("'COUNT', {FEED_READ})")));
        assert!(SWAP.text.contains(&format!("'MAXLEN', '~', {FEED_MAX},")));
        assert!(
            SWAP.text
                .contains(&format!("'PEXPIRE', KEYS[3], {FEED_KEPT_MS})"))
        );
    }

    #[test]
    fn keys_say_what_they_hold_of_which_shard() {
        let tag = hash_tag(3);
        let key = |prefix: &[u8], name: &[u8]| [prefix, b"{", &tag, b"}", name].concat();
        let subject = SubjectKey::from_bytes([0, 0, 0, 0, 0, 0, 0, 3, 9, 9, 9, 9, 9, 9, 9, 9]);
        let shards = NonZeroU32::new(8).unwrap();
        assert_eq!(
            record_key(shards, &subject),
            key(b"sg5:", subject.as_bytes())
        );
        assert_eq!(memory_key(3), key(b"sg5:", b"e:3"));
        assert_eq!(layout_key(3), key(b"sg:", b"l"));
        assert_eq!(feed_key(3), key(b"sg5:", b"n:3"));
    }
}
