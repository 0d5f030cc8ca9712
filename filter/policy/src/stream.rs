//! One playback of one resource by a subject.

use streamgate_values::attributes::Attributes;
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use crate::reached::Reached;
use crate::session_player::SessionPlayer;
use crate::sharing::Clients;
use crate::throttle::Calls;

/// The most termination codes a stream keeps of those that made room for it.
pub const SUPERSEDED_MAX: usize = 32;

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
    /// How many streams its account has played at once since nothing of it played.
    pub reached: Reached,
}

/// What keeps a stream alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
pub enum Liveness {
    /// Media requests as well as heartbeats.
    #[default]
    Any,
    /// Media requests alone, from the first one on: a heartbeat does not keep a stream
    /// whose segments stopped.
    Media,
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
            reached: Reached::default(),
        }
    }

    /// Whether this is its key, or its player's.
    pub(super) fn plays_as(&self, key: &StreamKey) -> bool {
        self.key == *key || self.player == SessionPlayer::Known(*key)
    }

    /// When it ends if it is ended now: no earlier than it began, whichever clocks these
    /// were read from. What begins after its end has started again (`record::merge`).
    pub(super) fn ends_at(&self, now: Moment) -> Moment {
        now.max(self.began_at)
    }
}
