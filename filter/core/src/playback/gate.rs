//! Letting segment requests through, or not.
//!
//! A request is looked at in this order, the cheap before the dear:
//!
//! 1. The worker holds a fresh lease for its token: it passes. One table look-up, one look
//!    at a generation; whether it is fresh was known at the last tick.
//! 2. The lease is due but the stream still lives: it passes, and if it turns out to
//!    be a successful media request the record is touched then.
//! 3. Otherwise the record is consulted; nothing is written yet. The request is
//!    refused here, or goes on and its response is watched.
//!
//! A stream is created, and kept alive, when the response to a media request is
//! known to be a success, never before.

use core::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::sync::Arc;

use streamgate_bytes::{Fingerprint, Fingerprinter};
use streamgate_policy::{Event, Play, Refused, Unknown, Verdict};
use streamgate_record::Generations;
use streamgate_record::metric::Metric;
use streamgate_record::ports::Host;
use streamgate_values::head::Head;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::class::Class;
use super::lease::{self, Lease, Leases};
use super::mint::mint;
use super::passage::{Facts, Forward, Passage, Watch};
use super::prefetch::Prefetches;
use super::preflight;
use super::refusal::{DEVICE_NAME, Who, Why};
use super::request::Request;
use crate::authority::{Authority, Decision};
use crate::config::{Config, Paused, Start};
use crate::refusal::advice::languages;
use crate::refusal::reason::Reason;
use crate::request::viewer::{
    Asked, GoodTokens, Identified, Viewer, Wish, identify, may_name_another,
};

/// The most leases a worker holds. A worker with a full table takes 15 MB.
const LEASES_MAX: usize = 92_000;

/// A stream that a request names.
struct Known<'a> {
    viewer: &'a Viewer<'a>,
    stream: StreamKey,
    /// Its id names a device rather than a playback.
    recurring: bool,
    /// What its lease is found under.
    name: Fingerprint,
    /// It is named by a cookie alone, and the request could be given another.
    may_begin_anew: bool,
}

/// One worker's gate.
#[derive(Debug)]
pub struct Gate {
    pub(super) leases: Leases,
    good: GoodTokens,
    fingerprinter: Fingerprinter,
    generations: Generations,
    /// When the last tick was, if there was one. A lease that was fresh then is taken for
    /// fresh until the next, which saves a look at the clock for every segment: it is good
    /// for far longer than from one tick to the next after it has become due.
    ticked_at: Option<Moment>,
    /// Requests that passed by a lease and were not counted yet.
    passes: Cell<u64>,
    prefetches: Prefetches,
}

impl Gate {
    /// A gate that remembers nobody.
    pub(crate) fn new(fingerprinter: Fingerprinter) -> Self {
        Self {
            leases: Leases::new(LEASES_MAX),
            good: GoodTokens::new(fingerprinter),
            fingerprinter,
            generations: Generations::default(),
            ticked_at: None,
            passes: Cell::new(0),
            prefetches: Prefetches::default(),
        }
    }

    /// The Common Access Tokens that this worker has found good.
    pub(crate) fn good_tokens(&mut self) -> &mut GoodTokens {
        &mut self.good
    }

    /// Takes note of the time, and counts what passed since the last tick.
    pub(crate) fn on_tick(&mut self, host: &impl Host, now: Moment) {
        self.ticked_at = Some(now);
        self.tell(host);
    }

    /// Counts what passed since it was last counted.
    pub(crate) fn tell(&mut self, host: &impl Host) {
        host.add(Metric::FastPathPasses, self.passes.take());
    }

    /// Decides about a request on the protected path at `path_index` in the configuration.
    pub(crate) fn on_request<H: Head>(
        &mut self,
        config: &Config,
        host: &impl Host,
        asked: Asked<'_, H>,
        path_index: usize,
        authority: &mut Authority<'_>,
        memory_since: impl FnOnce(Moment) -> Moment,
    ) -> Passage {
        let Some(protected) = config.playback.get(path_index) else {
            return Passage::Forward(Forward::default());
        };
        let request = Request {
            config,
            host,
            came_at: OnceCell::new(),
            method: OnceCell::new(),
            strip: asked.token.map_or(0, |token| token.len().saturating_add(2)),
            asked,
            path_index,
            protected,
        };
        let leading = protected
            .leading_token()
            .filter(|position| !protected.is_checked_each_time(position))
            .and_then(|position| request.asked.token_text(position));
        if let Some(token) = &leading
            && lease::may_be_token(token)
            && let Some(passage) =
                self.by_lease(self.fingerprinter.fingerprint(token), &request, false)
        {
            return passage;
        }
        let plain = request.plain_name();
        let plain = plain.map(|name| self.fingerprinter.fingerprint(name.as_bytes()));
        if let Some(name) = plain
            && let Some(passage) = self.by_lease(name, &request, true)
        {
            return passage;
        }
        if let Some(answer) = preflight::answered(&request) {
            return answer;
        }
        let redirects = protected.classes.classify(request.asked.file) == Class::Manifest
            && matches!(request.method(), b"GET" | b"HEAD");
        let wish = Wish {
            redirects,
            anew: false,
        };
        let viewer = match self.identify(&request, wish) {
            Ok(viewer) => viewer,
            Err(reason) => return request.refuse_unidentified(reason),
        };
        match viewer.stream {
            Identified::Stream { key, recurring } => {
                let known = Known {
                    viewer: &viewer,
                    stream: key,
                    recurring,
                    may_begin_anew: redirects && viewer.is_by_cookie,
                    name: match (plain, leading) {
                        (Some(plain), _) => plain,
                        (None, Some(token)) if viewer.is_by_leading_token => {
                            self.fingerprinter.fingerprint(&token)
                        }
                        _ => self
                            .fingerprinter
                            .fingerprint(&lease::name(&viewer.subject, &key)),
                    },
                };
                authority.memory_since = memory_since(request.now());
                let mut passage = self.by_record(&request, &known, authority);
                if let Passage::Forward(forward) = &mut passage {
                    forward.renewed = viewer.renewed;
                }
                passage
            }
            Identified::ByRedirect if redirects => {
                authority.memory_since = memory_since(request.now());
                mint(&request, &viewer, authority)
            }
            Identified::ByRedirect | Identified::Unknown => {
                let who = Who::of(&viewer, None);
                request.refuse(who, Reason::NoStream, None)
            }
        }
    }

    /// Finds out who watches.
    fn identify<'a, H: Head, E: Host>(
        &mut self,
        request: &Request<'a, H, E>,
        wish: Wish,
    ) -> Result<Viewer<'a>, Reason> {
        let Request {
            config, protected, ..
        } = *request;
        let good = &mut self.good;
        identify(config, protected, &request.asked, wish, good, request.now())
    }

    /// The redirect of a manifest request whose cookie does not play any more: its player
    /// begins anew, and the cookie only came along. `None` if there is no such redirect.
    fn by_anew<H: Head, E: Host>(
        &mut self,
        request: &Request<'_, H, E>,
        authority: &Authority<'_>,
    ) -> Option<Passage> {
        let wish = Wish {
            redirects: true,
            anew: true,
        };
        let viewer = self.identify(request, wish).ok()?;
        let is_unnamed = viewer.stream == Identified::ByRedirect;
        (is_unnamed && request.protected.start == Start::Implicit)
            .then(|| mint(request, &viewer, authority))
    }

    /// Decides by what this worker remembers; `None` if that does not suffice. `is_identified`:
    /// the name is of all that the request says of its viewer, not of its token alone.
    fn by_lease<H: Head, E: Host>(
        &mut self,
        name: Fingerprint,
        request: &Request<'_, H, E>,
        is_identified: bool,
    ) -> Option<Passage> {
        let lease = self.leases.value(name)?;
        let is_fresh = self.ticked_at.is_some_and(|tick| lease.is_fresh(tick))
            || lease.is_fresh(request.now());
        if (!is_fresh && request.now() >= lease.ends_at)
            || lease.path_index != request.path_index
            || !(lease.is_anywhere || lease.stream.is_known_of(request.asked.file))
            || !lease.is_unchanged(&mut self.generations, request.host)
        {
            return None;
        }
        if is_fresh {
            self.passes.set(self.passes.get().saturating_add(1));
            return Some(request.forward(None));
        }
        // Whose account the request names besides its token is looked at as often as the
        // record is: on the fast path it would cost a host call.
        if !is_identified
            && may_name_another(
                request.config,
                request.protected,
                &request.asked,
                &lease.stream.subject,
            )
        {
            return None;
        }
        let is_watching = request.is_watching();
        if (!is_watching && request.paused().is_some()) || request.asks_for_options() {
            return None;
        }
        let watch = match is_watching {
            true => Some(Watch {
                stream: Rc::clone(&lease.stream),
                name,
                path_index: request.path_index,
                path: request.kept_path(),
                languages: String::new(),
                known: true,
                facts: Facts {
                    attributes: request.own_attributes().ok()?,
                    ..Facts::default()
                },
            }),
            false => None,
        };
        Some(request.forward(watch))
    }

    /// Keeps a lease in the place of the one there was; or none, where none can be had.
    pub(super) fn keep(&mut self, name: Fingerprint, lease: Option<Lease>) {
        match lease {
            Some(lease) => self.leases.insert(name, lease),
            None => self.leases.remove(name),
        }
    }

    /// Decides by the record.
    fn by_record<H: Head, E: Host>(
        &mut self,
        request: &Request<'_, H, E>,
        known: &Known<'_>,
        authority: &mut Authority<'_>,
    ) -> Passage {
        let Request {
            config,
            host,
            protected,
            ..
        } = *request;
        let Known {
            viewer,
            stream,
            recurring,
            name,
            may_begin_anew,
        } = known;
        if let Some(passage) = self.by_lease(*name, request, true) {
            return passage;
        }
        let now = request.now();
        let who = Who::of(viewer, Some(*stream));
        // What counts as watching is decided when the response is known.
        let again = || request.is_watching();
        let facts = match request.facts(viewer) {
            Ok(facts) => facts,
            Err(reason) => return request.refuse(who, reason, None),
        };
        let device = facts.attributes.value(DEVICE_NAME).map(str::to_owned);
        let who = who.on(device.as_deref());
        let play = protected.play(*stream, *recurring, viewer.application, facts.clone());
        let event = Event::Play(play);
        let decided = match authority.consult(host, &viewer.subject, &event, again, now) {
            Ok(Decision::Decided(decided)) => decided,
            Ok(Decision::Wait | Decision::Later) => return Passage::Wait(viewer.subject),
            Err(unavailable) => {
                return request.refuse(who, Reason::of_unavailable(unavailable), None);
            }
        };
        let leased = Rc::new(request.leased(viewer, *stream, *recurring));
        let plays = match &decided.verdict {
            Verdict::Plays(plays) => plays,
            Verdict::Refused(refused) => {
                if *may_begin_anew && let Some(anew) = self.by_anew(request, authority) {
                    return anew;
                }
                let is_over = matches!(
                    refused,
                    Refused::Evicted(_) | Refused::Killed(_) | Refused::Over
                );
                if is_over && decided.basis.is_some_and(|basis| basis.pending) {
                    // That it goes on to ask is kept in memory. Nothing starts by that.
                    let play = protected.play(*stream, *recurring, viewer.application, facts);
                    let event = Event::Play(Play {
                        unknown: Unknown::IsOver,
                        ..play
                    });
                    let _ = authority.decide(host, &viewer.subject, &event, true, now);
                }
                let reason = protected.reason(refused, stream);
                let retry_at = decided.retry_at;
                return request.refuse(who, reason, Some(Why { refused, retry_at }));
            }
            Verdict::Stopped | Verdict::Operated { .. } => return request.forward(None),
        };
        if request.asks_for_options() {
            return preflight::options(request);
        }
        if plays.started && request.is_watching() && request.is_prefetch() {
            return self.prefetches.passage(request, who, plays);
        }
        let paused = request.paused().filter(|_| !plays.started);
        if paused == Some(Paused::Release) {
            self.leases.remove(*name);
            let event = Event::Release {
                stream: *stream,
                application: Arc::clone(viewer.application),
            };
            // Whether that could be recorded or not, the player only asks for a manifest.
            let _ = authority.decide(host, &viewer.subject, &event, true, now);
            return request.forward(None);
        }
        if !plays.started {
            let lease = protected.lease(
                (&config.records, request.path_index),
                &leased,
                &decided,
                plays,
            );
            let fresh = lease.as_ref().is_some_and(|lease| lease.is_fresh(now));
            self.keep(*name, lease);
            if fresh {
                return request.forward(None);
            }
        }
        let keeps = request.is_watching() || paused == Some(Paused::Keep);
        request.forward(keeps.then(|| Watch {
            stream: leased,
            name: *name,
            path_index: request.path_index,
            path: request.kept_path(),
            languages: languages(config, request.asked.head),
            known: !plays.started,
            facts,
        }))
    }
}
