//! Counting what was recorded.

use streamgate_policy::effect::StreamEnd;
use streamgate_policy::event::Level;
use streamgate_policy::reached::REACHED_MAX;
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
                for Level { policy, at, before } in &plays.levels {
                    let Some(policy) = book.policies().get(*policy) else {
                        continue;
                    };
                    let add = |metric, level| {
                        host.add_for(metric, &policy.name, &level_label(level), 1);
                    };
                    add(RuleMetric::PolicyStarts, *at);
                    let (mut level, highest) = (*before, (*at).min(REACHED_MAX));
                    while level < highest {
                        level = level.saturating_add(1);
                        add(RuleMetric::PolicyAccounts, level);
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
            host.add_for(RuleMetric::Evictions, &end.policy, &end.rule, 1);
        }
    }
    for watched in &judgement.effects.watched {
        let metric = RuleMetric::MonitoredBreaches;
        host.add_for(metric, &watched.policy, &watched.rule, 1);
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
