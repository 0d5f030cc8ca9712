//! A call's head at the door: who calls, and what is wanted. What only reads what is kept here is
//! answered at once.

use streamgate_policy::Operation;
use streamgate_record::metric::Metric;
use streamgate_record::ports::Host;
use streamgate_values::head::Head;
use streamgate_values::subject::SubjectKey;
use streamgate_values::text::split_once;

use super::answer::{malformed, unlogged, wrong};
use super::carry_out::{AtDoor, finish, operate, show};
use super::json::Json;
use super::levels::levels;
use super::path::{DoorPath, NoDoorPath, after_in, order_in, page_in};
use super::understood::{PendingOperation, UnderstoodOperation};
use super::{OperatorState, page, summary, workers};
use crate::exchange::{Answer, LogEntry, Reply};
use crate::request::endless::endless;
use crate::step::{Pending, Step};

/// The most decisions in one answer.
const DECISIONS_MAX: u64 = 100;

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
            b"/" => {
                let accepted = head.header("accept-encoding");
                return unlogged(page::page(accepted.as_deref()), "/");
            }
            _ => {}
        }
    }
    let Some(key) = key_of(door, head) else {
        host.add(Metric::RefusalsCredential, 1);
        return Step::Reply(Reply {
            answer: wrong(401, "send a key of the operator's door as a bearer token")
                .with("www-authenticate", "Bearer realm=\"streamgate\""),
            logged_path: Some([prefix, b"/*"].concat()),
            log_entry: Some(LogEntry {
                event: "refusal",
                reason: Some("unauthorized"),
                ..LogEntry::default()
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
            if ends {
                return finish(door, host, pending, b"");
            }
            return match endless(head) {
                Some((status, detail)) => unlogged(wrong(status, detail), &logged_path),
                None => Step::AwaitBody(Pending::Operation(pending)),
            };
        }
        _ => {
            let answer = Answer::empty(405).with("allow", named.allows());
            return unlogged(answer, &logged_path);
        }
    };
    operate(door, host, understood(subject), operation, now)
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
