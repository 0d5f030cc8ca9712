//! Carrying calls out, and answering them.

use std::sync::Arc;

use super::attributes::read_attributes;
use super::body::{RunningStream, RunningStreams, Session, SessionBody, problem};
use super::call::{Call, MAX_BODY, PendingCall, Target, TargetError, split_query};
use super::credentials;
use crate::activity::{Activity, Attributes, Stream};
use crate::advice::{self, EvaluationResult};
use crate::config::{Compatibility, Config};
use crate::exchange::{Answer, Head, Record, Reply, languages};
use crate::fleet::Question;
use crate::keeper::{Keeper, Ruling};
use crate::ledger::{Decided, Outage, activity};
use crate::limits::Limits;
use crate::metric::Metric;
use crate::moment::Moment;
use crate::policy::{Application, Event, Liveness, Play, Plays, Refused, Unknown, Verdict};
use crate::ports::Host;
use crate::reason::Reason;
use crate::signed::{PlaybackToken, issue_session_id, read_session_id};
use crate::stream_key::StreamKey;
use crate::subject::SubjectKey;
use crate::text::printable;

/// The most termination codes one create may name.
const TERMINATE_MAX: usize = 32;

/// What is to become of a call whose head is there.
#[derive(Debug)]
#[must_use]
pub(crate) enum Begun {
    /// It is answered.
    Reply(Reply),
    /// Its body is needed first.
    AwaitBody(PendingCall),
    /// The fleet's store has to be asked first.
    Wait(Unanswered),
}

/// Handles a call's head. `path` is what follows the base path, query included;
/// `ends` says that no body follows.
pub(crate) fn begin(
    config: &Config,
    host: &impl Host,
    head: &impl Head,
    path: &[u8],
    ends: bool,
    keeper: &mut Keeper<'_>,
) -> Begun {
    let (path, query) = split_query(path);
    let target = match Target::read(path) {
        Ok(target) => target,
        Err(error) => return Begun::Reply(no_target(config, host, error)),
    };
    let logged_path = format!("{}{}", config.sessions.base_path, target.template());
    let reply = |answer| {
        Begun::Reply(Reply {
            answer,
            logged_path: Some(logged_path.clone().into_bytes()),
            record: None,
        })
    };

    let authorization = head.header("authorization");
    let book = &config.ledger.book;
    let Some(application) = credentials::application(book, authorization.as_deref()) else {
        host.add(Metric::RefusalsCredential, 1);
        return reply(unauthorized());
    };
    let method = head.header(":method").unwrap_or_default();
    let call = match (method.as_slice(), &target) {
        (b"POST", Target::Sessions { .. }) => match terminate(head) {
            Some(terminate) => Call::Create { terminate },
            None => {
                let detail = "X-Terminate takes up to 32 termination codes";
                return reply(malformed(host, detail));
            }
        },
        (b"POST", Target::Session { session, .. }) => Call::Heartbeat {
            session: session.clone(),
        },
        (b"DELETE", Target::Session { session, .. }) => Call::Stop {
            session: session.clone(),
        },
        (b"GET", Target::RunningStreams { .. }) => Call::RunningStreams,
        (b"GET", Target::Metadata) => Call::Metadata,
        _ => return reply(Answer::empty(405).with("allow", target.allows())),
    };
    let mut attributes = Attributes::default();
    if let Err(error) = read_attributes(&mut attributes, query) {
        return reply(malformed(host, error.detail()));
    }
    let (idp, subject) = target.account();
    let pending = PendingCall {
        application: application.id.clone(),
        account_path: account_path(path),
        subject: config.hasher.subject(idp, subject),
        attributes,
        logged_path,
        languages: languages(head),
        call,
    };
    if !ends {
        return Begun::AwaitBody(pending);
    }
    match finish(config, host, pending, &[], keeper) {
        Finished::Reply(reply) => Begun::Reply(reply),
        Finished::Wait(unanswered) => Begun::Wait(unanswered),
    }
}

/// What is to become of a call that is there as a whole.
#[derive(Debug)]
#[must_use]
pub(crate) enum Finished {
    /// It is answered.
    Reply(Reply),
    /// The fleet's store has to be asked first: hand this to [`resume`] with the answer.
    Wait(Unanswered),
}

/// A call that waits for the fleet's store.
#[derive(Debug, Clone)]
pub struct Unanswered {
    understood: Understood,
    /// What it is about.
    pub(crate) subject: SubjectKey,
    /// What the store is asked.
    pub(crate) question: Question,
}

impl Unanswered {
    /// What takes back the start of a new stream, should it have come about unnoticed.
    pub(crate) fn undo(&self) -> Option<(SubjectKey, Event)> {
        let Wish::Create(stream) = self.understood.wish else {
            return None;
        };
        let application = Arc::clone(&self.understood.application);
        let event = Event::Stop {
            stream,
            application,
        };
        Some((self.subject, event))
    }
}

/// A call as it was understood.
#[derive(Debug, Clone)]
struct Understood {
    wish: Wish,
    application: Arc<Application>,
    account_path: String,
    subject: SubjectKey,
    logged_path: String,
    languages: String,
}

/// What a call wishes for.
#[derive(Debug, Clone, Copy)]
enum Wish {
    Create(StreamKey),
    Heartbeat(StreamKey),
    Stop(StreamKey),
    RunningStreams,
}

impl Understood {
    fn reply(&self, (answer, record): Answered) -> Reply {
        Reply {
            answer,
            logged_path: Some(self.logged_path.clone().into_bytes()),
            record,
        }
    }

    fn caller<'a>(&'a self, config: &'a Config, now: Moment) -> Caller<'a> {
        Caller {
            config,
            application: &self.application,
            account_path: &self.account_path,
            languages: &self.languages,
            subject: &self.subject,
            now,
        }
    }
}

/// Carries a call out once its body is there.
pub(crate) fn finish(
    config: &Config,
    host: &impl Host,
    pending: PendingCall,
    body: &[u8],
    keeper: &mut Keeper<'_>,
) -> Finished {
    let PendingCall {
        call,
        application,
        account_path,
        subject,
        mut attributes,
        logged_path,
        languages,
    } = pending;
    let reply = |answer| {
        Finished::Reply(Reply {
            answer,
            logged_path: Some(logged_path.clone().into_bytes()),
            record: None,
        })
    };
    if body.len() > MAX_BODY {
        host.add(Metric::RefusalsMalformed, 1);
        return reply(problem(413, "the body is larger than 16 KiB"));
    }
    if let Err(error) = read_attributes(&mut attributes, body) {
        return reply(malformed(host, error.detail()));
    }
    let Some(application) = config.ledger.book.application(&application) else {
        return reply(unauthorized());
    };
    let now = host.now();
    let mut understood = Understood {
        wish: Wish::RunningStreams,
        application: Arc::clone(application),
        account_path,
        subject,
        logged_path: logged_path.clone(),
        languages,
    };
    let caller = understood.caller(config, now);
    let (wish, event) = match call {
        Call::Metadata => return reply(caller.metadata()),
        Call::RunningStreams => (Wish::RunningStreams, None),
        Call::Create { terminate } => {
            let stream = StreamKey::mint(now, host.random());
            let play = caller.play(stream, attributes, terminate, Unknown::IsNew);
            (Wish::Create(stream), Some(Event::Play(play)))
        }
        Call::Heartbeat { session } => {
            let Ok(stream) = caller.read_session(&session) else {
                return reply(Answer::empty(404));
            };
            let play = caller.play(stream, attributes, Vec::new(), Unknown::IsOver);
            (Wish::Heartbeat(stream), Some(Event::Play(play)))
        }
        Call::Stop { session } => {
            let Ok(stream) = caller.read_session(&session) else {
                return reply(Answer::empty(404));
            };
            let application = Arc::clone(application);
            let event = Event::Stop {
                stream,
                application,
            };
            (Wish::Stop(stream), Some(event))
        }
    };
    understood.wish = wish;
    let question = event.map_or(Question::Look, Question::Decide);
    carry_out(config, host, understood, question, keeper, now)
}

/// Goes on with a call that has waited. `keeper` knows how that went.
pub(crate) fn resume(
    config: &Config,
    host: &impl Host,
    unanswered: Unanswered,
    decided: Option<Result<Decided, Outage>>,
    keeper: &mut Keeper<'_>,
) -> Finished {
    let Unanswered {
        understood,
        question,
        ..
    } = unanswered;
    let now = host.now();
    match decided {
        Some(decided) => {
            let caller = understood.caller(config, now);
            let verdict = decided.map(|decided| decided.verdict);
            let answered = caller.answer(host, understood.wish, verdict);
            Finished::Reply(understood.reply(answered))
        }
        None => carry_out(config, host, understood, question, keeper, now),
    }
}

fn carry_out(
    config: &Config,
    host: &impl Host,
    understood: Understood,
    question: Question,
    keeper: &mut Keeper<'_>,
    now: Moment,
) -> Finished {
    let caller = understood.caller(config, now);
    let subject = understood.subject;
    let verdict = match &question {
        Question::Look if keeper.must_look(&subject) => None,
        Question::Look => {
            let answer = caller.running_streams(host);
            return Finished::Reply(understood.reply((answer, None)));
        }
        Question::Decide(event) => match keeper.decide(host, &subject, event, false, now) {
            Ok(Ruling::Decided(decided)) => Some(Ok(decided.verdict)),
            Ok(Ruling::Wait | Ruling::Later) => None,
            Err(outage) => Some(Err(outage)),
        },
    };
    match verdict {
        Some(verdict) => {
            let answered = caller.answer(host, understood.wish, verdict);
            Finished::Reply(understood.reply(answered))
        }
        None => Finished::Wait(Unanswered {
            understood,
            subject,
            question,
        }),
    }
}

/// Who calls, about whom, when.
struct Caller<'a> {
    config: &'a Config,
    application: &'a Arc<Application>,
    account_path: &'a str,
    languages: &'a str,
    subject: &'a SubjectKey,
    now: Moment,
}

type Answered = (Answer, Option<Record>);

impl Caller<'_> {
    /// The answer to a call that was decided, or could not be.
    fn answer(&self, host: &impl Host, wish: Wish, verdict: Result<Verdict, Outage>) -> Answered {
        let (Wish::Create(stream) | Wish::Heartbeat(stream) | Wish::Stop(stream)) = wish else {
            return (self.running_streams(host), None);
        };
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(outage) => return self.unavailable(host, outage, &stream),
        };
        match (wish, verdict) {
            (_, Verdict::Refused(refused)) => self.refuse(host, &refused, &stream),
            (Wish::Create(_), Verdict::Plays(plays)) => {
                let record = self.record("start", None, &stream);
                (self.created(&stream, &plays), Some(record))
            }
            (Wish::Heartbeat(_), Verdict::Plays(plays)) => {
                host.add(Metric::Heartbeats, 1);
                let body = self.session(&stream, &plays, None);
                (self.accepted(&body, &plays, None), None)
            }
            (Wish::Stop(_), _) => {
                let record = self.record("stop", None, &stream);
                (Answer::empty(202), Some(record))
            }
            _ => (Answer::empty(202), None),
        }
    }

    fn running_streams(&self, host: &impl Host) -> Answer {
        let Activity { streams, .. } = activity(host, &self.config.ledger, self.subject, self.now);
        let (listed, other): (Vec<_>, Vec<_>) = streams
            .iter()
            .partition(|stream| self.may_see(&stream.application));
        let lapses = listed.iter().map(|stream| stream.lapses_at).min();
        let body = RunningStreams {
            running_streams: listed
                .into_iter()
                .map(|stream| self.running_stream(stream))
                .collect(),
            other_streams: other.len(),
        };
        let answer = Answer::json(200, "application/json", &body);
        match lapses {
            Some(at) => answer.with("expires", at.to_http_date()),
            None => answer,
        }
    }

    fn metadata(&self) -> Answer {
        let names = self.config.ledger.book.needs(self.application);
        Answer::json(200, "application/json", &names)
    }

    /// Whether this application is shown streams of that one: its own, its tenant's,
    /// and those that share a policy with it.
    fn may_see(&self, application: &str) -> bool {
        let book = &self.config.ledger.book;
        if application == self.application.id {
            return true;
        }
        book.application(application)
            .is_some_and(|other| other.tenant == self.application.tenant)
            || book
                .policies_of(self.application)
                .any(|(place, _)| book.sees(place, application))
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

    fn play(
        &self,
        stream: StreamKey,
        attributes: Attributes,
        terminate: Vec<String>,
        unknown: Unknown,
    ) -> Play {
        Play {
            stream,
            application: Arc::clone(self.application),
            attributes,
            terminate,
            timeout_ms: self.config.sessions.timeout_ms,
            // A heartbeat always renews: the application was told by when to come next.
            renew_below_ms: u64::MAX,
            unknown,
            limits: Limits::default(),
            liveness: Liveness::Any,
            recurring: false,
            is_call: true,
        }
    }

    fn created(&self, stream: &StreamKey, plays: &Plays) -> Answer {
        let token = PlaybackToken {
            subject: *self.subject,
            stream: *stream,
            application: self.application.id.clone(),
            scope: String::new(),
            attributes: Attributes::default(),
            limits: Limits::default(),
            expires_at: self.now.plus_ms(self.config.sessions.token_lifetime_ms),
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
                    self.config.sessions.base_path, self.account_path
                ),
                id,
                expires: self.next_heartbeat(plays).to_rfc3339_seconds(),
                heartbeat_seconds: self.config.sessions.heartbeat_ms.div_ceil(1000),
                policy_compliant: true,
                playback_prefix: playback_token.as_ref().map(|token| format!("/~{token}")),
                playback_token,
            },
        }
    }

    fn session_id(&self, stream: &StreamKey) -> String {
        issue_session_id(&self.config.sessions.ring, self.subject, stream)
    }

    fn read_session(&self, session: &str) -> Result<StreamKey, crate::signed::UnknownSession> {
        read_session_id(&self.config.sessions.ring, self.subject, session)
    }

    fn refuse(&self, host: &impl Host, refused: &Refused, stream: &StreamKey) -> Answered {
        let reason = Reason::of(refused);
        host.add(reason.metric(), 1);
        let evaluation =
            || EvaluationResult::of(refused, self.config, self.subject, self.languages);
        let answer = match refused {
            Refused::Conflict(_) | Refused::Evicted(_) | Refused::SubjectFull => {
                Answer::json(409, "application/json", &evaluation())
            }
            Refused::Killed(_) => Answer::json(410, "application/json", &evaluation()),
            Refused::Over => Answer::empty(410),
            Refused::Foreign => problem(403, "the session belongs to another application"),
            Refused::MissingAttributes(_) => Answer::json(400, "application/json", &evaluation()),
            Refused::TooManyAttributes => problem(400, reason.detail()),
            Refused::Immutable(name) => {
                problem(400, &format!("{name} is set and must stay as it is"))
            }
            Refused::Throttled { until } => {
                Answer::empty(429).with("expires", until.to_http_date())
            }
        };
        (answer, Some(self.record("refusal", Some(reason), stream)))
    }

    fn unavailable(&self, host: &impl Host, outage: Outage, stream: &StreamKey) -> Answered {
        let reason = Reason::of_outage(outage);
        host.add(reason.metric(), 1);
        let answer = problem(503, reason.detail()).with(
            "retry-after",
            reason
                .retry_after_s(self.config.sessions.timeout_ms)
                .to_string(),
        );
        (answer, Some(self.record("refusal", Some(reason), stream)))
    }

    fn record(&self, event: &'static str, reason: Option<Reason>, stream: &StreamKey) -> Record {
        Record {
            event,
            reason: reason.map(Reason::code),
            subject: Some(*self.subject),
            stream: Some(*stream),
            application: Some(self.application.id.clone()),
        }
    }
}

fn malformed(host: &impl Host, detail: &str) -> Answer {
    host.add(Metric::RefusalsMalformed, 1);
    problem(400, detail)
}

fn unauthorized() -> Answer {
    problem(
        401,
        "send an application id as the HTTP Basic user name, with an empty password",
    )
    .with("www-authenticate", "Basic realm=\"streamgate\"")
}

fn no_target(config: &Config, host: &impl Host, error: TargetError) -> Reply {
    let answer = match error {
        TargetError::Unknown => problem(404, "there is nothing at this path"),
        TargetError::Malformed => malformed(
            host,
            "idp, subject and session must be percent-encoded UTF-8 of 1 to 256 bytes",
        ),
    };
    Reply {
        answer,
        logged_path: Some(format!("{}/*", config.sessions.base_path).into_bytes()),
        record: None,
    }
}

/// The codes in every `X-Terminate` header, alone or in comma lists; `None` if they
/// are no codes or too many.
fn terminate(head: &impl Head) -> Option<Vec<String>> {
    let mut codes = Vec::new();
    for value in head.headers("x-terminate") {
        for code in printable(&value).ok()?.split(',') {
            let code = code.trim();
            if !code.is_empty() {
                codes.push(code.to_owned());
            }
        }
    }
    (codes.len() <= TERMINATE_MAX).then_some(codes)
}

/// `{idp}/{subject}` as the client spelled it. The path was found well-formed.
fn account_path(path: &[u8]) -> String {
    let segments: Vec<_> = path.split(|byte| *byte == b'/').skip(2).take(2).collect();
    String::from_utf8_lossy(&segments.join(&b'/')).into_owned()
}
