//! What a judgement did besides its answer: what is counted and told of it.

use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use crate::activity::{Activity, EndReason, Stream};
use crate::book::Policy;
use crate::rule::Rule;

/// What a judgement did besides its answer, for whoever counts it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// The streams that were ended.
    pub ended: Vec<StreamEnd>,
    /// The rules that were broken of policies that only watch.
    pub watched: Vec<WatchedRule>,
}

impl Effects {
    /// A stream is about to be ended, if it is live.
    pub(crate) fn ends(
        &mut self,
        activity: &Activity,
        key: &StreamKey,
        why: &'static str,
        now: Moment,
    ) -> Option<&mut StreamEnd> {
        let end = StreamEnd::of(activity.stream(key)?, why, now);
        self.ended.push(end);
        self.ended.last_mut()
    }

    /// The same, for a reason that is remembered; `winner` is what plays in its place.
    pub(crate) fn ends_by(
        &mut self,
        activity: &Activity,
        key: &StreamKey,
        why: &EndReason,
        winner: Option<StreamKey>,
        now: Moment,
    ) {
        if let Some(end) = self.ends(activity, key, why.name(), now) {
            end.winner = winner;
            if let EndReason::Evicted { policy, rule } = why {
                policy.clone_into(&mut end.policy);
                rule.clone_into(&mut end.rule);
            }
        }
    }
}

/// A stream is on record no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEnd {
    /// Its key.
    pub stream: StreamKey,
    /// Why: `lapsed`, or [`EndReason::name`].
    pub why: &'static str,
    /// Name of the policy by which it lost its place; empty where that was by none.
    pub policy: String,
    /// Name of the rule within it.
    pub rule: String,
    /// The stream that plays in its place, if one does.
    pub winner: Option<StreamKey>,
    /// Id of its application.
    pub application: String,
    /// Its `deviceName`, if known.
    pub device: Option<String>,
    /// How long it was on record, in milliseconds.
    pub lasted_ms: u64,
}

impl StreamEnd {
    /// The end of a stream at a moment.
    pub(crate) fn of(stream: &Stream, why: &'static str, at: Moment) -> Self {
        Self {
            stream: stream.key,
            why,
            policy: String::new(),
            rule: String::new(),
            winner: None,
            application: stream.application.clone(),
            device: stream.attributes.value("deviceName").map(str::to_owned),
            lasted_ms: at.ms_since(stream.began_at),
        }
    }
}

/// What [`StreamEnd::why`] says of a stream that its own application stopped.
pub const STOPPED: &str = "stopped";

/// What it says of one that gave its place up and may start again.
pub(crate) const PAUSED: &str = "paused";

impl EndReason {
    /// In one word, for operators.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Stopped => STOPPED,
            Self::Released(_) => PAUSED,
            Self::Evicted { .. } => "evicted",
            Self::Killed { by } if by.is_operator() => "stopped-by-operator",
            Self::Killed { by } if by.same_device => "replaced",
            Self::Killed { .. } => "stopped-from-another-device",
        }
    }
}

impl Activity {
    /// The streams that have lapsed by now: those that [`Activity::prune`] takes out.
    #[must_use]
    pub fn lapsed(&self, now: Moment) -> Vec<StreamEnd> {
        let lapsed = self.streams.iter().filter(|stream| stream.lapses_at <= now);
        lapsed
            .map(|stream| StreamEnd::of(stream, "lapsed", stream.lapses_at))
            .collect()
    }
}

/// A rule that was broken of a policy that only watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedRule {
    /// Name of the policy.
    pub policy: String,
    /// Name of the rule within it.
    pub rule: String,
}

impl WatchedRule {
    pub(crate) fn of(policy: &Policy, rule: &Rule) -> Self {
        Self {
            policy: policy.name.clone(),
            rule: rule.name.clone(),
        }
    }
}
