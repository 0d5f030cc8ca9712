//! The evaluation result: what the app shows the viewer (contract, section 2).

use serde::Serialize;
use streamgate_policy::activity::{Stream, Terminator};
use streamgate_policy::{Breach, Message, Refused};
use streamgate_tokens::signed::issue_session_id;
use streamgate_values::head::Head;
use streamgate_values::subject::SubjectKey;

use crate::config::{Compatibility, Config};
use crate::named::Named;
use crate::refusal::repeated::named_of;

/// The viewer's `Accept-Language`; empty if there is none, or if no message depends on it.
#[must_use]
pub fn languages(config: &Config, head: &impl Head) -> String {
    if !config.records.book.has_languages() {
        return String::new();
    }
    let header = head.header("accept-language").unwrap_or_default();
    String::from_utf8_lossy(&header).into_owned()
}

/// What stands for a name nobody gave.
const UNKNOWN: &str = "Unknown";

/// An evaluation result.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EvaluationResult {
    /// Explanations for the viewer.
    pub associated_advice: Vec<Advice>,
    /// Actions the application must take.
    pub obligations: Vec<Obligation>,
}

/// One explanation.
#[derive(Debug, Clone, Serialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Advice {
    /// A rule forbids the stream.
    RuleViolation {
        /// For the viewer.
        message: String,
        /// Name of the policy.
        policy_name: String,
        /// Name of the rule.
        rule_name: String,
        /// What the rule counts: `streamId`, or the attribute whose values it counts.
        attribute: String,
        /// The most streams allowed.
        threshold: u32,
        /// Attributes per whose values it counts.
        scope: Vec<String>,
        /// The streams in the way, by stream id, or by the value they count as.
        conflicts: Named<Vec<Conflict>>,
        /// How many more streams are in the way; absent where all of them are listed.
        #[serde(skip_serializing_if = "Option::is_none")]
        other_streams: Option<usize>,
        /// A way out for the viewer, where the rule has one; never under `cm-v2`.
        #[serde(skip_serializing_if = "Option::is_none")]
        action: Option<ActionAdvice>,
    },
    /// Another session stopped this one on purpose.
    RemoteTermination {
        /// For the viewer.
        message: String,
        /// The stream that took its place.
        terminator: TerminatorAdvice,
        /// It was this device itself, which has started again; never under `cm-v2`, and absent
        /// where it was another.
        #[serde(rename = "sameDevice", skip_serializing_if = "is_false")]
        same_device: bool,
    },
}

/// A way out for the viewer.
#[derive(Debug, Clone, Serialize)]
pub struct ActionAdvice {
    label: String,
    url: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// What is told about a terminator.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TerminatorAdvice {
    channel: String,
    started_at: String,
    device_name: String,
    application_name: String,
}

/// What the application must do.
#[derive(Debug, Clone, Serialize)]
pub struct Obligation {
    /// Who defines the action.
    pub namespace: &'static str,
    /// The action.
    pub action: &'static str,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// What is told about a stream in the way.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    termination_code: String,
    metadata: Named<String>,
    channel: String,
    started_at: String,
    device_name: String,
    application_name: String,
}

impl EvaluationResult {
    /// The evaluation result for a refusal; without advice where there is none to give.
    #[must_use]
    ///
    /// `languages` is the viewer's `Accept-Language`.
    pub fn of(refused: &Refused, config: &Config, subject: &SubjectKey, languages: &str) -> Self {
        let violations = |breaches: &[&Breach]| {
            let named = named_of(breaches);
            let each = breaches.iter().zip(named);
            each.map(|(breach, named)| rule_violation(breach, named, config, subject, languages))
                .collect()
        };
        let advice = match refused {
            Refused::Conflict(breaches) => violations(&breaches.iter().collect::<Vec<_>>()),
            Refused::Evicted(breach) => violations(&[breach]),
            Refused::Killed(by) => vec![remote_termination(by, config)],
            Refused::SubjectFull => {
                let most = config.records.book.max_streams_per_subject;
                let breach = Breach {
                    policy: "state".to_owned(),
                    rule: "max_streams_per_subject".to_owned(),
                    message: Message::plain("Too many streams on this account"),
                    action: None,
                    attribute: None,
                    threshold: u32::try_from(most).unwrap_or(u32::MAX),
                    scope: Vec::new(),
                    conflicts: Vec::new(),
                    others: 0,
                    room_at: None,
                    level: 0,
                };
                violations(&[&breach])
            }
            Refused::Over
            | Refused::Blocked
            | Refused::Foreign
            | Refused::MissingAttributes(_)
            | Refused::TooManyAttributes
            | Refused::Immutable(_)
            | Refused::Shared { .. }
            | Refused::Throttled { .. } => Vec::new(),
        };
        let obligations = match refused {
            Refused::MissingAttributes(_) => vec![Obligation {
                namespace: "adobe.primetime.cm",
                action: "refresh",
                arguments: vec!["metadata".to_owned()],
            }],
            _ => Vec::new(),
        };
        Self {
            associated_advice: advice,
            obligations,
        }
    }
}

/// What the codes of the streams that a stream superseded are called among its attributes.
pub(crate) const SUPERSEDED: &str = "superseded";

/// A stream's attributes as JSON, with the codes of the streams it superseded: an app's own
/// attribute of that name is not shown, because it says nothing of the kind.
#[must_use]
pub fn metadata(stream: &Stream) -> Named<String> {
    let attributes = stream.attributes.iter();
    let mut metadata = Named::default();
    for (name, value) in attributes.filter(|(name, _)| *name != SUPERSEDED) {
        metadata.set(name.to_owned(), value.to_owned());
    }
    if !stream.superseded.is_empty() {
        metadata.set(SUPERSEDED.to_owned(), stream.superseded.join(","));
    }
    metadata
}

/// The name of an application, as shown to viewers.
#[must_use]
pub fn application_name<'a>(config: &'a Config, id: &str) -> &'a str {
    match config.records.book.application(id) {
        Some(application) => &application.name,
        None => UNKNOWN,
    }
}

/// What is told of a breach, with this many of the streams in the way.
fn rule_violation(
    breach: &Breach,
    listed: usize,
    config: &Config,
    subject: &SubjectKey,
    languages: &str,
) -> Advice {
    let mut conflicts: Named<Vec<Conflict>> = Named::default();
    for stream in breach.conflicts.iter().take(listed) {
        let counts_as = match &breach.attribute {
            Some(attribute) => named(stream, attribute).to_owned(),
            None => issue_session_id(&config.sessions.ring, subject, &stream.key),
        };
        let conflict = Conflict {
            termination_code: stream.key.termination_code(),
            metadata: metadata(stream),
            channel: named(stream, "channel").to_owned(),
            started_at: stream.started_at.to_rfc3339_millis(),
            device_name: named(stream, "deviceName").to_owned(),
            application_name: application_name(config, &stream.application).to_owned(),
        };
        conflicts.add(counts_as, conflict);
    }
    let unlisted = breach.conflicts.len().saturating_sub(listed);
    let others = breach.others.saturating_add(unlisted);
    let is_cm = config.sessions.compatibility == Compatibility::CmV2;
    let attribute = breach.attribute.as_deref().unwrap_or("streamId");
    let oldest = breach.conflicts.first();
    let device = oldest.map_or(UNKNOWN, |stream| named(stream, "deviceName"));
    Advice::RuleViolation {
        message: breach
            .message
            .render(languages, breach.threshold, attribute, device),
        policy_name: breach.policy.clone(),
        rule_name: breach.rule.clone(),
        attribute: attribute.to_owned(),
        threshold: breach.threshold,
        scope: breach.scope.clone(),
        conflicts,
        other_streams: (others > 0 && !is_cm).then_some(others),
        action: breach.action.as_ref().filter(|_| !is_cm).map(|action| {
            let label = &action.label;
            ActionAdvice {
                label: label.render(languages, breach.threshold, attribute, device),
                url: action.url.text(languages).to_owned(),
            }
        }),
    }
}

fn named<'a>(stream: &'a Stream, attribute: &str) -> &'a str {
    let value = stream.attributes.value(attribute);
    value.filter(|name| !name.is_empty()).unwrap_or(UNKNOWN)
}

fn remote_termination(by: &Terminator, config: &Config) -> Advice {
    let or_unknown = |name: &Option<String>| name.as_deref().unwrap_or(UNKNOWN).to_owned();
    Advice::RemoteTermination {
        message: match (by.is_operator(), by.same_device) {
            (true, _) => "Playback was stopped by the service",
            (false, true) => "Playback has started again on this device",
            (false, false) => "Playback was stopped from another device",
        }
        .to_owned(),
        same_device: by.same_device && config.sessions.compatibility != Compatibility::CmV2,
        terminator: TerminatorAdvice {
            channel: or_unknown(&by.channel),
            started_at: by.started_at.to_rfc3339_millis(),
            device_name: or_unknown(&by.device_name),
            application_name: match by.is_operator() {
                true => "Operator".to_owned(),
                false => application_name(config, &by.application).to_owned(),
            },
        },
    }
}
