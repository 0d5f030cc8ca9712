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
use crate::exchange::LogEntry;

/// The longest text of a decision that is kept, in bytes: beyond it there is only its front.
const TEXT_MAX: usize = 96;

/// A decision that is kept, as it is read from its bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KeptDecision<'a> {
    /// Its number: each has one more than the one before.
    pub(super) number: u64,
    /// The number of the latest before it about an account of the same bucket; 0 for none.
    pub(super) previous: u64,
    /// When it was made.
    pub(super) at: Moment,
    /// About which account.
    pub(super) subject: SubjectKey,
    pub(super) stream: &'a str,
    pub(super) limit: Option<u32>,
    pub(super) count: usize,
    pub(super) repeated: u32,
    pub(super) lasted_ms: Option<u64>,
    pub(super) event: &'a str,
    pub(super) reason: &'a str,
    pub(super) policy: &'a str,
    pub(super) rule: &'a str,
    pub(super) application: &'a str,
    pub(super) device: &'a str,
    pub(super) store: &'a str,
    pub(super) codes: Vec<&'a str>,
}

/// The bytes of a decision as it is logged, about this account, under this number.
pub(super) fn written(
    log_entry: &LogEntry,
    subject: &SubjectKey,
    number: u64,
    previous: u64,
    at: Moment,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    out.put(&number.to_be_bytes());
    out.put(&previous.to_be_bytes());
    out.put_moment(at);
    out.put(subject.as_bytes());
    let code = log_entry.stream.map(|stream| stream.termination_code());
    out.put_text(&code.unwrap_or_default());
    let cause = log_entry.cause.as_deref();
    let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let limit = cause.and_then(|cause| cause.limit);
    out.put_number(limit.map_or(0, |limit| number(limit).saturating_add(1)));
    out.put_number(cause.map_or(0, |cause| cause.count));
    out.put_number(number(log_entry.repeated));
    let lasted_ms = log_entry.lasted_ms.map_or(0, |ms| ms.saturating_add(1));
    out.put(&lasted_ms.to_be_bytes());
    for text in [
        Some(log_entry.event),
        log_entry.reason,
        cause.map(|cause| cause.policy.as_str()),
        cause.map(|cause| cause.rule.as_str()),
        log_entry.application.as_deref(),
        log_entry.device.as_deref(),
        log_entry.store,
    ] {
        out.put_text(front(text.unwrap_or_default()));
    }
    out.put_texts(cause.map_or(&[], |cause| cause.codes.as_slice()));
    out
}

impl<'a> KeptDecision<'a> {
    /// Reads one; `None` if the bytes are anything else.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let number = u64::from_be_bytes(reader.array()?);
        let previous = u64::from_be_bytes(reader.array()?);
        let at = reader.moment()?;
        let subject = SubjectKey::from_bytes(reader.array()?);
        let stream = reader.text()?;
        let limit = reader.number()?.checked_sub(1);
        let limit = limit.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX));
        let count = reader.number()?;
        let repeated = u32::try_from(reader.number()?).ok()?;
        let lasted_ms = u64::from_be_bytes(reader.array()?).checked_sub(1);
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
            event: reader.text()?,
            reason: reader.text()?,
            policy: reader.text()?,
            rule: reader.text()?,
            application: reader.text()?,
            device: reader.text()?,
            store: reader.text()?,
            codes: (0..reader.number()?)
                .map(|_| reader.text())
                .collect::<Option<_>>()?,
        })
    }

    /// Shows it in an answer. `with_account`: whose it is has yet to be said.
    pub(super) fn show(&self, json: &mut Json, with_account: bool) {
        json.object("", |json| {
            json.number("number", self.number);
            json.text("at", &self.at.to_rfc3339_millis());
            json.text("event", self.event);
            if with_account {
                json.text("account", &self.subject.to_string());
            }
            for (name, text) in [
                ("reason", self.reason),
                ("policy", self.policy),
                ("rule", self.rule),
                ("stream", self.stream),
                ("application", self.application),
                ("device", self.device),
                ("store", self.store),
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
        let log_entry = LogEntry {
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
                levels: Vec::new(),
            })),
            device: Some(long),
            store: Some("asked"),
            repeated: 12,
            at: None,
            lasted_ms: Some(0),
        };
        let subject = SubjectKey::from_bytes([7; 16]);
        let bytes = written(&log_entry, &subject, u64::MAX, 4, NOW);
        assert!(bytes.len() < 1_024, "{}", bytes.len());
        let kept = KeptDecision::parse(&bytes).unwrap();
        assert_eq!((kept.number, kept.previous), (u64::MAX, 4));
        assert_eq!((kept.at, kept.subject), (NOW, subject));
        assert_eq!(kept.stream, key(1, NOW).termination_code());
        assert_eq!(
            (kept.limit, kept.count, kept.repeated),
            (Some(0), 70_000, 12)
        );
        assert_eq!(kept.lasted_ms, Some(0));
        assert_eq!((kept.event, kept.reason), ("refusal", "limit-reached"));
        for text in [kept.policy, kept.rule, kept.application, kept.device] {
            assert_eq!(text, "ü".repeat(TEXT_MAX / 2));
        }
        assert_eq!(kept.store, "asked");
        assert_eq!(kept.codes, ["51fd351f"; CODES_MAX]);
        for cut in 0..bytes.len() {
            assert_eq!(KeptDecision::parse(&bytes[..cut]), None, "{cut}");
        }
    }
}
