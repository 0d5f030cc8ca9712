//! Carrying out a call at the door that is about one account.

use streamgate_policy::{Event, Exception, Operation, Verdict};
use streamgate_record::exception_room::has_room;
use streamgate_record::fleet::Ticket;
use streamgate_record::ports::Host;
use streamgate_record::{Unavailable, activity};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::answer::{malformed, unlogged, wrong};
use super::json::Json;
use super::understood::{PendingOperation, UnderstoodOperation};
use super::{OperatorState, account, exception};
use crate::authority::{AfterDecision, AfterLook, Authority, CopyState, Decision, Inquiry};
use crate::config::{Config, Operator};
use crate::exchange::{Cause, LogEntry, Reply};
use crate::refusal::reason::Reason;
use crate::step::Step;

/// The largest body in bytes.
const BODY_MAX: usize = 16 * 1024;

/// The most decisions shown with an account.
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
            copy_state: CopyState::Unverified,
        }
    }

    /// Who was asked about an account: the fleet's store, or this edge, which is alone or cut off.
    fn store_of(&self, subject: &SubjectKey, copy_state: CopyState) -> &'static str {
        let store = copy_state.decided_by(self.authority.fleet(), subject);
        store.unwrap_or("alone")
    }
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
pub(super) fn show(
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
pub(super) fn operate(
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
        log_entry: is_done.then(|| LogEntry {
            event: "operator",
            reason: Some(reason),
            subject: Some(understood.subject),
            application: Some(format!("operator key {}", understood.key)),
            cause: Some(Box::new(cause)),
            ..LogEntry::default()
        }),
    })
}
