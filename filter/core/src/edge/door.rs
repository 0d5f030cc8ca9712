//! The edge at the operator's door, and what it keeps for it on viewers' listeners.

use streamgate_record::fleet::Ticket;
use streamgate_record::ports::Host;

use super::{CopyState, Edge, Step};
use crate::exchange::{Record, Reply};
use crate::operator::AtDoor;

impl Edge {
    /// What the proxy's log is told of streams that have ended, a line for each. To be called after
    /// each tick, and before it is dropped.
    pub fn ends(&self, host: &impl Host) -> Vec<String> {
        self.operator.tell_ends(host)
    }

    pub(super) fn at_door(
        &mut self,
        ticket: Ticket,
        work: impl FnOnce(&mut AtDoor<'_>) -> Step,
    ) -> Step {
        let Some(operator) = &self.config.operator else {
            return Step::Reply(Reply::default());
        };
        work(&mut AtDoor {
            config: &self.config,
            operator,
            state: &mut self.operator,
            authority: &mut self.authority,
            ticket,
        })
    }

    /// A step, with its decision kept for operators.
    pub(super) fn noted(&mut self, host: &impl Host, copy_state: CopyState, step: Step) -> Step {
        match step {
            Step::Reply(mut reply) => {
                self.note(host, copy_state, &mut reply.record);
                Step::Reply(reply)
            }
            Step::Log(record) => {
                let mut record = Some(record);
                self.note(host, copy_state, &mut record);
                record.map_or(Step::Pass, Step::Log)
            }
            Step::Pass | Step::Forward(_) | Step::AwaitBody(_) | Step::Park => step,
        }
    }

    /// Keeps a decision for operators before it is logged; takes it away where the same was told
    /// a moment ago.
    pub(super) fn note(
        &mut self,
        host: &impl Host,
        copy_state: CopyState,
        record: &mut Option<Record>,
    ) {
        if let Some(told) = record.as_mut()
            && let Some(subject) = &told.subject
        {
            told.store = self.authority.decided_by(subject, copy_state);
        }
        self.operator.note(host, record);
    }
}
