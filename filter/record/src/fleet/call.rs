//! A call to the store, who waits for it, and what came of it.

use core::num::NonZeroU32;

use streamgate_bytes::Fingerprint;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use crate::ports::Host;
use crate::{Decided, Records, Unavailable};

/// Names a request that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(pub u32);

/// Names a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallId(pub u64);

/// A call to be made to the store.
#[derive(Debug)]
pub struct StoreCall {
    /// Names it to [`Fleet::on_reply`](super::Fleet::on_reply).
    pub id: CallId,
    /// Name of the shard: the same one leads to the same node.
    pub shard: String,
    /// What to send. The store closes the connection when it has answered all of it.
    pub payload: Vec<u8>,
    /// How long to wait, in milliseconds.
    pub timeout_ms: u64,
}

/// There is no answer: no connection, a broken one, or it took too long. The proxy does not
/// tell these apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallFailure;

/// A question answered.
#[derive(Debug)]
pub struct AnsweredQuestion {
    /// Who asked.
    pub ticket: Ticket,
    /// The answer: `None` to a look, after which this edge's copy is up to date.
    pub answer: Result<Option<Decided>, Unavailable>,
    /// There is no answer, and yet the store may have recorded what was asked for.
    pub may_be_recorded: bool,
}

/// What every method needs.
pub(crate) struct At<'a, H> {
    pub(crate) host: &'a H,
    pub(crate) records: &'a Records,
    pub(crate) now: Moment,
    /// The same by the steady clock: what waits is not given up because own time was set.
    pub(crate) steady: Moment,
}

impl<'a, H: Host> At<'a, H> {
    /// Now, at this host.
    pub(super) fn new(host: &'a H, records: &'a Records, now: Moment) -> Self {
        Self {
            host,
            records,
            now,
            steady: host.steady(),
        }
    }
}

// Not derived: that would demand it of the host.
impl<H> Clone for At<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H> Copy for At<'_, H> {}

/// The most subjects in one call.
pub(super) const SUBJECTS_A_CALL: usize = 512;

/// How often a worker is to call [`Fleet::on_tick`](super::Fleet::on_tick), in milliseconds.
pub const TICK_MS: u64 = 100;

/// Which of so many shards keeps a subject. Not by the bytes that choose the slot, so that each shard is
/// spread over all slots.
pub(super) fn shard_of(shards: NonZeroU32, subject: &SubjectKey) -> usize {
    let [_, _, _, _, a, b, c, d, ..] = *subject.as_bytes();
    let shard = u32::from_be_bytes([a, b, c, d]).checked_rem(shards.get());
    let shard = shard.and_then(|shard| usize::try_from(shard).ok());
    shard.unwrap_or_default()
}

/// A subject's key is itself spread evenly.
pub(super) fn fingerprint(subject: &SubjectKey) -> Fingerprint {
    Fingerprint(u128::from_ne_bytes(*subject.as_bytes()))
}
