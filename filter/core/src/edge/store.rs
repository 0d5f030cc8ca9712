//! The edge and its fleet's store: what it is asked, what it answers, and what goes on then.

use streamgate_record::Decided;
use streamgate_record::fleet::{self, CallFailure, CallId, StoreCall, Ticket};
use streamgate_record::ports::Host;
use streamgate_values::head::Head;

use super::Edge;
use crate::authority::{AfterDecision, AfterLook, Attempt, Resumed, Settled};
use crate::operator;
use crate::step::{Step, Unparked};

impl Edge {
    /// How it speaks with the store of its fleet, if it is in one.
    #[must_use]
    pub fn fleet(&self) -> Option<&fleet::Settings> {
        self.authority.fleet()
    }

    /// The request of this ticket is gone.
    pub fn forget(&mut self, ticket: Ticket) {
        self.authority.forget(ticket);
    }

    /// Whether [`Edge::calls`] has something to give.
    #[must_use]
    pub fn has_calls(&self) -> bool {
        self.authority.has_calls()
    }

    /// How many requests wait for the fleet's store.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.authority.waiting()
    }

    /// How many shards of the fleet's store do not answer.
    #[must_use]
    pub fn shards_down(&self) -> usize {
        self.authority.shards_down()
    }

    /// How other edges lay accounts out in the fleet's store, where that differs.
    #[must_use]
    pub fn other_layout(&self) -> Option<&str> {
        self.authority.other_layout()
    }

    /// The calls to the fleet's store that somebody waits for.
    pub fn calls(&mut self, host: &impl Host) -> Vec<StoreCall> {
        if !self.has_calls() {
            return Vec::new();
        }
        self.authority.calls(host, &self.config.records, host.now())
    }

    /// Takes what came back of a call.
    pub fn on_store_reply(
        &mut self,
        host: &impl Host,
        call: CallId,
        reply: Result<&[u8], CallFailure>,
    ) {
        let records = &self.config.records;
        self.authority
            .on_store_reply(host, records, call, reply, host.now());
    }

    /// Who has waited for long enough, each to be handed to [`Edge::resume`].
    pub fn settled(&mut self) -> Vec<Settled> {
        self.authority.settled()
    }

    /// Goes on with what has waited. `head` is that of the request; where it is the response that
    /// has waited, nothing is read of it.
    pub fn resume(&mut self, host: &impl Host, settled: Settled, head: &impl Head) -> Unparked {
        let (config, ticket, now) = (&self.config, settled.ticket, host.now());
        let resumed = self.authority.resume(host, &config.records, settled, now);
        let (step, copy_state) = match resumed {
            Resumed::Looked(after, copy_state) => {
                let step = match after {
                    AfterLook::Listing(understood) => {
                        Step::Reply(understood.listing(config, host, now))
                    }
                    AfterLook::Account(understood) => self.at_door(ticket, |door| {
                        operator::looked(door, host, &understood, copy_state)
                    }),
                    AfterLook::Request => {
                        let path = head.header(":path").unwrap_or_default();
                        let attempt = Attempt { ticket, copy_state };
                        self.request(host, attempt, head, &path, true)
                    }
                };
                (step, copy_state)
            }
            Resumed::Decided(after, decided, copy_state) => {
                let verdict = |decided: Decided| decided.verdict;
                let step = match after {
                    AfterDecision::Call(understood) => {
                        Step::Reply(understood.decided(config, host, decided.map(verdict), now))
                    }
                    AfterDecision::Operation(understood, operation) => {
                        let verdict = decided.map(verdict);
                        self.at_door(ticket, |door| {
                            operator::decided(
                                door,
                                host,
                                &understood,
                                &operation,
                                verdict,
                                copy_state,
                            )
                        })
                    }
                    AfterDecision::Response { watch, ends } => {
                        let decided = decided.as_ref().map_err(|unavailable| *unavailable);
                        self.gate.expect(ticket);
                        let step = self.gate.decided(config, host, &watch, decided, now);
                        let step = self.noted(host, copy_state, step);
                        return Unparked::Response { step, ends };
                    }
                };
                (step, copy_state)
            }
        };
        Unparked::Request(self.noted(host, copy_state, step))
    }
}
