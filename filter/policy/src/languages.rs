//! Which languages a viewer reads: `Accept-Language` (RFC 9110, section 12.5.4).

/// The language ranges of a header, each with its weight in thousandths. Those that are
/// not acceptable (`q=0`) or whose weight is malformed are left out.
pub(super) fn accepted(header: &str) -> impl Iterator<Item = (&str, u16)> {
    header.split(',').filter_map(|range| {
        let (tag, weight) = match range.split_once(';') {
            Some((tag, parameter)) => (tag, weight(parameter.trim())?),
            None => (range, WHOLE),
        };
        (weight > 0).then_some((tag.trim(), weight))
    })
}

/// The weight of what has none.
const WHOLE: u16 = 1000;

/// `q=0.5` in thousandths; up to three decimals, as the RFC has it.
fn weight(parameter: &str) -> Option<u16> {
    let value = parameter
        .strip_prefix("q=")
        .or_else(|| parameter.strip_prefix("Q="))?;
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    let mut thousandths = match whole {
        "0" => 0,
        "1" => WHOLE,
        _ => return None,
    };
    let mut places = [100_u16, 10, 1].into_iter();
    for decimal in decimals.bytes() {
        let digit = u16::from(decimal.checked_sub(b'0').filter(|digit| *digit <= 9)?);
        thousandths = places
            .next()?
            .saturating_mul(digit)
            .saturating_add(thousandths);
    }
    (thousandths <= WHOLE).then_some(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn weights_are_read_in_thousandths_and_nothing_else_is() {
        let header = "de-AT, de;q=0.75 ,en ; q=1.000,fr;q=0,it;q=0.12,es;Q=0.001,*;q=1";
        let expected = [
            ("de-AT", 1000),
            ("de", 750),
            ("en", 1000),
            ("it", 120),
            ("es", 1),
            ("*", 1000),
        ];
        assert_eq!(accepted(header).collect::<Vec<_>>(), expected);
        for bad in ["NaN", "inf", "1.001", "2", "0.1234", "-1", "", ".5", "0.5 "] {
            let parameter = format!("q={bad}");
            assert_eq!(weight(&parameter), None, "{parameter}");
        }
    }
}
