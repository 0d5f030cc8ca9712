//! Letting segment requests through, or not.
//!
//! A request is looked at in this order, the cheap before the dear:
//!
//! 1. The worker holds a fresh lease for its token: it passes. One table look-up; whether it is fresh,
//!    and whether a stream was ended since, was known at the last tick.
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

use super::again::Refusals;
use super::class::Class;
use super::flow::Flows;
use super::lease::{self, Leases};
use super::mint::mint;
use super::passage::Watch;
use super::prefetch;
use super::preflight;
use super::refusal::{DEVICE_NAME, Who, Why};
use super::request::PlaybackRequest;
use crate::authority::{Attempt, Authority, Decision};
use crate::config::{Config, Paused};
use crate::refusal::advice::languages;
use crate::refusal::lines::LeftOut;
use crate::refusal::reason::Reason;
use crate::request::viewer::{Asked, GoodTokens, Identified, Viewer, Wish};
use crate::step::Step;

/// A stream that a request names.
pub(super) struct KnownStream<'a> {
    pub(super) viewer: &'a Viewer<'a>,
    pub(super) stream: StreamKey,
    /// Its id names a device rather than a playback.
    pub(super) recurring: bool,
    /// What its lease is found under.
    pub(super) name: Fingerprint,
    /// It is named by a cookie alone, and the request could be given another.
    pub(super) may_begin_anew: bool,
    /// How many tokens in cookies were passed over.
    pub(super) passed_over: usize,
}

/// One worker's gate.
#[derive(Debug)]
pub struct Gate {
    pub(super) leases: Leases,
    pub(super) good: GoodTokens,
    pub(super) fingerprinter: Fingerprinter,
    pub(super) generations: Generations,
    /// When the last tick was, if there was one. A lease that was fresh then is taken for
    /// fresh until the next, which saves a look at the clock for every segment: it is good
    /// for far longer than from one tick to the next after it has become due.
    pub(super) ticked_at: Option<Moment>,
    /// Requests that passed by a lease and were not counted yet.
    pub(super) passes: Cell<u64>,
    refusals: Refusals,
    pub(super) flows: Rc<Flows>,
}

impl Gate {
    /// A gate that remembers nobody.
    pub(crate) fn new(fingerprinter: Fingerprinter) -> Self {
        Self {
            leases: lease::none(),
            good: GoodTokens::new(fingerprinter),
            fingerprinter,
            generations: Generations::default(),
            ticked_at: None,
            passes: Cell::new(0),
            refusals: Refusals::default(),
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
        self.leases = lease::none();
    }

    /// Takes note of the time and of what was ended, and counts what passed and was refused again since
    /// the last tick; the refusals of these that left no line.
    pub(crate) fn on_tick(&mut self, host: &impl Host, now: Moment) -> Vec<LeftOut> {
        self.ticked_at = Some(now);
        self.generations.look(host);
        self.flush(host)
    }

    /// Counts what passed and was refused again since that was last counted.
    pub(crate) fn flush(&mut self, host: &impl Host) -> Vec<LeftOut> {
        let left_out = self.refusals.on_tick(host);
        host.add(Metric::FastPathPasses, self.passes.take());
        left_out
    }

    /// Decides about a request on the protected path at `path_index` in the configuration.
    pub(crate) fn on_request<H: Head>(
        &mut self,
        config: &Config,
        host: &impl Host,
        attempt: Attempt,
        asked: Asked<'_, H>,
        path_index: usize,
        authority: &mut Authority,
    ) -> Step {
        let Some(protected) = config.playback.get(path_index) else {
            return Step::Pass;
        };
        let request = PlaybackRequest {
            config,
            host,
            attempt,
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
        let by_token = leading.as_ref().filter(|token| lease::may_be_token(token));
        let by_token = by_token.map(|token| request.fingerprint(&self.fingerprinter, token));
        if let Some(name) = by_token
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
        let mut names = by_token.into_iter().chain(plain);
        if let Some(step) = names.find_map(|name| self.refusals.again(name, &request)) {
            return step;
        }
        request.asked.head.expect_many();
        if let Some(answer) = preflight::answered(&request) {
            return answer;
        }
        let redirects = protected.classes.classify(request.asked.file) == Class::Manifest
            && matches!(request.method(), b"GET" | b"HEAD");
        let wish = Wish {
            redirects,
            anew: false,
            passed_over: 0,
        };
        let viewer = match request.identify(wish, &mut self.good) {
            Ok(viewer) => viewer,
            Err(reason) => return request.refuse_unidentified(reason),
        };
        match viewer.stream {
            Identified::Stream { key, recurring } => {
                let known = KnownStream {
                    viewer: &viewer,
                    stream: key,
                    recurring,
                    may_begin_anew: redirects && viewer.is_by_cookie,
                    passed_over: 0,
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
                let who = Who::of(&viewer, None);
                request.refuse(who, Reason::NoStream, None)
            }
        }
    }

    /// Decides by the record.
    pub(super) fn by_record<H: Head, E: Host>(
        &mut self,
        request: &PlaybackRequest<'_, H, E>,
        known: &KnownStream<'_>,
        authority: &mut Authority,
    ) -> Step {
        let PlaybackRequest {
            config, protected, ..
        } = *request;
        let KnownStream {
            viewer,
            stream,
            recurring,
            name,
            may_begin_anew,
            ..
        } = known;
        if let Some(step) = self.by_lease(*name, request, true) {
            return step;
        }
        if let Some(step) = self.refusals.again(*name, request) {
            return step;
        }
        let now = request.now();
        let who = Who::of(viewer, Some(*stream));
        // What counts as watching is decided when the response is known.
        let is_decided_later = || request.is_watching() && !request.is_prefetch();
        let facts = match request.facts(viewer) {
            Ok(facts) => facts,
            Err(reason) => return request.refuse(who, reason, None),
        };
        let device = facts.attributes.value(DEVICE_NAME).map(str::to_owned);
        let who = who.on(device.as_deref());
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
                let is_over = matches!(
                    refused,
                    Refused::Evicted(_) | Refused::Killed(_) | Refused::Over
                );
                if is_over && let Some(step) = self.by_next_cookie(request, known, authority) {
                    return step;
                }
                if *may_begin_anew && let Some(anew) = self.by_anew(request, authority) {
                    return anew;
                }
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
                let step = request.refuse(who, reason, Some(Why { refused, retry_at }));
                self.leases.remove(*name);
                self.flows.unsettle(*name);
                if let Step::Reply(reply) = &step {
                    let (named, why) = ((*name, &leased), (reason, refused));
                    self.refusals.remember(request, named, why, reply);
                }
                return step;
            }
            Verdict::Stopped | Verdict::Operated { .. } => return request.forward(None),
        };
        if request.asks_for_options() {
            return preflight::options(request);
        }
        let is_watching = request.is_watching();
        let is_prefetch = plays.started && is_watching && request.is_prefetch();
        if is_prefetch || !is_watching {
            // Nothing counts it, so it is to be no film.
            self.flows
                .begin_uncounted(*name, request.path_index, &leased);
        }
        if is_prefetch {
            return prefetch::passage(request, who, plays);
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
                if is_watching {
                    self.flows.begin(*name, request.path_index, &leased, false);
                }
                return request.forward_by_record(None);
            }
        }
        let keeps = is_watching || paused == Some(Paused::Keep);
        // What nothing counts may have the name of something else.
        let is_watched = keeps || (plays.started && request.fetches());
        request.forward_by_record(is_watched.then(|| Watch {
            stream: leased,
            name: *name,
            path_index: request.path_index,
            path: request.kept_path(),
            languages: languages(config, request.asked.head),
            known: !plays.started,
            more_than: match keeps {
                true => 0,
                false => request.bytes_by_name(),
            },
            facts,
        }))
    }
}
