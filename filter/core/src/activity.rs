//! The record of one subject: which streams are live, and which were ended on purpose.

use std::borrow::Cow;

use crate::moment::Moment;
use crate::stream_key::StreamKey;
use crate::throttle::Calls;

/// How long a stopped, evicted or killed stream is remembered, so that its late
/// requests are told why. What is forgotten after that stays refused through
/// the slot's horizon (see `ledger::slot`), only without the reason.
pub const ENDED_KEPT_MS: u64 = 3_600_000;

/// The most ended streams remembered for one subject; the oldest go first, those with
/// ids of this edge's own before those with ids from outside.
pub const ENDED_KEPT_MAX: usize = 8;

/// The most attributes a stream may have.
pub const ATTRIBUTES_MAX: usize = 32;

/// The most termination codes a stream keeps of those that made room for it.
pub const SUPERSEDED_MAX: usize = 32;

/// Attributes that stay as they are once set (contract, section 2).
pub const IMMUTABLE: [&str; 9] = [
    "package",
    "channel",
    "platform",
    "assetId",
    "idp",
    "mvpd",
    "hba_status",
    "hba",
    "mobileDevice",
];

/// All live streams of a subject (contract, section 1), and the recently ended ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Activity {
    /// The live streams, in no particular order.
    pub streams: Vec<Stream>,
    /// Streams that were ended on purpose, oldest first.
    pub ended: Vec<Ended>,
    /// Creates in this minute.
    pub creates: Calls,
    /// The latest moment of issue among ended streams no longer remembered.
    pub forgotten: Moment,
}

/// One playback of one resource by a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// The stream's key.
    pub key: StreamKey,
    /// Id of the application that started it.
    pub application: String,
    /// When it started.
    pub started_at: Moment,
    /// When it is gone unless a sign of life comes first.
    pub lapses_at: Moment,
    /// Metadata given by the application.
    pub attributes: Attributes,
    /// Termination codes of the streams that were stopped to make room for it.
    pub superseded: Vec<String>,
    /// Heartbeats in this minute.
    pub calls: Calls,
}

/// Attribute names and values, each name once, in the order given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes(Vec<(String, String)>);

/// A stream that was ended on purpose, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The stream's key.
    pub key: StreamKey,
    /// When it was ended.
    pub at: Moment,
    /// Why.
    pub why: EndReason,
}

/// Why a stream was ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndReason {
    /// Its own application stopped it.
    Stopped,
    /// A rule made it lose its place.
    Evicted {
        /// Name of the policy.
        policy: String,
        /// Name of the rule within it.
        rule: String,
    },
    /// A viewer chose to stop it from another device (`X-Terminate`).
    Killed {
        /// The stream that was started in its place.
        by: Terminator,
    },
}

/// What a killed stream's viewer is told about the stream that took its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminator {
    /// Id of its application.
    pub application: String,
    /// When it started.
    pub started_at: Moment,
    /// Its `channel`, if known.
    pub channel: Option<String>,
    /// Its `deviceName`, if known.
    pub device_name: Option<String>,
}

impl Attributes {
    /// The value of attribute `name`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Sets attribute `name`, replacing its earlier value.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }

    /// Sets every attribute of `other`; says whether that changed anything.
    pub fn merge(&mut self, other: &Self) -> bool {
        let mut changed = false;
        for (name, value) in other.iter() {
            if self.value(name) != Some(value) {
                self.set(name, value);
                changed = true;
            }
        }
        changed
    }

    /// These with every attribute of `other` set.
    #[must_use]
    pub fn with<'a>(&'a self, other: &Self) -> Cow<'a, Self> {
        let mut merged = Cow::Borrowed(self);
        if !other.is_empty() {
            merged.to_mut().merge(other);
        }
        merged
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Activity {
    /// The live stream with this key.
    #[must_use]
    pub fn stream(&self, key: &StreamKey) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.key == *key)
    }

    /// The same, to be changed.
    pub fn stream_mut(&mut self, key: &StreamKey) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|stream| stream.key == *key)
    }

    /// Why the stream with this key was ended, if it was and that is still remembered.
    #[must_use]
    pub fn end_of(&self, key: &StreamKey) -> Option<&EndReason> {
        self.ended
            .iter()
            .find(|ended| ended.key == *key)
            .map(|ended| &ended.why)
    }

    /// Takes the live stream with this key out and remembers why. Says whether it was live.
    pub fn end(&mut self, key: &StreamKey, why: EndReason, now: Moment) -> bool {
        let Some(at) = self.streams.iter().position(|stream| stream.key == *key) else {
            return false;
        };
        self.streams.remove(at);
        self.ended.push(Ended {
            key: *key,
            at: now,
            why,
        });
        while self.ended.len() > ENDED_KEPT_MAX {
            // The horizon remembers an id that says when it was issued. One from
            // outside does not, so it is kept for as long as there is another to go.
            let minted = |ended: &Ended| ended.key.issued_at().is_some();
            let oldest = self.ended.iter().position(minted).unwrap_or(0);
            let ended = self.ended.remove(oldest);
            self.forget(&ended);
        }
        true
    }

    /// Drops streams whose time has come and forgets what ended long ago.
    /// Returns how many streams lapsed.
    pub fn prune(&mut self, now: Moment) -> usize {
        let before = self.streams.len();
        self.streams.retain(|stream| stream.lapses_at > now);
        let (kept, old) = core::mem::take(&mut self.ended)
            .into_iter()
            .partition(|ended| ended.at.plus_ms(ENDED_KEPT_MS) > now);
        self.ended = kept;
        let old: Vec<Ended> = old;
        old.iter().for_each(|ended| self.forget(ended));
        before.saturating_sub(self.streams.len())
    }

    /// When the last live stream lapses, if there is one.
    #[must_use]
    pub fn live_until(&self) -> Option<Moment> {
        self.streams.iter().map(|stream| stream.lapses_at).max()
    }

    fn forget(&mut self, ended: &Ended) {
        if let Some(issued_at) = ended.key.issued_at() {
            self.forgotten = self.forgotten.max(issued_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, key, stream, test};

    #[test]
    fn a_silent_stream_is_gone_at_its_time_and_not_before() {
        let mut activity = Activity {
            streams: vec![stream(1, NOW)],
            ..Activity::default()
        };
        let lapses_at = activity.streams[0].lapses_at;
        assert_eq!(activity.prune(Moment::from_ms(lapses_at.as_ms() - 1)), 0);
        assert_eq!(activity.prune(lapses_at), 1);
        assert_eq!(activity, Activity::default());
    }

    #[test]
    fn what_is_forgotten_moves_the_horizon() {
        let mut activity = Activity {
            streams: vec![stream(1, NOW)],
            ..Activity::default()
        };
        let key = activity.streams[0].key;
        assert!(activity.end(&key, EndReason::Stopped, NOW));
        assert!(!activity.end(&key, EndReason::Stopped, NOW));
        assert_eq!(activity.end_of(&key), Some(&EndReason::Stopped));
        assert_eq!(activity.forgotten, Moment::EARLIEST);
        activity.prune(NOW.plus_ms(ENDED_KEPT_MS));
        assert_eq!(activity.end_of(&key), None);
        assert_eq!(activity.forgotten, key.issued_at().unwrap());
    }

    #[test]
    fn ended_streams_are_remembered_in_bounded_number() {
        let mut activity = Activity::default();
        for n in 0..100 {
            let stream = stream(n, NOW.plus_ms(u64::from(n)));
            let key = stream.key;
            activity.streams.push(stream);
            activity.end(&key, EndReason::Stopped, NOW);
        }
        assert_eq!(activity.ended.len(), ENDED_KEPT_MAX);
        assert_eq!(activity.forgotten, NOW.plus_ms(91));
    }

    #[test]
    fn an_end_the_horizon_cannot_hold_is_remembered_longest() {
        let mut activity = Activity::default();
        let outside = StreamKey::external([1; 16]);
        let mut first = stream(0, NOW);
        first.key = outside;
        activity.streams.push(first);
        activity.end(&outside, EndReason::Stopped, NOW);
        for n in 0..100 {
            activity.streams.push(stream(n, NOW));
            activity.end(&key(n, NOW), EndReason::Stopped, NOW);
        }
        assert_eq!(activity.ended.len(), ENDED_KEPT_MAX);
        assert_eq!(activity.end_of(&outside), Some(&EndReason::Stopped));
    }
}
