//! Claims of a JWT that the proxy has checked, as it hands them over (see
//! [`Head::jwt_claim`](crate::exchange::Head::jwt_claim)).

use crate::decimal;
use crate::limits::LIMIT_MAX;
use crate::text::printable;

/// A claim as text. Numbers are written without a fraction where they have none.
pub(crate) fn text(claim: &[u8]) -> Option<String> {
    if let Ok(text) = printable(claim) {
        return (!text.is_empty()).then(|| text.to_owned());
    }
    match claim {
        [0] => Some("false".to_owned()),
        [1] => Some("true".to_owned()),
        _ => number(claim),
    }
}

/// A claim as the most streams it allows.
pub(crate) fn limit(claim: &[u8]) -> Option<u32> {
    let text = text(claim)?;
    let whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than a number holds are still a limit: a very high one.
    whole.then(|| text.parse().unwrap_or(LIMIT_MAX).min(LIMIT_MAX))
}

/// Whole numbers beyond what a double holds exactly are written as it holds them; other
/// numbers that take more than 15 digits are nothing that an id or a limit could be.
fn number(claim: &[u8]) -> Option<String> {
    const WHOLE_MAX: f64 = (1_u64 << 62) as f64;
    let number = f64::from_le_bytes(claim.try_into().ok()?);
    if number.fract() == 0.0 && number.abs() <= WHOLE_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^62")]
        return Some((number as i64).to_string());
    }
    decimal::write(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn texts_numbers_and_truth_values_are_told_apart() {
        assert_eq!(text(b"alice"), Some("alice".to_owned()));
        assert_eq!(text(b"12345678"), Some("12345678".to_owned()));
        assert_eq!(text(&5_f64.to_le_bytes()), Some("5".to_owned()));
        assert_eq!(text(&0.5_f64.to_le_bytes()), Some("0.5".to_owned()));
        assert_eq!(text(&[1]), Some("true".to_owned()));
        for bad in [&b""[..], b"\xff\xfe", &f64::NAN.to_le_bytes(), &[0; 16]] {
            assert_eq!(text(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_limit_is_a_whole_number_of_streams() {
        assert_eq!(limit(&5_f64.to_le_bytes()), Some(5));
        assert_eq!(limit(b"4"), Some(4));
        assert_eq!(limit(&0_f64.to_le_bytes()), Some(0));
        assert_eq!(limit(&1e9_f64.to_le_bytes()), Some(1000));
        assert_eq!(limit(b"99999999999999999999"), Some(1000));
        for bad in [
            &b"-1"[..],
            b"many",
            b"",
            &(-1_f64).to_le_bytes(),
            &2.5_f64.to_le_bytes(),
            &[1],
        ] {
            assert_eq!(limit(bad), None, "{bad:?}");
        }
    }
}
