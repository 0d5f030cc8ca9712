//! Prefetches: what a player or a browser loads now and means to play later. A stream that
//! only is prefetched is none yet: it is not created, and nobody has to go for it.
//!
//! Anybody can say that a request is a prefetch. So one passes only where the stream could
//! start without anybody going, and few pass: not enough to play by.

use streamgate_bytes::Fingerprint;
use streamgate_policy::Plays;
use streamgate_policy::throttle::Calls;
use streamgate_record::ports::Host;
use streamgate_values::head::Head;
use streamgate_values::moment::Moment;
use streamgate_values::recent::Recent;
use streamgate_values::subject::SubjectKey;

use super::refusal::Who;
use super::request::Request;
use crate::refusal::reason::Reason;
use crate::request::viewer::cmcd;
use crate::step::Step;

/// How many media requests of streams that have not started an account may prefetch through one
/// worker, in a minute. A film takes ten or more.
const PER_MINUTE: u32 = 4;

/// The most accounts whose prefetches a worker counts.
const COUNTED_MAX: usize = 4_096;

/// The headers that browsers say it in: Fetch (`Sec-Purpose`), and what stood there before.
const HEADERS: [&str; 3] = ["sec-purpose", "purpose", "x-moz"];

/// How much the accounts of one worker have prefetched of late.
#[derive(Debug)]
pub(super) struct Prefetches(Recent<Calls>);

impl Default for Prefetches {
    fn default() -> Self {
        Self(Recent::new(COUNTED_MAX))
    }
}

impl Prefetches {
    /// What becomes of a media request that says it is a prefetch, of a stream that would
    /// start as `plays` says.
    pub(super) fn passage<H: Head, E: Host>(
        &mut self,
        request: &Request<'_, H, E>,
        who: Who<'_>,
        plays: &Plays,
    ) -> Step {
        let needs_room = plays.evicted.max(plays.replaced) > 0;
        let may_pass = |subject| self.may_pass(&subject, request.now());
        match !needs_room && who.subject.is_some_and(may_pass) {
            true => request.forward(None),
            false => request.refuse(who, Reason::LimitReached, None),
        }
    }

    /// Counts one more of an account, if there may be one more.
    fn may_pass(&mut self, subject: &SubjectKey, now: Moment) -> bool {
        let fingerprint = Fingerprint(u128::from_ne_bytes(*subject.as_bytes()));
        let mut calls = self.0.value(fingerprint).cloned().unwrap_or_default();
        let may = calls.count(PER_MINUTE, now).is_ok();
        self.0.insert(fingerprint, calls);
        may
    }
}

impl<H: Head, E: Host> Request<'_, H, E> {
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
        HEADERS.iter().any(says) || self.cmcd().state() == Some(cmcd::State::Preloading)
    }
}
