//! How many streams accounts want to play at once: what a limit of so many would mean.
//!
//! An account counts once for each policy and level: as how many of its streams at once it has
//! played, as long as something of it plays on. That is counted with the record. An account that a
//! policy keeps from playing so many is counted here, once an hour: whoever is refused tries again,
//! at whichever worker.

use streamgate_policy::Mode;
use streamgate_record::ports::{Host, Store, StoreKey, Swap, Version};
use streamgate_record::rule_metric::RuleMetric;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::json::Json;
use crate::config::Config;
use crate::exchange::{Answer, LogEntry};

/// The most policies in one answer: for each level of each the proxy is asked for two numbers.
const POLICIES_MAX: usize = 8;

/// How many refused accounts a worker remembers. Of two with the same index it asks the others again.
const ACCOUNTS_MAX: usize = 2_048;

/// Where workers remember together whom they have counted, and in how many bytes under each key: the
/// latest 16.
const KEYS: u32 = 1_024;
const MARKS_MAX_BYTES: usize = 128;

/// How often a write is tried before an account is counted without.
const TRIES: u32 = 16;

/// For how long an account that is refused at the same level is not counted again: each hour of
/// the clock.
const HOUR_MS: u64 = 3_600_000;

/// The accounts that this worker has counted of late because they were refused.
#[derive(Debug, Default)]
pub(super) struct RefusedAccounts {
    /// By what [`mark`] says. Made with the first.
    counted: Vec<u64>,
}

impl RefusedAccounts {
    /// Counts an account for each policy that forbids a start.
    pub(super) fn count(
        &mut self,
        host: &impl Host,
        log_entry: &LogEntry,
        clock: impl FnOnce() -> Moment,
    ) {
        let (Some(subject), Some(cause)) = (log_entry.subject, log_entry.cause.as_deref()) else {
            return;
        };
        if cause.levels.is_empty() {
            return;
        }
        let hour = clock().as_ms() / HOUR_MS;
        self.counted.resize(ACCOUNTS_MAX, 0);
        for (policy, level) in &cause.levels {
            let mark = mark(&subject, hour, policy, level);
            let [.., a, b] = mark.to_be_bytes();
            let index = usize::from(u16::from_be_bytes([a, b])) % ACCOUNTS_MAX;
            if let Some(kept) = self.counted.get_mut(index)
                && *kept != mark
            {
                *kept = mark;
                if is_first(host, mark) {
                    host.add_for(RuleMetric::PolicyRefusedAccounts, policy, level, 1);
                }
            }
        }
    }
}

/// An account at a level of a policy in an hour: FNV-1a, begun by what is a keyed hash already.
fn mark(subject: &SubjectKey, hour: u64, policy: &str, level: &str) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *subject.as_bytes();
    let begun = u64::from_be_bytes([a, b, c, d, e, f, g, h]) ^ hour;
    let mut mark = begun;
    // A level has no stroke.
    for text in [policy, "/", level] {
        for byte in text.bytes() {
            mark = (mark ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    mark
}

/// Whether no worker of this edge has counted it, as far as they remember.
fn is_first(store: &impl Store, mark: u64) -> bool {
    let mark = mark.to_be_bytes();
    let [.., a, b, _, _] = mark;
    let key = StoreKey::RefusedAccounts(u32::from(u16::from_be_bytes([a, b])) % KEYS);
    for _ in 0..TRIES {
        let found = store.load(key);
        let version = found.as_ref().map(|(_, version)| *version);
        let (known, _) = found.unwrap_or((Vec::new(), Version(0)));
        if known.chunks_exact(mark.len()).any(|known| known == mark) {
            return false;
        }
        let mut marks = mark.to_vec();
        marks.extend_from_slice(&known);
        marks.truncate(MARKS_MAX_BYTES);
        match store.swap(key, version, &marks) {
            Swap::Conflict => {}
            Swap::Done | Swap::Failed => return true,
        }
    }
    true
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
            let counted = |metric| host.counted_levels(metric, &policy.name);
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

#[cfg(test)]
mod tests {
    use streamgate_record::ports::Meter;

    use super::*;
    use crate::exchange::Cause;
    use crate::testing::{MemoryHost, NOW, test};

    fn refusal(account: u16) -> LogEntry {
        let [a, b] = account.to_be_bytes();
        let mut key = [
            a.wrapping_mul(77),
            b,
            a,
            b.wrapping_mul(31),
            a,
            b,
            0,
            7,
            8,
            9,
            1,
            2,
            3,
            4,
            5,
            6,
        ];
        key[6] = b.wrapping_mul(113) ^ a;
        LogEntry {
            subject: Some(SubjectKey::from_bytes(key)),
            cause: Some(Box::new(Cause {
                levels: vec![("household".to_owned(), "4".to_owned())],
                ..Cause::default()
            })),
            ..LogEntry::default()
        }
    }

    fn counted(host: &MemoryHost) -> u64 {
        host.counted_levels(RuleMetric::PolicyRefusedAccounts, "household")[3]
    }

    #[test]
    fn an_account_counts_once_an_hour_whichever_workers_refuse_it() {
        let host = MemoryHost::new();
        let mut workers = [(); 3].map(|()| RefusedAccounts::default());
        for round in 1..=2 {
            let at = NOW.plus_ms(round * HOUR_MS);
            for account in 0..500 {
                for worker in &mut workers {
                    worker.count(&host, &refusal(account), || at);
                }
            }
            assert_eq!(counted(&host), 500 * round, "{round}");
        }
        // Another level, or policy, is another count.
        let mut other = refusal(1);
        let levels = [("household", "5"), ("other", "4")];
        other.cause.as_mut().unwrap().levels = levels
            .map(|(policy, level)| (policy.to_owned(), level.to_owned()))
            .into();
        let at = NOW.plus_ms(2 * HOUR_MS);
        for worker in &mut workers {
            worker.count(&host, &other, || at);
        }
        let levels = host.counted_levels(RuleMetric::PolicyRefusedAccounts, "household");
        assert_eq!(levels[4], 1);
        let levels = host.counted_levels(RuleMetric::PolicyRefusedAccounts, "other");
        assert_eq!(levels[3], 1);
    }

    #[test]
    fn one_that_two_workers_refuse_at_the_same_moment_is_not_lost_and_far_more_than_are_remembered_take_no_more_room()
     {
        let host = MemoryHost::new();
        let mut worker = RefusedAccounts::default();
        let subject = refusal(1).subject.unwrap();
        let mark = mark(&subject, NOW.as_ms() / HOUR_MS, "household", "4").to_be_bytes();
        let key = u32::from(u16::from_be_bytes([mark[4], mark[5]])) % KEYS;
        host.lose_next_swap_at(StoreKey::RefusedAccounts(key));
        worker.count(&host, &refusal(1), || NOW);
        assert_eq!(counted(&host), 1);
        for account in 0..u16::MAX {
            worker.count(&host, &refusal(account), || NOW);
        }
        for key in 0..KEYS {
            let kept = host.load(StoreKey::RefusedAccounts(key));
            assert!(kept.is_none_or(|(kept, _)| kept.len() <= MARKS_MAX_BYTES));
        }
    }
}
