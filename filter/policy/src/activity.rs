//! The record of one subject: which streams are live, and which were ended on purpose.

use streamgate_values::attributes::Attributes;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use crate::exception::{Allowance, Exception};
use crate::faded::{FADED_KEPT_MAX, Faded, key_prefix_of};
use crate::session_player::SessionPlayer;
use crate::sharing::Clients;
pub use crate::stream::{Liveness, SUPERSEDED_MAX, Stream};
use crate::throttle::Calls;
pub use crate::tombstone::{EndReason, Terminator, Tombstone};

/// How long a stopped, evicted or killed stream is remembered, so that its late
/// requests are told why. What is forgotten after that stays refused through
/// the account's watermark (see `record::slot`), only without the reason.
pub const ENDED_KEPT_MS: u64 = 3_600_000;

/// The most ended streams remembered for one subject. The oldest go first: those that stay
/// over without being remembered, then those that could have started again, then those
/// with ids from outside, of which it is remembered without the reason that they ended
/// ([`FADED_KEPT_MAX`]).
pub const ENDED_KEPT_MAX: usize = 8;

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

#[cfg(test)]
mod tests;
