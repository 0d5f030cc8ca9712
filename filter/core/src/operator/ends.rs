//! Streams that have ended: kept among the decisions, and a line of the proxy's log for each.
//! None of these has a request whose line in the access log could say so.

use streamgate_policy::effect::StreamEnd;
use streamgate_record::ports::Host;
use streamgate_values::subject::SubjectKey;

use super::OperatorState;
use crate::exchange::{Cause, Record};

impl OperatorState {
    /// Keeps for operators what has ended since the last time; the lines that tell of it.
    pub(crate) fn tell_ends(&self, host: &impl Host) -> Vec<String> {
        let ends = host.take_ends();
        let mut records: Vec<Record> = ends.kept.into_iter().map(record_of).collect();
        if ends.left_out > 0 {
            records.push(Record {
                event: "end",
                reason: Some("left-out"),
                repeated: u32::try_from(ends.left_out).unwrap_or(u32::MAX),
                ..Record::default()
            });
        }
        for record in &records {
            self.decisions.keep(host, record);
        }
        records.iter().map(line).collect()
    }
}

fn record_of((subject, end): (SubjectKey, StreamEnd)) -> Record {
    let winner = end.winner.iter();
    Record {
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
        ..Record::default()
    }
}

/// What the access log would show, by the same names.
fn line(record: &Record) -> String {
    ["streamgate: ", &String::from_utf8_lossy(&record.to_json())].concat()
}
