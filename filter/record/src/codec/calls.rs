//! How many calls there were in a minute, as bytes.
//!
//! ```text
//! calls      = 0 | count minute(4)
//! ```

use streamgate_policy::throttle::Calls;
use streamgate_values::compact::{Reader, Writer};

pub(super) fn encode_calls(out: &mut Vec<u8>, calls: &Calls) {
    out.put_number(usize::try_from(calls.count).unwrap_or(usize::MAX));
    if calls.count > 0 {
        out.put(&calls.minute.to_be_bytes());
    }
}

pub(super) fn decode_calls(reader: &mut Reader<'_>) -> Option<Calls> {
    let count = u32::try_from(reader.number()?).ok()?;
    let minute = match count {
        0 => 0,
        _ => u32::from_be_bytes(reader.array()?),
    };
    Some(Calls { minute, count })
}
