//! Counters of policies and rules, each defined when it is first counted or asked for.

use std::cell::{Cell, RefCell};

use proxy_wasm::hostcalls;
use proxy_wasm::types::{MetricType, Status};
use streamgate_record::rule_metric::{LEVEL_MAX, RuleMetric, level_label};

use super::counter::Counter;
use super::shared_key::{CREATE_ONLY, SharedKey};

/// How often the note of a level is tried that other workers' come before: there are sixteen levels, and
/// each is noted once by each worker.
const TRIES: u32 = 64;

/// The counter of a policy or a rule.
#[derive(Debug)]
struct OfRule {
    metric: RuleMetric,
    policy: String,
    label: String,
    counter: Counter,
}

/// Those that were counted or asked for, in the order of what they count.
#[derive(Debug, Default)]
pub(super) struct ByRule {
    counters: RefCell<Vec<OfRule>>,
    /// Which of them Envoy is told of next.
    next: Cell<usize>,
}

impl ByRule {
    pub(super) fn add(&self, metric: RuleMetric, policy: &str, label: &str, n: u64) {
        self.look((metric, policy, label), |counter| counter.hold(n));
    }

    /// How far all workers have counted for each level of a policy, as far as Envoy was told, and this
    /// one. Those that none has counted for are not asked for: for Envoy to define a counter that it
    /// does not know takes as long as many requests.
    pub(super) fn counted_levels(&self, metric: RuleMetric, policy: &str) -> [u64; LEVEL_MAX] {
        let (known, _) = levels_in(&key_of(metric, policy));
        let mut levels = [0; LEVEL_MAX];
        for (below, counted) in levels.iter_mut().enumerate() {
            if (known >> below) & 1 == 1 {
                let label = level_label(below.saturating_add(1));
                let found = self.look((metric, policy, &label), Counter::counted);
                *counted = found.unwrap_or_default();
            }
        }
        levels
    }

    /// Tells Envoy what was counted and not told of the next `most` counters.
    pub(super) fn flush(&self, most: usize) {
        let counters = self.counters.borrow();
        // Who tells of all of them begins with the first.
        let from = match most {
            usize::MAX => 0,
            _ => self.next.get(),
        };
        for of_rule in counters.iter().skip(from).take(most) {
            of_rule.counter.flush();
        }
        let next = from.saturating_add(most);
        self.next.set(match next < counters.len() {
            true => next,
            false => 0,
        });
    }

    /// What `of` says of a counter; `None` if Envoy defines none.
    fn look<T>(
        &self,
        (metric, policy, label): (RuleMetric, &str, &str),
        of: impl FnOnce(&Counter) -> T,
    ) -> Option<T> {
        let mut counters = self.counters.borrow_mut();
        let found = counters.binary_search_by(|known| {
            (known.metric, &*known.policy, &*known.label).cmp(&(metric, policy, label))
        });
        let at = match found {
            Ok(at) => at,
            Err(at) => {
                let name = metric.name(policy, label);
                let counter = OfRule {
                    metric,
                    policy: policy.to_owned(),
                    label: label.to_owned(),
                    counter: Counter::define(MetricType::Counter, &name).ok()?,
                };
                counters.insert(at, counter);
                note_level(metric, policy, label);
                at
            }
        };
        counters.get(at).map(|of_rule| of(&of_rule.counter))
    }
}

/// Lets all workers know that there is a counter of this policy's accounts for this level.
fn note_level(metric: RuleMetric, policy: &str, label: &str) {
    if !matches!(
        metric,
        RuleMetric::PolicyAccounts | RuleMetric::PolicyRefusedAccounts
    ) {
        return;
    }
    let level = label.bytes().fold(0_u32, |level, digit| {
        let digit = u32::from(digit).wrapping_sub(u32::from(b'0'));
        level.wrapping_mul(10).wrapping_add(digit)
    });
    let bit = 1_u32.rotate_left(level.wrapping_sub(1));
    let key = key_of(metric, policy);
    for _ in 0..TRIES {
        let (known, cas) = levels_in(&key);
        let all = (known | bit).to_be_bytes();
        if known & bit != 0
            || hostcalls::set_shared_data(&key, Some(&all), Some(cas)) != Err(Status::CasMismatch)
        {
            return;
        }
    }
}

/// The levels that a policy was counted for, as bits, and by which CAS value others are added.
fn levels_in(key: &SharedKey) -> (u32, u32) {
    match hostcalls::get_shared_data(key) {
        Ok((Some(bytes), Some(cas))) => {
            let bits = bytes
                .first_chunk()
                .map_or(0, |bits| u32::from_be_bytes(*bits));
            (bits, cas)
        }
        _ => (0, CREATE_ONLY),
    }
}

/// Where these stand. Two policies with the same hash know of each other's levels: that costs time alone.
fn key_of(metric: RuleMetric, policy: &str) -> SharedKey {
    let hash = policy.bytes().fold(metric as u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    SharedKey::levels(hash)
}
