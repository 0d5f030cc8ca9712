//! Answering calls.

use std::sync::Arc;

use streamgate_policy::activity::Liveness;
use streamgate_policy::activity::{Activity, Stream};
use streamgate_policy::{Play, Plays, Refused, Unknown, Verdict};
use streamgate_record::metric::Metric;
use streamgate_record::ports::Host;
use streamgate_record::{Unavailable, activity};
use streamgate_tokens::signed::{PlaybackToken, issue_session_id, read_session_id};
use streamgate_values::attributes::Attributes;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::body::{RunningStream, RunningStreams, Session, SessionBody, problem};
use super::understood::{CallWish, Understood};
use crate::config::{Compatibility, Config};
use crate::exchange::{Answer, LogEntry, Reply};
use crate::refusal::advice::{self, EvaluationResult};
use crate::refusal::cause;
use crate::refusal::counted::Counted;
use crate::refusal::reason::Reason;
use crate::refusal::repeated::Room;

/// Whoever made a call, to be answered now.
pub(crate) struct Caller<'a> {
    config: &'a Config,
    call: &'a Understood,
    now: Moment,
}

type Answered = (Answer, Option<LogEntry>);

impl<'a> Caller<'a> {
    pub(crate) const fn of(call: &'a Understood, config: &'a Config, now: Moment) -> Self {
        Self { config, call, now }
    }

    /// The reply to a call that was decided, or could not be.
    pub(crate) fn decided(&self, host: &impl Host, verdict: Result<Verdict, Unavailable>) -> Reply {
        self.reply(self.answer(host, verdict))
    }

    /// The reply that lists the streams of the subject.
    pub(crate) fn listing(&self, host: &impl Host) -> Reply {
        self.reply((self.running_streams(host), None))
    }

    fn reply(&self, (answer, log_entry): Answered) -> Reply {
        Reply {
            answer,
            logged_path: Some(self.call.logged_path.as_bytes().to_vec()),
            log_entry,
        }
    }

    fn answer(&self, host: &impl Host, verdict: Result<Verdict, Unavailable>) -> Answered {
        let wish = self.call.wish;
        let (CallWish::Create(stream) | CallWish::Heartbeat(stream) | CallWish::Stop(stream)) =
            wish
        else {
            return (self.running_streams(host), None);
        };
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(unavailable) => return self.unavailable(host, unavailable, &stream),
        };
        match (wish, verdict) {
            (_, Verdict::Refused(refused)) => self.refuse(host, &refused, &stream),
            (CallWish::Create(_), Verdict::Plays(plays)) => {
                // Its player has started the stream, and left a line then.
                if let Some(taken) = plays.taken {
                    return (self.created(&taken, &plays), None);
                }
                let (reason, cause) = cause::of_start(&plays);
                let log_entry = LogEntry {
                    reason,
                    cause,
                    ..self.log_entry("start", None, &stream)
                };
                (self.created(&stream, &plays), Some(log_entry))
            }
            (CallWish::Heartbeat(_), Verdict::Plays(plays)) => {
                host.add(Metric::Heartbeats, 1);
                let body = self.session(&stream, &plays, None);
                (self.accepted(&body, &plays, None), None)
            }
            (CallWish::Stop(_), _) => {
                let log_entry = self.log_entry("stop", None, &stream);
                (Answer::empty(202), Some(log_entry))
            }
            _ => (Answer::empty(202), None),
        }
    }

    fn running_streams(&self, host: &impl Host) -> Answer {
        let Activity { streams, .. } =
            activity(host, &self.config.records, &self.call.subject, self.now);
        let (listed, other): (Vec<_>, Vec<_>) = streams
            .iter()
            .partition(|stream| self.may_see(&stream.application));
        let mut room = Room::default();
        let full = listed.iter().position(|stream| !room.takes(stream));
        let (listed, more) = listed.split_at(full.unwrap_or(listed.len()));
        let lapses = listed.iter().map(|stream| stream.lapses_at).min();
        let body = RunningStreams {
            running_streams: listed
                .iter()
                .map(|stream| self.running_stream(stream))
                .collect(),
            other_streams: other.len().saturating_add(more.len()),
        };
        let answer = Answer::json(200, "application/json", &body);
        match lapses {
            // Both by the same clock: Envoy would add `Date` by its machine's.
            Some(at) => answer
                .with("date", self.now.to_http_date())
                .with("expires", at.to_http_date()),
            None => answer,
        }
    }

    pub(super) fn metadata(&self) -> Answer {
        let names = self.config.records.book.needs(&self.call.application);
        Answer::json(200, "application/json", &names)
    }

    fn may_see(&self, application: &str) -> bool {
        let book = &self.config.records.book;
        book.shows(&self.call.application, application)
    }

    fn running_stream(&self, stream: &Stream) -> RunningStream {
        RunningStream {
            session_id: self.session_id(&stream.key),
            start_time: stream.started_at.as_ms(),
            application_id: stream.application.clone(),
            application_name: advice::application_name(self.config, &stream.application).to_owned(),
            termination_code: stream.key.termination_code(),
            metadata: advice::metadata(stream),
        }
    }

    pub(super) fn play(
        &self,
        stream: StreamKey,
        attributes: Attributes,
        terminate: Vec<String>,
        unknown: Unknown,
    ) -> Play {
        Play {
            stream,
            application: Arc::clone(&self.call.application),
            attributes,
            terminate,
            timeout_ms: self.config.sessions.timeout_ms,
            // A heartbeat always renews: the application was told by when to come next.
            buffer_ms: 0,
            renew_below_ms: u64::MAX,
            unknown,
            limits: self.call.proof.limits.clone(),
            liveness: Liveness::Any,
            recurring: false,
            is_call: true,
            sharing: None,
        }
    }

    fn created(&self, stream: &StreamKey, plays: &Plays) -> Answer {
        let expires_at = self.now.plus_ms(self.config.sessions.token_lifetime_ms);
        let token = PlaybackToken {
            subject: self.call.subject,
            stream: *stream,
            application: self.call.application.id.clone(),
            scope: String::new(),
            attributes: Attributes::default(),
            limits: self.call.proof.limits.clone(),
            // Never longer than what it is issued for.
            expires_at: expires_at.min(self.call.proof.ends_at.unwrap_or(expires_at)),
        };
        let token = token.issue(&self.config.sessions.ring);
        let body = self.session(stream, plays, Some(token));
        let location = match self.config.sessions.compatibility {
            Compatibility::Streamgate => body.session.url.clone(),
            Compatibility::CmV2 => body.session.id.clone(),
        };
        self.accepted(&body, plays, Some(location))
    }

    /// 202 with the moment by which the next heartbeat must come.
    fn accepted(&self, body: &SessionBody, plays: &Plays, location: Option<String>) -> Answer {
        let answer = match self.config.sessions.compatibility {
            Compatibility::Streamgate => Answer::json(202, "application/json", body),
            Compatibility::CmV2 => Answer::empty(202),
        };
        let answer = answer
            .with("date", self.now.to_http_date())
            .with("expires", self.next_heartbeat(plays).to_http_date());
        match location {
            Some(location) => answer.with("location", location),
            None => answer,
        }
    }

    /// By when the next heartbeat must come. Not after the stream is gone: one that
    /// lives by media gets no more time for a heartbeat.
    fn next_heartbeat(&self, plays: &Plays) -> Moment {
        let next = self.now.plus_ms(self.config.sessions.heartbeat_ms);
        next.min(plays.lapses_at)
    }

    fn session(
        &self,
        stream: &StreamKey,
        plays: &Plays,
        playback_token: Option<String>,
    ) -> SessionBody {
        let id = self.session_id(stream);
        SessionBody {
            session: Session {
                url: format!(
                    "{}/sessions/{}/{id}",
                    self.config.sessions.base_path, self.call.account_path
                ),
                id,
                expires: self.next_heartbeat(plays).to_rfc3339_seconds(),
                heartbeat_seconds: self.config.sessions.heartbeat_ms.div_ceil(1000),
                policy_compliant: true,
                active_streams: plays.places.map(|places| places.active),
                max_streams: plays.places.map(|places| places.max),
                playback_prefix: playback_token.as_ref().map(|token| format!("/~{token}")),
                playback_token,
            },
        }
    }

    fn session_id(&self, stream: &StreamKey) -> String {
        issue_session_id(&self.config.sessions.ring, &self.call.subject, stream)
    }

    pub(super) fn read_session(
        &self,
        session: &str,
    ) -> Result<StreamKey, streamgate_tokens::signed::UnknownSession> {
        read_session_id(&self.config.sessions.ring, &self.call.subject, session)
    }

    fn refuse(&self, host: &impl Host, refused: &Refused, stream: &StreamKey) -> Answered {
        let reason = Reason::of(refused);
        Counted::of(reason, Some(refused)).add(host, 1);
        let evaluation = || {
            EvaluationResult::of(
                refused,
                self.config,
                &self.call.subject,
                &self.call.languages,
            )
        };
        let answer = match refused {
            Refused::Conflict(_) | Refused::Evicted(_) | Refused::SubjectFull => {
                let answer = Answer::json(409, "application/json", &evaluation());
                match refused.retry_at() {
                    Some(at) => answer.retry_at(at, self.now),
                    None => answer,
                }
            }
            Refused::Killed(_) => Answer::json(410, "application/json", &evaluation()),
            // Nobody asks where a call of an application comes from.
            Refused::Shared { .. } => problem(403, reason.detail()),
            Refused::Over => Answer::empty(410),
            Refused::Blocked => problem(403, reason.detail()),
            Refused::Foreign => problem(403, "the session belongs to another application"),
            Refused::MissingAttributes(_) => Answer::json(400, "application/json", &evaluation()),
            Refused::TooManyAttributes => problem(400, reason.detail()),
            Refused::Immutable(name) => {
                problem(400, &format!("{name} is set and must stay as it is"))
            }
            Refused::Throttled { until } => Answer::throttled(*until, self.now),
        };
        let log_entry = LogEntry {
            cause: cause::of_refusal(refused),
            ..self.log_entry("refusal", Some(reason), stream)
        };
        (answer, Some(log_entry))
    }

    fn unavailable(
        &self,
        host: &impl Host,
        unavailable: Unavailable,
        stream: &StreamKey,
    ) -> Answered {
        let reason = Reason::of_unavailable(unavailable);
        host.add(reason.metric(), 1);
        let answer = problem(503, reason.detail()).with(
            "retry-after",
            reason
                .retry_after_s(self.config.sessions.timeout_ms)
                .to_string(),
        );
        (
            answer,
            Some(self.log_entry("refusal", Some(reason), stream)),
        )
    }

    fn log_entry(
        &self,
        event: &'static str,
        reason: Option<Reason>,
        stream: &StreamKey,
    ) -> LogEntry {
        LogEntry {
            event,
            reason: reason.map(Reason::code),
            subject: Some(self.call.subject),
            stream: Some(*stream),
            application: Some(self.call.application.id.clone()),
            device: self.call.device.clone(),
            ..LogEntry::default()
        }
    }
}

pub(super) fn malformed(host: &impl Host, detail: &str) -> Answer {
    host.add(Metric::RefusalsMalformed, 1);
    problem(400, detail)
}

pub(super) fn unauthorized() -> Answer {
    problem(
        401,
        "send an application id as the HTTP Basic user name, with its secret as the password, \
         which is empty where it has none",
    )
    .with("www-authenticate", "Basic realm=\"streamgate\"")
}
