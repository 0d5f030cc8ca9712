//! The worker's edge and its fleet's store: the calls to be made, what comes back, and what goes on
//! then.

use streamgate_core::step::Unparked;
use streamgate_record::fleet::{CallFailure, CallId, StoreCall, Ticket};

use super::Desk;
use crate::envoy::HttpStream;
use crate::head::RequestHead;
use crate::host::Process;
use crate::standing::StoreStanding;
use crate::todo::Resumption;

impl Desk {
    /// Whether the store is to be called.
    pub(crate) fn wants_calls(&self) -> bool {
        !self.calls.is_empty() || self.edge.has_calls()
    }

    /// The calls to be made.
    pub(crate) fn take_calls(&mut self, process: &Process) -> Vec<StoreCall> {
        let mut calls = core::mem::take(&mut self.calls);
        calls.append(&mut self.edge.calls(process));
        // Some answers need no call.
        self.settle();
        calls
    }

    /// The store has answered, or is known not to.
    pub(crate) fn on_store_reply(
        &mut self,
        process: &Process,
        call: CallId,
        reply: Result<&[u8], CallFailure>,
    ) {
        self.edge.on_store_reply(process, call, reply);
        self.settle();
    }

    /// How the worker's edge stands with the store.
    pub(crate) fn standing(&self) -> StoreStanding {
        StoreStanding {
            down: self.edge.shards_down(),
            waiting: self.edge.waiting(),
            other_layout: self.edge.other_layout().map(str::to_owned),
        }
    }

    /// Has the worker go on with the requests that have waited for long enough.
    pub(super) fn settle(&mut self) {
        for settled in self.edge.settled() {
            let Ticket(ticket) = settled.ticket;
            if let Some(scheduler) = self.parked.get(&ticket) {
                scheduler.commit();
                self.settled.insert(ticket, settled);
            }
        }
    }

    /// Goes on with a request or response that waited for the store.
    pub(crate) fn resume(
        &mut self,
        process: &Process,
        ticket: u32,
        stream: HttpStream,
    ) -> Resumption {
        let Some(settled) = self.settled.remove(&ticket) else {
            return match self.parked.contains_key(&ticket) {
                true => Resumption::Waits,
                false => Resumption::Lost,
            };
        };
        self.parked.remove(&ticket);
        let head = RequestHead::of(stream);
        match self.edge.resume(process, settled, &head) {
            Unparked::Request(step) => Resumption::Request(self.note(step, ticket, stream)),
            Unparked::Response { step, ends } => {
                let todo = self.note_response(step, ticket, stream);
                Resumption::Response { todo, ends }
            }
        }
    }
}
