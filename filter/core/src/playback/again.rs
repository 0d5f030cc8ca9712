//! Refusals that are asked for again.
//!
//! A player that is refused may ask hundreds of times a second. What a worker has answered to a stream's
//! media request, it answers to the next ones of that stream, byte for byte and without a look at the
//! record, until its next tick, 100 ms at most. Then the stream is judged afresh, so a refusal that has
//! become wrong is right again within a tick.
//!
//! The answer is found as a lease is: under the fingerprint of what names the stream, and only where the
//! same token means the same stream with the same attributes. So nobody is given another's.

use std::rc::Rc;

use streamgate_bytes::Fingerprint;
use streamgate_policy::Refused;
use streamgate_record::ports::{Host, Meter};
use streamgate_values::head::Head;

use super::lease::Leased;
use super::media;
use super::request::PlaybackRequest;
use crate::exchange::{Answer, Reply};
use crate::refusal::advice::languages;
use crate::refusal::counted::Counted;
use crate::refusal::lines::LeftOut;
use crate::refusal::reason::Reason;
use crate::step::Step;

/// The most streams whose refusals a worker remembers. With [`BODY_MAX`] that is under a megabyte.
const KEPT_MAX: usize = 128;

/// The most of them that others have pushed out since the last tick of which a worker keeps how often
/// each was repeated, for the next line.
const LEFT_OUT_MAX: usize = 1_024;

/// The longest body that is remembered, in bytes: about eight streams in the way.
const BODY_MAX: usize = 4_096;

/// How often the same is answered before it is judged again, should the tick not come: the worker is
/// busy.
const REPEATS_MAX: u32 = 1_024;

/// The refusals of one worker since its last tick.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    kept: Vec<KeptRefusal>,
    /// Of those that others have taken the places of.
    left_out: Vec<LeftOut>,
}

#[derive(Debug)]
struct KeptRefusal {
    name: Fingerprint,
    path_index: usize,
    stream: Rc<Leased>,
    languages: String,
    counted: Counted,
    /// Nothing makes the stream play again.
    is_final: bool,
    was_asked_again: bool,
    repeats: u32,
    answer: Answer,
}

impl Refusals {
    /// Remembers the reply to a request.
    pub(super) fn remember<H: Head, E: Host>(
        &mut self,
        request: &PlaybackRequest<'_, H, E>,
        (name, stream): (Fingerprint, &Rc<Leased>),
        (reason, refused): (Reason, &Refused),
        reply: &Reply,
    ) {
        if reply.answer.body.len() > BODY_MAX
            || !media::is_media(request.protected, request.asked.file)
        {
            return;
        }
        let fresh = KeptRefusal {
            name,
            path_index: request.path_index,
            stream: Rc::clone(stream),
            languages: languages(request.config, request.asked.head),
            counted: Counted::of(reason, Some(refused)),
            is_final: matches!(
                refused,
                Refused::Evicted(_) | Refused::Killed(_) | Refused::Over
            ),
            was_asked_again: false,
            repeats: 0,
            answer: reply.answer.clone(),
        };
        let own = self.kept.iter().position(|kept| kept.name == name);
        let is_full = self.kept.len() >= KEPT_MAX;
        let Some(kept) = own
            .or(is_full.then(|| index(name)))
            .and_then(|at| self.kept.get_mut(at))
        else {
            self.kept.push(fresh);
            return;
        };
        let before = core::mem::replace(kept, fresh);
        kept.was_asked_again = before.is_for(name, request);
        let left_out = before.count(request.host);
        // Of more only the counters know.
        if self.left_out.len() < LEFT_OUT_MAX {
            self.left_out.extend(left_out);
        }
    }

    /// The reply to a request of the stream with this name, if that was given just before. What it
    /// repeats is neither counted nor logged until the tick.
    pub(super) fn again<H: Head, E: Host>(
        &mut self,
        name: Fingerprint,
        request: &PlaybackRequest<'_, H, E>,
    ) -> Option<Step> {
        let kept = self.kept.iter_mut().find(|kept| kept.name == name)?;
        let head = request.asked.head;
        if !kept.may_be_repeated()
            || !kept.is_for(name, request)
            || !media::is_media(request.protected, request.asked.file)
            || head.header("access-control-request-method").is_some()
            || (request.asked.token.is_none() && request.asked.repeats_a_cookie(request.protected))
            || kept.languages != languages(request.config, head)
        {
            return None;
        }
        kept.repeats = kept.repeats.saturating_add(1);
        Some(Step::Reply(Reply {
            answer: kept.answer.clone(),
            logged_path: Some(request.without_token_parameters().into_owned()),
            log_entry: None,
        }))
    }

    /// Forgets all, and counts how often it was answered; what was answered and not logged.
    pub(super) fn on_tick(&mut self, meter: &impl Meter) -> Vec<LeftOut> {
        for kept in self.kept.drain(..) {
            self.left_out.extend(kept.count(meter));
        }
        core::mem::take(&mut self.left_out)
    }
}

impl KeptRefusal {
    /// Whether the answer holds for whoever asks again. Where somebody else may make room, a viewer who
    /// tries again then is judged: the answer is kept for whoever has been refused twice within a tick.
    const fn may_be_repeated(&self) -> bool {
        (self.is_final || self.was_asked_again) && self.repeats < REPEATS_MAX
    }

    fn is_for<H: Head, E: Host>(
        &self,
        name: Fingerprint,
        request: &PlaybackRequest<'_, H, E>,
    ) -> bool {
        self.name == name
            && self.path_index == request.path_index
            && self.stream.is_known_of(request.asked.file)
    }

    /// Counts how often it was repeated.
    fn count(self, meter: &impl Meter) -> Option<LeftOut> {
        self.counted.add(meter, self.repeats);
        (self.repeats > 0).then(|| LeftOut {
            stream: self.stream.stream,
            reason: self.counted.reason().code(),
            times: self.repeats,
        })
    }
}

/// Whose place a stream takes where all are taken.
fn index(name: Fingerprint) -> usize {
    let [low, ..] = name.spread().to_le_bytes();
    usize::from(low) % KEPT_MAX
}
