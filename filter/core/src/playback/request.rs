//! A request on a protected path, and what the path makes of it.

use std::rc::Rc;

use super::class::{Class, classify};
use super::lease::{Lease, Leased};
use super::passage::{Forward, Passage, Watch};
use super::refusal::{What, Who, refuse};
use crate::activity::Attributes;
use crate::config::{Config, PlaybackPath, Start, StreamCarrier, SubjectCarrier};
use crate::exchange::{Head, languages};
use crate::ledger::Decided;
use crate::moment::Moment;
use crate::policy::{Application, Limits, Liveness, Play, Plays, Refused, Unknown};
use crate::ports::Host;
use crate::reason::Reason;
use crate::stream_key::StreamKey;
use crate::viewer::Asked;

/// A request on a protected path.
pub(super) struct Request<'a, H, E> {
    pub(super) config: &'a Config,
    pub(super) host: &'a E,
    /// When it came in.
    pub(super) now: Moment,
    pub(super) asked: Asked<'a, H>,
    pub(super) place: usize,
    pub(super) protected: &'a PlaybackPath,
    /// Bytes of token in front of the path.
    pub(super) strip: usize,
}

impl<H: Head, E: Host> Request<'_, H, E> {
    pub(super) fn method(&self) -> Vec<u8> {
        self.asked.head.header(":method").unwrap_or_default()
    }

    /// Whether this request counts as watching, should it succeed.
    pub(super) fn is_watching(&self) -> bool {
        classify(self.asked.path) == Class::Media && self.method() == b"GET"
    }

    pub(super) fn forward(&self, watch: Option<Watch>) -> Passage {
        Passage::Forward(Forward {
            strip: self.strip,
            watch,
        })
    }

    pub(super) fn refuse(
        &self,
        who: Who<'_>,
        reason: Reason,
        refused: Option<&Refused>,
    ) -> Passage {
        let what = What {
            place: self.place,
            path: self.asked.path,
            languages: &languages(self.asked.head),
        };
        Passage::Reply(refuse(self.config, self.host, what, who, reason, refused))
    }
}

impl PlaybackPath {
    /// Whether a path token, where there is one, says both subject and stream.
    pub(super) fn leases_by_path_token(&self) -> bool {
        self.subject.first() == Some(&SubjectCarrier::PathToken)
            && self.stream.first() == Some(&StreamCarrier::PathToken)
    }

    /// After how much less than this to live, in milliseconds, a stream is renewed:
    /// when a third of its timeout has passed.
    pub(super) fn renew_below_ms(&self) -> u64 {
        self.timeout_ms.saturating_sub(self.timeout_ms.div_ceil(3))
    }

    /// A media request of `stream`, as an event.
    pub(super) fn play<'a>(&self, stream: StreamKey, application: &'a Application) -> Play<'a> {
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
            limits: Limits::default(),
            liveness: Liveness::Any,
            recurring: false,
            is_call: false,
        }
    }

    pub(super) fn lease(&self, stream: &Rc<Leased>, decided: &Decided, plays: &Plays) -> Lease {
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
    pub(super) fn reason(&self, refused: &Refused, stream: &StreamKey) -> Reason {
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
