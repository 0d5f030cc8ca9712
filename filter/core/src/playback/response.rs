//! The response to a request that counts as watching, should it succeed.

use super::gate::Gate;
use super::passage::{Watch, Watched};
use super::refusal::{What, Who, Why, refuse};
use crate::config::Config;
use crate::exchange::Record;
use crate::ledger::transact;
use crate::metric::Metric;
use crate::moment::Moment;
use crate::policy::{Event, Verdict};
use crate::ports::Host;
use crate::reason::Reason;

impl Gate {
    /// Takes note of the response to a watched request. `Some` if it may not reach the
    /// viewer: others were faster, or the stream was ended meanwhile.
    pub fn on_response(
        &mut self,
        config: &Config,
        host: &impl Host,
        watch: &Watch,
        status: u16,
        epoch: Moment,
    ) -> Watched {
        if !(200..300).contains(&status) && status != 304 {
            return Watched::Pass(None);
        }
        let Watch { stream, name, .. } = watch;
        let (Some(protected), Some(application)) = (
            config.playback.get(watch.place),
            config.ledger.book.application(&stream.application),
        ) else {
            return Watched::Pass(None);
        };
        let now = host.now();
        let facts = watch.facts.clone();
        let play = protected.play(stream.stream, stream.recurring, application, facts);
        let event = Event::Play(play);
        let who = Who {
            subject: Some(stream.subject),
            stream: Some(stream.stream),
            application: Some(&stream.application),
        };
        let what = What {
            now,
            place: watch.place,
            path: &watch.path,
            languages: &watch.languages,
        };
        let turn_away = |reason, why| Watched::Refuse(refuse(config, host, what, who, reason, why));
        match transact(host, &config.ledger, &stream.subject, &event, epoch, now) {
            Ok(decided) => match &decided.verdict {
                Verdict::Plays(plays) => {
                    let lease = protected.lease(stream, &decided, plays);
                    self.leases.insert(name, lease);
                    if !plays.started {
                        host.add(Metric::LeaseRenewals, 1);
                        return Watched::Pass(None);
                    }
                    Watched::Pass(Some(Record {
                        event: "start",
                        reason: None,
                        subject: who.subject,
                        stream: who.stream,
                        application: who.application.map(str::to_owned),
                    }))
                }
                Verdict::Refused(refused) => {
                    self.leases.remove(name);
                    let retry_at = decided.retry_at;
                    let reason = protected.reason(refused, &stream.stream);
                    turn_away(reason, Some(Why { refused, retry_at }))
                }
                Verdict::Stopped => Watched::Pass(None),
            },
            // A stream that is known to play goes on; its next segment tries again.
            Err(_) if watch.known => Watched::Pass(None),
            Err(outage) => turn_away(Reason::of_outage(outage), None),
        }
    }
}
