//! Since when the store remembers.

use streamgate_values::moment::Moment;

use crate::ports::{Store, StoreKey, Swap};

/// The moment the store's memory begins: written once by whichever worker asks
/// first, the same for all of them until Envoy restarts.
pub fn memory_since(store: &impl Store, now: Moment) -> Moment {
    let read = || {
        let (value, _) = store.load(StoreKey::MemorySince)?;
        Some(Moment::from_bytes(value.try_into().ok()?))
    };
    if let Some(memory_since) = read() {
        return memory_since;
    }
    match store.swap(StoreKey::MemorySince, None, &now.to_bytes()) {
        Swap::Done | Swap::Failed => now,
        Swap::Conflict => read().unwrap_or(now),
    }
}
