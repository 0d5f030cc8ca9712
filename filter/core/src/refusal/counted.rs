//! Counting refusals.

use streamgate_policy::Refused;
use streamgate_record::ports::Meter;
use streamgate_record::rule_metric::RuleMetric;

use super::reason::Reason;

/// A refusal as it is counted: by its reason, and by each rule that forbids it.
#[derive(Debug)]
pub(crate) struct Counted {
    reason: Reason,
    /// Policy and name of each.
    rules: Vec<(String, String)>,
}

impl Counted {
    /// What the judge has refused.
    pub(crate) fn of(reason: Reason, refused: Option<&Refused>) -> Self {
        let breaches = match refused {
            Some(Refused::Conflict(breaches)) => breaches.as_slice(),
            _ => &[],
        };
        let rules = breaches.iter();
        let rules = rules.map(|breach| (breach.policy.clone(), breach.rule.clone()));
        Self {
            reason,
            rules: rules.collect(),
        }
    }

    /// Counts it so many times.
    pub(crate) fn add(&self, meter: &impl Meter, times: u32) {
        meter.add(self.reason.metric(), times.into());
        for (policy, rule) in &self.rules {
            meter.add_for(RuleMetric::Refusals, policy, rule, times.into());
        }
    }

    /// Why it was refused.
    pub(crate) const fn reason(&self) -> Reason {
        self.reason
    }
}
