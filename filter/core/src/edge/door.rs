//! The edge at the operator's door, and what it keeps for it on viewers' listeners.

use streamgate_record::fleet::Ticket;
use streamgate_record::ports::Host;
use streamgate_record::{Decided, Unavailable};
use streamgate_values::head::Head;

use super::{Answering, CopyState, Edge, Pending, Step, Waiting, known_memory_since};
use crate::authority::Authority;
use crate::exchange::{Record, Reply};
use crate::operator::{self, AtDoor, DoorStep, PendingOperation, UnansweredOperation};
use crate::playback::Watched;

impl Edge {
    /// Decides about a call at the door by its head.
    pub(super) fn operator_call(
        &mut self,
        host: &impl Host,
        ticket: Ticket,
        head: &impl Head,
        path: &[u8],
        ends: bool,
    ) -> Step {
        let step = self.at_door(host, CopyState::Unverified, |door| {
            operator::begin(door, host, head, path, ends)
        });
        match step {
            DoorStep::Reply(reply) => Step::Reply(reply),
            DoorStep::AwaitBody(pending) => Step::AwaitBody(Pending::Operation(pending)),
            DoorStep::Wait(unanswered) => {
                self.operator_waits(host, ticket, unanswered);
                Step::Wait
            }
        }
    }

    /// Goes on with a call at the door whose body is there.
    pub(super) fn operator_body(
        &mut self,
        host: &impl Host,
        ticket: Ticket,
        pending: PendingOperation,
        body: &[u8],
    ) -> Answering {
        let step = self.at_door(host, CopyState::Unverified, |door| {
            operator::finish(door, host, pending, body)
        });
        match step {
            DoorStep::Reply(reply) => Answering::Reply(reply),
            // It is there.
            DoorStep::AwaitBody(_) => Answering::Reply(Reply::default()),
            DoorStep::Wait(unanswered) => {
                self.operator_waits(host, ticket, unanswered);
                Answering::Wait
            }
        }
    }

    /// Answers a call at the door that has waited for the store.
    pub(super) fn operator_resumes(
        &mut self,
        host: &impl Host,
        copy_state: CopyState,
        unanswered: UnansweredOperation,
        decided: Option<Result<Decided, Unavailable>>,
    ) -> Reply {
        let step = self.at_door(host, copy_state, |door| {
            operator::resume(door, host, unanswered, decided)
        });
        match step {
            DoorStep::Reply(reply) => reply,
            // It cannot wait a second time: the copy is verified, or the store unreachable.
            DoorStep::AwaitBody(_) | DoorStep::Wait(_) => Reply::default(),
        }
    }

    fn at_door(
        &mut self,
        host: &impl Host,
        copy_state: CopyState,
        work: impl FnOnce(&mut AtDoor<'_, '_>) -> DoorStep,
    ) -> DoorStep {
        let Some(operator) = &self.config.operator else {
            return DoorStep::Reply(Reply::default());
        };
        let mut authority = Authority {
            records: &self.config.records,
            memory_since: known_memory_since(&mut self.memory_since, host, || host.now()),
            fleet: self.fleet.as_mut(),
            copy_state,
        };
        work(&mut AtDoor {
            config: &self.config,
            operator,
            state: &mut self.operator,
            authority: &mut authority,
        })
    }

    fn operator_waits(
        &mut self,
        host: &impl Host,
        ticket: Ticket,
        unanswered: UnansweredOperation,
    ) {
        if let Some(fleet) = &mut self.fleet {
            let question = unanswered.question.clone();
            fleet.ask(unanswered.subject(), Some(ticket), question, host.now());
        }
        self.waiting.insert(ticket, Waiting::Operation(unanswered));
    }

    /// The same of a watched response.
    pub(super) fn note_watched(
        &mut self,
        host: &impl Host,
        copy_state: CopyState,
        watched: &mut Watched,
    ) {
        match watched {
            Watched::Pass(record) => self.note(host, copy_state, record),
            Watched::Refuse(reply) => self.note(host, copy_state, &mut reply.record),
            Watched::Wait(..) => {}
        }
    }

    /// Keeps a decision for operators before it is logged.
    pub(super) fn note(
        &mut self,
        host: &impl Host,
        copy_state: CopyState,
        record: &mut Option<Record>,
    ) {
        if let (Some(fleet), Some(told)) = (&self.fleet, record.as_mut())
            && let Some(subject) = &told.subject
        {
            told.store = Some(match copy_state {
                CopyState::Verified => "asked",
                CopyState::Unverified if fleet.is_up(subject) => "copy",
                CopyState::Unverified | CopyState::Unreachable => "out",
            });
        }
        self.operator.note(host, record);
    }
}
