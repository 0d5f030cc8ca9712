//! The limits of a stream's credential as bytes, and behind them how many streams at once its account
//! has reached.
//!
//! What was reached is written as a claim's name, of bytes that no name has. So a version of the
//! filter that knows nothing of it takes it for a claim that no rule goes by, and keeps it.

use streamgate_policy::activity::Stream;
use streamgate_policy::reached::Reached;
use streamgate_values::compact::{Reader, Writer};
use streamgate_values::limits::Limits;

pub(super) fn has_any(stream: &Stream) -> bool {
    !(stream.limits.is_empty() && stream.reached.is_empty())
}

pub(super) fn encode(out: &mut Vec<u8>, stream: &Stream) {
    let reached = usize::from(!stream.reached.is_empty());
    out.put_number(stream.limits.len().saturating_add(reached));
    for (claim, limit) in stream.limits.iter() {
        out.put_text(claim);
        out.put_number(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    if reached > 0 {
        let bytes = stream.reached.bytes();
        out.put_number(bytes.len());
        out.put(&bytes);
        out.put_number(0);
    }
}

pub(super) fn decode(reader: &mut Reader<'_>) -> Option<(Limits, Reached)> {
    let mut limits = Limits::default();
    let mut reached = Reached::default();
    for _ in 0..reader.number()? {
        let claim = reader.text()?;
        let limit = u32::try_from(reader.number()?).ok()?;
        match Reached::of_bytes(claim.as_bytes()) {
            Some(of_account) => reached = of_account,
            None => limits.set(claim, limit),
        }
    }
    Some((limits, reached))
}
