//! An account's exception as bytes, behind the rest of its record.
//!
//! ```text
//! exception = allowance(1) [max] set_at(6) until(6) reason(text)
//! ```

use streamgate_policy::{Allowance, Exception};
use streamgate_values::compact::{Reader, Writer};

const MAX: u8 = 0;
const UNLIMITED: u8 = 1;
const BLOCKED: u8 = 2;
const LIFTED: u8 = 3;

pub(super) fn encode(out: &mut Vec<u8>, exception: &Exception) {
    match exception.allowance {
        Allowance::Max(max) => {
            out.put(&[MAX]);
            out.put_number(usize::try_from(max).unwrap_or(usize::MAX));
        }
        Allowance::Unlimited => out.put(&[UNLIMITED]),
        Allowance::Blocked => out.put(&[BLOCKED]),
        Allowance::Lifted => out.put(&[LIFTED]),
    }
    out.put_moment(exception.set_at);
    out.put_moment(exception.until);
    out.put_text(&exception.reason);
}

/// The inverse.
pub(super) fn decode(reader: &mut Reader<'_>) -> Option<Exception> {
    let allowance = match reader.byte()? {
        MAX => Allowance::Max(u32::try_from(reader.number()?).ok()?),
        UNLIMITED => Allowance::Unlimited,
        BLOCKED => Allowance::Blocked,
        LIFTED => Allowance::Lifted,
        _ => return None,
    };
    Some(Exception {
        allowance,
        set_at: reader.moment()?,
        until: reader.moment()?,
        reason: reader.text()?.to_owned(),
    })
}
