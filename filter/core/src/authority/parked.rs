//! Parking whoever asked the fleet's store, and going on once it has answered.

use streamgate_policy::Event;
use streamgate_record::fleet::{Fleet, Question, Ticket};
use streamgate_record::ports::Host;
use streamgate_record::{Decided, Records, Unavailable};
use streamgate_values::moment::Moment;

use super::inquiry::Parked;
use super::{AfterDecision, AfterLook, Authority, CopyState, Decision, Inquiry};

/// Who was parked, and what the fleet's store has answered.
#[derive(Debug)]
pub struct Settled {
    /// Names the request.
    pub ticket: Ticket,
    parked: Parked,
    /// The answer: `None` to a look.
    answer: Result<Option<Decided>, Unavailable>,
    /// There is no answer, and yet the store may have recorded what was asked for.
    may_be_recorded: bool,
}

/// Who is parked no longer, and what was decided.
#[derive(Debug)]
pub(crate) enum Resumed {
    /// The copy is up to date, or there is no way to bring it up to date.
    Looked(AfterLook, CopyState),
    /// An event is decided, or could not be.
    Decided(AfterDecision, Result<Decided, Unavailable>, CopyState),
}

impl Authority {
    pub(super) fn park_event<H: Host>(
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

    pub(super) fn park<H: Host, D>(&mut self, of: &Inquiry<'_, H>, parked: Parked) -> Decision<D> {
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

    /// The request of this ticket is gone.
    pub(crate) fn forget(&mut self, ticket: Ticket) {
        if self.parked.remove(&ticket).is_some()
            && let Some(fleet) = &mut self.fleet
        {
            fleet.forget(ticket);
        }
    }

    /// How many requests wait for the store.
    pub(crate) fn waiting(&self) -> usize {
        self.parked.len()
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
}
