//! Counting refusals.

use streamgate_policy::Refused;
use streamgate_record::ports::Meter;
use streamgate_record::rule_metric::RuleMetric;

use super::reason::Reason;

/// Counts what the judge has refused: by its reason, and by each rule that forbids it.
pub(crate) fn count_refusal(meter: &impl Meter, reason: Reason, refused: Option<&Refused>) {
    meter.add(reason.metric(), 1);
    if let Some(Refused::Conflict(breaches)) = refused {
        for breach in breaches {
            meter.add_for(RuleMetric::Refusals, &breach.policy, &breach.rule);
        }
    }
}
