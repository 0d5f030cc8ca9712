//! The edge at the operator's door, and what it keeps for it on viewers' listeners.

use streamgate_record::fleet::Ticket;
use streamgate_record::ports::Host;

use super::{CopyState, Edge, Step};
use crate::exchange::{LogEntry, Reply};
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

    /// A step, with its decision kept for operators; where the same was told a moment ago, without
    /// its line.
    pub(super) fn noted<F, B>(
        &mut self,
        host: &impl Host,
        copy_state: CopyState,
        mut step: Step<F, B>,
    ) -> Step<F, B> {
        let is_new = match &mut step {
            Step::Reply(reply) => {
                self.note(host, copy_state, &mut reply.log_entry);
                true
            }
            Step::Log(log_entry) => self.is_new(host, copy_state, log_entry),
            _ => true,
        };
        match is_new {
            true => step,
            false => Step::Pass,
        }
    }

    /// Keeps a decision for operators before it is logged; takes it away where the same was told
    /// a moment ago.
    pub(super) fn note(
        &mut self,
        host: &impl Host,
        copy_state: CopyState,
        log_entry: &mut Option<LogEntry>,
    ) {
        if log_entry
            .as_mut()
            .is_some_and(|log_entry| !self.is_new(host, copy_state, log_entry))
        {
            *log_entry = None;
        }
    }

    /// Keeps a decision for operators, and says whether it is to be logged: the same was not told
    /// a moment ago.
    fn is_new(
        &mut self,
        host: &impl Host,
        copy_state: CopyState,
        log_entry: &mut LogEntry,
    ) -> bool {
        if let Some(subject) = &log_entry.subject {
            log_entry.store = copy_state.decided_by(self.authority.fleet(), subject);
        }
        self.operator.note(host, log_entry)
    }
}
