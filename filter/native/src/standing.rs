//! How edges stand with the fleet's store.

/// How a worker's edge, or all of them, stand with the fleet's store.
#[derive(Debug, Default)]
pub(crate) struct StoreStanding {
    /// Shards that do not answer, as the worker says that finds the most.
    pub(crate) down: usize,
    /// Requests that wait for it.
    pub(crate) waiting: usize,
    /// How other edges lay accounts out in it, where that differs.
    pub(crate) other_layout: Option<String>,
}

impl StoreStanding {
    /// Of both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            down: self.down.max(other.down),
            waiting: self.waiting.saturating_add(other.waiting),
            other_layout: self.other_layout.or(other.other_layout),
        }
    }
}
