//! What is allowed, said once: [`super::compile`] checks it and the schema tells
//! editors.

use core::ops::RangeInclusive;

/// Longest name of an attribute in bytes.
pub(super) use streamgate_values::attributes::NAME_MAX as ATTRIBUTE_NAME_MAX;
use streamgate_values::limits::LIMIT_MAX;

const SECOND_MS: u64 = 1_000;
const DAY_MS: u64 = 86_400_000;

/// Shortest secret in bytes: as long as the signatures it makes.
pub(super) const SECRET_MIN: usize = 16;

/// The most secrets of one application.
pub(super) const APPLICATION_SECRETS: usize = 4;

/// The most keys of the operator's door.
pub(super) const OPERATOR_KEYS: usize = 8;

/// Decisions that are kept for operators.
pub(super) const DECISIONS: RangeInclusive<u32> = 64..=65_536;

/// What the prefix of the operator's door looks like.
#[cfg(feature = "schema")]
pub(super) const OPERATOR_PREFIX: &str = r"^(/[0-9A-Za-z._-]+)+$";

/// Creates from one client address in a minute, where nothing else is said.
pub(super) const CREATES_PER_CLIENT: u32 = 600;

/// Longest name or id in bytes; they travel in tokens and advice.
pub(super) const NAME_MAX: usize = 128;

/// Longest text that a viewer is told, in bytes, in each language.
pub(super) const MESSAGE_MAX: usize = 1_024;

/// Longest identity provider in bytes, as in the session API's paths.
pub(super) const IDP_MAX: usize = 256;

/// Longest label of a rule's action in bytes.
pub(super) const LABEL_MAX: usize = 128;

/// Longest URL of a rule's action in bytes.
pub(super) const URL_MAX: usize = 1024;

/// What the URL of a rule's action looks like; `compile::action` checks it.
#[cfg(feature = "schema")]
pub(super) const HTTPS: &str = r"^https://[0-9A-Za-z.-]+(:[0-9]{1,5})?([/?#][!-~]*)?$";

/// What a rule may allow.
pub(super) const MAX: RangeInclusive<u32> = 0..=LIMIT_MAX;

/// Calls in a minute.
pub(super) const PER_MINUTE: RangeInclusive<u32> = 1..=1_000_000;

/// Networks, or agents, that the requests of one stream may come from at once: one fewer than
/// are remembered, so that one too many is noticed.
pub(super) const CLIENTS: RangeInclusive<u32> = 1..=7;

/// Slots of the state.
pub(super) const SLOTS: RangeInclusive<u32> = 1..=1 << 20;

/// Streams in the edge.
pub(super) const STREAMS: RangeInclusive<u64> = 1..=100_000_000;

/// Streams of one subject.
pub(super) const STREAMS_PER_SUBJECT: RangeInclusive<u32> = 1..=1000;

/// Bytes of one stream's attributes together: up to 32 names of 64 and values of 256.
pub(super) const ATTRIBUTE_BYTES: RangeInclusive<u32> = 64..=10_240;

/// Heartbeats and timeouts, in milliseconds.
pub(super) const SPAN_MS: RangeInclusive<u64> = SECOND_MS..=DAY_MS;

/// What counts of what players have buffered, in milliseconds.
pub(super) const BUFFER_MS: RangeInclusive<u64> = 0..=60 * 60 * SECOND_MS;

/// Lifetimes of playback tokens, in milliseconds.
pub(super) const TOKEN_LIFETIME_MS: RangeInclusive<u64> = 60 * SECOND_MS..=30 * DAY_MS;

/// How far clocks may be apart, in milliseconds.
pub(super) const LEEWAY_MS: RangeInclusive<u64> = 0..=10 * 60 * SECOND_MS;

/// Shards of the store that several edges share.
pub(super) const SHARDS: RangeInclusive<u32> = 1..=1024;

/// How long a start may wait for it, in milliseconds.
pub(super) const OUTAGE_WAIT_MS: RangeInclusive<u64> = 10..=10 * SECOND_MS;

/// The most keys for Common Access Tokens.
#[cfg(feature = "schema")]
pub(super) const CAT_KEYS: usize = streamgate_tokens::cat::KEYS_MAX;

/// Which segment of a path, counted from 1.
pub(super) const PATH_SEGMENT: RangeInclusive<u32> = 1..=32;

/// Statuses of a refusal.
pub(super) const REFUSALS: [u16; 3] = [403, 409, 410];

/// Patterns in one list.
pub(super) const PATTERNS_MAX: usize = 32;

/// Longest pattern in bytes.
pub(super) const PATTERN_MAX: usize = 256;

/// What a duration looks like; `humantime` reads it.
#[cfg(feature = "schema")]
pub(super) const DURATION: &str = r"^\s*([0-9]+\s*[A-Za-zµ]+\s*)+$";

/// What a header's name looks like (RFC 9110, section 5.6.2).
#[cfg(feature = "schema")]
pub(super) const HEADER: &str = r"^[0-9A-Za-z!#$%&'*+.^_`|~-]+$";

/// How a path pattern begins, and what it is made of; `PathPattern` reads it.
#[cfg(feature = "schema")]
pub(super) const PATTERN: &str = r"^(/|\*\*/|\*\*$)[^?#%;\\\[\]{}!]*$";

/// Most bytes of a manifest that is rewritten.
pub(super) const MANIFEST: RangeInclusive<u32> = 0..=16_777_216;
