//! Numbers with decimals, as people write them.
//!
//! The standard library reads and writes every floating-point number exactly, with 16 KB of
//! code and 11 KB of tables. Limits and attributes have a few digits; those are exact here,
//! too: up to fifteen of them, a double is one division away from two whole numbers.

/// The most digits whose number a double holds exactly, whatever they are.
const DIGITS_MAX: u32 = 15;

/// The largest power of ten that a double holds exactly.
const POWER_MAX: u32 = 22;

/// Reads a number: a sign, digits, decimals after a point, and an exponent after an `e`.
/// `None` for anything else, and where that is more than 15 digits in all, leading zeros not
/// counted, or too small or large to be exact.
pub fn read(text: &str) -> Option<f64> {
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', ..] => (true, text.get(1..)?),
        [b'+', ..] => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (digits, mut power) = match unsigned.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse().ok()?),
        None => (unsigned, 0_i32),
    };
    let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
    if before.is_empty() && after.is_empty() {
        return None;
    }
    let mut whole = 0_u64;
    for byte in before.bytes().chain(after.bytes()) {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        whole = whole.saturating_mul(10).saturating_add(digit.into());
    }
    power = power.saturating_sub(i32::try_from(after.len()).ok()?);
    if whole >= 10_u64.pow(DIGITS_MAX) || power.unsigned_abs() > POWER_MAX {
        return None;
    }
    let number = match power {
        0.. => as_double(whole) * 10_f64.powi(power),
        _ => as_double(whole) / 10_f64.powi(power.saturating_neg()),
    };
    Some(if negative { -number } else { number })
}

/// Writes a number with as many decimals as it takes, which are none for a whole one. `None`
/// if it takes more than 15 digits.
pub fn write(number: f64) -> Option<String> {
    let sign = if number < 0.0 { "-" } else { "" };
    let number = number.abs();
    (0..=DIGITS_MAX).find_map(|decimals| {
        let scale = 10_f64.powi(i32::try_from(decimals).ok()?);
        let scaled = (number * scale).round();
        if scaled >= as_double(10_u64.pow(DIGITS_MAX)) || scaled / scale != number {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, positive and of 15 digits at most"
        )]
        let digits = scaled as u64;
        let unit = 10_u64.pow(decimals);
        let (whole, rest) = (digits.checked_div(unit)?, digits.checked_rem(unit)?);
        let width = usize::try_from(decimals).ok()?;
        Some(match decimals {
            0 => format!("{sign}{whole}"),
            _ => format!("{sign}{whole}.{rest:0width$}"),
        })
    })
}

#[expect(clippy::cast_precision_loss, reason = "of 15 digits at most")]
const fn as_double(whole: u64) -> f64 {
    whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn what_is_read_is_what_the_standard_library_reads() {
        for text in [
            "0",
            "-0",
            "7",
            "007",
            "+7",
            "-2.5",
            "0.1",
            ".5",
            "5.",
            "4000",
            "0.30",
            "123456789012345",
            "1234567.89012345",
            "-0.000000000000001",
            "99.99",
            "-1e3",
            "2.5E+2",
            "1e-3",
        ] {
            assert_eq!(read(text), text.parse().ok(), "{text}");
        }
        for text in [
            "",
            "-",
            ".",
            "1.2.3",
            "1e",
            "e3",
            "1e23",
            "inf",
            "NaN",
            " 1",
            "1 ",
            "1,5",
            "0x1",
            "1234567890123456",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_what_the_standard_library_writes() {
        let numbers = [
            0.0,
            5.0,
            -5.0,
            0.5,
            2.5,
            -0.07,
            0.1,
            1e9,
            99.99,
            123_456_789.012_345,
            0.000_000_000_000_001,
            999_999_999_999_999.0,
        ];
        for number in numbers {
            assert_eq!(write(number), Some(number.to_string()));
        }
        for number in [1e15, 0.1 + 0.2, 1e-16, f64::NAN, f64::INFINITY, f64::MIN] {
            assert_eq!(write(number), None, "{number}");
        }
    }
}
