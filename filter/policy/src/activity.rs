//! The record of one subject: which streams are live, and which were ended on purpose.

use streamgate_values::attributes::Attributes;
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use crate::exception::{Allowance, Exception};
use crate::faded::{FADED_KEPT_MAX, Faded, key_prefix_of};
use crate::session_player::SessionPlayer;
use crate::sharing::Clients;
use crate::throttle::Calls;

/// How long a stopped, evicted or killed stream is remembered, so that its late
/// requests are told why. What is forgotten after that stays refused through
/// the account's watermark (see `record::slot`), only without the reason.
pub const ENDED_KEPT_MS: u64 = 3_600_000;

/// The most ended streams remembered for one subject. The oldest go first: those that stay
/// over without being remembered, then those that could have started again, then those
/// with ids from outside, of which it is remembered without the reason that they ended
/// ([`FADED_KEPT_MAX`]).
pub const ENDED_KEPT_MAX: usize = 8;

/// The most termination codes a stream keeps of those that made room for it.
pub const SUPERSEDED_MAX: usize = 32;

/// The most text that is kept of a released stream's attributes, in bytes. Of one with more,
/// none are kept: released streams count in no limit that bounds the memory of live ones.
pub const RELEASED_ATTRIBUTES_MAX: usize = 512;

/// All live streams of a subject (contract, section 1), and the recently ended ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Activity {
    /// The live streams, in no particular order.
    pub streams: Vec<Stream>,
    /// Streams that were ended on purpose or released, oldest first.
    pub ended: Vec<Tombstone>,
    /// Streams with ids from outside that were ended on purpose, without the reason, oldest
    /// first.
    pub faded: Vec<Faded>,
    /// Creates in this minute.
    pub creates: Calls,
    /// The latest moment of issue among ended streams no longer remembered.
    pub watermark: Moment,
    /// What an operator has said of the subject.
    pub exception: Option<Exception>,
}

/// One playback of one resource by a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// The stream's key.
    pub key: StreamKey,
    /// Id of the application that started it.
    pub application: String,
    /// When it first started, as far as any edge knows: its age.
    pub started_at: Moment,
    /// When it last started anew, as far as any edge knows: an end before that does not hold.
    pub began_at: Moment,
    /// When it is gone unless a sign of life comes first.
    pub lapses_at: Moment,
    /// How much of that is its player's buffer, in seconds, rounded up.
    pub buffer_s: u16,
    /// Metadata given by the application.
    pub attributes: Attributes,
    /// Limits that its viewer's credential carried.
    pub limits: Limits,
    /// What keeps it alive.
    pub liveness: Liveness,
    /// Termination codes of the streams that were stopped to make room for it.
    pub superseded: Vec<String>,
    /// Heartbeats in this minute.
    pub calls: Calls,
    /// Where its requests come from, where that is looked at.
    pub clients: Clients,
    /// What plays for it under another key.
    pub player: SessionPlayer,
}

/// What keeps a stream alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Liveness {
    /// Heartbeats as well as media requests.
    #[default]
    Any,
    /// Media requests only: it has had one on a path that says `liveness: media`.
    Media,
}

/// A stream that is no longer live, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The stream's key.
    pub key: StreamKey,
    /// When that was.
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
    /// A viewer chose to stop it from another device (`X-Terminate`), or its own device has
    /// started again.
    Killed {
        /// The stream that was started in its place.
        by: Terminator,
    },
    /// Its player paused, or asked for something it may not have: it gave its place
    /// up and may start again, as what it was.
    Released(Box<Stream>),
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
    /// It plays on the device that the killed one played on, as far as that is known.
    pub same_device: bool,
}

impl Terminator {
    /// An operator, who is no application: its id is one that none has.
    #[must_use]
    pub const fn operator(now: Moment) -> Self {
        Self {
            application: String::new(),
            started_at: now,
            channel: None,
            device_name: None,
            same_device: false,
        }
    }

    /// Whether it was an operator.
    #[must_use]
    pub const fn is_operator(&self) -> bool {
        self.application.is_empty()
    }
}

impl Stream {
    /// A stream of which nothing is known yet.
    #[must_use]
    pub fn unplayed(key: StreamKey) -> Self {
        Self {
            key,
            application: String::new(),
            started_at: Moment::EARLIEST,
            began_at: Moment::EARLIEST,
            lapses_at: Moment::EARLIEST,
            buffer_s: 0,
            attributes: Attributes::default(),
            limits: Limits::default(),
            liveness: Liveness::Any,
            superseded: Vec::new(),
            calls: Calls::default(),
            clients: Clients::default(),
            player: SessionPlayer::None,
        }
    }
}

impl Stream {
    /// Whether this is its key, or its player's.
    fn plays_as(&self, key: &StreamKey) -> bool {
        self.key == *key || self.player == SessionPlayer::Known(*key)
    }

    /// When it ends if it is ended now: no earlier than it began, whichever clocks these
    /// were read from. What begins after its end has started again (`record::merge`).
    fn ends_at(&self, now: Moment) -> Moment {
        now.max(self.began_at)
    }
}

impl Activity {
    /// The live stream with this key, its own or its player's.
    #[must_use]
    pub fn stream(&self, key: &StreamKey) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.plays_as(key))
    }

    /// The same, to be changed.
    pub fn stream_mut(&mut self, key: &StreamKey) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|stream| stream.plays_as(key))
    }

    /// The own key of the session whose player has this key, be it live or released.
    #[must_use]
    pub fn session_of(&self, player: &StreamKey) -> Option<StreamKey> {
        let mut all = self.live_and_released();
        let session = all.find(|stream| stream.player == SessionPlayer::Known(*player))?;
        Some(session.key)
    }

    /// Whether any session has a player, or awaits one.
    #[must_use]
    pub fn has_session_players(&self) -> bool {
        let mut all = self.live_and_released();
        all.any(|stream| stream.player != SessionPlayer::None)
    }

    fn live_and_released(&self) -> impl Iterator<Item = &Stream> {
        let released = self.ended.iter().filter_map(Tombstone::released);
        self.streams.iter().chain(released)
    }

    /// How the stream with this key ended, if it did and that is still remembered.
    #[must_use]
    pub fn end_of(&self, key: &StreamKey) -> Option<&Tombstone> {
        self.ended.iter().find(|ended| ended.key == *key)
    }

    /// What is left of the end of the stream with this key, if that is all there is.
    #[must_use]
    pub fn faded_end_of(&self, key: &StreamKey) -> Option<Faded> {
        let key_prefix = key_prefix_of(key)?;
        self.faded
            .iter()
            .find(|faded| faded.key_prefix == key_prefix)
            .copied()
    }

    /// Whether anything is remembered of ended streams one by one.
    #[must_use]
    pub fn remembers_ends(&self) -> bool {
        !self.ended.is_empty() || !self.faded.is_empty()
    }

    /// How much is remembered besides live streams.
    #[must_use]
    pub fn remembered(&self) -> usize {
        let ends = self.ended.len().saturating_add(self.faded.len());
        ends.saturating_add(usize::from(self.exception.is_some()))
    }

    /// Whether there is anything to remember without a live stream.
    #[must_use]
    pub fn remembers(&self) -> bool {
        self.remembers_ends() || self.exception.is_some()
    }

    /// What an operator has said that holds in the place of the subject's limits, if anything.
    #[must_use]
    pub fn allowance(&self) -> Option<Allowance> {
        self.exception.as_ref().map(|exception| exception.allowance)
    }

    /// When the last of the ended streams ended that are remembered one by one.
    #[must_use]
    pub fn last_end(&self) -> Option<Moment> {
        let ended = self.ended.iter().map(|ended| ended.at);
        ended.chain(self.faded.iter().map(|faded| faded.at)).max()
    }

    /// Takes back that the stream with this key was ended, and says how it was, if that is
    /// remembered.
    pub fn forgive(&mut self, key: &StreamKey) -> Option<Tombstone> {
        self.unfade(key);
        let at = self.ended.iter().position(|ended| ended.key == *key)?;
        Some(self.ended.remove(at))
    }

    /// Takes the live stream with this key out and remembers why. Says whether it was live.
    pub fn end(&mut self, key: &StreamKey, why: EndReason, now: Moment) -> bool {
        let Some(stream) = self.take(key) else {
            return false;
        };
        let at = stream.ends_at(now);
        if let SessionPlayer::Known(key) = stream.player {
            let why = why.clone();
            self.remember(Tombstone { key, at, why });
        }
        let key = stream.key;
        self.remember(Tombstone { key, at, why });
        true
    }

    /// Takes the live stream with this key out, to start again when it likes to. Says
    /// whether it was live.
    pub fn release(&mut self, key: &StreamKey, now: Moment) -> bool {
        let Some(mut stream) = self.take(key) else {
            return false;
        };
        stream.superseded.clear();
        stream.clients = Clients::default();
        if stream.attributes.size() > RELEASED_ATTRIBUTES_MAX {
            stream.attributes = Attributes::default();
        }
        self.remember(Tombstone {
            key: stream.key,
            at: stream.ends_at(now),
            why: EndReason::Released(Box::new(stream)),
        });
        true
    }

    /// Takes the live stream with this key out, and remembers nothing of it.
    pub fn take(&mut self, key: &StreamKey) -> Option<Stream> {
        let at = self
            .streams
            .iter()
            .position(|stream| stream.plays_as(key))?;
        Some(self.streams.remove(at))
    }

    /// Remembers how a stream ended, in the place of what was remembered of it, among the
    /// others by the time of its end.
    pub fn remember(&mut self, ended: Tombstone) {
        self.unfade(&ended.key);
        self.ended.retain(|known| known.key != ended.key);
        let later = self.ended.iter().position(|known| known.at > ended.at);
        self.ended.insert(later.unwrap_or(self.ended.len()), ended);
        while self.ended.len() > ENDED_KEPT_MAX {
            let stays_over = self
                .ended
                .iter()
                .position(|ended| ended.watermark().is_some());
            let released = || self.ended.iter().position(|end| end.released().is_some());
            let ended = self.ended.remove(stays_over.or_else(released).unwrap_or(0));
            // A released one, too: another edge may not have heard of the pause.
            self.watermark = self
                .watermark
                .max(ended.key.issued_at().unwrap_or_default());
            if let Some(faded) = ended.faded() {
                self.fade(faded);
            }
        }
    }

    /// Remembers that a stream ended, in the place of what was left of that, among the others
    /// by the time of its end.
    pub fn fade(&mut self, faded: Faded) {
        self.faded
            .retain(|known| known.key_prefix != faded.key_prefix);
        let order = |faded: &Faded| (faded.at, faded.key_prefix);
        let later = self.faded.iter();
        let later = later
            .take_while(|known| order(known) < order(&faded))
            .count();
        self.faded.insert(later, faded);
        let surplus = self.faded.len().saturating_sub(FADED_KEPT_MAX);
        self.faded.drain(..surplus);
    }

    fn unfade(&mut self, key: &StreamKey) {
        if let Some(key_prefix) = key_prefix_of(key) {
            self.faded.retain(|known| known.key_prefix != key_prefix);
        }
    }

    /// Drops streams whose time has come and forgets what ended long ago.
    /// Returns how many streams lapsed.
    pub fn prune(&mut self, now: Moment) -> usize {
        let before = self.streams.len();
        self.streams.retain(|stream| stream.lapses_at > now);
        for stream in &mut self.streams {
            stream.clients.prune(now);
        }
        let (kept, old) = core::mem::take(&mut self.ended)
            .into_iter()
            .partition(|ended| ended.at.plus_ms(ENDED_KEPT_MS) > now);
        self.ended = kept;
        self.faded
            .retain(|faded| faded.at.plus_ms(ENDED_KEPT_MS) > now);
        self.exception = self.exception.take().filter(|it| it.until > now);
        let old: Vec<Tombstone> = old;
        let watermark = old.iter().filter_map(Tombstone::watermark).max();
        self.watermark = self.watermark.max(watermark.unwrap_or_default());
        before.saturating_sub(self.streams.len())
    }

    /// When the last live stream lapses, if there is one.
    #[must_use]
    pub fn live_until(&self) -> Option<Moment> {
        self.streams.iter().map(|stream| stream.lapses_at).max()
    }
}

impl Tombstone {
    /// What is left of this once there is no room for it; `None` where the watermark holds the
    /// stream, or where the stream may start again.
    #[must_use]
    pub fn faded(&self) -> Option<Faded> {
        let key_prefix = key_prefix_of(&self.key)?;
        let is_over = self.released().is_none();
        is_over.then_some(Faded {
            key_prefix,
            at: self.at,
        })
    }

    /// The stream as it was, if it was released.
    #[must_use]
    pub fn released(&self) -> Option<&Stream> {
        match &self.why {
            EndReason::Released(stream) => Some(stream),
            _ => None,
        }
    }

    /// How far the watermark has to move when this is forgotten, so that the stream stays
    /// ended; `None` where it cannot hold it, or need not.
    #[must_use]
    pub fn watermark(&self) -> Option<Moment> {
        self.released().map_or(self.key.issued_at(), |_| None)
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
    fn what_is_forgotten_moves_the_watermark() {
        let mut activity = Activity {
            streams: vec![stream(1, NOW)],
            ..Activity::default()
        };
        let key = activity.streams[0].key;
        assert!(activity.end(&key, EndReason::Stopped, NOW));
        assert!(!activity.end(&key, EndReason::Stopped, NOW));
        let end = Tombstone {
            key,
            at: NOW,
            why: EndReason::Stopped,
        };
        assert_eq!(activity.end_of(&key), Some(&end));
        assert_eq!(activity.watermark, Moment::EARLIEST);
        activity.prune(NOW.plus_ms(ENDED_KEPT_MS));
        assert_eq!(activity.end_of(&key), None);
        assert_eq!(activity.watermark, key.issued_at().unwrap());
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
        assert_eq!(activity.watermark, NOW.plus_ms(91));
    }

    #[test]
    fn an_end_the_watermark_cannot_hold_is_remembered_longest() {
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
        assert!(activity.end_of(&outside).is_some());
    }

    #[test]
    fn a_released_stream_is_remembered_as_it_was_and_forgetting_it_moves_no_watermark() {
        let mut activity = Activity::default();
        let mut paused = stream(1, NOW);
        paused.attributes.set("channel", "News 1");
        activity.streams.push(paused.clone());
        assert!(activity.release(&paused.key, NOW));
        assert!(!activity.release(&paused.key, NOW));
        let end = activity.end_of(&paused.key).unwrap();
        assert_eq!(end.released(), Some(&paused));
        activity.prune(NOW.plus_ms(ENDED_KEPT_MS));
        assert_eq!(activity, Activity::default());
    }

    #[test]
    fn a_released_stream_with_much_to_say_comes_back_with_nothing_to_say() {
        let mut activity = Activity::default();
        let mut paused = stream(1, NOW);
        paused
            .attributes
            .set("note", "x".repeat(RELEASED_ATTRIBUTES_MAX));
        activity.streams.push(paused.clone());
        assert!(activity.release(&paused.key, NOW));
        let end = activity.end_of(&paused.key).unwrap();
        paused.attributes = Attributes::default();
        assert_eq!(end.released(), Some(&paused));
    }

    #[test]
    fn an_edge_whose_clock_is_behind_ends_no_stream_before_it_started() {
        let mut activity = Activity::default();
        for n in [1, 2] {
            activity.streams.push(stream(n, NOW.plus_ms(1_000)));
        }
        let keys = [activity.streams[0].key, activity.streams[1].key];
        assert!(activity.end(&keys[0], EndReason::Stopped, NOW));
        assert!(activity.release(&keys[1], NOW));
        for key in keys {
            assert_eq!(activity.end_of(&key).unwrap().at, NOW.plus_ms(1_000));
        }
    }

    #[test]
    fn a_released_stream_that_finds_no_room_is_over_like_one_that_was_ended() {
        let mut activity = Activity::default();
        for n in 0..100 {
            let stream = stream(n, NOW.plus_ms(u64::from(n)));
            let key = stream.key;
            activity.streams.push(stream);
            activity.release(&key, NOW.plus_ms(u64::from(n)));
        }
        assert_eq!(activity.ended.len(), ENDED_KEPT_MAX);
        assert_eq!(activity.watermark, NOW.plus_ms(91));
        // Those that were ended go before it.
        for n in 0..100 {
            activity.streams.push(stream(n, NOW));
            activity.end(&key(n, NOW), EndReason::Stopped, NOW.plus_ms(200));
        }
        let released = activity
            .ended
            .iter()
            .filter_map(Tombstone::released)
            .count();
        assert_eq!(released, ENDED_KEPT_MAX);
    }
}
