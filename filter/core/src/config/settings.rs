//! A configuration in force.

use streamgate_record::{Records, fleet};
use streamgate_tokens::cat::{Demands, Keys};
use streamgate_tokens::signed::KeyRing;
use streamgate_values::subject::SubjectHasher;

use super::choices::Compatibility;
use super::operator::Operator;
use super::playback::PlaybackPath;
use super::session_api::SessionApi;

/// A configuration in force.
#[derive(Debug)]
pub struct Config {
    /// Where streams are recorded, and the policies they are judged by.
    pub records: Records,
    /// Who may call the session API; `None`: there is none.
    pub session_api: Option<SessionApi>,
    /// Sessions and their signatures.
    pub sessions: Sessions,
    /// Makes subjects unreadable.
    pub hasher: SubjectHasher,
    /// Under which name the proxy stores the JWT it has checked.
    pub jwt_payload: String,
    /// How much longer than its `exp` says a JWT vouches for what it was shown for, in
    /// milliseconds.
    pub jwt_leeway_ms: u64,
    /// Common Access Tokens; `None`: none are read.
    pub cat: Option<Cat>,
    /// Protected paths; the first whose prefix fits applies.
    pub playback: Vec<PlaybackPath>,
    /// The store that several edges share; `None`: this edge is alone.
    pub fleet: Option<fleet::Settings>,
    /// The operator's door; `None`: viewers are served.
    pub operator: Option<Operator>,
    /// A keyed hash of the configuration as it was handed over, where there is a door to tell
    /// it; empty elsewhere.
    pub fingerprint: String,
}

/// Common Access Tokens (CTA-5007).
#[derive(Debug)]
pub struct Cat {
    /// The keys that vouch for them.
    pub keys: Keys,
    /// What every one has to be.
    pub demands: Demands,
    /// The header they stand in, its name in lower case.
    pub header: String,
    /// The cookie.
    pub cookie: String,
    /// The query parameter.
    pub query: String,
}

/// How sessions live.
#[derive(Debug)]
pub struct Sessions {
    /// What session API paths begin with, for example `/v2`; no slash at its end.
    pub base_path: String,
    /// By when an application is asked to send its next heartbeat, in milliseconds.
    pub heartbeat_ms: u64,
    /// How long a session lives without a sign of life, in milliseconds; longer than
    /// the heartbeat.
    pub timeout_ms: u64,
    /// How long a playback token is worth something, in milliseconds.
    pub token_lifetime_ms: u64,
    /// The signing keys.
    pub ring: KeyRing,
    /// Which shape create and heartbeat answer in.
    pub compatibility: Compatibility,
}
