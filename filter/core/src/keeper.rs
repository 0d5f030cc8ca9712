//! Who has the last word on a record: this edge alone, or the store of its fleet.
//!
//! An edge alone decides at once. In a fleet, this edge's copy suffices for what changes
//! nothing that others could object to: a stream that is known here goes on, pauses, or
//! was ended. Everything else is asked of the store, and whoever asked waits.

use core::cell::Cell;

use crate::fleet::{Fleet, OnOutage, Question, Ticket};
use crate::ledger::{self, Decided, Ledger, Outage, Seen, Settled};
use crate::metric::Metric;
use crate::moment::Moment;
use crate::policy::{Event, Refused, Verdict};
use crate::ports::Host;
use crate::subject::SubjectKey;

/// What is known of the fleet's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It can be asked for.
    Ask,
    /// It was, a moment ago: this edge's copy is up to date.
    Current,
    /// It was, in vain.
    InVain,
}

/// What became of an event.
#[derive(Debug)]
#[must_use]
pub(crate) enum Ruling {
    /// It is decided.
    Decided(Decided),
    /// The fleet's store has to be asked.
    Wait,
    /// It will be decided without anybody waiting for it.
    Later,
}

/// Where records are kept, for the time of one callback.
pub(crate) struct Keeper<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) fleet: Option<&'a mut Fleet>,
    /// Since when this edge remembers.
    pub(crate) epoch: Moment,
    pub(crate) trust: Trust,
}

impl Keeper<'_> {
    /// What would become of an event? If `again`, it will be decided later in any case.
    pub(crate) fn consult(
        &self,
        host: &impl Host,
        subject: &SubjectKey,
        event: &Event,
        again: impl FnOnce() -> bool,
        now: Moment,
    ) -> Result<Ruling, Outage> {
        let decided = ledger::consult(host, self.ledger, subject, event, self.epoch, now)?;
        let Some(fleet) = &self.fleet else {
            return Ok(Ruling::Decided(decided));
        };
        let suffices = match &decided.verdict {
            Verdict::Plays(plays) if !plays.started => true,
            Verdict::Plays(_) => again() || fleet.is_confirmed(subject, now),
            Verdict::Refused(Refused::Over) => fleet.is_confirmed(subject, now),
            Verdict::Refused(refused) => is_final(refused),
            Verdict::Stopped => true,
        };
        match self.trust {
            _ if suffices => Ok(Ruling::Decided(decided)),
            Trust::Current => Ok(Ruling::Decided(decided)),
            Trust::Ask if fleet.is_up(subject) => Ok(Ruling::Wait),
            Trust::Ask | Trust::InVain => match fleet.settings().on_outage {
                OnOutage::Admit => Ok(Ruling::Decided(decided)),
                OnOutage::Refuse => {
                    host.add(Metric::FleetOutageRefusals, 1);
                    Err(Outage::Fleet)
                }
            },
        }
    }

    /// Decides an event and records what follows. Where the store has to be asked about a
    /// stream that `plays` here, nobody waits for that.
    pub(crate) fn decide(
        &mut self,
        host: &impl Host,
        subject: &SubjectKey,
        event: &Event,
        plays: bool,
        now: Moment,
    ) -> Result<Ruling, Outage> {
        let (ledger, epoch) = (self.ledger, self.epoch);
        let Some(fleet) = &mut self.fleet else {
            let decided = ledger::transact(host, ledger, subject, event, epoch, now)?;
            return Ok(Ruling::Decided(decided));
        };
        let (changed, silenced) = (Cell::new(false), Cell::new(false));
        let note = |seen: &Seen<'_>| {
            changed.set(seen.judgement.changed);
            silenced.set(seen.judgement.silenced);
        };
        let by_copy = |seen: &Seen<'_>| {
            note(seen);
            copy_suffices(event, seen)
        };
        let settled = ledger::transact_if(host, ledger, subject, event, epoch, now, by_copy)?;
        if let Settled::Decided(decided) = settled {
            if changed.get() {
                fleet.tell(*subject, silenced.get());
            }
            return Ok(Ruling::Decided(decided));
        }
        if self.trust == Trust::Ask && fleet.is_up(subject) {
            if !plays {
                return Ok(Ruling::Wait);
            }
            fleet.ask(*subject, None, Question::Decide(event.clone()), now);
            return Ok(Ruling::Later);
        }
        if fleet.settings().on_outage == OnOutage::Refuse {
            host.add(Metric::FleetOutageRefusals, u64::from(!plays));
            return Err(Outage::Fleet);
        }
        let by_what_is_known = |seen: &Seen<'_>| {
            note(seen);
            true
        };
        let settled =
            ledger::transact_if(host, ledger, subject, event, epoch, now, by_what_is_known)?;
        let (Settled::Decided(decided) | Settled::Open(decided)) = settled;
        if changed.get() {
            fleet.tell(*subject, silenced.get());
        }
        if matches!(&decided.verdict, Verdict::Plays(plays) if plays.started) {
            host.add(Metric::FleetOutageAdmits, 1);
        }
        Ok(Ruling::Decided(decided))
    }

    /// Whether the store has to be asked before a subject's streams are listed.
    pub(crate) fn must_look(&self, subject: &SubjectKey) -> bool {
        let fleet = self.fleet.as_ref();
        self.trust == Trust::Ask && fleet.is_some_and(|fleet| fleet.is_up(subject))
    }

    /// Has the store asked; `ticket` waits.
    pub(crate) fn ask(
        &mut self,
        subject: SubjectKey,
        ticket: Ticket,
        question: Question,
        now: Moment,
    ) {
        if let Some(fleet) = &mut self.fleet {
            fleet.ask(subject, Some(ticket), question, now);
        }
    }
}

/// Whether this edge's copy suffices to decide an event: it changes nothing that other
/// edges could object to.
fn copy_suffices(event: &Event, seen: &Seen<'_>) -> bool {
    match &seen.judgement.verdict {
        Verdict::Plays(plays) => {
            let is_call = matches!(event, Event::Play(play) if play.is_call);
            let others = plays.evicted.max(plays.killed).max(plays.replaced);
            !plays.started && others == 0 && !(plays.learned && is_call)
        }
        // Others may start as soon as it has: the app that stops a stream waits.
        Verdict::Stopped => matches!(event, Event::Release { .. }),
        Verdict::Refused(refused) => !seen.judgement.changed && is_final(refused),
    }
}

/// Whether a refusal stands whatever happened at other edges.
const fn is_final(refused: &Refused) -> bool {
    match refused {
        Refused::Evicted(_)
        | Refused::Killed(_)
        | Refused::Foreign
        | Refused::MissingAttributes(_)
        | Refused::TooManyAttributes
        | Refused::Immutable(_)
        | Refused::Throttled { .. } => true,
        Refused::Conflict(_) | Refused::Over | Refused::SubjectFull => false,
    }
}
