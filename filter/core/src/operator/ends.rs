//! Streams that have ended: kept among the decisions, and a line of the proxy's log for each.
//! None of these has a request whose line in the access log could say so.

use streamgate_policy::effect::StreamEnd;
use streamgate_record::ports::Host;
use streamgate_values::subject::SubjectKey;

use super::OperatorState;
use crate::exchange::{Cause, LogEntry};

impl OperatorState {
    /// Keeps for operators what has ended since the last time; the lines that tell of it.
    pub(crate) fn tell_ends(&self, host: &impl Host) -> Vec<String> {
        let ends = host.take_ends();
        let mut log_entries: Vec<LogEntry> = ends.kept.into_iter().map(log_entry_of).collect();
        if ends.left_out > 0 {
            log_entries.push(LogEntry {
                event: "end",
                reason: Some("left-out"),
                repeated: u32::try_from(ends.left_out).unwrap_or(u32::MAX),
                ..LogEntry::default()
            });
        }
        for log_entry in &log_entries {
            self.decisions.keep(host, log_entry);
        }
        log_entries.iter().map(line).collect()
    }
}

fn log_entry_of((subject, end): (SubjectKey, StreamEnd)) -> LogEntry {
    let winner = end.winner.iter();
    LogEntry {
        event: "end",
        reason: Some(end.why),
        subject: Some(subject),
        stream: Some(end.stream),
        application: Some(end.application),
        cause: Some(Box::new(Cause {
            policy: end.policy,
            rule: end.rule,
            codes: winner.map(|stream| stream.termination_code()).collect(),
            ..Cause::default()
        })),
        device: end.device,
        lasted_ms: Some(end.lasted_ms),
        ..LogEntry::default()
    }
}

/// What the access log would show, by the same names.
fn line(log_entry: &LogEntry) -> String {
    [
        "streamgate: ",
        &String::from_utf8_lossy(&log_entry.to_json()),
    ]
    .concat()
}
