//! Counting what was recorded.

use streamgate_policy::{Event, Judgement, Verdict};

use super::live::add_live;
use crate::metric::Metric;
use crate::ports::Host;
use crate::slot::RewrittenSlot;

/// Counts what has just been recorded.
pub(crate) fn count_verdict(host: &impl Host, event: &Event, judgement: &Judgement) {
    match &judgement.verdict {
        Verdict::Plays(plays) => {
            count(host, Metric::Starts, usize::from(plays.started));
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
}

/// Counts streams that a sweep found lapsed.
pub(super) fn forget_lapsed(host: &impl Host, rewritten: &RewrittenSlot) {
    count(host, Metric::Lapses, rewritten.lapsed);
    add_live(host, signed(rewritten.lapsed).saturating_neg());
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
