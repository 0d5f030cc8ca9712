//! Why a request is refused: one table from reason to code, counter and status.

use streamgate_policy::Refused;
use streamgate_record::Unavailable;
use streamgate_record::metric::Metric;

/// Why a request is refused. Its code is stable: players and dashboards match on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A rule forbids one stream more.
    LimitReached,
    /// A rule took the stream's place away.
    Evicted,
    /// A viewer stopped the stream from another device.
    RemoteTermination,
    /// The stream lapsed or was stopped.
    StreamOver,
    /// The stream is another application's.
    ForeignStream,
    /// A policy needs attributes that are not known.
    MissingAttributes,
    /// The stream would have more attributes than it may.
    TooManyAttributes,
    /// The call changes an attribute that must stay as it is.
    ImmutableAttribute,
    /// There were too many calls.
    Throttled,
    /// The token is forged, cut or of no known form.
    TokenInvalid,
    /// The token is another account's than the one that the request names besides.
    ForeignToken,
    /// The token's time is past.
    TokenExpired,
    /// The token's application is no longer configured.
    UnknownApplication,
    /// What says whose account it is says another than the call is about.
    OtherAccount,
    /// Nothing says whose account watches.
    NoSubject,
    /// Nothing says which stream it is, and only a manifest may begin one.
    NoStream,
    /// The stream was not created through the session API.
    SessionRequired,
    /// The subject has as many streams as this edge keeps for one.
    SubjectFull,
    /// The edge has as many streams as it may.
    EdgeFull,
    /// Too many others wrote at the same moment.
    Busy,
    /// The store failed.
    StoreFailed,
    /// The request's path or identity is no well-formed text.
    Malformed,
}

impl Reason {
    /// The reason for a judge's refusal.
    #[must_use]
    pub const fn of(refused: &Refused) -> Self {
        match refused {
            Refused::Conflict(_) => Self::LimitReached,
            Refused::Evicted(_) => Self::Evicted,
            Refused::Killed(_) => Self::RemoteTermination,
            Refused::Over => Self::StreamOver,
            Refused::Foreign => Self::ForeignStream,
            Refused::SubjectFull => Self::SubjectFull,
            Refused::MissingAttributes(_) => Self::MissingAttributes,
            Refused::TooManyAttributes => Self::TooManyAttributes,
            Refused::Immutable(_) => Self::ImmutableAttribute,
            Refused::Throttled { .. } => Self::Throttled,
        }
    }

    /// The reason when the record could not decide.
    #[must_use]
    pub const fn of_unavailable(unavailable: Unavailable) -> Self {
        match unavailable {
            Unavailable::Contention => Self::Busy,
            Unavailable::Full => Self::EdgeFull,
            Unavailable::Store | Unavailable::Fleet => Self::StoreFailed,
        }
    }

    /// Its stable code, in answers and logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::LimitReached => "limit-reached",
            Self::Evicted => "evicted",
            Self::RemoteTermination => "remote-termination",
            Self::StreamOver => "stream-over",
            Self::ForeignStream => "foreign-stream",
            Self::MissingAttributes => "missing-attributes",
            Self::TooManyAttributes => "too-many-attributes",
            Self::ImmutableAttribute => "immutable-attribute",
            Self::Throttled => "throttled",
            Self::TokenInvalid => "token-invalid",
            Self::ForeignToken => "foreign-token",
            Self::TokenExpired => "token-expired",
            Self::UnknownApplication => "unknown-application",
            Self::OtherAccount => "other-account",
            Self::NoSubject => "no-subject",
            Self::NoStream => "no-stream",
            Self::SessionRequired => "session-required",
            Self::SubjectFull => "subject-full",
            Self::EdgeFull => "edge-full",
            Self::Busy => "busy",
            Self::StoreFailed => "store-failed",
            Self::Malformed => "malformed",
        }
    }

    /// What went wrong, for a person.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::LimitReached => "the account plays as many streams as it may",
            Self::Evicted => "another stream took this one's place",
            Self::RemoteTermination => "playback was stopped from another device",
            Self::StreamOver => "the stream is over; start a new one",
            Self::ForeignStream => "the stream belongs to another application",
            Self::MissingAttributes => "a policy needs attributes that are not known",
            Self::TooManyAttributes => {
                "the attributes are more than a stream may have, in number or in bytes together"
            }
            Self::ImmutableAttribute => "an attribute that must stay as it is would change",
            Self::Throttled => "too many calls in this minute",
            Self::TokenInvalid => "the token is not valid",
            Self::ForeignToken => "the token belongs to another account",
            Self::TokenExpired => "the token has expired",
            Self::UnknownApplication => "the token's application is not known here",
            Self::OtherAccount => "the call is about another account than the caller's",
            Self::NoSubject => "nothing in the request says whose account watches",
            Self::NoStream => "start playback at the manifest",
            Self::SessionRequired => "start playback through the session API",
            Self::SubjectFull => "the account has too many streams",
            Self::EdgeFull => "this edge has no room for another stream now",
            Self::Busy => "too many requests for one account at the same moment; try again",
            Self::StoreFailed => "the stream could not be recorded; try again",
            Self::Malformed => "the path or the account id is not well-formed",
        }
    }

    /// The counter it adds to.
    #[must_use]
    pub const fn metric(self) -> Metric {
        match self {
            Self::LimitReached => Metric::RefusalsLimit,
            Self::Evicted => Metric::RefusalsEvicted,
            Self::RemoteTermination => Metric::RefusalsTerminated,
            Self::StreamOver => Metric::RefusalsOver,
            Self::ForeignStream
            | Self::TokenInvalid
            | Self::ForeignToken
            | Self::TokenExpired
            | Self::OtherAccount
            | Self::UnknownApplication => Metric::RefusalsCredential,
            Self::NoSubject | Self::NoStream => Metric::RefusalsUnidentified,
            Self::MissingAttributes => Metric::RefusalsMissingAttributes,
            Self::Throttled => Metric::RefusalsThrottled,
            Self::SessionRequired => Metric::RefusalsSessionRequired,
            Self::SubjectFull => Metric::RefusalsSubjectFull,
            Self::EdgeFull => Metric::RefusalsTableFull,
            Self::Busy | Self::StoreFailed => Metric::RefusalsContention,
            Self::Malformed | Self::ImmutableAttribute | Self::TooManyAttributes => {
                Metric::RefusalsMalformed
            }
        }
    }

    /// Whether it is about how many streams may play, or which, rather than about who
    /// asks and in what condition the edge is.
    #[must_use]
    pub const fn concerns_limit(self) -> bool {
        matches!(
            self,
            Self::LimitReached
                | Self::Evicted
                | Self::RemoteTermination
                | Self::StreamOver
                | Self::SessionRequired
                | Self::SubjectFull
        )
    }

    /// The status of a refused segment request, where `configured` is the path's own
    /// for refusals that concern the limit.
    #[must_use]
    pub const fn status(self, configured: u16) -> u16 {
        match self {
            Self::LimitReached
            | Self::Evicted
            | Self::RemoteTermination
            | Self::StreamOver
            | Self::SessionRequired
            | Self::SubjectFull => configured,
            Self::ForeignStream
            | Self::TokenInvalid
            | Self::ForeignToken
            | Self::TokenExpired
            | Self::UnknownApplication
            | Self::OtherAccount
            | Self::NoSubject
            | Self::NoStream => 403,
            Self::EdgeFull | Self::Busy | Self::StoreFailed => 503,
            Self::Malformed
            | Self::MissingAttributes
            | Self::ImmutableAttribute
            | Self::TooManyAttributes => 400,
            Self::Throttled => 429,
        }
    }

    /// After how many seconds trying again may help, given how long streams live.
    #[must_use]
    pub fn retry_after_s(self, timeout_ms: u64) -> u64 {
        match self {
            Self::EdgeFull => timeout_ms.div_ceil(1000),
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn every_reason_is_explained() {
        let page = concat!(
            include_str!("../../../../docs/playback.md"),
            include_str!("../../../../docs/session-api.md")
        );
        for reason in [
            Reason::LimitReached,
            Reason::Evicted,
            Reason::RemoteTermination,
            Reason::StreamOver,
            Reason::ForeignStream,
            Reason::MissingAttributes,
            Reason::ImmutableAttribute,
            Reason::TooManyAttributes,
            Reason::Throttled,
            Reason::TokenInvalid,
            Reason::ForeignToken,
            Reason::TokenExpired,
            Reason::UnknownApplication,
            Reason::OtherAccount,
            Reason::NoSubject,
            Reason::NoStream,
            Reason::SessionRequired,
            Reason::SubjectFull,
            Reason::EdgeFull,
            Reason::Busy,
            Reason::StoreFailed,
            Reason::Malformed,
        ] {
            assert!(page.contains(&format!("`{}`", reason.code())), "{reason:?}");
        }
    }
}
