//! Carrying calls out: what is asked of the record, and waiting where it cannot tell yet.

use core::cell::OnceCell;
use std::borrow::Cow;
use std::sync::Arc;

use streamgate_policy::{Event, Unknown};
use streamgate_record::fleet::Ticket;
use streamgate_record::metric::Metric;
use streamgate_record::ports::Host;
use streamgate_values::attributes::Attributes;
use streamgate_values::head::Head;
use streamgate_values::path::Reading;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::text::printable;

use super::attributes::{read_attributes, read_form, read_json};
use super::body::problem;
use super::call::{BodyType, Call, MAX_BODY, PendingCall, Resource, ResourceError, split_query};
use super::creates_by_client::CreatesByClient;
use super::credentials;
use super::refused::{refusal, refused_for};
use super::respond::{Caller, malformed, unauthorized};
use super::understood::{CallWish, Understood};
use crate::authority::{AfterDecision, AfterLook, Authority, CopyState, Decision, Inquiry};
use crate::config::{Config, SessionApi};
use crate::credential_clock::credentials_ahead_ms;
use crate::exchange::{Answer, Reply};
use crate::refusal::advice::languages;
use crate::refusal::reason::Reason;
use crate::request::endless::{asks_for_upgrade, endless};
use crate::request::viewer::{Asked, GoodTokens, Proof, client_network, prove, without_parameters};
use crate::step::{Pending, Step};

/// The most termination codes one create may name.
const TERMINATE_MAX: usize = 32;

/// A call as it comes in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Called<'a> {
    /// Its path, query included.
    pub(crate) whole: &'a [u8],
    /// What of that follows the base path.
    pub(crate) path: &'a [u8],
    /// No body follows.
    pub(crate) ends: bool,
    /// Names its request, should it have to wait.
    pub(crate) ticket: Ticket,
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
    authority: &mut Authority,
) -> Step {
    let (path, query) = split_query(called.path);
    let target = match Resource::read(path) {
        Ok(target) => target,
        Err(error) => return Step::Reply(no_target(config, host, error)),
    };
    let logged_path = format!("{}{}", config.sessions.base_path, target.template());
    head.expect_many();
    let authorization = head.header("authorization");
    let application = credentials::application(config, api, authorization.as_deref());
    let reply = |answer: Answer| {
        let application = application.map(|application| application.id.as_str());
        Step::Reply(Reply {
            log_entry: refusal(answer.status, None, application),
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
        (b"POST", Resource::Sessions { .. }) => match terminate(head) {
            Some(terminate) => Call::Create { terminate },
            None => {
                let detail = "X-Terminate takes up to 32 termination codes";
                return reply(malformed(host, detail));
            }
        },
        (b"POST", Resource::Session { session, .. }) => Call::Heartbeat {
            session: session.clone(),
        },
        (b"DELETE", Resource::Session { session, .. }) => Call::Stop {
            session: session.clone(),
        },
        (b"GET", Resource::RunningStreams { .. }) => Call::RunningStreams,
        (b"GET", Resource::Metadata) => Call::Metadata,
        _ => return reply(Answer::empty(405).with("allow", target.allows())),
    };
    let (idp, subject) = target.account();
    let subject_key = config.hasher.subject(idp, subject);
    let refuse = |answer, reason: Reason| {
        host.add(reason.metric(), 1);
        Step::Reply(Reply {
            answer,
            logged_path: Some(logged_path.clone().into_bytes()),
            log_entry: Some(refused_for(reason, subject_key, &application.id)),
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
        let ahead_ms = credentials_ahead_ms(config, host);
        let now = || host.now().shifted_ms(ahead_ms);
        proof = match prove(config, api, door.good, &asked, account, now) {
            Ok(proof) => Proof {
                ends_at: proof
                    .ends_at
                    .map(|end| end.shifted_ms(ahead_ms.saturating_neg())),
                ..proof
            },
            Err(reason) => return refuse(problem(403, reason.detail()), reason),
        };
    }
    if matches!(call, Call::Create { .. })
        && let Some(per_minute) = api.creates_per_client
        && let Some(client) = client_network(head)
        && let now = host.now()
        && let Err(until) = door.creates.count(&client, per_minute, now)
    {
        return refuse(Answer::throttled(until, now), Reason::Throttled);
    }
    let mut attributes = Attributes::default();
    if let Err(error) = read_attributes(&mut attributes, &without_token(config, query)) {
        return reply(malformed(host, error.detail()));
    }
    let has_body = !called.ends && (call.takes_body() || !asks_for_upgrade(head));
    if has_body && let Some((status, detail)) = endless(head) {
        host.add(Metric::RefusalsMalformed, 1);
        return reply(problem(status, detail));
    }
    let pending = PendingCall {
        application: application.id.clone(),
        account_path: account_path(path),
        subject: subject_key,
        attributes,
        body_type: match has_body {
            true => BodyType::of(head),
            false => BodyType::Form,
        },
        proof,
        logged_path,
        languages: languages(config, head),
        call,
    };
    if has_body {
        return Step::AwaitBody(Pending::Call(pending));
    }
    finish(config, host, called.ticket, pending, &[], authority)
}

/// Carries a call out once its body is there.
pub(crate) fn finish(
    config: &Config,
    host: &impl Host,
    ticket: Ticket,
    pending: PendingCall,
    body: &[u8],
    authority: &mut Authority,
) -> Step {
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
        Step::Reply(Reply {
            log_entry: refusal(answer.status, Some(subject), application),
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
        BodyType::Form => read_form(&mut attributes, body),
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
        wish: CallWish::RunningStreams,
        application: Arc::clone(application),
        account_path,
        subject,
        device: attributes.value("deviceName").map(str::to_owned),
        proof,
        logged_path: logged_path.clone(),
        languages,
    };
    let of = Inquiry {
        host,
        records: &config.records,
        ticket,
        subject: &subject,
        now,
        copy_state: CopyState::Unverified,
    };
    let caller = Caller::of(&understood, config, now);
    let (wish, event) = match call {
        Call::Metadata => return reply(caller.metadata()),
        Call::RunningStreams => {
            return match authority.look(&of, || AfterLook::Listing(understood.clone())) {
                Decision::Decided(()) => Step::Reply(caller.listing(host)),
                Decision::Parked => Step::Park,
            };
        }
        Call::Create { terminate } => {
            let stream = StreamKey::mint(now, host.random());
            let play = caller.play(stream, attributes, terminate, Unknown::IsNew);
            (CallWish::Create(stream), Event::Play(play))
        }
        Call::Heartbeat { session } => {
            let Ok(stream) = caller.read_session(&session) else {
                return reply(Answer::empty(404));
            };
            let play = caller.play(stream, attributes, Vec::new(), Unknown::IsOver);
            (CallWish::Heartbeat(stream), Event::Play(play))
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
            (CallWish::Stop(stream), event)
        }
    };
    understood.wish = wish;
    let verdict = match authority.decide(&of, &event, || AfterDecision::Call(understood.clone())) {
        Ok(Decision::Decided(decided)) => Ok(decided.verdict),
        Ok(Decision::Parked) => return Step::Park,
        Err(unavailable) => Err(unavailable),
    };
    Step::Reply(Caller::of(&understood, config, now).decided(host, verdict))
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

fn no_target(config: &Config, host: &impl Host, error: ResourceError) -> Reply {
    let answer = match error {
        ResourceError::Unknown => problem(404, "there is nothing at this path"),
        ResourceError::Malformed => malformed(
            host,
            "idp, subject and session must be percent-encoded UTF-8 of 1 to 256 bytes",
        ),
    };
    Reply {
        log_entry: refusal(answer.status, None, None),
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
    let mut segments = path.split(|byte| *byte == b'/').skip(2);
    let mut next = || core::str::from_utf8(segments.next().unwrap_or_default()).unwrap_or_default();
    [next(), "/", next()].concat()
}
