//! What is counted for each policy and each rule: with their names as labels.

/// A counter of a policy, or of a rule of it. There is one for each that something was counted
/// for, so the configuration bounds how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleMetric {
    /// Streams that began and that a policy looks at.
    PolicyStarts,
    /// Starts and signs of life that a rule forbade.
    Refusals,
    /// Streams that lost their place by a rule.
    Evictions,
    /// What would have been either of them, in a policy that only watches.
    MonitoredBreaches,
}

impl RuleMetric {
    /// The counter's name in Envoy's statistics for a policy and a rule of it, which
    /// [`RuleMetric::PolicyStarts`] is not asked for. A dot in their names becomes `_`: Envoy's
    /// own names are parted by dots.
    #[must_use]
    pub fn name(self, policy: &str, rule: &str) -> String {
        let family = match self {
            Self::PolicyStarts => "streamgate.policy_starts_total.policy.",
            Self::Refusals => "streamgate.rule_refusals_total.policy.",
            Self::Evictions => "streamgate.rule_evictions_total.policy.",
            Self::MonitoredBreaches => "streamgate.rule_monitored_breaches_total.policy.",
        };
        let [policy, rule] = [policy, rule].map(|label| label.replace('.', "_"));
        match self {
            Self::PolicyStarts => [family, &policy].concat(),
            _ => [family, &policy, ".rule.", &rule].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn names_of_policies_and_rules_are_one_part_each() {
        let started = RuleMetric::PolicyStarts.name("house.hold", "");
        assert_eq!(started, "streamgate.policy_starts_total.policy.house_hold");
        let refused = RuleMetric::Refusals.name("p.rule.q", "drei Str\u{f6}me.");
        let expected = "streamgate.rule_refusals_total.policy.p_rule_q.rule.drei Str\u{f6}me_";
        assert_eq!(refused, expected);
    }
}
