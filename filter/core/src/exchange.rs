//! An answer as the core gives it.

use std::borrow::Cow;

use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use crate::json::Json;

/// A request is answered by the filter.
#[derive(Debug, Default)]
pub struct Reply {
    /// The answer.
    pub answer: Answer,
    /// What the path is replaced by before anything is logged, so that no log holds
    /// a token, a session id or a subject; `Referer` goes then, too.
    pub logged_path: Option<Vec<u8>>,
    /// What the access log is told.
    pub log_entry: Option<LogEntry>,
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
pub struct LogEntry {
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
    /// When it was made, where that is known without another look at the clock.
    pub at: Option<Moment>,
}

impl LogEntry {
    /// What the access log is told, as far as it is known: an object of JSON on one line.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        Json::of(|json| {
            json.text("event", self.event);
            json.known("reason", self.reason.unwrap_or_default());
            json.known(
                "application",
                self.application.as_deref().unwrap_or_default(),
            );
            if let Some(subject) = &self.subject {
                json.text("subject", &subject.to_string());
            }
            if let Some(stream) = &self.stream {
                json.text("stream", &stream.termination_code());
            }
            if let Some(cause) = &self.cause {
                cause.show(json);
            }
            json.known("device", self.device.as_deref().unwrap_or_default());
            json.known("store", self.store.unwrap_or_default());
            if let Some(lasted_ms) = self.lasted_ms {
                json.number("lasted_ms", lasted_ms);
            }
            if self.repeated > 0 {
                json.number("repeated", self.repeated.into());
            }
        })
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
    /// Of a start that was refused: each policy that forbids it, and the label of the level that it
    /// would have had.
    pub levels: Vec<(String, String)>,
}

/// The most termination codes that a decision names.
pub const CODES_MAX: usize = 8;

impl Cause {
    fn show(&self, json: &mut Json) {
        json.known("policy", &self.policy);
        json.known("rule", &self.rule);
        if let Some(limit) = self.limit {
            json.number("limit", limit.into());
        }
        if self.count > 0 {
            json.count("count", self.count);
        }
        if !self.codes.is_empty() {
            json.list("codes", &self.codes, |json, code| json.text("", code));
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn a_log_entry_is_one_line_of_json_whatever_names_hold() {
        let start = LogEntry {
            event: "start",
            ..LogEntry::default()
        };
        assert_eq!(start.to_json(), br#"{"event":"start"}"#);
        let awkward = "a \"b\"\n\u{0}\\ü";
        let refusal = LogEntry {
            event: "refusal",
            reason: Some("limit-reached"),
            application: Some(awkward.to_owned()),
            subject: Some(SubjectKey::from_bytes([1; 16])),
            stream: Some(StreamKey::from_bytes([2; 16])),
            cause: Some(Box::new(Cause {
                policy: awkward.to_owned(),
                rule: "r".to_owned(),
                limit: Some(0),
                count: 9,
                codes: vec!["51fd351f".to_owned(), "0".to_owned()],
                levels: vec![("p".to_owned(), "10".to_owned())],
            })),
            device: Some(awkward.to_owned()),
            store: Some("asked"),
            repeated: u32::MAX,
            lasted_ms: Some(0),
            at: None,
        };
        let expected = serde_json::json!({
            "event": "refusal", "reason": "limit-reached", "application": awkward,
            "subject": "01".repeat(16), "stream": refusal.stream.unwrap().termination_code(),
            "policy": awkward, "rule": "r", "limit": 0, "count": 9, "codes": ["51fd351f", "0"],
            "device": awkward, "store": "asked", "repeated": u32::MAX, "lasted_ms": 0,
        });
        let json = refusal.to_json();
        assert!(!json.contains(&b'\n'), "one line");
        let read: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(read, expected);
    }
}
