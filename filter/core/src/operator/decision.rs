//! A decision as it is kept and shown.
//!
//! ```text
//! decision = number(8) previous(8) at(6) subject(16) stream(text) limit+1 count repeated lasted+1(8)
//!            event reason policy rule application device store(text each) codes(texts)
//! ```

use streamgate_values::compact::{Reader, Writer};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::json::Json;
use crate::exchange::Record;

/// The longest text of a decision that is kept, in bytes: beyond it there is only its front.
const TEXT_MAX: usize = 96;

/// A decision that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptDecision {
    /// Its number: each has one more than the one before.
    pub(super) number: u64,
    /// The number of the latest before it about an account of the same bucket; 0 for none.
    pub(super) previous: u64,
    /// When it was made.
    pub(super) at: Moment,
    /// About which account.
    pub(super) subject: SubjectKey,
    pub(super) stream: String,
    pub(super) limit: Option<u32>,
    pub(super) count: usize,
    pub(super) repeated: u32,
    pub(super) lasted_ms: Option<u64>,
    pub(super) event: String,
    pub(super) reason: String,
    pub(super) policy: String,
    pub(super) rule: String,
    pub(super) application: String,
    pub(super) device: String,
    pub(super) store: String,
    pub(super) codes: Vec<String>,
}

impl KeptDecision {
    /// A decision as it is logged, about this account.
    pub(super) fn of(record: &Record, subject: SubjectKey, at: Moment) -> Self {
        let text = |text: Option<&str>| front(text.unwrap_or_default()).to_owned();
        let cause = record.cause.as_deref();
        Self {
            number: 0,
            previous: 0,
            at,
            subject,
            stream: record
                .stream
                .map_or_else(String::new, |stream| stream.termination_code()),
            limit: cause.and_then(|cause| cause.limit),
            count: cause.map_or(0, |cause| cause.count),
            repeated: record.repeated,
            lasted_ms: record.lasted_ms,
            event: record.event.to_owned(),
            reason: text(record.reason),
            policy: text(cause.map(|cause| cause.policy.as_str())),
            rule: text(cause.map(|cause| cause.rule.as_str())),
            application: text(record.application.as_deref()),
            device: text(record.device.as_deref()),
            store: text(record.store),
            codes: cause.map_or_else(Vec::new, |cause| cause.codes.clone()),
        }
    }

    fn texts(&self) -> [&String; 7] {
        [
            &self.event,
            &self.reason,
            &self.policy,
            &self.rule,
            &self.application,
            &self.device,
            &self.store,
        ]
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        out.put(&self.number.to_be_bytes());
        out.put(&self.previous.to_be_bytes());
        out.put_moment(self.at);
        out.put(self.subject.as_bytes());
        out.put_text(&self.stream);
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        out.put_number(
            self.limit
                .map_or(0, |limit| number(limit).saturating_add(1)),
        );
        out.put_number(self.count);
        out.put_number(number(self.repeated));
        out.put(
            &self
                .lasted_ms
                .map_or(0, |ms| ms.saturating_add(1))
                .to_be_bytes(),
        );
        for text in self.texts() {
            out.put_text(text);
        }
        out.put_texts(&self.codes);
        out
    }

    /// The inverse; `None` for anything else.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let number = u64::from_be_bytes(reader.array()?);
        let previous = u64::from_be_bytes(reader.array()?);
        let at = reader.moment()?;
        let subject = SubjectKey::from_bytes(reader.array()?);
        let stream = reader.text()?.to_owned();
        let limit = reader.number()?.checked_sub(1);
        let limit = limit.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX));
        let count = reader.number()?;
        let repeated = u32::try_from(reader.number()?).ok()?;
        let lasted_ms = u64::from_be_bytes(reader.array()?).checked_sub(1);
        let mut text = || reader.text().map(str::to_owned);
        Some(Self {
            number,
            previous,
            at,
            subject,
            stream,
            limit,
            count,
            repeated,
            lasted_ms,
            event: text()?,
            reason: text()?,
            policy: text()?,
            rule: text()?,
            application: text()?,
            device: text()?,
            store: text()?,
            codes: reader.texts()?,
        })
    }

    /// Shows it in an answer. `with_account`: whose it is has yet to be said.
    pub(super) fn show(&self, json: &mut Json, with_account: bool) {
        json.object("", |json| {
            json.number("number", self.number);
            json.text("at", &self.at.to_rfc3339_millis());
            json.text("event", &self.event);
            if with_account {
                json.text("account", &self.subject.to_string());
            }
            for (name, text) in [
                ("reason", &self.reason),
                ("policy", &self.policy),
                ("rule", &self.rule),
                ("stream", &self.stream),
                ("application", &self.application),
                ("device", &self.device),
                ("store", &self.store),
            ] {
                json.known(name, text);
            }
            let limit = self.limit.map(u64::from);
            let count = u64::try_from(self.count).unwrap_or(u64::MAX);
            for (name, number) in [
                ("limit", limit),
                ("lastedMs", self.lasted_ms),
                ("count", Some(count).filter(|count| *count > 0)),
                (
                    "repeated",
                    Some(self.repeated.into()).filter(|repeated| *repeated > 0),
                ),
            ] {
                if let Some(number) = number {
                    json.number(name, number);
                }
            }
            if !self.codes.is_empty() {
                json.list("codes", &self.codes, |json, code| json.text("", code));
            }
        });
    }
}

/// As much of a text as is kept.
fn front(text: &str) -> &str {
    let ends = (0..=TEXT_MAX).rev();
    let mut fronts = ends.filter_map(|end| text.get(..end));
    match text.len() > TEXT_MAX {
        true => fronts.next().unwrap_or_default(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{CODES_MAX, Cause};
    use crate::testing::{NOW, key, test};

    #[test]
    fn a_decision_is_kept_as_it_was_in_bounded_size() {
        let long = "ü".repeat(10_000);
        let record = Record {
            event: "refusal",
            reason: Some("limit-reached"),
            subject: None,
            stream: Some(key(1, NOW)),
            application: Some(long.clone()),
            cause: Some(Box::new(Cause {
                policy: long.clone(),
                rule: long.clone(),
                limit: Some(0),
                count: 70_000,
                codes: vec!["51fd351f".to_owned(); CODES_MAX],
                level: 4,
            })),
            device: Some(long),
            store: Some("asked"),
            repeated: 12,
            at: None,
            lasted_ms: Some(0),
        };
        let subject = SubjectKey::from_bytes([7; 16]);
        let kept = KeptDecision {
            number: u64::MAX,
            previous: 4,
            ..KeptDecision::of(&record, subject, NOW)
        };
        let bytes = kept.to_bytes();
        assert!(bytes.len() < 1_024, "{}", bytes.len());
        assert_eq!(KeptDecision::parse(&bytes), Some(kept));
        for cut in 0..bytes.len() {
            assert_eq!(KeptDecision::parse(&bytes[..cut]), None, "{cut}");
        }
    }
}
