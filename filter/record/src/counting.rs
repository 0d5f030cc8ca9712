//! Counting what was recorded.

use streamgate_policy::{Event, Judgement, PolicyBook, Verdict};

use super::live::add_live;
use crate::metric::Metric;
use crate::ports::Host;
use crate::rule_metric::RuleMetric;
use crate::slot::RewrittenSlot;

/// Counts what has just been recorded.
pub(crate) fn count_verdict(
    host: &impl Host,
    book: &PolicyBook,
    event: &Event,
    judgement: &Judgement,
) {
    match &judgement.verdict {
        Verdict::Plays(plays) => {
            count(host, Metric::Starts, usize::from(plays.started));
            if let (true, Event::Play(play)) = (plays.started, event) {
                for (_, policy) in book.policies_of(&play.application) {
                    host.add_for(RuleMetric::PolicyStarts, &policy.name, "");
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
        Verdict::Refused(_) => {}
    }
    count(host, Metric::Evictions, judgement.evicted);
    for ms in &judgement.effects.lasted_ms {
        host.add_lasted(*ms);
    }
    for effect in &judgement.effects.by_rule {
        let metric = match effect.is_watched {
            true => RuleMetric::MonitoredBreaches,
            false => RuleMetric::Evictions,
        };
        host.add_for(metric, &effect.policy, &effect.rule);
    }
}

/// Counts streams that a sweep found lapsed.
pub(super) fn forget_lapsed(host: &impl Host, rewritten: &RewrittenSlot) {
    count_lapsed(host, &rewritten.lapsed);
    add_live(host, signed(rewritten.lapsed.len()).saturating_neg());
}

/// Counts streams that have lapsed, each of which was on record for so long, in milliseconds.
pub(crate) fn count_lapsed(host: &impl Host, lapsed: &[u64]) {
    count(host, Metric::Lapses, lapsed.len());
    for ms in lapsed {
        host.add_lasted(*ms);
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
