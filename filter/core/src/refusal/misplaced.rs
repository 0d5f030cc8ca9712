//! The refusal of what is refused before anybody knows who asks.

use streamgate_record::ports::Meter;

use super::reason::Reason;
use crate::exchange::{Answer, LogEntry, Reply};

/// The answer to a path that is none, or to a token that is good for nothing where it stands.
/// Nothing of the path is logged: it may hold a token in any spelling.
pub(crate) fn misplaced(meter: &impl Meter, reason: Reason) -> Reply {
    meter.add(reason.metric(), 1);
    Reply {
        answer: Answer::empty(reason.status(403)).readable(),
        logged_path: Some(b"/~".to_vec()),
        log_entry: Some(LogEntry {
            event: "refusal",
            reason: Some(reason.code()),
            ..LogEntry::default()
        }),
    }
}
