//! How a segment request is refused.

use serde::Serialize;
use streamgate_policy::Refused;
use streamgate_record::ports::Meter;
use streamgate_values::moment::Moment;
use streamgate_values::path::Reading;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use super::class::{Class, is_dash};
use crate::config::{Config, PlaybackPath};
use crate::exchange::{Answer, LogEntry, Reply};
use crate::refusal::advice::EvaluationResult;
use crate::refusal::cause;
use crate::refusal::counted::Counted;
use crate::refusal::reason::Reason;
use crate::request::viewer::Viewer;

/// The evaluation result, with a reason a program can match on.
#[derive(Serialize)]
struct Body<'a> {
    reason: &'static str,
    detail: &'static str,
    #[serde(flatten)]
    evaluation: &'a EvaluationResult,
}

/// The attribute that names a device for people.
pub(super) const DEVICE_NAME: &str = "deviceName";

/// Who is refused, as far as that is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Who<'a> {
    pub(super) subject: Option<SubjectKey>,
    pub(super) stream: Option<StreamKey>,
    pub(super) application: Option<&'a str>,
    pub(super) device: Option<&'a str>,
}

impl<'a> Who<'a> {
    /// Whoever watches, and which stream.
    pub(super) fn of(viewer: &Viewer<'a>, stream: Option<StreamKey>) -> Self {
        Self {
            subject: Some(viewer.subject),
            stream,
            application: Some(&viewer.application.id),
            device: None,
        }
    }

    /// The same on this device.
    pub(super) fn on(self, device: Option<&'a str>) -> Self {
        Self { device, ..self }
    }
}

/// What the judge says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Why<'a> {
    pub(super) refused: &'a Refused,
    /// When trying again may help.
    pub(super) retry_at: Option<Moment>,
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct RefusedRequest<'a> {
    /// When it is refused.
    pub(super) now: Moment,
    /// Place of the protected path in the configuration.
    pub(super) path_index: usize,
    /// The path without its tokens: it is logged.
    pub(super) path: &'a [u8],
    /// The viewer's `Accept-Language`.
    pub(super) languages: &'a str,
}

impl PlaybackPath {
    /// What to show instead of this manifest, if it is one and refused for a limit.
    fn slate_for(&self, reason: Reason, path: &[u8]) -> Option<&str> {
        let path = Reading::of(path).ok().filter(|_| reason.concerns_limit())?;
        if self.classes.classify(&path) != Class::Manifest {
            return None;
        }
        let slate = if is_dash(&path) {
            &self.slate.dash
        } else {
            &self.slate.hls
        };
        slate.as_deref()
    }
}

/// A refusal with its advice.
pub(super) fn refuse(
    config: &Config,
    meter: &impl Meter,
    request: RefusedRequest<'_>,
    who: Who<'_>,
    reason: Reason,
    why: Option<Why<'_>>,
) -> Reply {
    Counted::of(reason, why.map(|why| why.refused)).add(meter, 1);
    let evaluation = match (why, &who.subject) {
        (Some(why), Some(subject)) => {
            EvaluationResult::of(why.refused, config, subject, request.languages)
        }
        _ => EvaluationResult::default(),
    };
    let protected = config.playback.get(request.path_index);
    let status = reason.status(protected.map_or(403, |path| path.refuse_status));
    let body = Body {
        reason: reason.code(),
        detail: match why.map(|why| why.refused) {
            Some(Refused::Killed(by)) if by.same_device => "this device has started again",
            _ => reason.detail(),
        },
        evaluation: &evaluation,
    };
    let mut answer =
        Answer::json(status, "application/json", &body).with("x-streamgate-reason", reason.code());
    answer = answer.readable();
    if let Some(slate) = protected.and_then(|path| path.slate_for(reason, request.path)) {
        answer.status = 302;
        answer = answer.with("location", slate);
    }
    if let Some(retry_at) = why.and_then(|why| why.retry_at) {
        answer = answer.retry_at(retry_at, request.now);
    } else if status == 503 {
        let timeout_ms = protected.map_or(config.sessions.timeout_ms, |path| path.timeout_ms);
        answer = answer.with("retry-after", reason.retry_after_s(timeout_ms).to_string());
    }
    Reply {
        answer,
        logged_path: Some(request.path.to_vec()),
        log_entry: Some(LogEntry {
            event: "refusal",
            reason: Some(reason.code()),
            subject: who.subject,
            stream: who.stream,
            application: who.application.map(str::to_owned),
            cause: why.and_then(|why| cause::of_refusal(why.refused)),
            device: who.device.map(str::to_owned),
            at: Some(request.now),
            ..LogEntry::default()
        }),
    }
}
