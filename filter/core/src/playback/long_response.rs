//! Streams whose responses take long: their records are touched while bytes flow, and the responses
//! of those that have lost their place, or whose credential has ended, are cut.

use streamgate_policy::{Event, Play, Refused, Unknown, Verdict};
use streamgate_record::fleet::Ticket;
use streamgate_record::metric::Metric;
use streamgate_record::ports::Host;
use streamgate_values::moment::Moment;

use super::flow::Flowing;
use super::gate::Gate;
use super::passage::{Facts, Watch};
use super::response::is_success;
use crate::authority::{Authority, CopyState, Inquiry};
use crate::config::{Config, PlaybackPath};
use crate::exchange::LogEntry;
use crate::refusal::reason::Reason;

/// How soon a stream without a fresh lease is judged again, in milliseconds: there may be none to be had, or
/// the fleet's store was asked.
const JUDGE_AGAIN_MS: u64 = 1_000;

/// A response that is to be cut, because its stream has lost its place or its credential has ended.
#[derive(Debug)]
#[must_use]
pub struct Cut {
    /// The request.
    pub ticket: Ticket,
    /// What the access log is told, unless it was a moment ago.
    pub log_entry: Option<LogEntry>,
}

impl Gate {
    /// What [`Gate::flow_begins`] and those that call it are for comes next.
    pub(crate) fn expect(&self, ticket: Ticket) {
        self.flows.expect(ticket);
    }

    /// The response to a watched request goes to the viewer.
    pub(super) fn flow_begins(&self, watch: &Watch) {
        let Watch {
            stream,
            name,
            path_index,
            ..
        } = watch;
        self.flows.begin(*name, *path_index, stream, true);
    }

    /// Whether bytes have flowed lately.
    pub(crate) fn has_flows(&self) -> bool {
        self.flows.is_busy()
    }

    /// Looks after the streams whose responses take long; gives those responses that are to
    /// be cut. `status` tells a response's.
    pub(crate) fn look_after_flows(
        &mut self,
        config: &Config,
        host: &impl Host,
        authority: &mut Authority,
        status: impl Fn(Ticket) -> Option<u16>,
        now: Moment,
    ) -> Vec<Cut> {
        let mut cuts = Vec::new();
        for flowing in self.flows.flowing(config, now) {
            let Some(protected) = config.playback.get(flowing.path_index) else {
                continue;
            };
            if self.is_in_order(&flowing, host, now) {
                continue;
            }
            if !flowing.is_success && !status(flowing.ticket).is_some_and(is_success) {
                self.flows.end(flowing.ticket);
                continue;
            }
            let stream = &flowing.stream;
            let reason = if stream.expires_at.is_some_and(|end| end <= now) {
                Some(Reason::TokenExpired)
            } else {
                self.judge_flow(config, protected, host, &flowing, authority, now)
                    .map(|refused| protected.reason(&refused, &stream.stream))
            };
            if let Some(reason) = reason {
                self.flows.end(flowing.ticket);
                host.add(Metric::Cuts, 1);
                cuts.push(Cut {
                    ticket: flowing.ticket,
                    log_entry: Some(LogEntry {
                        event: "cut",
                        reason: Some(reason.code()),
                        subject: Some(stream.subject),
                        stream: Some(stream.stream),
                        application: Some(stream.application.id.clone()),
                        ..LogEntry::default()
                    }),
                });
            }
        }
        cuts
    }

    /// Whether nothing has to be done for a stream whose bytes flow.
    fn is_in_order(&mut self, flowing: &Flowing, host: &impl Host, now: Moment) -> bool {
        match self.leases.value(flowing.name) {
            Some(lease) => {
                lease.is_unchanged(&mut self.generations, host)
                    && (flowing.is_settled || lease.is_fresh(now))
            }
            None => flowing.is_settled,
        }
    }

    /// Touches the record of a stream whose bytes flow; why it has no place any more, if so.
    fn judge_flow(
        &mut self,
        config: &Config,
        protected: &PlaybackPath,
        host: &impl Host,
        flowing: &Flowing,
        authority: &mut Authority,
        now: Moment,
    ) -> Option<Refused> {
        let Flowing {
            stream,
            name,
            path_index,
            ticket,
            ..
        } = flowing;
        let application = &stream.application;
        let play = protected.play(
            stream.stream,
            stream.recurring,
            application,
            Facts {
                client: stream.client.as_deref().copied(),
                ..Facts::default()
            },
        );
        // What started the stream said more of it than is known here: one that has lapsed begins
        // anew with a request.
        let event = Event::Play(Play {
            unknown: Unknown::IsOver,
            ..play
        });
        let third = protected
            .timeout_ms
            .saturating_sub(protected.renew_below_ms());
        let subject = stream.subject;
        let of = Inquiry {
            host,
            records: &config.records,
            ticket: *ticket,
            subject: &subject,
            now,
            copy_state: CopyState::Unverified,
        };
        // What is refused is not recorded: the player has not asked again.
        let decided = match authority.peek(&of, &event, || true) {
            Ok(Some(decided)) if matches!(decided.verdict, Verdict::Refused(_)) => {
                Ok(Some(decided))
            }
            _ => authority.note(&of, &event),
        };
        match decided {
            Ok(Some(decided)) => match decided.verdict {
                Verdict::Plays(ref plays) => {
                    host.add(Metric::LeaseRenewals, 1);
                    let at = (&config.records, *path_index);
                    let lease = protected.lease(at, stream, &decided, plays, (now, false));
                    self.keep(*name, lease);
                }
                Verdict::Refused(refused) => {
                    self.leases.remove(*name);
                    return Some(refused);
                }
                Verdict::Stopped | Verdict::Operated { .. } => {}
            },
            Ok(None) | Err(_) => {
                self.leases.remove(*name);
            }
        }
        self.flows
            .settle(*ticket, now.plus_ms(third.min(JUDGE_AGAIN_MS)));
        None
    }
}
