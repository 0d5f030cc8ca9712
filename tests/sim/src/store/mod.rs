//! A model of one node of the store: what Valkey or Redis answers to an edge's calls.
//!
//! It knows the commands that the filter sends and its two scripts by their text. A script
//! that has changed is answered with an error until the model has changed with it.

mod feed;
mod strings;
mod wire;

use hashbrown::HashMap;
use sha1::{Digest, Sha1};
use streamgate_values::moment::Moment;

use self::feed::Feed;
pub use self::strings::Kept;
use self::strings::Strings;
use self::wire::{bulk, error, status};
pub use self::wire::{commands, say};

/// The script that says since when a shard remembers, and what is new in it.
const GREET: &str = include_str!("../../../../filter/record/src/fleet/greet.lua");

/// The script that writes a record if nobody else did meanwhile.
const SWAP: &str = include_str!("../../../../filter/record/src/fleet/swap.lua");

/// Both scripts, as they are loaded.
pub const SCRIPTS: [&str; 2] = [GREET, SWAP];

/// How long the eviction feed is kept after the last one, in milliseconds.
const FEED_KEPT_MS: u64 = 600_000;

/// What a node has been asked so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// Calls: connections.
    pub calls: u64,
    /// Records written or compared.
    pub swaps: u64,
    /// Of these, those that found another record than the edge believed.
    pub overtaken: u64,
    /// Bytes of the calls.
    pub bytes_in: u64,
    /// Bytes of the answers.
    pub bytes_out: u64,
}

/// One node.
#[derive(Debug, Default)]
pub struct Node {
    password: Option<String>,
    scripts: Scripts,
    strings: Strings,
    feed: HashMap<Vec<u8>, Feed>,
    asked: Asked,
}

/// The hashes of the scripts that were loaded.
#[derive(Debug, Default)]
struct Scripts {
    greet: Option<String>,
    swap: Option<String>,
}

/// A connection as far as it has come.
#[derive(Debug, Clone, Copy)]
struct Connection {
    may_ask: bool,
    now_ms: u64,
}

impl Node {
    /// An empty node that lets everybody in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty node that lets in who knows a password.
    #[must_use]
    pub fn with_password(password: &str) -> Self {
        Self {
            password: Some(password.to_owned()),
            ..Self::default()
        }
    }

    /// It loses all it holds, as in a power failure.
    pub fn restart(&mut self) {
        let password = self.password.take();
        *self = Self {
            password,
            asked: self.asked,
            ..Self::default()
        };
    }

    /// What it answers to a whole call that comes in at `now_ms`, by its own clock.
    ///
    /// # Panics
    ///
    /// If the call is not made of commands.
    pub fn answer(&mut self, payload: &[u8], now_ms: u64) -> Vec<u8> {
        let mut connection = Connection {
            may_ask: self.password.is_none(),
            now_ms,
        };
        let mut said = Vec::new();
        for parts in commands(payload) {
            self.obey(&mut connection, &parts, &mut said);
        }
        self.asked.calls += 1;
        self.asked.bytes_in += payload.len() as u64;
        self.asked.bytes_out += said.len() as u64;
        said
    }

    /// What it has been asked so far.
    #[must_use]
    pub const fn asked(&self) -> Asked {
        self.asked
    }

    /// The records of a subject, as its sixteen bytes name it: one, where edges agree on its shard.
    pub fn records(&self, subject: [u8; 16], now_ms: u64) -> impl Iterator<Item = &[u8]> {
        self.strings.records(subject, now_ms)
    }

    /// Everything it holds but its eviction feeds.
    pub fn held(&self, now_ms: u64) -> impl Iterator<Item = Kept<'_>> {
        self.strings.held(now_ms)
    }

    fn obey(&mut self, connection: &mut Connection, parts: &[&[u8]], said: &mut Vec<u8>) {
        match parts {
            [b"QUIT"] => status(said, "OK"),
            [b"AUTH", .., password] => match self.password.as_deref() {
                Some(known) if known.as_bytes() == *password => {
                    connection.may_ask = true;
                    status(said, "OK");
                }
                Some(_) => error(
                    said,
                    "WRONGPASS invalid username-password pair or user is disabled.",
                ),
                None => error(
                    said,
                    "ERR AUTH <password> called without any password configured for the \
                     default user. Are you sure your configuration is correct?",
                ),
            },
            _ if !connection.may_ask => error(said, "NOAUTH Authentication required."),
            [b"SCRIPT", b"LOAD", text] => self.load(text, said),
            [b"EVALSHA", hash, keys, arguments @ ..] => {
                let hash = Some(String::from_utf8_lossy(hash).into_owned());
                match (*keys, arguments) {
                    (b"2", [memory_since, feed, kept_ms, place]) if hash == self.scripts.greet => {
                        let asks = Greeting {
                            memory_since,
                            feed,
                            kept_ms: number(kept_ms),
                            place,
                        };
                        self.greet(connection.now_ms, &asks, said);
                    }
                    (b"3", [key, memory_since, feed, expected, record, kept_ms, subject])
                        if hash == self.scripts.swap =>
                    {
                        let asks = Swapping {
                            key,
                            memory_since,
                            feed,
                            expected,
                            record,
                            kept_ms: number(kept_ms),
                            subject,
                        };
                        self.swap(connection.now_ms, &asks, said);
                    }
                    _ => error(said, "NOSCRIPT No matching script. Please use EVAL."),
                }
            }
            _ => error(said, "ERR unknown command"),
        }
    }

    fn load(&mut self, text: &[u8], said: &mut Vec<u8>) {
        let hash = Sha1::digest(text);
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        bulk(said, hash.as_bytes());
        if text == GREET.as_bytes() {
            self.scripts.greet = Some(hash);
        } else if text == SWAP.as_bytes() {
            self.scripts.swap = Some(hash);
        }
    }

    fn greet(&mut self, now_ms: u64, asks: &Greeting<'_>, said: &mut Vec<u8>) {
        let time = Moment::from_ms(now_ms).to_bytes();
        let since = self.strings.get(asks.memory_since, now_ms);
        let since = since.unwrap_or(&time).to_vec();
        self.strings
            .set(asks.memory_since, &since, asks.kept_ms, now_ms);
        let mut answer = [&time[..], &since].concat();
        if !asks.place.is_empty() {
            let just_now = format!("{}-0", now_ms.saturating_sub(60_000)).into_bytes();
            let place = match asks.place {
                b"new" => &just_now,
                place => place,
            };
            let feed = self.feed.get(asks.feed).filter(|feed| feed.is_kept(now_ms));
            let read = feed.and_then(|feed| feed.after(place));
            let (place, subjects) = read.unwrap_or((place.to_vec(), Vec::new()));
            answer.push(u8::try_from(place.len()).expect("a short place"));
            answer.extend(place);
            answer.extend(subjects.concat());
        }
        bulk(said, &answer);
    }

    fn swap(&mut self, now_ms: u64, asks: &Swapping<'_>, said: &mut Vec<u8>) {
        self.asked.swaps += 1;
        let found = self.strings.get(asks.key, now_ms);
        let known = match found {
            Some(record) => record.get(..8).unwrap_or(record),
            None => self
                .strings
                .get(asks.memory_since, now_ms)
                .unwrap_or_default(),
        };
        if known != asks.expected {
            self.asked.overtaken += 1;
            return bulk(said, found.unwrap_or_default());
        }
        if !asks.record.is_empty() {
            self.strings
                .set(asks.key, asks.record, asks.kept_ms, now_ms);
            if !asks.subject.is_empty() {
                let feed = self.feed.entry_ref(asks.feed).or_default();
                if !feed.is_kept(now_ms) {
                    *feed = Feed::default();
                }
                feed.add(asks.subject, now_ms, FEED_KEPT_MS);
            }
        }
        said.extend(b":1\r\n");
    }
}

/// What the first script is called with.
struct Greeting<'a> {
    memory_since: &'a [u8],
    feed: &'a [u8],
    kept_ms: u64,
    place: &'a [u8],
}

/// What the second script is called with.
struct Swapping<'a> {
    key: &'a [u8],
    memory_since: &'a [u8],
    feed: &'a [u8],
    expected: &'a [u8],
    record: &'a [u8],
    kept_ms: u64,
    subject: &'a [u8],
}

fn number(text: &[u8]) -> u64 {
    let text = core::str::from_utf8(text).expect("a number");
    text.parse().expect("a number")
}
