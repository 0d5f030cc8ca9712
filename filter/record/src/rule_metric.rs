//! What is counted for each policy, each rule and each level: with their names as labels.

use streamgate_policy::reached::REACHED_MAX;

/// The highest level, which stands for those above it, too.
pub const LEVEL_MAX: usize = REACHED_MAX;

/// The label of a level: as which of an account's streams at once, from 1 on, one starts.
#[must_use]
pub fn level_label(level: usize) -> String {
    level.min(LEVEL_MAX).to_string()
}

/// A counter of a policy by levels, or of a rule of it. There is one for each that something was
/// counted for, so the configuration bounds how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleMetric {
    /// Streams that began and that a policy looks at, by levels.
    PolicyStarts,
    /// Accounts that a policy has seen play so many streams at once, by levels.
    PolicyAccounts,
    /// Accounts that a policy has kept from playing so many, by levels.
    PolicyRefusedAccounts,
    /// Starts and signs of life that a rule forbade.
    Refusals,
    /// Streams that lost their place by a rule.
    Evictions,
    /// What would have been either of them, in a policy that only watches.
    MonitoredBreaches,
}

impl RuleMetric {
    /// The counter's name in Envoy's statistics for a policy, and a rule of it or a level. A dot in
    /// their names becomes `_`: Envoy's own names are parted by dots.
    #[must_use]
    pub fn name(self, policy: &str, label: &str) -> String {
        let family = match self {
            Self::PolicyStarts => "streamgate.policy_starts_total.policy.",
            Self::PolicyAccounts => "streamgate.policy_accounts_total.policy.",
            Self::PolicyRefusedAccounts => "streamgate.policy_refused_accounts_total.policy.",
            Self::Refusals => "streamgate.rule_refusals_total.policy.",
            Self::Evictions => "streamgate.rule_evictions_total.policy.",
            Self::MonitoredBreaches => "streamgate.rule_monitored_breaches_total.policy.",
        };
        let kind = match self {
            Self::Refusals | Self::Evictions | Self::MonitoredBreaches => ".rule.",
            _ => ".level.",
        };
        let [policy, label] = [policy, label].map(|label| label.replace('.', "_"));
        [family, &policy, kind, &label].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn names_of_policies_and_rules_are_one_part_each() {
        let started = RuleMetric::PolicyStarts.name("house.hold", &level_label(2));
        let expected = "streamgate.policy_starts_total.policy.house_hold.level.2";
        assert_eq!(started, expected);
        assert_eq!(level_label(usize::MAX), "16");
        let refused = RuleMetric::Refusals.name("p.rule.q", "drei Str\u{f6}me.");
        let expected = "streamgate.rule_refusals_total.policy.p_rule_q.rule.drei Str\u{f6}me_";
        assert_eq!(refused, expected);
    }
}
