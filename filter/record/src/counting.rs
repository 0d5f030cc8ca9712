//! Counting what was recorded.

use streamgate_policy::effect::StreamEnd;
use streamgate_policy::{Event, Judgement, PolicyBook, Verdict};
use streamgate_values::subject::SubjectKey;

use super::live::add_live;
use crate::metric::Metric;
use crate::ports::Host;
use crate::rule_metric::{RuleMetric, level_label};
use crate::slot::RewrittenSlot;

/// Counts what has just been recorded of a subject.
pub(crate) fn count_verdict(
    host: &impl Host,
    book: &PolicyBook,
    subject: &SubjectKey,
    event: &Event,
    judgement: &Judgement,
) {
    match &judgement.verdict {
        Verdict::Plays(plays) => {
            count(host, Metric::Starts, usize::from(plays.started));
            if plays.started {
                for (policy, level) in &plays.levels {
                    if let Some(policy) = book.policies().get(*policy) {
                        let label = level_label(*level);
                        host.add_for(RuleMetric::PolicyStarts, &policy.name, &label);
                    }
                }
            }
            count(host, Metric::Kills, plays.killed);
            count(host, Metric::Replacements, plays.replaced);
            count(host, Metric::MonitoredBreaches, plays.monitored);
            count(host, Metric::SharedMonitored, usize::from(plays.shared));
        }
        Verdict::Stopped => {
            let released = matches!(event, Event::Release { .. });
            let metric = if released {
                Metric::Releases
            } else {
                Metric::Stops
            };
            host.add(metric, 1);
        }
        Verdict::Operated { stopped } => count(host, Metric::Kills, *stopped),
        Verdict::Refused(_) => {}
    }
    count(host, Metric::Evictions, judgement.evicted);
    for end in &judgement.effects.ended {
        host.ended(subject, end);
        if !end.rule.is_empty() {
            host.add_for(RuleMetric::Evictions, &end.policy, &end.rule);
        }
    }
    for watched in &judgement.effects.watched {
        let metric = RuleMetric::MonitoredBreaches;
        host.add_for(metric, &watched.policy, &watched.rule);
    }
}

/// Counts streams that a sweep found lapsed.
pub(super) fn forget_lapsed(host: &impl Host, rewritten: &RewrittenSlot) {
    count_lapsed(host, &rewritten.lapsed);
    add_live(host, signed(rewritten.lapsed.len()).saturating_neg());
}

/// Counts streams that have lapsed, each with its subject.
pub(crate) fn count_lapsed(host: &impl Host, lapsed: &[(SubjectKey, StreamEnd)]) {
    count(host, Metric::Lapses, lapsed.len());
    for (subject, end) in lapsed {
        host.ended(subject, end);
    }
}

pub(super) fn count(host: &impl Host, metric: Metric, n: usize) {
    if n > 0 {
        host.add(metric, u64::try_from(n).unwrap_or(u64::MAX));
    }
}

/// A number of streams, as what the gauge of live streams is changed by.
pub(super) fn signed(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
