//! Claims of a JWT that the proxy has checked, as it hands them over (see
//! [`Head::jwt_claim_at`](streamgate_values::head::Head::jwt_claim_at)): bytes that do not say of which
//! type they are.

use streamgate_values::decimal;
use streamgate_values::limits::LIMIT_MAX;
use streamgate_values::moment::Moment;
use streamgate_values::text::printable;

use super::asked::ID_MAX;
use crate::refusal::reason::Reason;

/// From here on a double stands for several whole numbers: an id that was written as one
/// of them cannot be told from its neighbours.
const EXACT_BELOW: f64 = (1_u64 << 53) as f64;

/// A claim as text. Numbers are written without a fraction where they have none; one that
/// a double does not hold exactly is no text.
pub(crate) fn text(claim: &[u8]) -> Option<String> {
    if let Ok(text) = printable(claim) {
        return (!text.is_empty()).then(|| text.to_owned());
    }
    match claim {
        [0] => Some("false".to_owned()),
        [1] => Some("true".to_owned()),
        _ => written(number(claim)?),
    }
}

/// A claim as an id: of an account, a device or a stream. `None` where it is empty.
///
/// # Errors
///
/// [`Reason::Malformed`] for what could be several viewers' or nobody's: a text of more than
/// 256 bytes or with control characters, a truth value, an object, a list, and a whole number
/// of 2^53 or more, which the proxy hands over rounded.
pub(crate) fn id(claim: &[u8]) -> Result<Option<String>, Reason> {
    match (claim, text(claim)) {
        ([], _) => Ok(None),
        ([0 | 1], _) | (_, None) => Err(Reason::Malformed),
        (_, Some(id)) if id.len() > ID_MAX => Err(Reason::Malformed),
        (_, id) => Ok(id),
    }
}

/// A claim as the most streams it allows.
pub(crate) fn limit(claim: &[u8]) -> Option<u32> {
    if printable(claim).is_err()
        && let Some(number) = number(claim)
        && number >= EXACT_BELOW
    {
        return Some(LIMIT_MAX);
    }
    let text = text(claim)?;
    let whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than a number holds are still a limit: a very high one.
    whole.then(|| text.parse().unwrap_or(LIMIT_MAX).min(LIMIT_MAX))
}

/// A claim as a moment: seconds since 1970, with or without a fraction (RFC 7519,
/// section 2, `NumericDate`). What lies before 1970 is its beginning.
pub(crate) fn moment(claim: &[u8]) -> Option<Moment> {
    let seconds = match printable(claim) {
        Ok(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            return Some(Moment::from_ms(
                text.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(1000),
            ));
        }
        Ok(_) => return None,
        Err(_) => number(claim)?,
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "such a conversion saturates"
    )]
    let ms = (seconds * 1000.0) as u64;
    (!seconds.is_nan()).then_some(Moment::from_ms(ms))
}

fn number(claim: &[u8]) -> Option<f64> {
    Some(f64::from_le_bytes(claim.try_into().ok()?))
}

/// Numbers with a fraction that take more than 15 digits are nothing that an id or a limit
/// could be.
fn written(number: f64) -> Option<String> {
    if number.fract() == 0.0 && number.abs() < EXACT_BELOW {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
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
        assert_eq!(text(&[0]), Some("false".to_owned()));
        for bad in [&b""[..], b"\xff\xfe", &f64::NAN.to_le_bytes(), &[0; 16]] {
            assert_eq!(text(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_whole_number_is_an_id_as_long_as_it_is_the_only_one() {
        let last = 9_007_199_254_740_991_f64;
        for (number, expected) in [
            (last, "9007199254740991"),
            (last - 1.0, "9007199254740990"),
            (-last, "-9007199254740991"),
            (0.0, "0"),
        ] {
            assert_eq!(id(&number.to_le_bytes()), Ok(Some(expected.to_owned())));
        }
        for number in [last + 1.0, -last - 1.0, 1_152_921_504_606_846_980.0, 1e300] {
            assert_eq!(id(&number.to_le_bytes()), Err(Reason::Malformed));
            assert_eq!(text(&number.to_le_bytes()), None, "{number}");
        }
        // As text they are four.
        for n in 1_152_921_504_606_846_977_u64..=1_152_921_504_606_846_980 {
            let n = n.to_string();
            assert_eq!(id(n.as_bytes()), Ok(Some(n.clone())));
        }
    }

    #[test]
    fn what_names_nobody_is_no_id() {
        assert_eq!(id(b""), Ok(None));
        assert_eq!(id(&[b'a'; 256]), Ok(Some("a".repeat(256))));
        for bad in [
            &[0][..],
            &[1],
            &[b'a'; 257],
            b"a\nb",
            b"a\0",
            b"seven\x01ab",
            b"\xff\xfe",
            &f64::NAN.to_le_bytes(),
            &f64::INFINITY.to_le_bytes(),
            // An object and a list, as the proxy writes them.
            b"\x01\0\0\0\x01\0\0\0\x01\0\0\0a\0b\0",
            &[0; 4],
        ] {
            assert_eq!(id(bad), Err(Reason::Malformed), "{bad:?}");
        }
    }

    #[test]
    fn a_limit_is_a_whole_number_of_streams() {
        assert_eq!(limit(&5_f64.to_le_bytes()), Some(5));
        assert_eq!(limit(b"4"), Some(4));
        assert_eq!(limit(&0_f64.to_le_bytes()), Some(0));
        assert_eq!(limit(&1e9_f64.to_le_bytes()), Some(1000));
        assert_eq!(limit(&1e18_f64.to_le_bytes()), Some(1000));
        assert_eq!(limit(b"99999999999999999999"), Some(1000));
        for bad in [
            &b"-1"[..],
            b"many",
            b"",
            &(-1_f64).to_le_bytes(),
            &2.5_f64.to_le_bytes(),
            &(-1e18_f64).to_le_bytes(),
            &f64::NAN.to_le_bytes(),
            &[1],
            &[0],
        ] {
            assert_eq!(limit(bad), None, "{bad:?}");
        }
    }
}
