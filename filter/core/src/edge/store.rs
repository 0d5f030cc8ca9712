//! The edge and its fleet's store: what is to be asked, and what was answered.

use streamgate_record::fleet::{self, CallFailure, CallId, Fleet, StoreCall, Ticket};
use streamgate_record::ports::Host;

use super::{Edge, Settled};

impl Edge {
    /// How it speaks with the store of its fleet, if it is in one.
    #[must_use]
    pub fn fleet(&self) -> Option<&fleet::Settings> {
        self.authority.fleet().map(Fleet::settings)
    }

    /// The request of this ticket is gone.
    pub fn forget(&mut self, ticket: Ticket) {
        self.authority.forget(ticket);
    }

    /// Whether [`Edge::calls`] has something to give.
    #[must_use]
    pub fn has_calls(&self) -> bool {
        self.authority.fleet().is_some_and(Fleet::has_calls)
    }

    /// How many requests wait for the fleet's store.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.authority.waiting()
    }

    /// How many shards of the fleet's store do not answer.
    #[must_use]
    pub fn shards_down(&self) -> usize {
        self.authority.fleet().map_or(0, Fleet::shards_down)
    }

    /// How other edges lay accounts out in the fleet's store, where that differs.
    #[must_use]
    pub fn other_layout(&self) -> Option<&str> {
        self.authority.fleet().and_then(Fleet::other_layout)
    }

    /// The calls to the fleet's store that somebody waits for.
    pub fn calls(&mut self, host: &impl Host) -> Vec<StoreCall> {
        let records = &self.config.records;
        match self.authority.fleet_mut() {
            Some(fleet) if fleet.has_calls() => fleet.calls(host, records, host.now()),
            _ => Vec::new(),
        }
    }

    /// Takes what came back of a call.
    pub fn on_store_reply(
        &mut self,
        host: &impl Host,
        call: CallId,
        reply: Result<&[u8], CallFailure>,
    ) {
        if let Some(fleet) = self.authority.fleet_mut() {
            fleet.on_reply(host, &self.config.records, call, reply, host.now());
        }
    }

    /// Who has waited for long enough, each to be handed to [`Edge::resume`].
    pub fn settled(&mut self) -> Vec<Settled> {
        self.authority.settled()
    }
}
