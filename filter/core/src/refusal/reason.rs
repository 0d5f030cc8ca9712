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
    /// An operator has blocked the account.
    Blocked,
    /// The stream comes from as many other networks, or agents, as it may at once.
    Shared,
    /// The edge has as many streams as it may.
    EdgeFull,
    /// Too many others wrote at the same moment.
    Busy,
    /// The store failed.
    StoreFailed,
    /// The request's path or identity is no well-formed text.
    Malformed,
}

/// What is said of a reason.
struct Row {
    code: &'static str,
    /// The status; `None` for the one that the protected path is configured with.
    status: Option<u16>,
    metric: Metric,
    detail: &'static str,
}

const fn row(code: &'static str, status: Option<u16>, metric: Metric, detail: &'static str) -> Row {
    Row {
        code,
        status,
        metric,
        detail,
    }
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
            Refused::Blocked => Self::Blocked,
            Refused::Shared { .. } => Self::Shared,
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

    /// The table: for each reason its code, status, counter and detail.
    const fn row(self) -> Row {
        match self {
            Self::LimitReached => row(
                "limit-reached",
                None,
                Metric::RefusalsLimit,
                "the account plays as many streams as it may",
            ),
            Self::Evicted => row(
                "evicted",
                None,
                Metric::RefusalsEvicted,
                "another stream took this one's place",
            ),
            Self::RemoteTermination => row(
                "remote-termination",
                None,
                Metric::RefusalsTerminated,
                "playback was stopped from another device",
            ),
            Self::StreamOver => row(
                "stream-over",
                None,
                Metric::RefusalsOver,
                "the stream is over; start a new one",
            ),
            Self::ForeignStream => row(
                "foreign-stream",
                Some(403),
                Metric::RefusalsCredential,
                "the stream belongs to another application",
            ),
            Self::MissingAttributes => row(
                "missing-attributes",
                Some(400),
                Metric::RefusalsMissingAttributes,
                "a policy needs attributes that are not known",
            ),
            Self::TooManyAttributes => row(
                "too-many-attributes",
                Some(400),
                Metric::RefusalsMalformed,
                "the attributes are more than a stream may have, in number or in bytes together",
            ),
            Self::ImmutableAttribute => row(
                "immutable-attribute",
                Some(400),
                Metric::RefusalsMalformed,
                "an attribute that must stay as it is would change",
            ),
            Self::Throttled => row(
                "throttled",
                Some(429),
                Metric::RefusalsThrottled,
                "too many calls in this minute",
            ),
            Self::TokenInvalid => row(
                "token-invalid",
                Some(403),
                Metric::RefusalsCredential,
                "the token is not valid",
            ),
            Self::ForeignToken => row(
                "foreign-token",
                Some(403),
                Metric::RefusalsCredential,
                "the token belongs to another account",
            ),
            Self::TokenExpired => row(
                "token-expired",
                Some(403),
                Metric::RefusalsCredential,
                "the token has expired",
            ),
            Self::UnknownApplication => row(
                "unknown-application",
                Some(403),
                Metric::RefusalsCredential,
                "the token's application is not known here",
            ),
            Self::OtherAccount => row(
                "other-account",
                Some(403),
                Metric::RefusalsCredential,
                "the call is about another account than the caller's",
            ),
            Self::NoSubject => row(
                "no-subject",
                Some(403),
                Metric::RefusalsUnidentified,
                "nothing in the request says whose account watches",
            ),
            Self::NoStream => row(
                "no-stream",
                Some(403),
                Metric::RefusalsUnidentified,
                "start playback at the manifest",
            ),
            Self::SessionRequired => row(
                "session-required",
                None,
                Metric::RefusalsSessionRequired,
                "start playback through the session API",
            ),
            Self::SubjectFull => row(
                "subject-full",
                None,
                Metric::RefusalsSubjectFull,
                "the account has too many streams",
            ),
            Self::Blocked => row(
                "blocked",
                None,
                Metric::RefusalsBlocked,
                "the account is blocked",
            ),
            Self::Shared => row(
                "shared",
                None,
                Metric::RefusalsShared,
                "the stream plays elsewhere; start one of your own",
            ),
            Self::EdgeFull => row(
                "edge-full",
                Some(503),
                Metric::RefusalsTableFull,
                "this edge has no room for another stream now",
            ),
            Self::Busy => row(
                "busy",
                Some(503),
                Metric::RefusalsContention,
                "too many requests for one account at the same moment; try again",
            ),
            Self::StoreFailed => row(
                "store-failed",
                Some(503),
                Metric::RefusalsStore,
                "the stream could not be recorded; try again",
            ),
            Self::Malformed => row(
                "malformed",
                Some(400),
                Metric::RefusalsMalformed,
                "the path or the account id is not well-formed",
            ),
        }
    }

    /// Its stable code, in answers and logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().code
    }

    /// What went wrong, for a person.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        self.row().detail
    }

    /// The counter it adds to.
    #[must_use]
    pub const fn metric(self) -> Metric {
        self.row().metric
    }

    /// Whether it is about how many streams may play, or which, rather than about who
    /// asks and in what condition the edge is.
    #[must_use]
    pub const fn concerns_limit(self) -> bool {
        self.row().status.is_none()
    }

    /// The status of a refused segment request, where `configured` is the path's own
    /// for refusals that concern the limit.
    #[must_use]
    pub const fn status(self, configured: u16) -> u16 {
        match self.row().status {
            Some(status) => status,
            None => configured,
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

    const ALL: [Reason; 24] = [
        Reason::Shared,
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
        Reason::Blocked,
        Reason::EdgeFull,
        Reason::Busy,
        Reason::StoreFailed,
        Reason::Malformed,
    ];

    #[test]
    fn a_store_that_does_not_answer_has_a_counter_of_its_own() {
        for unavailable in [Unavailable::Store, Unavailable::Fleet] {
            let reason = Reason::of_unavailable(unavailable);
            let alike = ALL.iter().filter(|other| other.metric() == reason.metric());
            assert_eq!(alike.collect::<Vec<_>>(), [&reason], "{unavailable:?}");
        }
    }

    #[test]
    fn every_reason_is_explained() {
        let page = concat!(
            include_str!("../../../../docs/playback.md"),
            include_str!("../../../../docs/session-api.md")
        );
        for reason in ALL {
            assert!(page.contains(&format!("`{}`", reason.code())), "{reason:?}");
        }
    }
}
