//! All that is known of an account.

use streamgate_policy::Count;
use streamgate_policy::activity::{Activity, EndReason, Liveness, Stream, Tombstone};
use streamgate_policy::book::Application;
use streamgate_policy::standing::{Stand, stands};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::decisions::Bytes;
use super::exception;
use super::json::Json;
use super::levels::mode_name;
use crate::config::Config;
use crate::exchange::Answer;
use crate::refusal::advice;

/// The most of an account's streams that one answer lists.
const STREAMS_MAX: usize = 100;

/// The most bytes of their attributes.
const BYTES_MAX: usize = 64 << 10;

/// The most rules that one answer lists.
const RULES_MAX: usize = 64;

/// The most applications whose policies are looked at.
const APPLICATIONS_MAX: usize = 16;

/// The answer about an account.
pub(super) fn account(
    config: &Config,
    subject: &SubjectKey,
    activity: &Activity,
    decisions: &Bytes,
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
    let book = &config.records.book;
    let stands = stands(book, &policies, activity, RULES_MAX);
    let all = policies.iter().filter_map(|index| book.policy(*index));
    let all: usize = all.map(|policy| policy.rules.len()).sum();
    Json::answer(200, |json| {
        json.text("account", &subject.to_string());
        json.text("now", &now.to_rfc3339_millis());
        json.text("store", store);
        let streams = activity.streams.iter().take(listed);
        json.list("streams", streams, |json, stream| {
            show_stream(json, config, stream)
        });
        json.count(
            "otherStreams",
            activity.streams.len().saturating_sub(listed),
        );
        json.list("limits", &stands, show_limit);
        json.count("otherLimits", all.saturating_sub(stands.len()));
        match &activity.exception {
            Some(exception) if exception.is_in_force() => {
                exception::show(json, "exception", exception);
            }
            _ => json.null("exception"),
        }
        json.list("ended", &activity.ended, show_end);
        json.list("decisions", decisions.read(), |json, one| {
            one.show(json, false);
        });
    })
}

/// The policies of the applications that play on the account, or wanted to; all there are, where
/// nothing is known of it.
fn policies_of(config: &Config, activity: &Activity, decisions: &Bytes) -> Vec<usize> {
    let book = &config.records.book;
    let playing = activity
        .streams
        .iter()
        .map(|stream| stream.application.as_str());
    let decided = decisions.read().map(|one| one.application);
    let mut applications: Vec<&Application> = Vec::new();
    for id in playing.chain(decided) {
        if applications.len() < APPLICATIONS_MAX
            && !applications.iter().any(|known| known.id == id)
            && let Some(application) = book.application(id)
        {
            applications.push(application);
        }
    }
    let is_listed = |index: &usize| {
        let mut applications = applications.iter();
        applications.len() == 0 || applications.any(|application| application.lists(*index))
    };
    (0..book.policy_count()).filter(is_listed).collect()
}

fn show_stream(json: &mut Json, config: &Config, stream: &Stream) {
    json.object("", |json| {
        json.text("code", &stream.key.termination_code());
        json.text("application", &stream.application);
        let name = advice::application_name(config, &stream.application);
        json.text("applicationName", name);
        json.text("startedAt", &stream.started_at.to_rfc3339_millis());
        json.text("lapsesAt", &stream.lapses_at.to_rfc3339_millis());
        // Whether heartbeats keep it alive, too.
        json.text(
            "livesBy",
            match stream.liveness {
                Liveness::Any => "any",
                Liveness::Media => "media",
            },
        );
        json.written("attributes", &advice::metadata(stream));
        json.object("limits", |json| {
            for (claim, limit) in stream.limits.iter() {
                json.number(claim, limit.into());
            }
        });
    });
}

fn show_limit(json: &mut Json, stand: &Stand<'_>) {
    json.object("", |json| {
        json.text("policy", &stand.policy.name);
        json.text("rule", &stand.rule.name);
        json.text("mode", mode_name(stand.policy.mode));
        json.text(
            "counts",
            match &stand.rule.count {
                Count::Streams => "streams",
                Count::Distinct(attribute) => attribute,
            },
        );
        json.list("per", &stand.rule.per, |json, name| json.text("", name));
        match stand.limit {
            Some(limit) => json.number("limit", limit.into()),
            None => json.null("limit"),
        }
        json.count("count", stand.count);
    });
}

fn show_end(json: &mut Json, end: &Tombstone) {
    let [mut policy, mut rule, mut by, mut device] = [""; 4];
    match &end.why {
        EndReason::Evicted {
            policy: of,
            rule: why,
        } => (policy, rule) = (of, why),
        EndReason::Killed { by: terminator } => {
            device = terminator.device_name.as_deref().unwrap_or_default();
            by = &terminator.application;
        }
        EndReason::Stopped | EndReason::Released(_) => {}
    }
    json.object("", |json| {
        json.text("code", &end.key.termination_code());
        json.text("at", &end.at.to_rfc3339_millis());
        json.text("why", end.why.name());
        for (name, text) in [
            ("policy", policy),
            ("rule", rule),
            ("by", by),
            ("device", device),
        ] {
            json.known(name, text);
        }
    });
}
