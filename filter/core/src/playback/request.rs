//! A request on a protected path, and what the path makes of it.

use core::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::sync::Arc;

use streamgate_policy::{Application, Play, Plays, Refused, Unknown};
use streamgate_record::ports::Host;
use streamgate_record::{Basis, Decided, Records};
use streamgate_values::attributes::Attributes;
use streamgate_values::head::Head;
use streamgate_values::moment::Moment;
use streamgate_values::path::Reading;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use super::lease::{Lease, Leased, PlainName};
use super::passage::{Facts, Forward, Scrub, Watch};
use super::refusal::{RefusedRequest, Who, Why, refuse};
use super::rewrite::Rewrite;
use crate::authority::{Attempt, Inquiry};
use crate::config::{Config, PlaybackPath, Start, StreamCarrier, SubjectCarrier};
use crate::credential_clock::credentials_ahead_ms;
use crate::refusal::advice::languages;
use crate::refusal::reason::Reason;
use crate::request::viewer::cmcd::CmcdReader;
use crate::request::viewer::{
    self, Asked, Credential, GoodTokens, Viewer, Wish, credential_ends_at, earlier,
};
use crate::step::Step;

/// The longest scope of a lease, in bytes. A stream whose scope is longer has none: each of
/// its requests is judged by the record.
const SCOPE_MAX: usize = 256;

/// The longest path that is kept until the response, in bytes: of a longer one its front.
const PATH_MAX: usize = 1_024;

/// A request on a protected path.
pub(super) struct PlaybackRequest<'a, H, E> {
    pub(super) config: &'a Config,
    pub(super) host: &'a E,
    pub(super) attempt: Attempt,
    /// When it came in, once asked.
    pub(super) came_at: OnceCell<Moment>,
    /// Its method, once asked.
    pub(super) method: OnceCell<Vec<u8>>,
    /// Its CMCD, once asked.
    pub(super) cmcd: OnceCell<CmcdReader<'a, H>>,
    pub(super) asked: Asked<'a, H>,
    pub(super) path_index: usize,
    pub(super) protected: &'a PlaybackPath,
    /// Bytes of token in front of the path.
    pub(super) strip: usize,
}

impl<'a, H: Head, E: Host> PlaybackRequest<'a, H, E> {
    /// When it came in. The first to ask pays for a look at the clock.
    pub(super) fn now(&self) -> Moment {
        *self.came_at.get_or_init(|| self.host.now())
    }

    /// A question about a subject, for this request.
    pub(super) fn inquiry<'s>(&'s self, subject: &'s SubjectKey) -> Inquiry<'s, E> {
        Inquiry {
            host: self.host,
            records: &self.config.records,
            ticket: self.attempt.ticket,
            subject,
            now: self.now(),
            copy_state: self.attempt.copy_state,
        }
    }

    /// Its method. The first to ask pays for a look at it.
    pub(super) fn method(&self) -> &[u8] {
        let read = || self.asked.head.header(":method").unwrap_or_default();
        self.method.get_or_init(read)
    }

    /// Its CMCD. The first to ask pays for reading the query.
    pub(super) fn cmcd(&self) -> &CmcdReader<'a, H> {
        let Asked { head, path, .. } = self.asked;
        self.cmcd.get_or_init(|| CmcdReader::new(head, path))
    }

    /// What the request says of subject and stream, where that is a header and CMCD alone: no
    /// token, no claim and no redirect has a part in it.
    pub(super) fn plain_name(&self) -> Option<PlainName> {
        let Asked { head, .. } = self.asked;
        let has_token = |path_index| self.asked.token_text(path_index).is_some();
        if self.protected.reads_cat() || self.protected.token_positions().any(has_token) {
            return None;
        }
        // The stream first: where it is to be told by a redirect, that is the end of it.
        let stream = first_said(&self.protected.stream, |carrier| match carrier {
            StreamCarrier::Token(_) => Some(None),
            StreamCarrier::Header(name) => Some(head.header(name)),
            StreamCarrier::CmcdSid => {
                let sid = self.cmcd().sid();
                Some(sid.map(String::into_bytes))
            }
            StreamCarrier::JwtClaim(_)
            | StreamCarrier::CatId
            | StreamCarrier::Redirect
            | StreamCarrier::AddressAndAgent => None,
        })?;
        let subject = first_said(&self.protected.subject, |carrier| match carrier {
            SubjectCarrier::Token(_) => Some(None),
            SubjectCarrier::Header(name) => Some(head.header(name)),
            SubjectCarrier::JwtClaim(_) | SubjectCarrier::CatSubject => None,
        })?;
        Some(PlainName::of([stream, subject]))
    }

    /// What is kept of its path until the response, for the log.
    pub(super) fn kept_path(&self) -> Vec<u8> {
        let path = self.asked.path;
        path.get(..PATH_MAX).unwrap_or(path).to_vec()
    }

    pub(super) fn forward(&self, watch: Option<Watch>) -> Step {
        let mut scrub = self.scrub();
        let rewrite = self.rewrite(&mut scrub);
        self.passage(watch, scrub, rewrite)
    }

    /// The same for what the record was looked at: its response is looked at, too.
    pub(super) fn forward_by_record(&self, watch: Option<Watch>) -> Step {
        let mut scrub = self.scrub();
        let rewrite = self.rewrite_all(&mut scrub, true);
        self.passage(watch, scrub, rewrite)
    }

    fn passage(&self, watch: Option<Watch>, scrub: Scrub, rewrite: Option<Box<Rewrite>>) -> Step {
        Step::Forward(Forward {
            strip: self.strip,
            rewrite,
            scrub,
            renewed: None,
            watch,
        })
    }

    /// Who watches.
    ///
    /// # Errors
    ///
    /// The [`Reason`] to refuse for.
    pub(super) fn identify(&self, wish: Wish, good: &mut GoodTokens) -> Result<Viewer<'a>, Reason> {
        let (config, now) = (self.config, self.now());
        let ahead_ms = credentials_ahead_ms(config, self.host);
        viewer::identify(
            config,
            self.protected,
            &self.asked,
            wish,
            good,
            now,
            ahead_ms,
        )
    }

    /// What is known of the stream: by its token, and by this request.
    pub(super) fn facts(&self, viewer: &Viewer<'_>) -> Result<Facts, Reason> {
        let mut attributes = viewer.attributes.clone();
        attributes.merge(&self.own_attributes()?);
        Ok(Facts {
            attributes,
            limits: viewer.limits.clone(),
            buffer: self.buffer(),
            client: self.client(&viewer.subject),
        })
    }

    /// What this request itself says of the stream.
    pub(super) fn own_attributes(&self) -> Result<Attributes, Reason> {
        viewer::attributes(self.config, self.protected, &self.asked)
    }

    /// When what vouches for the viewer ends. May cost a host call, which is why it is asked
    /// where something is given out for it: a lease, or a token.
    pub(super) fn credential_ends_at(&self, viewer: &Viewer<'_>) -> Option<Moment> {
        let jwt = match viewer.is_by_jwt {
            true => Credential::Jwt,
            false => Credential::Endless,
        };
        let ahead_ms = credentials_ahead_ms(self.config, self.host);
        let jwt_ends_at = credential_ends_at(self.config, self.asked.head, jwt)
            .map(|end| end.shifted_ms(ahead_ms.saturating_neg()));
        earlier(viewer.expires_at, jwt_ends_at)
    }

    /// What to remember of a stream that is let through.
    pub(super) fn leased(&self, viewer: &Viewer<'_>, stream: StreamKey, recurring: bool) -> Leased {
        let root = viewer::root(self.protected, self.asked.file);
        // A scope that has no reading was found to be the prefix's own.
        let scope = Reading::of(viewer.scope.as_bytes());
        let scope = scope.as_deref().unwrap_or_default();
        let scope = if root.len() > scope.len() {
            root
        } else {
            scope
        };
        Leased {
            subject: viewer.subject,
            stream,
            application: Arc::clone(viewer.application),
            expires_at: self.credential_ends_at(viewer),
            scope: match self.protected.prefix.as_bytes().starts_with(scope) {
                true => Some(Box::default()),
                false => (scope.len() <= SCOPE_MAX).then(|| scope.into()),
            },
            recurring,
            client: self.client(&viewer.subject).map(Box::new),
        }
    }

    /// The refusal of a request of nobody who is known.
    pub(super) fn refuse_unidentified(&self, reason: Reason) -> Step {
        // A dot segment may stand in what would be a token, were it one.
        let token = self.asked.token.unwrap_or_default();
        let has_dots = token.iter().any(|byte| matches!(byte, b'.' | b'%'));
        let reason = match has_dots && Reading::of(token).is_err() {
            true => Reason::Malformed,
            false => reason,
        };
        self.refuse(Who::default(), reason, None)
    }

    pub(super) fn refuse(&self, who: Who<'_>, reason: Reason, refused: Option<Why<'_>>) -> Step {
        let what = RefusedRequest {
            now: self.now(),
            path_index: self.path_index,
            path: &self.without_token_parameters(),
            languages: &languages(self.config, self.asked.head),
        };
        Step::Reply(refuse(self.config, self.host, what, who, reason, refused))
    }
}

impl PlaybackPath {
    /// After how much less than this to live, in milliseconds, a stream is renewed:
    /// when a third of its timeout has passed.
    pub(super) fn renew_below_ms(&self) -> u64 {
        self.timeout_ms.saturating_sub(self.renew_every_ms())
    }

    /// How long a stream is not renewed again, in milliseconds.
    pub(super) const fn renew_every_ms(&self) -> u64 {
        self.timeout_ms.div_ceil(3)
    }

    /// A request of `stream` that keeps it alive, as an event.
    pub(super) fn play(
        &self,
        stream: StreamKey,
        recurring: bool,
        application: &Arc<Application>,
        facts: Facts,
    ) -> Play {
        Play {
            stream,
            application: Arc::clone(application),
            attributes: facts.attributes,
            limits: facts.limits,
            terminate: Vec::new(),
            timeout_ms: self.timeout_ms,
            buffer_ms: facts.buffer.ms,
            renew_below_ms: self.renew_below_ms(),
            unknown: match self.start {
                Start::Implicit => Unknown::Starts,
                Start::SessionRequired => Unknown::IsOver,
            },
            liveness: self.liveness,
            recurring,
            is_call: false,
            sharing: self.sharing.zip(facts.client),
        }
    }

    /// The lease of a stream that plays here, at this place, since `now`.
    /// `is_in_headers`: its player's CMCD is. The lease of one that lives long by its buffer is due as early as
    /// another's: the record is looked at then, not written.
    pub(super) fn lease(
        &self,
        (records, path_index): (&Records, usize),
        stream: &Rc<Leased>,
        decided: &Decided,
        plays: &Plays,
        (now, is_in_headers): (Moment, bool),
    ) -> Option<Lease> {
        let Basis {
            generation,
            pending,
        } = decided.basis?;
        let scope = stream.scope.as_deref()?;
        let due_ms = plays
            .lapses_at
            .as_ms()
            .saturating_sub(self.renew_below_ms())
            .min(now.plus_ms(self.renew_every_ms()).as_ms());
        let expiry = |moment: Moment| stream.expires_at.map_or(moment, |end| end.min(moment));
        let ends_at = expiry(plays.lapses_at);
        let due_before_ms = ends_at.ms_since(expiry(Moment::from_ms(due_ms)));
        Some(Lease {
            stream: Rc::clone(stream),
            path_index,
            group: records.group_of(&stream.subject),
            is_anywhere: scope.is_empty(),
            is_in_headers,
            generation,
            looked: Cell::default(),
            // What the request says of the stream may not be on record yet.
            due_before_ms: match pending {
                true => u32::MAX,
                false => u32::try_from(due_before_ms).unwrap_or(u32::MAX),
            },
            ends_at,
        })
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

/// The first value that one of the carriers has, and its place; `None` if there is none, or if
/// one before it is of a kind that `said` gives `None` for.
fn first_said<C>(
    carriers: &[C],
    said: impl Fn(&C) -> Option<Option<Vec<u8>>>,
) -> Option<(usize, Vec<u8>)> {
    for (path_index, carrier) in carriers.iter().enumerate() {
        if let Some(value) = said(carrier)? {
            return Some((path_index, value));
        }
    }
    None
}
