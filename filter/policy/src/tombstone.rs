//! What is remembered of a stream that has ended: when, and why.

use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use crate::faded::{Faded, key_prefix_of};
use crate::stream::Stream;

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
