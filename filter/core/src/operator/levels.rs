//! How many streams accounts want to play at once: what a limit of so many would mean.
//!
//! A start counts for each policy that sees it, at one level: as which of the account's streams at
//! once it begins, those included that a rule ends for it. Starts that begin are counted with the
//! record, those that a policy forbids here: no more often than once a minute for an account, as
//! whoever is refused tries again.

use streamgate_policy::Mode;
use streamgate_record::ports::Host;
use streamgate_record::rule_metric::{LEVEL_MAX, RuleMetric, level_label};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::json::Json;
use crate::config::Config;
use crate::exchange::{Answer, Record};

/// The most policies in one answer: for each level of each the proxy is asked for two numbers.
const POLICIES_MAX: usize = 8;

/// How many accounts a worker remembers of late. Two with the same index push each other out.
const ACCOUNTS_MAX: usize = 512;

/// For how long an account that is refused at the same level is not counted again, in milliseconds.
const QUIET_MS: u64 = 60_000;

/// The starts that this worker has counted of late because they were refused.
#[derive(Debug, Default)]
pub(super) struct RefusedStarts {
    /// Made with the first.
    counted: Vec<Option<RefusedStart>>,
}

#[derive(Debug, Clone)]
struct RefusedStart {
    subject: SubjectKey,
    policy: String,
    level: usize,
    at: Moment,
}

impl RefusedStarts {
    /// Counts a start that a policy forbids.
    pub(super) fn count(
        &mut self,
        host: &impl Host,
        record: &Record,
        clock: impl FnOnce() -> Moment,
    ) {
        let (Some(subject), Some(cause)) = (record.subject, record.cause.as_deref()) else {
            return;
        };
        if cause.level == 0 {
            return;
        }
        let now = clock();
        self.counted.resize(ACCOUNTS_MAX, None);
        let index = usize::try_from(subject.spread()).unwrap_or_default() % ACCOUNTS_MAX;
        let Some(kept) = self.counted.get_mut(index) else {
            return;
        };
        let is_known = |known: &RefusedStart| {
            known.subject == subject
                && (known.level, &known.policy) == (cause.level, &cause.policy)
                && known.at <= now
                && now.ms_since(known.at) < QUIET_MS
        };
        if kept.as_ref().is_some_and(is_known) {
            return;
        }
        let label = level_label(cause.level);
        host.add_for(RuleMetric::PolicyRefusedStarts, &cause.policy, &label);
        *kept = Some(RefusedStart {
            subject,
            policy: cause.policy.clone(),
            level: cause.level,
            at: now,
        });
    }
}

/// The answer that lists a page of policies, from 1 on, with how many starts of each level there
/// were.
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
            let admitted = counted(RuleMetric::PolicyStarts);
            let refused = counted(RuleMetric::PolicyRefusedStarts);
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
