//! Prefetches: what a player or a browser loads now and means to play later. A stream that
//! only is prefetched is none yet: it is not created, and nobody has to go for it.
//!
//! Anybody can say that a request is a prefetch. So one passes only where the stream could
//! start without anybody going, and few pass through all workers of an edge together: not enough to play by.
//! Each is a response of 16 MiB at most (see [`super::flow`]).
//!
//! How many an account has left is kept in a fixed number of places that the workers share, as the moment from
//! which on it has all of them again.

use streamgate_policy::Plays;
use streamgate_record::ports::{Host, Store, StoreKey};
use streamgate_values::head::Head;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use super::refusal::Who;
use super::request::PlaybackRequest;
use super::shared_positions::{Followed, RememberedRequest, change, hash, position_of, push};
use crate::refusal::reason::Reason;
use crate::request::viewer::cmcd;
use crate::step::Step;

/// How many media requests of streams that have not started an account may prefetch one after the other.
const AT_ONCE: u64 = 4;

/// In what time, in milliseconds, it may one more. At 16 MiB each that is a fifth of what the slowest film takes.
const ONE_MORE_AFTER_MS: u64 = 600_000;

/// The longest that an account waits until it has all of them again.
const WAIT_MAX_MS: u64 = AT_ONCE.saturating_mul(ONE_MORE_AFTER_MS);

/// The headers that browsers say it in: Fetch (`Sec-Purpose`), and what stood there before.
const HEADERS: [&str; 3] = ["sec-purpose", "purpose", "x-moz"];

/// What becomes of a media request that says it is a prefetch, of a stream that would
/// start as `plays` says.
pub(super) fn passage<H: Head, E: Host>(
    request: &PlaybackRequest<'_, H, E>,
    who: Who<'_>,
    plays: &Plays,
) -> Step {
    let needs_room = plays.evicted.max(plays.replaced) > 0;
    let may_pass = |subject| may_pass(request.host, &subject, request.now());
    match !needs_room && who.subject.is_some_and(may_pass) {
        true => request.forward(None),
        false => request.refuse(who, Reason::LimitReached, None),
    }
}

/// Counts one more of an account, if there may be one more.
fn may_pass(store: &impl Store, subject: &SubjectKey, now: Moment) -> bool {
    // Another account in the same place differs in this, which is hashed with its key.
    let account = hash(subject, b"prefetched");
    // A moment beyond that is of a time that was set back since.
    let waits = |until: Moment| (1..=WAIT_MAX_MS).contains(&until.ms_since(now));
    let key = StoreKey::Prefetched(position_of(subject));
    change(store, key, &mut |all| {
        let own = all.iter().position(|known| known.client == account);
        let own = own.map(|own| all.remove(own).at);
        let from = own.filter(|until| waits(*until)).unwrap_or(now);
        let until = from.plus_ms(ONE_MORE_AFTER_MS);
        let asked = RememberedRequest {
            stream: StreamKey::from_bytes(*subject.as_bytes()),
            manifest: 0,
            client: account,
            followed: Followed::No,
            at: until,
        };
        push(all, asked);
        waits(until)
    })
}

impl<H: Head, E: Host> PlaybackRequest<'_, H, E> {
    /// Whether it says that it is fetched to be played later.
    pub(super) fn is_prefetch(&self) -> bool {
        let head = self.asked.head;
        let says = |name: &&str| {
            let value = head.header(name).unwrap_or_default();
            // A structured field (RFC 9651): a token, and parameters may follow.
            let token = value.split(|byte| matches!(byte, b';' | b','));
            token
                .map(<[u8]>::trim_ascii)
                .any(|token| token.eq_ignore_ascii_case(b"prefetch"))
        };
        HEADERS.iter().any(says) || self.cmcd().state() == Some(cmcd::PlayerState::Preloading)
    }
}
