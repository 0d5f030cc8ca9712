//! Who has the last word on a record: this edge alone, or the store of its fleet.
//!
//! An edge alone decides at once. In a fleet, this edge's copy suffices for what changes
//! nothing that others could object to ([`suffices`]). Everything else is asked of the store, and
//! whoever asked is parked, with what goes on once the store has answered, or has not ([`parked`]).

mod inquiry;
mod outage;
pub(crate) mod parked;
#[cfg(test)]
mod tests;

use streamgate_policy::activity::Activity;
use streamgate_policy::{Event, Refused, Unknown, Verdict};
use streamgate_record::fleet::{Fleet, Question, Ticket};
use streamgate_record::ports::Host;
use streamgate_record::{self as record, Decided, Recorded, Seen, Unavailable, memory_since};
use streamgate_values::hash::HashMap;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use self::inquiry::Parked;
pub(crate) use self::inquiry::{AfterDecision, AfterLook, Attempt, CopyState, Inquiry};

/// What became of a question.
#[derive(Debug)]
#[must_use]
pub(crate) enum Decision<D = Decided> {
    /// It is answered.
    Decided(D),
    /// The fleet's store is asked, and whoever asked waits.
    Parked,
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
            parked: HashMap::default(),
        }
    }

    /// This worker's part in its fleet, if it is in one.
    pub(crate) const fn fleet(&self) -> Option<&Fleet> {
        self.fleet.as_ref()
    }

    /// The same, to be called and answered.
    pub(crate) const fn fleet_mut(&mut self) -> Option<&mut Fleet> {
        self.fleet.as_mut()
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
        let Inquiry { host, records, .. } = *of;
        let decided = record::consult(host, records, of.subject, event, memory_since, of.now)?;
        let Some(fleet) = &self.fleet else {
            return Ok(Some(decided));
        };
        let is_known = match &decided.verdict {
            Verdict::Plays(plays) if !plays.started => true,
            Verdict::Plays(_) => is_decided_later() || fleet.is_confirmed(of.subject, of.now),
            Verdict::Refused(Refused::Over | Refused::Blocked) => {
                fleet.is_confirmed(of.subject, of.now)
            }
            Verdict::Refused(refused) => is_final(refused),
            Verdict::Stopped => true,
            Verdict::Operated { .. } => false,
        };
        let is_known = is_known || of.copy_state == CopyState::Verified;
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
            if is_start(event, copy) {
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
        let may_follow = |seen: &Seen<'_>| match is_alone || suffices(event, seen) {
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

    /// Since when this edge remembers what happened.
    pub(crate) fn memory_since(&mut self, host: &impl Host, now: Moment) -> Moment {
        let ask = || memory_since::memory_since(host, now);
        *self.memory_since.get_or_insert_with(ask)
    }
}

/// Whether this edge's copy suffices to decide an event.
fn suffices(event: &Event, seen: &Seen<'_>) -> bool {
    match &seen.judgement.verdict {
        Verdict::Plays(plays) => {
            let others = plays.evicted.max(plays.killed).max(plays.replaced);
            !plays.started && others == 0 && !plays.learned
        }
        // Others may start as soon as it has: the app that stops a stream waits.
        Verdict::Stopped => matches!(event, Event::Release { .. }),
        // Nor is there a way to know that an account has nothing to stop anywhere.
        Verdict::Operated { .. } => false,
        Verdict::Refused(_) if matches!(event, Event::Operate(_)) => false,
        Verdict::Refused(Refused::MissingAttributes(_)) => is_known(event, seen.activity),
        Verdict::Refused(refused) => !seen.judgement.changed && is_final(refused),
    }
}

/// Whether this edge's copy need not be judged: the event starts a stream, which the store
/// decides.
fn is_start(event: &Event, activity: impl FnOnce() -> Activity) -> bool {
    match event {
        Event::Play(play) => match play.unknown {
            Unknown::IsNew => true,
            Unknown::Starts => !is_known(event, &activity()),
            Unknown::IsOver => false,
        },
        Event::Stop { .. } | Event::Release { .. } | Event::Operate(_) => false,
    }
}

/// Whether all is known here that a stream has said about itself.
fn is_known(event: &Event, activity: &Activity) -> bool {
    let Event::Play(play) = event else {
        return false;
    };
    let is_live = activity.stream(&play.stream).is_some();
    is_live || activity.end_of(&play.stream).is_some()
}

/// Whether a refusal stands whatever happened at other edges.
const fn is_final(refused: &Refused) -> bool {
    match refused {
        Refused::Evicted(_)
        | Refused::Killed(_)
        | Refused::Foreign
        | Refused::TooManyAttributes
        | Refused::Immutable(_)
        | Refused::Shared { .. }
        | Refused::Throttled { .. } => true,
        Refused::Conflict(_)
        | Refused::Blocked
        | Refused::Over
        | Refused::MissingAttributes(_)
        | Refused::SubjectFull => false,
    }
}
