//! A call at the door: who calls, what is wanted, and carrying it out.

use streamgate_policy::{Event, Exception, Operation, Verdict};
use streamgate_record::exception_room::has_room;
use streamgate_record::fleet::Ticket;
use streamgate_record::metric::Metric;
use streamgate_record::ports::Host;
use streamgate_record::{Unavailable, activity};
use streamgate_values::head::Head;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;
use streamgate_values::text::split_once;

use super::exception;
use super::json::Json;
use super::levels::levels;
use super::path::{DoorPath, NoDoorPath, after_in, order_in, page_in};
use super::understood::{PendingOperation, UnderstoodOperation};
use super::{OperatorState, account, page, summary, workers};
use crate::authority::{AfterDecision, AfterLook, Authority, CopyState, Decision, Inquiry};
use crate::config::{Config, Operator};
use crate::exchange::{Answer, Cause, Record, Reply};
use crate::refusal::reason::Reason;
use crate::step::{Pending, Step};

/// The largest body in bytes.
const BODY_MAX: usize = 16 * 1024;

/// The most decisions in one answer, and of one account.
const DECISIONS_MAX: u64 = 100;
const OF_ACCOUNT_MAX: usize = 50;

/// What a call is carried out with.
pub(crate) struct AtDoor<'a> {
    pub(crate) config: &'a Config,
    pub(crate) operator: &'a Operator,
    pub(crate) state: &'a mut OperatorState,
    pub(crate) authority: &'a mut Authority,
    pub(crate) ticket: Ticket,
}

impl<'a> AtDoor<'a> {
    fn inquiry<'i, H>(&self, host: &'i H, subject: &'i SubjectKey, now: Moment) -> Inquiry<'i, H>
    where
        'a: 'i,
    {
        Inquiry {
            host,
            records: &self.config.records,
            ticket: self.ticket,
            subject,
            now,
        }
    }

    /// Who was asked about an account: the fleet's store, or this edge, which is alone or cut off.
    fn store_of(&self, subject: &SubjectKey, copy_state: CopyState) -> &'static str {
        self.authority
            .decided_by(subject, copy_state)
            .unwrap_or("alone")
    }
}

/// Handles a call's head. `ends`: no body follows.
pub(crate) fn begin(
    door: &mut AtDoor<'_>,
    host: &impl Host,
    head: &impl Head,
    path: &[u8],
    ends: bool,
) -> Step {
    let (path, query) = split_once(path, b'?').unwrap_or((path, b""));
    let prefix = door.operator.prefix.as_bytes();
    let below = path.strip_prefix(prefix);
    let below = below.filter(|rest| matches!(rest.first(), None | Some(b'/')));
    let Some(below) = below else {
        let answer = match path {
            b"/" => page::to_page(&door.operator.prefix),
            _ => wrong(404, "the operator's door is elsewhere on this listener"),
        };
        return unlogged(answer, "/*");
    };
    let method = head.header(":method").unwrap_or_default();
    // What anybody may have, as it holds no secret: the page, and the way to it.
    if matches!(method.as_slice(), b"GET" | b"HEAD") {
        match below {
            b"" => return unlogged(page::to_page(&door.operator.prefix), &door.operator.prefix),
            b"/" => return unlogged(page::page(), "/"),
            _ => {}
        }
    }
    let Some(key) = key_of(door, head) else {
        host.add(Metric::RefusalsCredential, 1);
        return Step::Reply(Reply {
            answer: wrong(401, "send a key of the operator's door as a bearer token")
                .with("www-authenticate", "Bearer realm=\"streamgate\""),
            logged_path: Some([prefix, b"/*"].concat()),
            record: Some(Record {
                event: "refusal",
                reason: Some("unauthorized"),
                ..Record::default()
            }),
        });
    };
    let named = match DoorPath::read(below, &door.config.hasher) {
        Ok(named) => named,
        Err(NoDoorPath::Unknown) => return unlogged(wrong(404, "there is nothing here"), "/*"),
        Err(NoDoorPath::Malformed) => {
            let detail = "idp and subject must be percent-encoded UTF-8 of 1 to 256 bytes, a code \
                          8 hexadecimal digits, a hash 32";
            return unlogged(wrong(400, detail), "/*");
        }
    };
    let logged_path = format!("{}{}", door.operator.prefix, named.template());
    let is_about_one = matches!(
        named,
        DoorPath::Account(_) | DoorPath::Stream(..) | DoorPath::Exception(_)
    );
    if is_about_one && !workers::all_fit(host, door.config, host.now()) {
        let detail = "the door's configuration has another privacy.subject_key, or other \
                      state.slots, than a viewers' listener: it would look for accounts elsewhere";
        return unlogged(wrong(409, detail), &logged_path);
    }
    let understood = |subject: SubjectKey| UnderstoodOperation {
        subject,
        key,
        logged_path: logged_path.clone(),
    };
    let now = host.now();
    let read = match (method.as_slice(), &named) {
        (b"GET", DoorPath::Summary) => {
            let answer = summary::summary(door.config, host, door.state, door.authority, now);
            Some(Ok(answer))
        }
        (b"GET", DoorPath::Accounts) => {
            let page = order_in(query).and_then(|()| page_in(query));
            Some(page.map(|page| door.state.accounts.page(host, page, now)))
        }
        (b"GET", DoorPath::Levels) => {
            Some(page_in(query).map(|page| levels(door.config, host, page)))
        }
        (b"GET", DoorPath::Decisions) => {
            Some(after_in(query).map(|after| decisions(door.state, host, after)))
        }
        _ => None,
    };
    if let Some(answer) = read {
        return unlogged(answer.unwrap_or_else(malformed), &logged_path);
    }
    let (subject, operation) = match (method.as_slice(), &named) {
        (b"GET", DoorPath::Account(subject)) => {
            return show(door, host, understood(*subject), now);
        }
        (b"DELETE", DoorPath::Account(subject)) => (*subject, Operation::StopAll),
        (b"DELETE", DoorPath::Stream(subject, code)) => (*subject, Operation::Stop(code.clone())),
        (b"DELETE", DoorPath::Exception(subject)) => (*subject, Operation::Lift),
        (b"PUT", DoorPath::Exception(subject)) => {
            let pending = PendingOperation(understood(*subject));
            return match ends {
                true => finish(door, host, pending, b""),
                false => Step::AwaitBody(Pending::Operation(pending)),
            };
        }
        _ => {
            let answer = Answer::empty(405).with("allow", named.allows());
            return unlogged(answer, &logged_path);
        }
    };
    operate(door, host, understood(subject), operation, now)
}

/// Sets an exception, now that its body is there; one known to be longer than allowed may be
/// handed over cut, as long as it stays longer.
pub(crate) fn finish(
    door: &mut AtDoor<'_>,
    host: &impl Host,
    PendingOperation(understood): PendingOperation,
    body: &[u8],
) -> Step {
    let now = host.now();
    if body.len() > BODY_MAX {
        return unlogged(
            wrong(413, "the body is larger than 16 KiB"),
            &understood.logged_path,
        );
    }
    let exception = match exception::read(body, now) {
        Ok(exception) => exception,
        Err(detail) => return unlogged(malformed(detail), &understood.logged_path),
    };
    if !has_room(host, &door.config.records, &understood.subject) {
        let detail = "there are too many exceptions; take some back, or let them end";
        return unlogged(wrong(409, detail), &understood.logged_path);
    }
    operate(door, host, understood, Operation::Except(exception), now)
}

/// Shows an account, by what the store says of it.
fn show(
    door: &mut AtDoor<'_>,
    host: &impl Host,
    understood: UnderstoodOperation,
    now: Moment,
) -> Step {
    let subject = understood.subject;
    let of = door.inquiry(host, &subject, now);
    let after = || AfterLook::Account(understood.clone());
    match door.authority.look(&of, after) {
        Decision::Parked => Step::Park,
        Decision::Decided(()) => looked(door, host, &understood, CopyState::Unverified),
    }
}

/// Shows an account now that this edge's copy is up to date, or cannot be.
pub(crate) fn looked(
    door: &AtDoor<'_>,
    host: &impl Host,
    understood: &UnderstoodOperation,
    copy_state: CopyState,
) -> Step {
    let (subject, now) = (&understood.subject, host.now());
    let activity = activity(host, &door.config.records, subject, now);
    let decisions = &door.state.decisions;
    let decisions = decisions.of_account(host, subject, OF_ACCOUNT_MAX);
    let store = door.store_of(subject, copy_state);
    let answer = account::account(door.config, subject, &activity, &decisions, store, now);
    unlogged(answer, &understood.logged_path)
}

/// Changes something, by what the store decides.
fn operate(
    door: &mut AtDoor<'_>,
    host: &impl Host,
    understood: UnderstoodOperation,
    operation: Operation,
    now: Moment,
) -> Step {
    let subject = understood.subject;
    let of = door.inquiry(host, &subject, now);
    let event = Event::Operate(operation.clone());
    let after = || AfterDecision::Operation(understood.clone(), operation.clone());
    let verdict = match door.authority.decide(&of, &event, after) {
        Ok(Decision::Parked) => return Step::Park,
        Ok(Decision::Decided(decided)) => Ok(decided.verdict),
        Err(unavailable) => Err(unavailable),
    };
    decided(
        door,
        host,
        &understood,
        &operation,
        verdict,
        CopyState::Unverified,
    )
}

/// The answer to whoever changed something, and the line that it leaves.
pub(crate) fn decided(
    door: &AtDoor<'_>,
    host: &impl Host,
    understood: &UnderstoodOperation,
    operation: &Operation,
    verdict: Result<Verdict, Unavailable>,
    copy_state: CopyState,
) -> Step {
    let (reason, exception) = match operation {
        Operation::StopAll => ("stop-all", None),
        Operation::Stop(_) => ("stop", None),
        Operation::Except(exception) => ("exception", Some(exception)),
        Operation::Lift => ("exception-lifted", None),
    };
    let store = door.store_of(&understood.subject, copy_state);
    let (answer, stopped) = match verdict {
        Ok(Verdict::Operated { stopped }) => {
            let answer = Json::answer(200, |json| {
                json.count("stopped", stopped);
                if let Some(exception) = exception {
                    exception::show(json, "exception", exception);
                }
                json.text("store", store);
            });
            (answer, stopped)
        }
        Ok(_) => {
            let detail = match operation {
                Operation::Lift => "the account has no exception",
                _ => "no such stream plays on this account",
            };
            (wrong(404, detail), 0)
        }
        Err(unavailable) => {
            let reason = Reason::of_unavailable(unavailable);
            host.add(reason.metric(), 1);
            (wrong(503, reason.detail()).with("retry-after", "1"), 0)
        }
    };
    let is_done = answer.status == 200;
    let cause = Cause {
        limit: exception.and_then(Exception::max),
        count: stopped,
        codes: match operation {
            Operation::Stop(code) => vec![code.clone()],
            _ => Vec::new(),
        },
        ..Cause::default()
    };
    Step::Reply(Reply {
        answer,
        logged_path: Some(understood.logged_path.clone().into_bytes()),
        record: is_done.then(|| Record {
            event: "operator",
            reason: Some(reason),
            subject: Some(understood.subject),
            application: Some(format!("operator key {}", understood.key)),
            cause: Some(Box::new(cause)),
            ..Record::default()
        }),
    })
}

fn decisions(state: &OperatorState, host: &impl Host, after: Option<u64>) -> Answer {
    let read = state.decisions.after(host, after, DECISIONS_MAX);
    Json::answer(200, |json| {
        json.list("decisions", read.decisions.read(), |json, one| {
            one.show(json, true);
        });
        // What to ask for the next ones after.
        json.number("latest", read.latest);
        // Whether there were others in between that are kept no longer.
        json.truth("cut", read.is_cut);
    })
}

/// Which key of the door the caller has; `None` without a good one. As much is computed
/// whatever was given.
fn key_of(door: &AtDoor<'_>, head: &impl Head) -> Option<usize> {
    let authorization = head.header("authorization").unwrap_or_default();
    let (scheme, given) = split_once(&authorization, b' ').unwrap_or((b"", b""));
    let key = door
        .operator
        .keys
        .admit(&door.config.hasher, given.trim_ascii());
    key.filter(|_| scheme.eq_ignore_ascii_case(b"bearer"))
}

fn malformed(detail: &str) -> Answer {
    wrong(400, detail)
}

fn wrong(status: u16, detail: &str) -> Answer {
    Json::answer(status, |json| {
        json.number("status", status.into());
        json.text("detail", detail);
    })
}

/// An answer that changes nothing leaves no line.
fn unlogged(answer: Answer, logged_path: &str) -> Step {
    Step::Reply(Reply {
        answer,
        logged_path: Some(logged_path.as_bytes().to_vec()),
        record: None,
    })
}
