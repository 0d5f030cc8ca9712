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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// `start`, `stop`, `refusal`, `cut`, `shared`, `operator`, or `end` for a stream of which no
    /// request tells that it is over.
    pub event: &'static str,
    /// Why, for a refusal or a cut; `monitored` for a start that a policy would have refused, were it
    /// in force; what an operator did.
    pub reason: Option<&'static str>,
    /// The subject, as a keyed hash.
    pub subject: Option<SubjectKey>,
    /// The stream, shown by its termination code.
    pub stream: Option<StreamKey>,
    /// The application's id.
    pub application: Option<String>,
    /// The rule it came by, and the streams in its way.
    pub cause: Option<Box<Cause>>,
    /// The name of the viewer's device, if known.
    pub device: Option<String>,
    /// In a fleet, by what it was decided: `asked` for the store, `copy` for what this edge
    /// knows of it, `out` where the store does not answer.
    pub store: Option<&'static str>,
    /// How many more of the same there were just before it that left no line.
    pub repeated: u32,
    /// How long the stream was on record that has ended, in milliseconds.
    pub lasted_ms: Option<u64>,
}

impl Record {
    /// What the access log is told, as far as it is known, by the names it has there.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let cause = self.cause.as_deref();
        let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let number = |number: usize| Some(number.to_string()).filter(|_| number > 0);
        let repeated = usize::try_from(self.repeated).unwrap_or(usize::MAX);
        let some = |text: &str| Some(text.to_owned());
        [
            ("streamgate.event", some(self.event)),
            ("streamgate.reason", self.reason.and_then(some)),
            ("streamgate.subject", self.subject.map(|it| it.to_string())),
            (
                "streamgate.stream",
                self.stream.map(|it| it.termination_code()),
            ),
            ("streamgate.application", self.application.clone()),
            ("streamgate.policy", cause.and_then(|it| text(&it.policy))),
            ("streamgate.rule", cause.and_then(|it| text(&it.rule))),
            (
                "streamgate.limit",
                cause.and_then(|it| it.limit).map(|it| it.to_string()),
            ),
            ("streamgate.count", cause.and_then(|it| number(it.count))),
            (
                "streamgate.codes",
                cause.and_then(|it| text(&it.codes.join(","))),
            ),
            ("streamgate.device", self.device.as_ref().and_then(text)),
            ("streamgate.store", self.store.map(str::to_owned)),
            ("streamgate.repeated", number(repeated)),
            (
                "streamgate.lasted_ms",
                self.lasted_ms.map(|ms| ms.to_string()),
            ),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// The rule that a decision came by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cause {
    /// The policy; empty where none had a part in it.
    pub policy: String,
    /// The rule of it.
    pub rule: String,
    /// The most that it allows.
    pub limit: Option<u32>,
    /// How many streams were in the way, or were ended.
    pub count: usize,
    /// Termination codes of these, up to [`CODES_MAX`].
    pub codes: Vec<String>,
    /// As which of the account's streams at once a start was refused; 0 for anything else.
    pub level: usize,
}

/// The most termination codes that a decision names.
pub const CODES_MAX: usize = 8;

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
