//! What is decided while the fleet's store does not answer.

use streamgate_policy::{Event, Unknown, Verdict};
use streamgate_record::fleet::{OnOutage, Question};
use streamgate_record::metric::Metric;
use streamgate_record::ports::Host;
use streamgate_record::{self as record, Decided, Unavailable};
use streamgate_values::moment::Moment;

use super::{Authority, Inquiry};

impl Authority {
    /// What would become of an event while the store does not answer; nothing is recorded.
    ///
    /// # Errors
    ///
    /// [`Unavailable::Fleet`] where `on_outage` refuses.
    pub(super) fn foresee_in_outage<H: Host>(
        &self,
        of: &Inquiry<'_, H>,
        event: &Event,
    ) -> Result<Decided, Unavailable> {
        if self.refuses_in_outage() {
            of.host.add(Metric::FleetOutageRefusals, 1);
            return Err(Unavailable::Fleet);
        }
        let Inquiry { host, records, .. } = *of;
        let memory_since = memory_since_in_outage(of.now);
        record::consult(host, records, of.subject, event, memory_since, of.now)
    }

    /// Decides while the store does not answer, if the configuration says so. `waiting`: how many
    /// requests are refused otherwise.
    pub(super) fn in_outage<H: Host>(
        &mut self,
        of: &Inquiry<'_, H>,
        event: &Event,
        waiting: u64,
    ) -> Result<Decided, Unavailable> {
        // An operator's wish is carried out here at least, and the store hears of it later.
        if self.refuses_in_outage() && !matches!(event, Event::Operate(_)) {
            of.host.add(Metric::FleetOutageRefusals, waiting);
            return Err(Unavailable::Fleet);
        }
        let memory_since = memory_since_in_outage(of.now);
        let Inquiry { host, records, .. } = *of;
        let recorded = record::transact(host, records, of.subject, event, memory_since, of.now)?;
        let decided = self.recorded(of.subject, recorded);
        if matches!(&decided.verdict, Verdict::Plays(plays) if plays.started) {
            host.add(Metric::FleetOutageAdmits, 1);
        }
        Ok(decided)
    }

    /// A start was refused because the store did not answer. Should it have recorded the
    /// start all the same, nobody would play under it.
    pub(super) fn undo<H: Host>(&mut self, of: &Inquiry<'_, H>, event: Event) {
        if let Event::Play(play) = event
            && play.unknown == Unknown::IsNew
            && self.refuses_in_outage()
            && let Some(fleet) = &mut self.fleet
        {
            let stop = Event::Stop {
                stream: play.stream,
                application: play.application,
            };
            fleet.ask(*of.subject, None, Question::Decide(stop), of.host.steady());
        }
    }

    /// Whether nothing starts while the store does not answer.
    fn refuses_in_outage(&self) -> bool {
        let fleet = self.fleet.as_ref();
        fleet.is_some_and(|fleet| fleet.settings().on_outage == OnOutage::Refuse)
    }
}

/// Since when this edge remembers what happened in its fleet while nobody can be asked: since
/// now. A stream it has never heard of may play at another edge, so it is not over.
const fn memory_since_in_outage(now: Moment) -> Moment {
    now
}
