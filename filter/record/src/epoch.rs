//! Since when the store remembers.

use streamgate_values::moment::Moment;

use crate::ports::{Place, Store, Swap};

/// The moment the store's memory begins: written once by whichever worker asks
/// first, the same for all of them until Envoy restarts.
pub fn epoch(store: &impl Store, now: Moment) -> Moment {
    let read = || {
        let (value, _) = store.load(Place::Epoch)?;
        Some(Moment::from_bytes(value.try_into().ok()?))
    };
    if let Some(epoch) = read() {
        return epoch;
    }
    match store.swap(Place::Epoch, None, &now.to_bytes()) {
        Swap::Done | Swap::Failed => now,
        Swap::Conflict => read().unwrap_or(now),
    }
}
