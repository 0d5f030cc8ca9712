//! One worker's edge: every request passes through here.

use crate::api::{self, Begun, PendingCall};
use crate::config::Config;
use crate::exchange::{Answer, Head, Reply};
use crate::ledger::{epoch, sweep};
use crate::metric::Metric;
use crate::moment::Moment;
use crate::playback::{Clean, Forward, Gate, Passage, Watch, Watched};
use crate::ports::Host;
use crate::signed::PlaybackToken;
use crate::surface::{Surface, surface};
use crate::viewer::Asked;

/// What is to become of a request.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// It goes on as it is.
    Pass,
    /// It goes on.
    Forward(Forward),
    /// It goes on when its body is there: hand both to [`Edge::on_body`].
    AwaitBody(PendingCall),
    /// It is answered here.
    Reply(Reply),
}

/// A worker's edge under one configuration.
///
/// Call [`Edge::on_request`] first; what it returns says which of
/// [`Edge::on_body`] and [`Edge::on_response`] is to follow.
#[derive(Debug)]
pub struct Edge {
    config: Config,
    gate: Gate,
    /// Since when the store remembers, once asked.
    epoch: Option<Moment>,
}

impl Edge {
    /// An edge that goes by `config`.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            gate: Gate::default(),
            epoch: None,
        }
    }

    /// Decides about a request by its head. `path` is its `:path`; `ends` says that no
    /// body follows.
    pub fn on_request(
        &mut self,
        host: &impl Host,
        head: &impl Head,
        path: &[u8],
        ends: bool,
    ) -> Step {
        match surface(&self.config, path) {
            Surface::Open => match Clean::of_open(&self.config, head) {
                None => Step::Pass,
                Some(clean) => Step::Forward(Forward {
                    clean,
                    ..Forward::default()
                }),
            },
            Surface::LeftOut { token } => {
                let ring = &self.config.sessions.ring;
                if PlaybackToken::read(ring, token, host.now()).is_err() {
                    return Step::Reply(misplaced(host, 403, Metric::RefusalsCredential));
                }
                Step::Forward(Forward {
                    strip: token.len().saturating_add(2),
                    clean: Clean {
                        referer: true,
                        ..Clean::default()
                    },
                    ..Forward::default()
                })
            }
            Surface::SessionApi { path } => {
                let epoch = known_epoch(&mut self.epoch, host, host.now());
                match api::begin(&self.config, host, head, path, ends, epoch) {
                    Begun::Reply(reply) => Step::Reply(reply),
                    Begun::AwaitBody(pending) => Step::AwaitBody(pending),
                }
            }
            Surface::Playback {
                place,
                token,
                path,
                file,
            } => {
                let asked = Asked {
                    head,
                    token,
                    path,
                    file: &file,
                };
                let epoch = |now| known_epoch(&mut self.epoch, host, now);
                let gate = &mut self.gate;
                match gate.on_request(&self.config, host, asked, place, epoch) {
                    Passage::Forward(forward) => Step::Forward(forward),
                    Passage::Reply(reply) => Step::Reply(reply),
                }
            }
            Surface::Malformed => Step::Reply(misplaced(host, 400, Metric::RefusalsMalformed)),
        }
    }

    /// Carries a session API call out, now that its body is there. A body known to be
    /// longer than [`api::MAX_BODY`] may be handed over cut, as long as it stays longer.
    pub fn on_body(&mut self, host: &impl Host, pending: PendingCall, body: &[u8]) -> Reply {
        let epoch = known_epoch(&mut self.epoch, host, host.now());
        api::finish(&self.config, host, pending, body, epoch)
    }

    /// Takes note of the response to a watched request.
    pub fn on_response(&mut self, host: &impl Host, watch: &Watch, status: u16) -> Watched {
        let epoch = known_epoch(&mut self.epoch, host, host.now());
        self.gate
            .on_response(&self.config, host, watch, status, epoch)
    }

    /// To be called every [`sweep::SWEEP_EVERY_MS`].
    pub fn on_tick(&mut self, host: &impl Host) {
        sweep::sweep(host, &self.config.ledger, host.now());
    }
}

/// The answer to a token that is good for nothing where it stands.
fn misplaced(host: &impl Host, status: u16, metric: Metric) -> Reply {
    host.add(metric, 1);
    Reply {
        answer: Answer::empty(status),
        logged_path: Some(b"/~".to_vec()),
        record: None,
    }
}

fn known_epoch(known: &mut Option<Moment>, host: &impl Host, now: Moment) -> Moment {
    *known.get_or_insert_with(|| epoch::epoch(host, now))
}
