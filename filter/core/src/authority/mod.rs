//! Who has the last word on a record: this edge alone, or the store of its fleet.
//!
//! An edge alone decides at once. In a fleet, this edge's copy suffices for what changes
//! nothing that others could object to ([`suffices`]). Everything else is asked of the store, and
//! whoever asked is parked here, with what goes on once the store has answered, or has not.

mod exchange;
mod inquiry;
mod outage;
mod parked;
mod suffices;
#[cfg(test)]
mod tests;

use hashbrown::HashMap;
use streamgate_policy::{Event, Refused, Verdict};
use streamgate_record::fleet::{Fleet, Question, Ticket};
use streamgate_record::ports::Host;
use streamgate_record::{self as record, Decided, Recorded, Records, Unavailable, memory_since};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

pub(crate) use self::inquiry::{Attempt, CopyState, Inquiry};
use self::parked::Parked;
pub use self::parked::Settled;
pub(crate) use self::parked::{AfterDecision, AfterLook};

/// What became of a question.
#[derive(Debug)]
#[must_use]
pub(crate) enum Decision<D = Decided> {
    /// It is answered.
    Decided(D),
    /// The fleet's store is asked, and whoever asked waits.
    Parked,
}

/// Who is parked no longer, and what was decided.
#[derive(Debug)]
pub(crate) enum Resumed {
    /// The copy is up to date, or there is no way to bring it up to date.
    Looked(AfterLook, CopyState),
    /// An event is decided, or could not be.
    Decided(AfterDecision, Result<Decided, Unavailable>, CopyState),
}

/// One worker's authority.
#[derive(Debug)]
pub(crate) struct Authority {
    fleet: Option<Fleet>,
    /// Since when this edge remembers, once asked.
    memory_since: Option<Moment>,
    parked: HashMap<Ticket, Parked>,
}

/// An event that this edge's copy does not suffice for.
struct LeftOpen;

impl Authority {
    /// The authority of an edge alone, or of one in a fleet.
    pub(crate) fn new(fleet: Option<Fleet>) -> Self {
        Self {
            fleet,
            memory_since: None,
            parked: HashMap::new(),
        }
    }

    /// What would become of an event; nothing is recorded. `is_decided_later`: the event will be
    /// decided in any case, so that this edge's copy suffices for now. Where the store has to
    /// be asked, the request is judged again once the copy is up to date.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if that cannot be said: the edge is full, or the fleet's store is out of reach and
    /// `on_outage` refuses.
    pub(crate) fn foresee<H: Host>(
        &mut self,
        of: &Inquiry<'_, H>,
        event: &Event,
        is_decided_later: impl FnOnce() -> bool,
    ) -> Result<Decision, Unavailable> {
        if let Some(decided) = self.peek(of, event, is_decided_later)? {
            return Ok(Decision::Decided(decided));
        }
        if self.can_ask(of) {
            return Ok(self.park(of, Parked::Look(AfterLook::Request)));
        }
        self.foresee_in_outage(of, event).map(Decision::Decided)
    }

    /// What would become of an event by what is known here, nobody waiting for more; `None` where
    /// the store would have to be asked.
    ///
    /// # Errors
    ///
    /// [`Unavailable::Full`] where a start would meet it.
    pub(crate) fn peek<H: Host>(
        &mut self,
        of: &Inquiry<'_, H>,
        event: &Event,
        is_decided_later: impl FnOnce() -> bool,
    ) -> Result<Option<Decided>, Unavailable> {
        // What the store remembers goes further back than what this edge does, or less far.
        let stored_since = self
            .fleet
            .as_ref()
            .and_then(|it| it.memory_since(of.subject));
        let memory_since = stored_since.unwrap_or_else(|| self.memory_since(of.host, of.now));
        let decided = of.consult(event, memory_since)?;
        let Some(fleet) = &self.fleet else {
            return Ok(Some(decided));
        };
        let suffices = match &decided.verdict {
            Verdict::Plays(plays) if !plays.started => true,
            Verdict::Plays(_) => is_decided_later() || fleet.is_confirmed(of.subject, of.now),
            Verdict::Refused(Refused::Over | Refused::Blocked) => {
                fleet.is_confirmed(of.subject, of.now)
            }
            Verdict::Refused(refused) => suffices::is_final(refused),
            Verdict::Stopped => true,
            Verdict::Operated { .. } => false,
        };
        let is_known = suffices || of.copy_state == CopyState::Verified;
        Ok(is_known.then_some(decided))
    }

    /// Decides an event and records what follows. Where the store has to be asked, `after` goes
    /// on with its answer.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if what follows could not be recorded; then nothing has happened.
    pub(crate) fn decide<H: Host>(
        &mut self,
        of: &Inquiry<'_, H>,
        event: &Event,
        after: impl FnOnce() -> AfterDecision,
    ) -> Result<Decision, Unavailable> {
        if self.can_ask(of) {
            let copy = || record::activity(of.host, of.records, of.subject, of.now);
            if suffices::is_start(event, copy) {
                return Ok(self.park_event(of, event, after()));
            }
            return Ok(match self.by_copy(of, event)? {
                Ok(decided) => Decision::Decided(decided),
                Err(LeftOpen) => self.park_event(of, event, after()),
            });
        }
        self.alone(of, event).map(Decision::Decided)
    }

    /// Decides about a stream that plays here, and records what follows. Its request waits for
    /// nobody: where the store has to be asked there is no decision yet.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if what follows could not be recorded; then nothing has happened.
    pub(crate) fn note<H: Host>(
        &mut self,
        of: &Inquiry<'_, H>,
        event: &Event,
    ) -> Result<Option<Decided>, Unavailable> {
        match self.by_copy(of, event)? {
            Ok(decided) => return Ok(Some(decided)),
            // That the copy was found up to date for this request is no outage.
            Err(LeftOpen) if self.is_reachable(of) => {}
            Err(LeftOpen) => return self.in_outage(of, event, 0).map(Some),
        }
        if let Some(fleet) = &mut self.fleet {
            fleet.ask(
                *of.subject,
                None,
                Question::Decide(event.clone()),
                of.host.steady(),
            );
        }
        Ok(None)
    }

    /// Brings this edge's copy up to date, if it is one. Where the store has to be asked, `after`
    /// goes on.
    pub(crate) fn look<H: Host>(
        &mut self,
        of: &Inquiry<'_, H>,
        after: impl FnOnce() -> AfterLook,
    ) -> Decision<()> {
        match self.can_ask(of) {
            true => self.park(of, Parked::Look(after())),
            false => Decision::Decided(()),
        }
    }

    /// Goes on with who was parked.
    pub(crate) fn resume<H: Host>(
        &mut self,
        host: &H,
        records: &Records,
        settled: Settled,
        now: Moment,
    ) -> Resumed {
        match settled.parked {
            Parked::Look(after) => {
                let copy_state = match settled.answer {
                    Err(Unavailable::Fleet) => CopyState::Unreachable,
                    _ => CopyState::Verified,
                };
                Resumed::Looked(after, copy_state)
            }
            Parked::Event {
                subject,
                event,
                after,
            } => {
                let mut of = Inquiry {
                    host,
                    records,
                    ticket: settled.ticket,
                    subject: &subject,
                    now,
                    copy_state: CopyState::Verified,
                };
                let decided = match settled.answer {
                    Ok(Some(decided)) => Ok(decided),
                    // In vain: this edge decides by itself, or refuses.
                    Ok(None) | Err(Unavailable::Fleet) => {
                        of.copy_state = CopyState::Unreachable;
                        let alone = self.alone(&of, &event);
                        if settled.may_be_recorded {
                            self.undo(&of, event);
                        }
                        alone
                    }
                    Err(unavailable) => Err(unavailable),
                };
                Resumed::Decided(after, decided, of.copy_state)
            }
        }
    }

    /// Decides by what is known here.
    fn alone<H: Host>(
        &mut self,
        of: &Inquiry<'_, H>,
        event: &Event,
    ) -> Result<Decided, Unavailable> {
        match self.by_copy(of, event)? {
            Ok(decided) => Ok(decided),
            Err(LeftOpen) => self.in_outage(of, event, 1),
        }
    }

    /// Decides by this edge's record: all of an edge alone, in a fleet what a copy suffices for.
    fn by_copy<H: Host>(
        &mut self,
        of: &Inquiry<'_, H>,
        event: &Event,
    ) -> Result<Result<Decided, LeftOpen>, Unavailable> {
        let memory_since = self.memory_since(of.host, of.now);
        let is_alone = self.fleet.is_none();
        let may_follow = |seen: &record::Seen<'_>| match is_alone || suffices::decides(event, seen)
        {
            true => Ok(()),
            false => Err(LeftOpen),
        };
        let Inquiry { host, records, .. } = *of;
        let recorded = record::transact_if(
            host,
            records,
            of.subject,
            event,
            memory_since,
            of.now,
            may_follow,
        )?;
        Ok(recorded.map(|recorded| self.recorded(of.subject, recorded)))
    }

    /// A decision was recorded here: the store has to hear of it.
    fn recorded(&mut self, subject: &SubjectKey, recorded: Recorded) -> Decided {
        if recorded.changed
            && let Some(fleet) = &mut self.fleet
        {
            fleet.flush(*subject, recorded.silenced);
        }
        recorded.decided
    }

    /// Whether the store has the last word, can be asked, and has not been asked yet.
    fn can_ask<H: Host>(&self, of: &Inquiry<'_, H>) -> bool {
        of.copy_state == CopyState::Unverified && self.is_reachable(of)
    }

    /// Whether the store has the last word, and answers as far as is known.
    fn is_reachable<H: Host>(&self, of: &Inquiry<'_, H>) -> bool {
        let is_up = |fleet: &Fleet| fleet.is_up(of.subject);
        of.copy_state != CopyState::Unreachable && self.fleet.as_ref().is_some_and(is_up)
    }

    fn park_event<H: Host>(
        &mut self,
        of: &Inquiry<'_, H>,
        event: &Event,
        after: AfterDecision,
    ) -> Decision {
        let parked = Parked::Event {
            subject: *of.subject,
            event: event.clone(),
            after,
        };
        self.park(of, parked)
    }

    fn park<H: Host, D>(&mut self, of: &Inquiry<'_, H>, parked: Parked) -> Decision<D> {
        let question = match &parked {
            Parked::Look(_) => Question::Look,
            Parked::Event { event, .. } => Question::Decide(event.clone()),
        };
        if let Some(fleet) = &mut self.fleet {
            fleet.ask(*of.subject, Some(of.ticket), question, of.host.steady());
        }
        self.parked.insert(of.ticket, parked);
        Decision::Parked
    }

    /// Since when this edge remembers what happened.
    pub(crate) fn memory_since(&mut self, host: &impl Host, now: Moment) -> Moment {
        let ask = || memory_since::memory_since(host, now);
        *self.memory_since.get_or_insert_with(ask)
    }
}
