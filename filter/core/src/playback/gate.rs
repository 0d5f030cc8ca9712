//! Letting segment requests through, or not.
//!
//! A request is looked at in this order, the cheap before the dear:
//!
//! 1. The worker holds a fresh lease for its token: it passes. One clock read, one
//!    table look-up, one look at a bell.
//! 2. The lease is due but the stream still lives: it passes, and if it turns out to
//!    be a successful media request the record is touched then.
//! 3. Otherwise the record is consulted; nothing is written yet. The request is
//!    refused here, or goes on and its response is watched.
//!
//! A stream is created, and kept alive, when the response to a media request is
//! known to be a success, never before.

use std::rc::Rc;

use super::class::{Class, classify};
use super::lease::{Lease, Leased, Leases};
use super::refusal::{Who, refuse};
use crate::activity::Attributes;
use crate::config::{Config, PlaybackPath, Start};
use crate::exchange::{Answer, Forward, Head, Record, Reply, Step};
use crate::ledger::{Decided, consult, transact};
use crate::metric::Metric;
use crate::moment::Moment;
use crate::policy::{Application, Event, Play, Plays, Refused, Unknown, Verdict};
use crate::ports::Host;
use crate::reason::Reason;
use crate::signed::PathToken;
use crate::stream_key::StreamKey;
use crate::viewer::{Asked, Identified, Viewer, identify};

/// The most leases a worker holds.
const LEASES_MAX: usize = 65_536;

/// One worker's gate.
#[derive(Debug)]
pub struct Gate {
    leases: Leases,
}

/// What to do when the response to a let-through media request is known.
#[derive(Debug)]
pub struct Watch {
    stream: Rc<Leased>,
    /// What its lease is found under.
    name: Box<[u8]>,
    /// Place of the protected path in the configuration.
    place: usize,
    /// The path without its token, for the log.
    path: Vec<u8>,
    /// The stream is on record already.
    known: bool,
}

/// A request on a protected path.
struct Request<'a, H> {
    asked: Asked<'a, H>,
    place: usize,
    protected: &'a PlaybackPath,
    /// Bytes of token in front of the path.
    strip: usize,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            leases: Leases::new(LEASES_MAX),
        }
    }
}

impl Gate {
    /// Decides about a request on the protected path at `place`.
    pub fn on_request<H: Head>(
        &mut self,
        config: &Config,
        host: &impl Host,
        asked: Asked<'_, H>,
        place: usize,
        epoch: impl FnOnce(Moment) -> Moment,
    ) -> Step {
        let Some(protected) = config.playback.get(place) else {
            return Step::Pass;
        };
        let request = Request {
            strip: asked.token.map_or(0, |token| token.len().saturating_add(2)),
            asked,
            place,
            protected,
        };
        let now = host.now();
        if let Some(token) = request.asked.token
            && protected.leases_by_path_token()
            && let Some(step) = self.by_lease(config, host, token, &request, now)
        {
            return step;
        }
        let method = request.method();
        if method == b"OPTIONS" {
            return request.forward(None);
        }
        let viewer = match identify(config, protected, &request.asked, now) {
            Ok(viewer) => viewer,
            Err(reason) => return request.refuse(config, host, Who::default(), reason, None),
        };
        match viewer.stream {
            Identified::Stream(stream) => {
                let epoch = epoch(now);
                self.by_record(config, host, &request, &method, &viewer, stream, epoch, now)
            }
            Identified::ByRedirect
                if classify(request.asked.path) == Class::Manifest
                    && matches!(method.as_slice(), b"GET" | b"HEAD") =>
            {
                mint(config, host, &request, &viewer, epoch(now), now)
            }
            Identified::ByRedirect | Identified::Unknown => {
                let who = Who {
                    subject: Some(viewer.subject),
                    application: Some(&viewer.application.id),
                    ..Who::default()
                };
                request.refuse(config, host, who, Reason::NoStream, None)
            }
        }
    }

    /// Decides by what this worker remembers; `None` if that does not suffice.
    fn by_lease<H: Head>(
        &self,
        config: &Config,
        host: &impl Host,
        name: &[u8],
        request: &Request<'_, H>,
        now: Moment,
    ) -> Option<Step> {
        let lease = self.leases.lease(name)?;
        if now >= lease.ends_at
            || host.bell(config.ledger.bell_of(&lease.stream.subject)) != lease.bell
        {
            return None;
        }
        if now < lease.due_at {
            host.add(Metric::FastPathPasses, 1);
            return Some(request.forward(None));
        }
        let watch = request.is_watching().then(|| Watch {
            stream: Rc::clone(&lease.stream),
            name: name.into(),
            place: request.place,
            path: request.asked.path.to_vec(),
            known: true,
        });
        Some(request.forward(watch))
    }

    /// Decides by the record.
    #[expect(
        clippy::too_many_arguments,
        reason = "all of it is one request's situation"
    )]
    fn by_record<H: Head>(
        &mut self,
        config: &Config,
        host: &impl Host,
        request: &Request<'_, H>,
        method: &[u8],
        viewer: &Viewer<'_>,
        stream: StreamKey,
        epoch: Moment,
        now: Moment,
    ) -> Step {
        let name: Box<[u8]> = match request.asked.token {
            Some(token) if request.protected.leases_by_path_token() => token.into(),
            _ => [&viewer.subject.as_bytes()[..], stream.as_bytes()]
                .concat()
                .into(),
        };
        if let Some(step) = self.by_lease(config, host, &name, request, now) {
            return step;
        }
        let who = Who {
            subject: Some(viewer.subject),
            stream: Some(stream),
            application: Some(&viewer.application.id),
        };
        let event = Event::Play(request.protected.play(stream, viewer.application));
        let decided = match consult(host, &config.ledger, &viewer.subject, &event, epoch, now) {
            Ok(decided) => decided,
            Err(outage) => {
                return request.refuse(config, host, who, Reason::of_outage(outage), None);
            }
        };
        let leased = Rc::new(Leased {
            subject: viewer.subject,
            stream,
            application: viewer.application.id.clone(),
            expires_at: viewer.expires_at,
        });
        let plays = match &decided.verdict {
            Verdict::Plays(plays) => plays,
            Verdict::Refused(refused) => {
                let reason = request.protected.reason(refused, &stream);
                return request.refuse(config, host, who, reason, Some(refused));
            }
            Verdict::Stopped => return request.forward(None),
        };
        if !plays.started {
            let lease = request.protected.lease(&leased, &decided, plays);
            let fresh = now < lease.due_at;
            self.leases.insert(&name, lease);
            if fresh {
                return request.forward(None);
            }
        }
        let is_media = method == b"GET" && classify(request.asked.path) == Class::Media;
        request.forward(is_media.then(|| Watch {
            stream: leased,
            name,
            place: request.place,
            path: request.asked.path.to_vec(),
            known: !plays.started,
        }))
    }

    /// Takes note of the response to a watched request. `Some` if it may not reach the
    /// viewer: others were faster, or the stream was ended meanwhile.
    pub fn on_response(
        &mut self,
        config: &Config,
        host: &impl Host,
        watch: &Watch,
        status: u16,
        epoch: Moment,
    ) -> Watched {
        if !(200..300).contains(&status) && status != 304 {
            return Watched::Pass(None);
        }
        let Watch { stream, name, .. } = watch;
        let (Some(protected), Some(application)) = (
            config.playback.get(watch.place),
            config.ledger.book.application(&stream.application),
        ) else {
            return Watched::Pass(None);
        };
        let now = host.now();
        let event = Event::Play(protected.play(stream.stream, application));
        let who = Who {
            subject: Some(stream.subject),
            stream: Some(stream.stream),
            application: Some(&stream.application),
        };
        let turn_away = |reason, refused| {
            Watched::Refuse(refuse(
                config,
                host,
                watch.place,
                &watch.path,
                who,
                reason,
                refused,
            ))
        };
        match transact(host, &config.ledger, &stream.subject, &event, epoch, now) {
            Ok(decided) => match &decided.verdict {
                Verdict::Plays(plays) => {
                    let lease = protected.lease(stream, &decided, plays);
                    self.leases.insert(name, lease);
                    if !plays.started {
                        host.add(Metric::LeaseRenewals, 1);
                        return Watched::Pass(None);
                    }
                    Watched::Pass(Some(Record {
                        event: "start",
                        reason: None,
                        subject: who.subject,
                        stream: who.stream,
                        application: who.application.map(str::to_owned),
                    }))
                }
                Verdict::Refused(refused) => {
                    self.leases.remove(name);
                    turn_away(protected.reason(refused, &stream.stream), Some(refused))
                }
                Verdict::Stopped => Watched::Pass(None),
            },
            // A stream that is known to play goes on; its next segment tries again.
            Err(_) if watch.known => Watched::Pass(None),
            Err(outage) => turn_away(Reason::of_outage(outage), None),
        }
    }
}

/// What is to become of a watched response.
#[derive(Debug)]
#[must_use]
pub enum Watched {
    /// It goes to the viewer; the access log may be told something.
    Pass(Option<Record>),
    /// It is replaced by this.
    Refuse(Reply),
}

/// Answers a manifest request that names no stream with a redirect to itself under
/// a fresh path token, if a start would be allowed now.
fn mint<H: Head>(
    config: &Config,
    host: &impl Host,
    request: &Request<'_, H>,
    viewer: &Viewer<'_>,
    epoch: Moment,
    now: Moment,
) -> Step {
    let stream = StreamKey::mint(now, host.random());
    let who = Who {
        subject: Some(viewer.subject),
        stream: None,
        application: Some(&viewer.application.id),
    };
    if request.protected.start == Start::SessionRequired {
        return request.refuse(config, host, who, Reason::SessionRequired, None);
    }
    let event = Event::Play(request.protected.play(stream, viewer.application));
    let refused = match consult(host, &config.ledger, &viewer.subject, &event, epoch, now) {
        Ok(decided) => match decided.verdict {
            Verdict::Refused(refused) => Some((Reason::of(&refused), Some(refused))),
            Verdict::Plays(_) | Verdict::Stopped => None,
        },
        Err(outage) => Some((Reason::of_outage(outage), None)),
    };
    if let Some((reason, refused)) = refused {
        return request.refuse(config, host, who, reason, refused.as_ref());
    }
    let token = PathToken {
        subject: viewer.subject,
        stream,
        application: viewer.application.id.clone(),
        expires_at: now.plus_ms(config.sessions.token_lifetime_ms),
    };
    let Ok(path) = core::str::from_utf8(request.asked.path) else {
        return request.refuse(config, host, who, Reason::Malformed, None);
    };
    host.add(Metric::RedirectsMinted, 1);
    let location = format!("/~{}{path}", token.issue(&config.sessions.ring));
    Step::Reply(Reply {
        answer: Answer::empty(307).with("location", location),
        logged_path: Some(request.asked.path.to_vec()),
        record: None,
    })
}

impl<H: Head> Request<'_, H> {
    fn method(&self) -> Vec<u8> {
        self.asked.head.header(":method").unwrap_or_default()
    }

    /// Whether this request counts as watching, should it succeed.
    fn is_watching(&self) -> bool {
        classify(self.asked.path) == Class::Media && self.method() == b"GET"
    }

    fn forward(&self, watch: Option<Watch>) -> Step {
        Step::Forward(Forward {
            strip: self.strip,
            watch,
        })
    }

    fn refuse(
        &self,
        config: &Config,
        host: &impl Host,
        who: Who<'_>,
        reason: Reason,
        refused: Option<&Refused>,
    ) -> Step {
        Step::Reply(refuse(
            config,
            host,
            self.place,
            self.asked.path,
            who,
            reason,
            refused,
        ))
    }
}

impl PlaybackPath {
    /// Whether a path token, where there is one, says both subject and stream.
    fn leases_by_path_token(&self) -> bool {
        use crate::config::{StreamCarrier, SubjectCarrier};
        self.subject.first() == Some(&SubjectCarrier::PathToken)
            && self.stream.first() == Some(&StreamCarrier::PathToken)
    }

    /// After how much less than this to live, in milliseconds, a stream is renewed:
    /// when a third of its timeout has passed.
    fn renew_below_ms(&self) -> u64 {
        self.timeout_ms.saturating_sub(self.timeout_ms.div_ceil(3))
    }

    /// A media request of `stream`, as an event.
    fn play<'a>(&self, stream: StreamKey, application: &'a Application) -> Play<'a> {
        Play {
            stream,
            application,
            attributes: Attributes::default(),
            terminate: Vec::new(),
            timeout_ms: self.timeout_ms,
            renew_below_ms: self.renew_below_ms(),
            unknown: match self.start {
                Start::Implicit => Unknown::Starts,
                Start::SessionRequired => Unknown::IsOver,
            },
        }
    }

    fn lease(&self, stream: &Rc<Leased>, decided: &Decided, plays: &Plays) -> Lease {
        let due_ms = plays
            .lapses_at
            .as_ms()
            .saturating_sub(self.renew_below_ms());
        let expiry = |moment: Moment| stream.expires_at.map_or(moment, |end| end.min(moment));
        Lease {
            stream: Rc::clone(stream),
            bell: decided.bell,
            due_at: expiry(Moment::from_ms(due_ms)),
            ends_at: expiry(plays.lapses_at),
        }
    }

    /// The reason to give: a stream that names itself and was never created is not
    /// over, it lacks its session.
    fn reason(&self, refused: &Refused, stream: &StreamKey) -> Reason {
        match Reason::of(refused) {
            Reason::StreamOver
                if self.start == Start::SessionRequired && stream.issued_at().is_none() =>
            {
                Reason::SessionRequired
            }
            reason => reason,
        }
    }
}
