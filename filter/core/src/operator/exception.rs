//! An exception as an operator writes and reads it.

use serde::{Deserialize, Serialize};
use streamgate_policy::exception::{EXCEPTION_MS_MAX, REASON_MAX};
use streamgate_policy::{Allowance, Exception};
use streamgate_values::limits::LIMIT_MAX;
use streamgate_values::moment::Moment;

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    max: Option<u32>,
    unlimited: Option<bool>,
    blocked: Option<bool>,
    reason: String,
    until: Option<String>,
    #[serde(rename = "for")]
    lasts: Option<String>,
}

/// As it is shown.
#[derive(Debug, Serialize)]
pub(super) struct ExceptionShown {
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unlimited: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked: Option<bool>,
    reason: String,
    since: String,
    until: String,
}

impl ExceptionShown {
    /// `None` for one that was taken back.
    pub(super) fn of(exception: &Exception) -> Option<Self> {
        let Exception {
            allowance,
            set_at,
            until,
            reason,
        } = exception;
        exception.is_in_force().then(|| Self {
            max: match allowance {
                Allowance::Max(max) => Some(*max),
                _ => None,
            },
            unlimited: (*allowance == Allowance::Unlimited).then_some(true),
            blocked: (*allowance == Allowance::Blocked).then_some(true),
            reason: reason.clone(),
            since: set_at.to_rfc3339_seconds(),
            until: until.to_rfc3339_seconds(),
        })
    }
}

/// Reads an exception.
///
/// # Errors
///
/// What is wrong with it, for a person.
pub(super) fn read(body: &[u8], now: Moment) -> Result<Exception, &'static str> {
    let Ok(written) = serde_json::from_slice::<Written>(body) else {
        return Err(
            "send a JSON object with `max`, `unlimited` or `blocked`, a `reason`, and `for` or \
             `until`",
        );
    };
    let allowance = match (written.max, written.unlimited, written.blocked) {
        (Some(max), None, None) if max <= LIMIT_MAX => Allowance::Max(max),
        (Some(_), None, None) => return Err("`max` is up to 1000 streams"),
        (None, Some(true), None) => Allowance::Unlimited,
        (None, None, Some(true)) => Allowance::Blocked,
        _ => return Err("say one of `max`: a number, `unlimited`: true, `blocked`: true"),
    };
    let reason = written.reason.trim();
    if reason.is_empty() || reason.len() > REASON_MAX || reason.chars().any(char::is_control) {
        return Err("`reason` is a text of 1 to 256 bytes");
    }
    let until = match (written.lasts, written.until) {
        (Some(lasts), None) => {
            let lasts = humantime::parse_duration(&lasts).ok();
            let ms = lasts.and_then(|lasts| u64::try_from(lasts.as_millis()).ok());
            ms.map(|ms| now.plus_ms(ms))
        }
        (None, Some(until)) => Moment::of_rfc3339(&until),
        _ => None,
    };
    let is_soon = |until: &Moment| *until > now && until.ms_since(now) <= EXCEPTION_MS_MAX;
    let Some(until) = until.filter(is_soon) else {
        return Err(
            "say either `for`, a duration such as \"7d\", or `until`, a time such as \
             \"2030-01-31T12:00:00Z\": from now up to 30 days",
        );
    };
    Ok(Exception {
        allowance,
        set_at: now,
        until,
        reason: reason.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, test};

    #[test]
    fn an_exception_says_what_why_and_until_when() {
        let read = |body: &str| read(body.as_bytes(), NOW);
        let until = NOW.plus_ms(EXCEPTION_MS_MAX).to_rfc3339_seconds();
        let good = read(&format!(r#"{{"max": 5, "reason": " a ", "until": "{until}"}}"#)).unwrap();
        assert_eq!(good.allowance, Allowance::Max(5));
        assert_eq!(good.reason, "a");
        assert_eq!(good.until, NOW.plus_ms(EXCEPTION_MS_MAX));
        let hour = read(r#"{"blocked": true, "reason": "fraud", "for": "1h"}"#).unwrap();
        assert_eq!((hour.allowance, hour.until), (Allowance::Blocked, NOW.plus_ms(3_600_000)));
        let long = "x".repeat(REASON_MAX + 1);
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"max": 5, "for": "1h"}"#,
            r#"{"max": 5, "reason": "a"}"#,
            r#"{"max": -1, "reason": "a", "for": "1h"}"#,
            r#"{"max": 1001, "reason": "a", "for": "1h"}"#,
            r#"{"max": 5, "blocked": true, "reason": "a", "for": "1h"}"#,
            r#"{"unlimited": false, "reason": "a", "for": "1h"}"#,
            r#"{"max": 5, "reason": "a", "for": "31d"}"#,
            r#"{"max": 5, "reason": "a", "for": "0s"}"#,
            r#"{"max": 5, "reason": "a", "for": "1h", "until": "2030-01-01T13:00:00Z"}"#,
            r#"{"max": 5, "reason": "a", "until": "2001-01-01T12:00:00Z"}"#,
            r#"{"max": 5, "reason": "a", "until": "soon"}"#,
            r#"{"max": 5, "reason": "  ", "for": "1h"}"#,
            r#"{"max": 5, "reason": "a\u0000", "for": "1h"}"#,
            r#"{"max": 5, "reason": "a", "for": "1h", "policy": "x"}"#,
            r#"{"max": 5, "max": 6, "reason": "a", "for": "1h"}"#,
            &format!(r#"{{"max": 5, "reason": "{long}", "for": "1h"}}"#),
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(super::read(b"{\"reason\": \"\xff\"}", NOW).is_err());
    }
}
