//! What the access log is told of a call that is refused before anything is judged.

use streamgate_values::subject::SubjectKey;

use crate::exchange::LogEntry;
use crate::refusal::reason::Reason;

/// A line for an answer with this status; `None` for a success. Account and application are
/// those that the call has proved so far.
pub(super) fn refusal(
    status: u16,
    subject: Option<SubjectKey>,
    application: Option<&str>,
) -> Option<LogEntry> {
    let reason = match status {
        400 | 417 => "malformed",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not-found",
        405 => "method-not-allowed",
        413 => "body-too-large",
        415 => "unsupported-media-type",
        429 => "throttled",
        _ => return None,
    };
    Some(LogEntry {
        event: "refusal",
        reason: Some(reason),
        subject,
        application: application.map(str::to_owned),
        ..LogEntry::default()
    })
}

/// A line for a call that is refused for this reason.
pub(super) fn refused_for(reason: Reason, subject: SubjectKey, application: &str) -> LogEntry {
    LogEntry {
        event: "refusal",
        reason: Some(reason.code()),
        subject: Some(subject),
        application: Some(application.to_owned()),
        ..LogEntry::default()
    }
}
