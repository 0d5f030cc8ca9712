//! How many streams accounts want to play at once: what a limit of so many would mean.
//!
//! An account counts once for each policy and level: as how many of its streams at once it has
//! played, as long as something of it plays on. That is counted with the record. An account that a
//! policy keeps from playing so many is counted here, once an hour for each worker: whoever is
//! refused tries again.

use streamgate_policy::Mode;
use streamgate_record::ports::Host;
use streamgate_record::rule_metric::{LEVEL_MAX, RuleMetric, level_label};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::json::Json;
use crate::config::Config;
use crate::exchange::{Answer, Record};
use crate::refusal::lines::hash;

/// The most policies in one answer: for each level of each the proxy is asked for two numbers.
const POLICIES_MAX: usize = 8;

/// How many refused accounts a worker remembers. Two with the same index push each other out, and
/// count again.
const ACCOUNTS_MAX: usize = 2_048;

/// For how long an account that is refused at the same level is not counted again: each hour of
/// the clock.
const HOUR_MS: u64 = 3_600_000;

/// The accounts that this worker has counted of late because they were refused.
#[derive(Debug, Default)]
pub(super) struct RefusedAccounts {
    /// Whom, and in which hour, where policy and level say. Made with the first.
    counted: Vec<(SubjectKey, u64)>,
}

impl RefusedAccounts {
    /// Counts an account for each policy that forbids a start.
    pub(super) fn count(
        &mut self,
        host: &impl Host,
        record: &Record,
        clock: impl FnOnce() -> Moment,
    ) {
        let (Some(subject), Some(cause)) = (record.subject, record.cause.as_deref()) else {
            return;
        };
        if cause.levels.is_empty() {
            return;
        }
        let counted = (subject, clock().as_ms() / HOUR_MS);
        self.counted.resize(ACCOUNTS_MAX, (subject, 0));
        for (policy, level) in &cause.levels {
            let index = hash(subject.as_bytes(), &[policy, level]) % ACCOUNTS_MAX;
            if let Some(kept) = self.counted.get_mut(index)
                && *kept != counted
            {
                *kept = counted;
                host.add_for(RuleMetric::PolicyRefusedAccounts, policy, level, 1);
            }
        }
    }
}

/// The answer that lists a page of policies, from 1 on, with how many accounts have played, and
/// wanted to play, so many streams at once.
pub(super) fn levels(config: &Config, host: &impl Host, page: usize) -> Answer {
    let policies = config.records.book.policies();
    let before = page.saturating_sub(1).saturating_mul(POLICIES_MAX);
    let shown = policies.iter().skip(before).take(POLICIES_MAX);
    Json::answer(200, |json| {
        json.count("page", page);
        json.count("pages", policies.len().div_ceil(POLICIES_MAX));
        json.list("policies", shown, |json, policy| {
            let counted = |metric| {
                let level = |level| host.counted_for(metric, &policy.name, &level_label(level));
                (1..=LEVEL_MAX).map(level).collect::<Vec<u64>>()
            };
            let admitted = counted(RuleMetric::PolicyAccounts);
            let refused = counted(RuleMetric::PolicyRefusedAccounts);
            let attempted = admitted.iter().zip(&refused);
            let attempted = attempted.map(|(one, other)| one.saturating_add(*other));
            json.object("", |json| {
                json.text("policy", &policy.name);
                json.text("mode", mode_name(policy.mode));
                json.list("attempted", attempted, |json, n| json.number("", n));
                json.list("admitted", &admitted, |json, n| json.number("", *n));
            });
        });
    })
}

/// A policy's mode as the configuration names it.
pub(super) const fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Enforce => "enforce",
        Mode::Monitor => "monitor",
    }
}
