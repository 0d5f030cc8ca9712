//! All that is known of an account.

use serde::Serialize;
use streamgate_policy::activity::{Activity, EndReason, Liveness, Stream, Tombstone};
use streamgate_policy::standing::{Stand, stands};
use streamgate_policy::{Count, Mode};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::decision::{KeptDecision, ShownDecision};
use super::exception::ExceptionShown;
use crate::config::Config;
use crate::exchange::Answer;
use crate::refusal::advice::{self, Named};

/// The most of an account's streams that one answer lists.
const STREAMS_MAX: usize = 100;

/// The most bytes of their attributes.
const BYTES_MAX: usize = 64 << 10;

/// The most rules that one answer lists.
const RULES_MAX: usize = 64;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountShown<'a> {
    /// The account as logs show it.
    account: String,
    now: String,
    /// Who was asked: `alone`, `asked` or `out`.
    store: &'static str,
    streams: Vec<StreamShown<'a>>,
    other_streams: usize,
    limits: Vec<LimitShown<'a>>,
    other_limits: usize,
    exception: Option<ExceptionShown>,
    ended: Vec<EndShown<'a>>,
    decisions: Vec<ShownDecision<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StreamShown<'a> {
    code: String,
    application: &'a str,
    application_name: &'a str,
    started_at: String,
    lapses_at: String,
    /// Whether heartbeats keep it alive, too.
    lives_by: &'static str,
    attributes: Named<String>,
    limits: Named<u32>,
}

#[derive(Serialize)]
struct LimitShown<'a> {
    policy: &'a str,
    rule: &'a str,
    mode: &'static str,
    counts: &'a str,
    per: &'a [String],
    /// `null` for none.
    limit: Option<u32>,
    count: usize,
}

#[derive(Serialize)]
struct EndShown<'a> {
    code: String,
    at: String,
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    /// The application of the stream that took its place, or of the viewer who stopped it.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
}

/// The answer about an account.
pub(super) fn account(
    config: &Config,
    subject: &SubjectKey,
    activity: &Activity,
    decisions: &[KeptDecision],
    store: &'static str,
    now: Moment,
) -> Answer {
    let (mut listed, mut bytes) = (0_usize, 0_usize);
    for stream in activity.streams.iter().take(STREAMS_MAX) {
        // In JSON a character may take six.
        bytes = bytes.saturating_add(stream.attributes.size().saturating_mul(2));
        if bytes > BYTES_MAX && listed > 0 {
            break;
        }
        listed = listed.saturating_add(1);
    }
    let policies = policies_of(config, activity, decisions);
    let stands = stands(&config.records.book, &policies, activity);
    let shown = AccountShown {
        account: subject.to_string(),
        now: now.to_rfc3339_millis(),
        store,
        streams: activity
            .streams
            .iter()
            .take(listed)
            .map(|stream| stream_shown(config, stream))
            .collect(),
        other_streams: activity.streams.len().saturating_sub(listed),
        limits: stands.iter().take(RULES_MAX).map(limit_shown).collect(),
        other_limits: stands.len().saturating_sub(RULES_MAX),
        exception: activity.exception.as_ref().and_then(ExceptionShown::of),
        ended: activity.ended.iter().map(end_shown).collect(),
        decisions: decisions.iter().map(|one| one.shown(false)).collect(),
    };
    Answer::json(200, "application/json", &shown)
}

/// The policies of the applications that play on the account, or wanted to; all there are, where
/// nothing is known of it.
fn policies_of(config: &Config, activity: &Activity, decisions: &[KeptDecision]) -> Vec<usize> {
    let book = &config.records.book;
    let playing = activity.streams.iter().map(|stream| stream.application.as_str());
    let decided = decisions.iter().map(|one| one.application.as_str());
    let mut policies: Vec<usize> = Vec::new();
    for application in playing.chain(decided) {
        let Some(application) = book.application(application) else {
            continue;
        };
        for (index, _) in book.policies_of(application) {
            if policies.len() < RULES_MAX && !policies.contains(&index) {
                policies.push(index);
            }
        }
    }
    if policies.is_empty() {
        policies.extend(0..book.policy_count().min(RULES_MAX));
    }
    policies
}

fn stream_shown<'a>(config: &'a Config, stream: &'a Stream) -> StreamShown<'a> {
    let limits = stream.limits.iter();
    StreamShown {
        code: stream.key.termination_code(),
        application: &stream.application,
        application_name: advice::application_name(config, &stream.application),
        started_at: stream.started_at.to_rfc3339_millis(),
        lapses_at: stream.lapses_at.to_rfc3339_millis(),
        lives_by: match stream.liveness {
            Liveness::Any => "any",
            Liveness::Media => "media",
        },
        attributes: advice::metadata(stream),
        limits: Named::new(limits.map(|(claim, limit)| (claim.to_owned(), limit))),
    }
}

fn limit_shown<'a>(stand: &Stand<'a>) -> LimitShown<'a> {
    LimitShown {
        policy: &stand.policy.name,
        rule: &stand.rule.name,
        mode: match stand.policy.mode {
            Mode::Enforce => "enforce",
            Mode::Monitor => "monitor",
        },
        counts: match &stand.rule.count {
            Count::Streams => "streams",
            Count::Distinct(attribute) => attribute,
        },
        per: &stand.rule.per,
        limit: stand.limit,
        count: stand.count,
    }
}

fn end_shown(end: &Tombstone) -> EndShown<'_> {
    let shown = |why| EndShown {
        code: end.key.termination_code(),
        at: end.at.to_rfc3339_millis(),
        why,
        policy: None,
        rule: None,
        by: None,
        device: None,
    };
    match &end.why {
        EndReason::Stopped => shown("stopped"),
        EndReason::Released(_) => shown("paused"),
        EndReason::Evicted { policy, rule } => EndShown {
            policy: Some(policy),
            rule: Some(rule),
            ..shown("evicted")
        },
        EndReason::Killed { by } if by.is_operator() => shown("stopped-by-operator"),
        EndReason::Killed { by } => EndShown {
            by: Some(&by.application),
            device: by.device_name.as_deref(),
            ..shown("stopped-from-another-device")
        },
    }
}
