//! What happens to a subject's activity, and what comes of it.

use std::sync::Arc;

use streamgate_values::attributes::Attributes;
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use crate::action::Action;
use crate::activity::{Liveness, Stream, Terminator};
use crate::book::Application;
use crate::effect::Effects;
use crate::exception::Exception;
use crate::message::Message;
use crate::places::Places;
use crate::sharing::{Client, Sharing};

/// Something happened, through the session API or by a segment request.
#[derive(Debug, Clone)]
pub enum Event {
    /// A stream wants to play: it starts, or gives a sign of life.
    Play(Play),
    /// An application stops a stream.
    Stop {
        /// The stream.
        stream: StreamKey,
        /// The application that asks.
        application: Arc<Application>,
    },
    /// A stream's player pauses: its place is free at once, and it may start again
    /// under the same id. It is judged afresh then.
    Release {
        /// The stream.
        stream: StreamKey,
        /// The application that plays it.
        application: Arc<Application>,
    },
    /// An operator acts on the account.
    Operate(Operation),
}

/// What an operator wants of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// All its streams are stopped.
    StopAll,
    /// The stream with this termination code is stopped.
    Stop(String),
    /// This holds in the place of its limits from now on.
    Except(Exception),
    /// What was said before holds no longer.
    Lift,
}

/// A stream wants to play.
#[derive(Debug, Clone)]
pub struct Play {
    /// The stream.
    pub stream: StreamKey,
    /// The application that plays it.
    pub application: Arc<Application>,
    /// Attributes to set on the stream. Of a call they are what the application says,
    /// and some stay as they are once set; of a playback request they are facts read
    /// from it, and change as they do.
    pub attributes: Attributes,
    /// Limits to set on the stream, as its credential carries them. None: what is on
    /// record holds.
    pub limits: Limits,
    /// Termination codes of streams to kill for this one, if that lets it play.
    pub terminate: Vec<String>,
    /// How long the stream lives without a further sign of life, in milliseconds.
    pub timeout_ms: u64,
    /// How much longer than that its player can play on from what it has buffered, in
    /// milliseconds, as it says itself. Bounded by whoever reads it.
    pub buffer_ms: u64,
    /// A live stream that has at least this long to live, in milliseconds, is left
    /// as it is: nothing is written. [`Play::buffer_ms`] comes on top.
    pub renew_below_ms: u64,
    /// What to do if the stream is not on record.
    pub unknown: Unknown,
    /// [`Liveness::Media`] if this is a media request on a path where only those count:
    /// from then on heartbeats no longer keep the stream alive.
    pub liveness: Liveness,
    /// Its id names a device rather than a playback, and comes again when the viewer
    /// starts anew: that the stream was ended is held against it for one
    /// `timeout_ms` only.
    pub recurring: bool,
    /// It is a call of the session API: it has to bring the attributes that policies
    /// need, and counts against the call limits.
    pub is_call: bool,
    /// How many viewers the stream may have at once, and where this request comes from;
    /// `None` where that is not looked at.
    pub sharing: Option<(Sharing, Client)>,
}

/// What it means that a stream is not on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Its key was minted for this very event: it is new.
    IsNew,
    /// It starts, unless it is known to have ended before (implicit start).
    Starts,
    /// It is over, unless a restart of this edge may have lost it.
    IsOver,
}

/// What the store can no longer say about streams it has no record of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recall {
    /// Streams issued up to this moment and not on record are over: some of them
    /// were ended on purpose and are no longer remembered one by one.
    pub watermark: Moment,
    /// Since when this store remembers at all. For one timeout after it, streams
    /// issued before it may be live and merely lost.
    pub memory_since: Moment,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Judgement {
    /// The answer.
    pub verdict: Verdict,
    /// The activity differs from before: it has to be written.
    pub changed: bool,
    /// A stream was ended that others may still believe to be live.
    pub silenced: bool,
    /// How many streams lost their place by a rule, whether the verdict is that another
    /// one plays or that this one may not.
    pub evicted: usize,
    /// What else is to be counted.
    pub effects: Effects,
    /// When trying again may help, as far as can be said of a refusal.
    pub retry_at: Option<Moment>,
}

impl Judgement {
    /// A refusal that leaves everything as it was.
    pub(super) fn unchanged(refused: Refused) -> Self {
        Self {
            retry_at: refused.retry_at(),
            verdict: Verdict::Refused(refused),
            changed: false,
            silenced: false,
            evicted: 0,
            effects: Effects::default(),
        }
    }
}

/// The answer to an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The stream may play.
    Plays(Plays),
    /// The stream was live and is stopped, or released.
    Stopped,
    /// An operator's wish is carried out.
    Operated {
        /// How many streams were stopped for it.
        stopped: usize,
    },
    /// The stream may not play.
    Refused(Refused),
}

/// As which of its account's streams at once one starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// The number of the policy in the book that sees them.
    pub policy: usize,
    /// From 1 on, those included that are evicted for it.
    pub at: usize,
    /// How many there were at once before, since nothing of the account played.
    pub before: usize,
}

/// A stream may play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plays {
    /// It was not on record before.
    pub started: bool,
    /// It was, and what is known of it has changed: an attribute, a limit, or what keeps
    /// it alive.
    pub learned: bool,
    /// The session that was to be created is this stream: its app's player has begun it already.
    pub taken: Option<StreamKey>,
    /// When it is gone unless a sign of life comes first.
    pub lapses_at: Moment,
    /// How many streams lost their place to it by a rule.
    pub evicted: usize,
    /// How many streams the viewer chose to stop for it.
    pub killed: usize,
    /// How many earlier streams of the same device it replaced.
    pub replaced: usize,
    /// How many rules it broke of policies that only watch.
    pub monitored: usize,
    /// The first of these, with the streams in the way, if it starts.
    pub watched: Option<Box<Breach>>,
    /// The streams that were ended for it.
    pub ended: Vec<StreamKey>,
    /// If it starts: its level in each policy that sees it.
    pub levels: Vec<Level>,
    /// It came from a network, or by an agent, beyond those that the stream may come from at
    /// once.
    pub shared: bool,
    /// How the tightest rule stands that counts streams and looks at this one, where an
    /// application asked; `None` where no rule does.
    pub places: Option<Places>,
}

/// A stream may not play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// These rules forbid it to start or to go on.
    Conflict(Vec<Breach>),
    /// A rule took its place away earlier; this is how that rule stands now.
    Evicted(Box<Breach>),
    /// A viewer stopped it from another device, or its own device has started again.
    Killed(Terminator),
    /// It lapsed or was stopped.
    Over,
    /// It is another application's.
    Foreign,
    /// These attributes are needed to judge it.
    MissingAttributes(Vec<String>),
    /// It would have more attributes than a stream may have, or more text in them.
    TooManyAttributes,
    /// This attribute is set and may not change.
    Immutable(String),
    /// There were too many calls.
    Throttled {
        /// When a call counts again.
        until: Moment,
    },
    /// The subject already has as many live streams as this edge keeps for one.
    SubjectFull,
    /// An operator has blocked the account.
    Blocked,
    /// Its stream comes from as many other networks, or agents, as it may at once.
    Shared {
        /// When the first of those counts no longer, unless it asks again before.
        room_at: Moment,
    },
}

/// The most streams in the way that a breach names, so that a refusal costs no more for an
/// account with many streams.
pub const CONFLICTS_MAX: usize = 16;

/// A rule that a stream would break, with the streams in its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Name of the policy.
    pub policy: String,
    /// Name of the rule.
    pub rule: String,
    /// What the viewer is told.
    pub message: Message,
    /// A way out that the viewer is offered.
    pub action: Option<Action>,
    /// The attribute whose values it counts; `None` if it counts streams.
    pub attribute: Option<String>,
    /// The limit itself: the most that is allowed.
    pub threshold: u32,
    /// Attributes per whose values it counts.
    pub scope: Vec<String>,
    /// The streams in the way, oldest first; of more than [`CONFLICTS_MAX`] the oldest.
    pub conflicts: Vec<Stream>,
    /// How many more streams are in the way.
    pub others: usize,
    /// When the first of the streams in the way lapses, unless a sign of life comes
    /// first; `None` if there are none, and waiting is of no use.
    pub room_at: Option<Moment>,
    /// As which of the account's streams at once that the policy sees it wants to start; 0 where
    /// it plays already, or did.
    pub level: usize,
}

impl Refused {
    /// When trying again may help, as far as the refusal itself says: once a stream in
    /// the way may have lapsed, of each rule that is broken, or a call counts again.
    #[must_use]
    pub fn retry_at(&self) -> Option<Moment> {
        match self {
            Self::Conflict(breaches) => {
                let room: Option<Vec<Moment>> =
                    breaches.iter().map(|breach| breach.room_at).collect();
                room?.into_iter().max()
            }
            Self::Throttled { until } => Some(*until),
            Self::Shared { room_at } => Some(*room_at),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, test};

    #[test]
    fn a_stream_that_is_shared_may_be_tried_again_when_the_first_of_the_others_has_gone() {
        let refused = Refused::Shared { room_at: NOW };
        assert_eq!(refused.retry_at(), Some(NOW));
        assert_eq!(Refused::SubjectFull.retry_at(), None);
    }
}
