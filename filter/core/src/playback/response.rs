//! The response to a request that counts as watching, should it succeed.

use streamgate_policy::{Event, Verdict};
use streamgate_record::fleet::Ticket;
use streamgate_record::metric::Metric;
use streamgate_record::ports::Host;
use streamgate_record::{Decided, Unavailable};
use streamgate_values::moment::Moment;

use super::gate::Gate;
use super::passage::Watch;
use super::refusal::{DEVICE_NAME, RefusedRequest, Who, Why, refuse};
use crate::authority::{AfterDecision, Authority, CopyState, Decision, Inquiry};
use crate::config::Config;
use crate::exchange::LogEntry;
use crate::refusal::cause;
use crate::refusal::reason::Reason;
use crate::step::{ResponseStep, Step};

/// Whether a response of this status is what was asked for. After 101 its bytes are those of
/// another protocol (WebSocket), where Envoy lets it through: a player may watch by them.
pub(super) const fn is_success(status: u16) -> bool {
    matches!(status, 101 | 200..300 | 304)
}

/// The head of the response to a watched request.
pub(crate) struct WatchedResponse<'w> {
    pub(crate) ticket: Ticket,
    pub(crate) watch: &'w Watch,
    pub(crate) status: u16,
    /// It has no body.
    pub(crate) ends: bool,
}

impl Gate {
    /// Takes note of the response to a watched request: it may not reach the viewer if
    /// others were faster, or the stream was ended meanwhile.
    pub(crate) fn on_response(
        &mut self,
        config: &Config,
        host: &impl Host,
        response: WatchedResponse<'_>,
        authority: &mut Authority,
    ) -> ResponseStep {
        let WatchedResponse {
            ticket,
            watch,
            status,
            ends,
        } = response;
        if !is_success(status) {
            return Step::Pass;
        }
        let Some(event) = watch.event(config) else {
            return Step::Pass;
        };
        let of = Inquiry {
            host,
            records: &config.records,
            ticket,
            subject: &watch.stream.subject,
            now: host.now(),
            copy_state: CopyState::Unverified,
        };
        let decided = match watch.known {
            true => authority.note(&of, &event),
            false => {
                let after = || AfterDecision::Response {
                    watch: watch.clone(),
                    ends,
                };
                match authority.decide(&of, &event, after) {
                    Ok(Decision::Decided(decided)) => Ok(Some(decided)),
                    Ok(Decision::Parked) => return Step::Park,
                    Err(unavailable) => Err(unavailable),
                }
            }
        };
        match decided {
            Ok(Some(decided)) => self.decided(config, host, watch, Ok(&decided), of.now),
            Ok(None) => {
                self.flow_begins(watch);
                Step::Pass
            }
            Err(unavailable) => self.decided(config, host, watch, Err(unavailable), of.now),
        }
    }

    /// What becomes of a watched response once that is decided.
    pub(crate) fn decided(
        &mut self,
        config: &Config,
        host: &impl Host,
        watch: &Watch,
        decided: Result<&Decided, Unavailable>,
        now: Moment,
    ) -> ResponseStep {
        let Watch { stream, name, .. } = watch;
        let Some(protected) = config.playback.get(watch.path_index) else {
            return Step::Pass;
        };
        let who = Who {
            subject: Some(stream.subject),
            stream: Some(stream.stream),
            application: Some(&stream.application.id),
            device: watch.facts.attributes.value(DEVICE_NAME),
        };
        let request = RefusedRequest {
            now,
            path_index: watch.path_index,
            path: &watch.path,
            languages: &watch.languages,
        };
        let turn_away = |reason, why| Step::Reply(refuse(config, host, request, who, reason, why));
        let decided = match decided {
            Ok(decided) => decided,
            // A stream that is known to play goes on; its next segment tries again.
            Err(_) if watch.known => {
                self.flow_begins(watch);
                return Step::Pass;
            }
            Err(unavailable) => return turn_away(Reason::of_unavailable(unavailable), None),
        };
        match &decided.verdict {
            Verdict::Plays(plays) => {
                let is_in_headers = watch.facts.buffer.is_in_headers;
                let at = (&config.records, watch.path_index);
                let lease = protected.lease(at, stream, decided, plays, (now, is_in_headers));
                self.keep(*name, lease);
                self.flow_begins(watch);
                if !plays.started {
                    host.add(Metric::LeaseRenewals, 1);
                    if !plays.shared {
                        return Step::Pass;
                    }
                }
                let (reason, cause) = cause::of_start(plays);
                Step::Log(LogEntry {
                    event: if plays.started { "start" } else { "shared" },
                    reason,
                    subject: who.subject,
                    stream: who.stream,
                    application: who.application.map(str::to_owned),
                    cause,
                    device: who.device.map(str::to_owned),
                    ..LogEntry::default()
                })
            }
            Verdict::Refused(refused) => {
                self.leases.remove(*name);
                let retry_at = decided.retry_at;
                let reason = protected.reason(refused, &stream.stream);
                turn_away(reason, Some(Why { refused, retry_at }))
            }
            Verdict::Stopped | Verdict::Operated { .. } => Step::Pass,
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
