//! What a judgement did by which rule: what is counted for each rule.

use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use crate::activity::{Activity, EndReason};
use crate::book::Policy;
use crate::rule::Rule;

/// What a judgement did besides its answer, for whoever counts it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// The rules by which streams lost their places, one for each stream, and the rules that were
    /// only watched.
    pub by_rule: Vec<Effect>,
    /// How long each of the streams was on record that were ended, in milliseconds.
    pub lasted_ms: Vec<u64>,
}

impl Effects {
    /// A stream is about to be ended, if it is live.
    pub(crate) fn ends(
        &mut self,
        activity: &Activity,
        key: &StreamKey,
        why: Option<&EndReason>,
        now: Moment,
    ) {
        if let Some(stream) = activity.stream(key) {
            self.lasted_ms.push(now.ms_since(stream.began_at));
            self.by_rule.extend(why.and_then(Effect::of_end));
        }
    }
}

/// Something that happened by a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// Name of the policy.
    pub policy: String,
    /// Name of the rule within it.
    pub rule: String,
    /// Whether the rule was only watched, and would have refused or evicted; else a stream lost
    /// its place by it.
    pub is_watched: bool,
}

impl Effect {
    /// A rule of a policy that only watches is broken.
    pub(crate) fn watched(policy: &Policy, rule: &Rule) -> Self {
        Self {
            policy: policy.name.clone(),
            rule: rule.name.clone(),
            is_watched: true,
        }
    }

    /// A stream has lost its place; `None` where that was by no rule.
    pub(crate) fn of_end(why: &EndReason) -> Option<Self> {
        match why {
            EndReason::Evicted { policy, rule } => Some(Self {
                policy: policy.clone(),
                rule: rule.clone(),
                is_watched: false,
            }),
            _ => None,
        }
    }
}
