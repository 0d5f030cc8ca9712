//! An answer as the core gives it.

use std::borrow::Cow;

use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

/// A request is answered by the filter.
#[derive(Debug, Default)]
pub struct Reply {
    /// The answer.
    pub answer: Answer,
    /// What the path is replaced by before anything is logged, so that no log holds
    /// a token, a session id or a subject; `Referer` goes then, too.
    pub logged_path: Option<Vec<u8>>,
    /// What the access log is told.
    pub record: Option<Record>,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// Body; empty for none.
    pub body: Vec<u8>,
}

/// A decision worth a line in the access log. It holds no raw subject and no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// `start`, `stop`, `refusal` or `cut`.
    pub event: &'static str,
    /// Why, for a refusal or a cut.
    pub reason: Option<&'static str>,
    /// The subject, as a keyed hash.
    pub subject: Option<SubjectKey>,
    /// The stream, shown by its termination code.
    pub stream: Option<StreamKey>,
    /// The application's id.
    pub application: Option<String>,
}

impl Answer {
    /// An empty answer that no cache keeps.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: vec![("cache-control".into(), "no-store".to_owned())],
            body: Vec::new(),
        }
    }

    /// A JSON answer that no cache keeps. `type_name` is its media type.
    #[must_use]
    pub fn json(status: u16, type_name: &str, value: &impl serde::Serialize) -> Self {
        let mut answer = Self::empty(status).with("content-type", type_name);
        // Serialising the core's own structures cannot fail; an empty body is the
        // harmless fallback.
        answer.body = serde_json::to_vec(value).unwrap_or_default();
        answer
    }

    /// The answer, to be read by pages of any origin (Fetch, section 3.3): players in pages
    /// follow its redirect and show its reason. Not with credentials, for which there is
    /// Envoy's CORS filter; where that stands in front it replaces these headers.
    #[must_use]
    pub fn readable(self) -> Self {
        self.with("access-control-allow-origin", "*").with(
            "access-control-expose-headers",
            "date, expires, location, retry-after, x-streamgate-reason",
        )
    }

    /// The answer with one header more.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The answer with `Retry-After` (RFC 9110, section 10.2.3): how long it is from `now` until
    /// `at` in whole seconds, rounded up, at least one. Whoever waits so long does not come early.
    #[must_use]
    pub fn retry_at(self, at: Moment, now: Moment) -> Self {
        let seconds = at.ms_since(now).div_ceil(1000).max(1);
        self.with("retry-after", seconds.to_string())
    }

    /// 429: too many calls, until one counts again. `Date` is by the same clock as `Expires`.
    #[must_use]
    pub fn throttled(until: Moment, now: Moment) -> Self {
        Self::empty(429)
            .with("date", now.to_http_date())
            .with("expires", until.to_http_date())
            .retry_at(until, now)
    }

    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }
}
