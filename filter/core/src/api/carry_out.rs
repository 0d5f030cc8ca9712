//! Carrying calls out: what is asked of the record, and waiting where it cannot tell yet.

use core::cell::OnceCell;
use std::borrow::Cow;
use std::sync::Arc;

use streamgate_policy::{Application, Event, Unknown};
use streamgate_record::fleet::Question;
use streamgate_record::metric::Metric;
use streamgate_record::ports::Host;
use streamgate_record::{Decided, Unavailable};
use streamgate_values::attributes::Attributes;
use streamgate_values::head::Head;
use streamgate_values::moment::Moment;
use streamgate_values::path::Reading;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;
use streamgate_values::text::printable;

use super::attributes::{read_attributes, read_json};
use super::body::problem;
use super::call::{BodyType, Call, MAX_BODY, PendingCall, Target, TargetError, split_query};
use super::creates_by_client::CreatesByClient;
use super::credentials;
use super::refused::{refusal, refused_for};
use super::respond::{Answered, Caller, Wish, malformed, unauthorized};
use crate::authority::{Authority, Decision};
use crate::config::{Config, SessionApi};
use crate::exchange::{Answer, Reply};
use crate::refusal::advice::languages;
use crate::refusal::reason::Reason;
use crate::request::viewer::{Asked, GoodTokens, Proof, client_network, prove, without_parameters};

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

/// A call as it comes in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Called<'a> {
    /// Its path, query included.
    pub(crate) whole: &'a [u8],
    /// What of that follows the base path.
    pub(crate) path: &'a [u8],
    /// No body follows.
    pub(crate) ends: bool,
}

/// What this worker remembers of callers.
#[derive(Debug)]
pub(crate) struct Door<'a> {
    pub(crate) good: &'a mut GoodTokens,
    pub(crate) creates: &'a mut CreatesByClient,
}

/// Handles a call's head.
pub(crate) fn begin(
    config: &Config,
    api: &SessionApi,
    host: &impl Host,
    head: &impl Head,
    called: Called<'_>,
    door: &mut Door<'_>,
    authority: &mut Authority<'_>,
) -> Begun {
    let (path, query) = split_query(called.path);
    let target = match Target::read(path) {
        Ok(target) => target,
        Err(error) => return Begun::Reply(no_target(config, host, error)),
    };
    let logged_path = format!("{}{}", config.sessions.base_path, target.template());
    let authorization = head.header("authorization");
    let application = credentials::application(config, api, authorization.as_deref());
    let reply = |answer: Answer| {
        let application = application.map(|application| application.id.as_str());
        Begun::Reply(Reply {
            record: refusal(answer.status, None, application),
            answer,
            logged_path: Some(logged_path.clone().into_bytes()),
        })
    };
    let Some(application) = application else {
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
    let (idp, subject) = target.account();
    let subject_key = config.hasher.subject(idp, subject);
    let refuse = |answer, reason: Reason| {
        host.add(reason.metric(), 1);
        Begun::Reply(Reply {
            answer,
            logged_path: Some(logged_path.clone().into_bytes()),
            record: Some(refused_for(reason, subject_key, &application.id)),
        })
    };
    let mut proof = Proof::default();
    if call != Call::Metadata {
        let Ok(file) = Reading::of(called.whole) else {
            return reply(malformed(host, "a path has no dot segments"));
        };
        let asked = Asked {
            head,
            token: None,
            path: called.whole,
            file: &file,
            cookies: OnceCell::new(),
        };
        let account = (idp, subject);
        proof = match prove(config, api, door.good, &asked, account, || host.now()) {
            Ok(proof) => proof,
            Err(reason) => return refuse(problem(403, reason.detail()), reason),
        };
    }
    if matches!(call, Call::Create { .. })
        && let Some(per_minute) = api.creates_per_client
        && let Some(client) = client_network(head)
        && let Err(until) = door.creates.count(&client, per_minute, host.now())
    {
        let answer = Answer::empty(429).with("expires", until.to_http_date());
        return refuse(answer, Reason::Throttled);
    }
    let mut attributes = Attributes::default();
    if let Err(error) = read_attributes(&mut attributes, &without_token(config, query)) {
        return reply(malformed(host, error.detail()));
    }
    let pending = PendingCall {
        application: application.id.clone(),
        account_path: account_path(path),
        subject: subject_key,
        attributes,
        body_type: match called.ends {
            true => BodyType::Form,
            false => BodyType::of(head),
        },
        proof,
        logged_path,
        languages: languages(config, head),
        call,
    };
    if !called.ends {
        return Begun::AwaitBody(pending);
    }
    match finish(config, host, pending, &[], authority) {
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
    device: Option<String>,
    proof: Proof,
    logged_path: String,
    languages: String,
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
            device: self.device.as_deref(),
            proof: &self.proof,
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
    authority: &mut Authority<'_>,
) -> Finished {
    let PendingCall {
        call,
        application,
        account_path,
        subject,
        mut attributes,
        body_type,
        proof,
        logged_path,
        languages,
    } = pending;
    let calls = config.records.book.application(&application);
    let reply = |answer: Answer| {
        let application = calls.map(|application| application.id.as_str());
        Finished::Reply(Reply {
            record: refusal(answer.status, Some(subject), application),
            answer,
            logged_path: Some(logged_path.clone().into_bytes()),
        })
    };
    if body.len() > MAX_BODY {
        host.add(Metric::RefusalsMalformed, 1);
        return reply(problem(413, "the body is larger than 16 KiB"));
    }
    let read = match body_type {
        _ if body.is_empty() => Ok(()),
        BodyType::Form => read_attributes(&mut attributes, body),
        BodyType::Json => read_json(&mut attributes, body),
        BodyType::Other => {
            host.add(Metric::RefusalsMalformed, 1);
            let detail = "the body may be application/x-www-form-urlencoded or application/json";
            return reply(problem(415, detail));
        }
    };
    if let Err(error) = read {
        return reply(malformed(host, error.detail()));
    }
    let Some(application) = calls else {
        return reply(unauthorized());
    };
    let now = host.now();
    let mut understood = Understood {
        wish: Wish::RunningStreams,
        application: Arc::clone(application),
        account_path,
        subject,
        device: attributes.value("deviceName").map(str::to_owned),
        proof,
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
    carry_out(config, host, understood, question, authority, now)
}

/// Goes on with a call that has waited, by what the store `decided`, or else `authority` does.
pub(crate) fn resume(
    config: &Config,
    host: &impl Host,
    unanswered: Unanswered,
    decided: Option<Result<Decided, Unavailable>>,
    authority: &mut Authority<'_>,
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
        None => carry_out(config, host, understood, question, authority, now),
    }
}

fn carry_out(
    config: &Config,
    host: &impl Host,
    understood: Understood,
    question: Question,
    authority: &mut Authority<'_>,
    now: Moment,
) -> Finished {
    let caller = understood.caller(config, now);
    let subject = understood.subject;
    let verdict = match &question {
        Question::Look if authority.must_look(&subject) => None,
        Question::Look => {
            let answer = caller.running_streams(host);
            return Finished::Reply(understood.reply((answer, None)));
        }
        Question::Decide(event) => match authority.decide(host, &subject, event, false, now) {
            Ok(Decision::Decided(decided)) => Some(Ok(decided.verdict)),
            Ok(Decision::Wait | Decision::Later) => None,
            Err(unavailable) => Some(Err(unavailable)),
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

/// A query without the Common Access Token that may stand in it: it is no attribute.
fn without_token<'q>(config: &Config, query: &'q [u8]) -> Cow<'q, [u8]> {
    let Some(cat) = &config.cat else {
        return Cow::Borrowed(query);
    };
    let address = [b"?", query].concat();
    match without_parameters(&address, &[&cat.query]) {
        Some(rest) => Cow::Owned(split_query(&rest).1.to_vec()),
        None => Cow::Borrowed(query),
    }
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
        record: refusal(answer.status, None, None),
        answer,
        logged_path: Some(format!("{}/*", config.sessions.base_path).into_bytes()),
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
