//! The response to a request that counts as watching, should it succeed.

use streamgate_policy::{Event, Verdict};
use streamgate_record::metric::Metric;
use streamgate_record::ports::Host;
use streamgate_record::{Decided, Unavailable};
use streamgate_values::moment::Moment;

use super::gate::Gate;
use super::passage::{Watch, Watched};
use super::refusal::{DEVICE_NAME, What, Who, Why, refuse};
use crate::authority::{Authority, Decision};
use crate::config::Config;
use crate::exchange::Record;
use crate::refusal::cause;
use crate::refusal::reason::Reason;

impl Gate {
    /// Takes note of the response to a watched request: it may not reach the viewer if
    /// others were faster, or the stream was ended meanwhile.
    pub(crate) fn on_response(
        &mut self,
        config: &Config,
        host: &impl Host,
        watch: &Watch,
        status: u16,
        authority: &mut Authority<'_>,
    ) -> Watched {
        if !(200..300).contains(&status) && status != 304 {
            return Watched::Pass(None);
        }
        let now = host.now();
        let Some(event) = watch.event(config) else {
            return Watched::Pass(None);
        };
        let subject = watch.stream.subject;
        match authority.decide(host, &subject, &event, watch.known, now) {
            Ok(Decision::Decided(decided)) => {
                self.decided(config, host, watch, Ok(Some(&decided)), now)
            }
            Ok(Decision::Later) => Watched::Pass(None),
            Ok(Decision::Wait) => Watched::Wait(subject, event),
            Err(unavailable) => self.decided(config, host, watch, Err(unavailable), now),
        }
    }

    /// What becomes of a watched response once that is decided.
    pub(crate) fn decided(
        &mut self,
        config: &Config,
        host: &impl Host,
        watch: &Watch,
        decided: Result<Option<&Decided>, Unavailable>,
        now: Moment,
    ) -> Watched {
        let Watch { stream, name, .. } = watch;
        let Some(protected) = config.playback.get(watch.path_index) else {
            return Watched::Pass(None);
        };
        let who = Who {
            subject: Some(stream.subject),
            stream: Some(stream.stream),
            application: Some(&stream.application.id),
            device: watch.facts.attributes.value(DEVICE_NAME),
        };
        let what = What {
            now,
            path_index: watch.path_index,
            path: &watch.path,
            languages: &watch.languages,
        };
        let turn_away = |reason, why| Watched::Refuse(refuse(config, host, what, who, reason, why));
        let decided = match decided {
            Ok(Some(decided)) => decided,
            Ok(None) => return Watched::Pass(None),
            // A stream that is known to play goes on; its next segment tries again.
            Err(_) if watch.known => return Watched::Pass(None),
            Err(unavailable) => return turn_away(Reason::of_unavailable(unavailable), None),
        };
        match &decided.verdict {
            Verdict::Plays(plays) => {
                let lease =
                    protected.lease((&config.records, watch.path_index), stream, decided, plays);
                self.keep(*name, lease);
                if !plays.started {
                    host.add(Metric::LeaseRenewals, 1);
                    return Watched::Pass(None);
                }
                let (reason, cause) = cause::of_start(plays);
                Watched::Pass(Some(Record {
                    event: "start",
                    reason,
                    subject: who.subject,
                    stream: who.stream,
                    application: who.application.map(str::to_owned),
                    cause,
                    device: who.device.map(str::to_owned),
                    ..Record::default()
                }))
            }
            Verdict::Refused(refused) => {
                self.leases.remove(*name);
                let retry_at = decided.retry_at;
                let reason = protected.reason(refused, &stream.stream);
                turn_away(reason, Some(Why { refused, retry_at }))
            }
            Verdict::Stopped | Verdict::Operated { .. } => Watched::Pass(None),
        }
    }
}

impl Watch {
    /// The request as an event; `None` if its path is configured no longer.
    fn event(&self, config: &Config) -> Option<Event> {
        let protected = config.playback.get(self.path_index)?;
        let application = &self.stream.application;
        let (stream, facts) = (&self.stream, self.facts.clone());
        let play = protected.play(stream.stream, stream.recurring, application, facts);
        Some(Event::Play(play))
    }
}
