//! What goes to the fleet's store, and what comes from it.

use streamgate_record::Records;
use streamgate_record::fleet::{CallFailure, CallId, Fleet, Settings, StoreCall, Ticket};
use streamgate_record::ports::Host;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::{Authority, CopyState, Settled};

impl Authority {
    /// How this edge speaks with the store of its fleet, if it is in one.
    pub(crate) fn fleet(&self) -> Option<&Settings> {
        self.fleet.as_ref().map(Fleet::settings)
    }

    /// Of each shard of the store, whether it answers, and since when it remembers, as far as is
    /// known.
    pub(crate) fn shards(&self) -> impl Iterator<Item = (bool, Option<Moment>)> {
        self.fleet.iter().flat_map(Fleet::shards)
    }

    /// In a fleet, by what a subject was decided about: `asked` for the store, `copy` for what this
    /// edge knows of it, `out` where the store does not answer.
    pub(crate) fn decided_by(
        &self,
        subject: &SubjectKey,
        copy_state: CopyState,
    ) -> Option<&'static str> {
        let fleet = self.fleet.as_ref()?;
        Some(match copy_state {
            CopyState::Verified => "asked",
            CopyState::Unverified if fleet.is_up(subject) => "copy",
            CopyState::Unverified | CopyState::Unreachable => "out",
        })
    }

    /// The request of this ticket is gone.
    pub(crate) fn forget(&mut self, ticket: Ticket) {
        if self.parked.remove(&ticket).is_some()
            && let Some(fleet) = &mut self.fleet
        {
            fleet.forget(ticket);
        }
    }

    /// Whether [`Authority::calls`] has something to give.
    pub(crate) fn has_calls(&self) -> bool {
        self.fleet.as_ref().is_some_and(Fleet::has_calls)
    }

    /// How many requests wait for the store.
    pub(crate) fn waiting(&self) -> usize {
        self.parked.len()
    }

    /// How many shards of the store do not answer.
    pub(crate) fn shards_down(&self) -> usize {
        self.fleet.as_ref().map_or(0, Fleet::shards_down)
    }

    /// How other edges lay accounts out in the store, where that differs.
    pub(crate) fn other_layout(&self) -> Option<&str> {
        self.fleet.as_ref().and_then(Fleet::other_layout)
    }

    /// The calls that somebody waits for.
    pub(crate) fn calls(
        &mut self,
        host: &impl Host,
        records: &Records,
        now: Moment,
    ) -> Vec<StoreCall> {
        let fleet = self.fleet.as_mut();
        fleet.map_or_else(Vec::new, |fleet| fleet.calls(host, records, now))
    }

    /// The calls that are due at a tick.
    pub(crate) fn on_tick(
        &mut self,
        host: &impl Host,
        records: &Records,
        now: Moment,
    ) -> Vec<StoreCall> {
        let fleet = self.fleet.as_mut();
        fleet.map_or_else(Vec::new, |fleet| fleet.on_tick(host, records, now))
    }

    /// Takes what came back of a call.
    pub(crate) fn on_store_reply(
        &mut self,
        host: &impl Host,
        records: &Records,
        call: CallId,
        reply: Result<&[u8], CallFailure>,
        now: Moment,
    ) {
        if let Some(fleet) = &mut self.fleet {
            fleet.on_reply(host, records, call, reply, now);
        }
    }

    /// Who is parked no longer, to go on with by [`Authority::resume`].
    pub(crate) fn settled(&mut self) -> Vec<Settled> {
        let answered = self.fleet.as_mut().map(Fleet::settled).unwrap_or_default();
        let parked = &mut self.parked;
        let settled = answered.into_iter().filter_map(|answered| {
            Some(Settled {
                ticket: answered.ticket,
                parked: parked.remove(&answered.ticket)?,
                answer: answered.answer,
                may_be_recorded: answered.may_be_recorded,
            })
        });
        settled.collect()
    }
}
