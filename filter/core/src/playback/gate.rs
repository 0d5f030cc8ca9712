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
use streamgate_record::fleet::Ticket;
use streamgate_record::metric::Metric;
use streamgate_record::ports::Host;
use streamgate_values::head::Head;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::class::Class;
use super::flow::{self, Flows};
use super::lease::{self, Lease, Leases};
use super::mint::mint;
use super::passage::{Facts, Watch};
use super::prefetch::Prefetches;
use super::preflight;
use super::refusal::{Who, Why};
use super::request::Request;
use crate::authority::{Authority, Decision};
use crate::config::{Config, Paused, Start};
use crate::credential_clock::credentials_ahead_ms;
use crate::refusal::advice::languages;
use crate::refusal::reason::Reason;
use crate::request::viewer::{
    Asked, GoodTokens, Identified, Viewer, Wish, identify, may_name_another,
};
use crate::step::Step;

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
    pub(super) generations: Generations,
    /// When the last tick was, if there was one. A lease that was fresh then is taken for
    /// fresh until the next, which saves a look at the clock for every segment: it is good
    /// for far longer than from one tick to the next after it has become due.
    ticked_at: Option<Moment>,
    /// Requests that passed by a lease and were not counted yet.
    passes: Cell<u64>,
    prefetches: Prefetches,
    pub(super) flows: Rc<Flows>,
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
            flows: Rc::new(Flows::new()),
        }
    }

    /// The responses under way.
    pub(crate) fn flows(&self) -> Rc<Flows> {
        Rc::clone(&self.flows)
    }

    /// The Common Access Tokens that this worker has found good.
    pub(crate) fn good_tokens(&mut self) -> &mut GoodTokens {
        &mut self.good
    }

    /// Has every lease be looked at again.
    pub(crate) fn forget_leases(&mut self) {
        self.leases = Leases::new(LEASES_MAX);
    }

    /// Takes note of the time, and counts what passed since the last tick.
    pub(crate) fn on_tick(&mut self, host: &impl Host, now: Moment) {
        self.ticked_at = Some(now);
        self.flush(host);
    }

    /// Counts what passed since it was last counted.
    pub(crate) fn flush(&mut self, host: &impl Host) {
        host.add(Metric::FastPathPasses, self.passes.take());
    }

    /// Decides about a request on the protected path at `path_index` in the configuration.
    /// `ticket` names it should it have to wait.
    pub(crate) fn on_request<H: Head>(
        &mut self,
        config: &Config,
        host: &impl Host,
        ticket: Ticket,
        asked: Asked<'_, H>,
        path_index: usize,
        authority: &mut Authority,
    ) -> Step {
        let Some(protected) = config.playback.get(path_index) else {
            return Step::Pass;
        };
        let request = Request {
            config,
            host,
            ticket,
            came_at: OnceCell::new(),
            method: OnceCell::new(),
            cmcd: OnceCell::new(),
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
            && let name = request.fingerprint(&self.fingerprinter, token)
            && let Some(step) = self.by_lease(name, &request, false)
        {
            return step;
        }
        let plain = request.plain_name();
        let plain = plain.map(|name| request.fingerprint(&self.fingerprinter, name.as_bytes()));
        if let Some(name) = plain
            && let Some(step) = self.by_lease(name, &request, true)
        {
            return step;
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
                            request.fingerprint(&self.fingerprinter, &token)
                        }
                        _ => request
                            .fingerprint(&self.fingerprinter, &lease::name(&viewer.subject, &key)),
                    },
                };
                let mut step = self.by_record(&request, &known, authority);
                if let Step::Forward(forward) = &mut step {
                    forward.renewed = viewer.renewed;
                }
                step
            }
            Identified::ByRedirect if redirects => mint(&request, &viewer, authority),
            Identified::ByRedirect | Identified::Unknown => {
                let who = Who {
                    subject: Some(viewer.subject),
                    application: Some(&viewer.application.id),
                    ..Who::default()
                };
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
        let ahead_ms = credentials_ahead_ms(config, request.host);
        identify(
            config,
            protected,
            &request.asked,
            wish,
            good,
            request.now(),
            ahead_ms,
        )
    }

    /// The redirect of a manifest request whose cookie does not play any more: its player
    /// begins anew, and the cookie only came along. `None` if there is no such redirect.
    fn by_anew<H: Head, E: Host>(
        &mut self,
        request: &Request<'_, H, E>,
        authority: &mut Authority,
    ) -> Option<Step> {
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
    ) -> Option<Step> {
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
        if is_fresh && !request.plays_beyond(lease, self.ticked_at) {
            self.passes.set(self.passes.get().saturating_add(1));
            let (file, index) = (request.asked.file, request.path_index);
            if flow::ends_like_media(request.protected, file) {
                self.flows.begin(name, index, &lease.stream, false);
                return Some(request.forward(None));
            }
            let passage = request.forward(None);
            // What is rewritten is a manifest.
            if matches!(&passage, Step::Forward(forward) if forward.rewrite.is_none())
                && flow::is_media(request.protected, file)
            {
                self.flows.begin(name, index, &lease.stream, false);
            }
            return Some(passage);
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
                    buffer: request.buffer(),
                    client: request.client(&lease.stream.subject),
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
        authority: &mut Authority,
    ) -> Step {
        let Request {
            config, protected, ..
        } = *request;
        let Known {
            viewer,
            stream,
            recurring,
            name,
            may_begin_anew,
        } = known;
        if let Some(step) = self.by_lease(*name, request, true) {
            return step;
        }
        let now = request.now();
        let who = Who {
            subject: Some(viewer.subject),
            stream: Some(*stream),
            application: Some(&viewer.application.id),
        };
        // What counts as watching is decided when the response is known.
        let is_decided_later = || request.is_watching();
        let facts = match request.facts(viewer) {
            Ok(facts) => facts,
            Err(reason) => return request.refuse(who, reason, None),
        };
        let is_in_headers = facts.buffer.is_in_headers;
        let play = protected.play(*stream, *recurring, viewer.application, facts.clone());
        let event = Event::Play(play);
        let of = request.inquiry(&viewer.subject);
        let decided = match authority.foresee(&of, &event, is_decided_later) {
            Ok(Decision::Decided(decided)) => decided,
            Ok(Decision::Parked) => return Step::Park,
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
                    let _ = authority.note(&of, &event);
                }
                let reason = protected.reason(refused, stream);
                let retry_at = decided.retry_at;
                return request.refuse(who, reason, Some(Why { refused, retry_at }));
            }
            Verdict::Stopped => return request.forward(None),
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
            let _ = authority.note(&of, &event);
            return request.forward(None);
        }
        if !plays.started {
            let at = (&config.records, request.path_index);
            let known = (now, is_in_headers);
            let lease = protected.lease(at, &leased, &decided, plays, known);
            let fresh = lease.as_ref().is_some_and(|lease| lease.is_fresh(now));
            self.keep(*name, lease);
            if fresh {
                if flow::is_media(protected, request.asked.file) {
                    self.flows.begin(*name, request.path_index, &leased, false);
                }
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
