//! An exception as an operator writes and reads it.

use streamgate_policy::exception::{EXCEPTION_MS_MAX, REASON_MAX};
use streamgate_policy::{Allowance, Exception};
use streamgate_values::attributes::Attributes;
use streamgate_values::decimal;
use streamgate_values::limits::LIMIT_MAX;
use streamgate_values::moment::Moment;

use super::json::Json;
use crate::api::read_kinds;

/// What may stand in one.
const FIELDS: [&str; 6] = ["max", "unlimited", "blocked", "reason", "for", "until"];

/// Stands in front of what is sent as a number or a truth value: neither counts as a text.
const NO_TEXT: &str = "\u{1}";
const TRUE: &str = "\u{1}true";

const MAX: &str = "`max` is a whole number of streams, up to 1000";
const ONE: &str = "say one of `max`: a number, `unlimited`: true, `blocked`: true";
const REASON: &str = "`reason` is a text of 1 to 256 bytes";
const UNTIL: &str = "say either `for`, a duration such as \"7d\", or `until`, a time such as \
                     \"2030-01-31T12:00:00Z\": from now up to 30 days";

/// Shows one in an answer.
pub(super) fn show(json: &mut Json, name: &str, exception: &Exception) {
    json.object(name, |json| {
        match exception.allowance {
            Allowance::Max(max) => json.number("max", max.into()),
            Allowance::Unlimited => json.truth("unlimited", true),
            Allowance::Blocked => json.truth("blocked", true),
            Allowance::Lifted => {}
        }
        json.text("reason", &exception.reason);
        json.text("since", &exception.set_at.to_rfc3339_seconds());
        json.text("until", &exception.until.to_rfc3339_seconds());
    });
}

/// Reads one.
///
/// # Errors
///
/// What is wrong with it, for a person.
pub(super) fn read(body: &[u8], now: Moment) -> Result<Exception, &'static str> {
    let mut fields = Attributes::default();
    let is_known = |(name, _): (&str, &str)| FIELDS.contains(&name);
    if read_kinds(&mut fields, body, NO_TEXT).is_err() || !fields.iter().all(is_known) {
        return Err(
            "send a JSON object with `max`, `unlimited` or `blocked`, a `reason`, and `for` or \
             `until`",
        );
    }
    let [max, unlimited, blocked, reason, lasts, until] = FIELDS.map(|name| fields.value(name));
    let allowance = match (max, unlimited, blocked) {
        (Some(max), None, None) => Allowance::Max(whole(max).ok_or(MAX)?),
        (None, Some(TRUE), None) => Allowance::Unlimited,
        (None, None, Some(TRUE)) => Allowance::Blocked,
        _ => return Err(ONE),
    };
    let reason = reason.unwrap_or_default().trim();
    if reason.is_empty() || reason.len() > REASON_MAX || reason.chars().any(char::is_control) {
        return Err(REASON);
    }
    let until = match (lasts, until) {
        (Some(lasts), None) => {
            let lasts = humantime::parse_duration(lasts).ok();
            let ms = lasts.and_then(|lasts| u64::try_from(lasts.as_millis()).ok());
            ms.map(|ms| now.plus_ms(ms))
        }
        (None, Some(until)) => Moment::of_rfc3339(until),
        _ => None,
    };
    let is_soon = |until: &Moment| *until > now && until.ms_since(now) <= EXCEPTION_MS_MAX;
    let Some(until) = until.filter(is_soon) else {
        return Err(UNTIL);
    };
    Ok(Exception {
        allowance,
        set_at: now,
        until,
        reason: reason.to_owned(),
    })
}

/// A number that is one of streams; `5.0` and `5e0` are 5.
fn whole(max: &str) -> Option<u32> {
    let number = decimal::read(max.strip_prefix(NO_TEXT)?)?;
    let is_one = number.fract() == 0.0 && (0.0..=f64::from(LIMIT_MAX)).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and not beyond the largest"
    )]
    is_one.then_some(number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, test};

    #[test]
    fn an_exception_says_what_why_and_until_when() {
        let read = |body: &str| read(body.as_bytes(), NOW);
        let until = NOW.plus_ms(EXCEPTION_MS_MAX).to_rfc3339_seconds();
        let good = read(&format!(
            r#"{{"max": 5, "reason": " a ", "until": "{until}"}}"#
        ))
        .unwrap();
        assert_eq!(good.allowance, Allowance::Max(5));
        assert_eq!(good.reason, "a");
        assert_eq!(good.until, NOW.plus_ms(EXCEPTION_MS_MAX));
        let hour = read(r#"{"blocked": true, "reason": "fraud", "for": "1h"}"#).unwrap();
        assert_eq!(
            (hour.allowance, hour.until),
            (Allowance::Blocked, NOW.plus_ms(3_600_000))
        );
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

    #[test]
    fn a_field_of_another_kind_is_named() {
        let read = |body: &str| read(body.as_bytes(), NOW);
        for five in ["5", "5.0", "5e0", "50e-1"] {
            let body = format!(r#"{{"max": {five}, "reason": "a", "for": "1h"}}"#);
            assert_eq!(read(&body).unwrap().allowance, Allowance::Max(5), "{five}");
        }
        for (name, body) in [
            ("max", r#"{"max": "5", "reason": "a", "for": "1h"}"#),
            ("max", r#"{"max": "", "reason": "a", "for": "1h"}"#),
            ("max", r#"{"max": true, "reason": "a", "for": "1h"}"#),
            ("max", r#"{"max": 5.5, "reason": "a", "for": "1h"}"#),
            ("max", r#"{"max": 1e999, "reason": "a", "for": "1h"}"#),
            (
                "unlimited",
                r#"{"unlimited": "true", "reason": "a", "for": "1h"}"#,
            ),
            (
                "blocked",
                r#"{"blocked": "true", "reason": "a", "for": "1h"}"#,
            ),
            ("blocked", r#"{"blocked": 1, "reason": "a", "for": "1h"}"#),
            ("reason", r#"{"max": 5, "reason": false, "for": "1h"}"#),
            ("reason", r#"{"reason": 4711, "for": "1h", "max": 5}"#),
            ("for", r#"{"max": 5, "reason": "a", "for": 1}"#),
            ("for", r#"{"max": 5, "reason": "a", "for": true}"#),
            ("until", r#"{"max": 5, "reason": "a", "until": 2030}"#),
        ] {
            let detail = read(body).unwrap_err();
            assert!(detail.contains(&format!("`{name}`")), "{body}: {detail}");
        }
    }
}
