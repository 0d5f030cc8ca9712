//! Maps and sets by hash.
//!
//! Their keys are an operator's names, numbers that the edge or the proxy counts up, and keyed
//! hashes. No viewer chooses one, so that the hash needs no secret; the one that hashbrown has by
//! default takes 5 KB of the filter more.

use rustc_hash::FxBuildHasher;

/// Values by key, in no order.
pub type HashMap<K, V> = hashbrown::HashMap<K, V, FxBuildHasher>;

/// Different values, in no order.
pub type HashSet<T> = hashbrown::HashSet<T, FxBuildHasher>;
