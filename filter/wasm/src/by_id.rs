//! What belongs to Envoy's ids.

/// Values by ids that Envoy gives in ascending order, so that a new one nearly always goes to
/// the end. A `BTreeMap` is the same, with 4 KB of code for every type of value.
pub(crate) struct ById<V>(Vec<(u32, V)>);

impl<V> ById<V> {
    /// Without any.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of an id.
    pub(crate) fn get(&self, id: u32) -> Option<&V> {
        let at = self.place(id).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// The value of an id, to be changed.
    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut V> {
        let at = self.place(id).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Whether there are none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts a value under an id, in the place of what was there.
    pub(crate) fn insert(&mut self, id: u32, value: V) {
        match self.place(id) {
            Ok(at) => {
                if let Some((_, known)) = self.0.get_mut(at) {
                    *known = value;
                }
            }
            Err(at) => self.0.insert(at, (id, value)),
        }
    }

    /// Takes the value of an id out.
    pub(crate) fn remove(&mut self, id: u32) -> Option<V> {
        let at = self.place(id).ok()?;
        Some(self.0.remove(at).1)
    }

    /// Where an id is, or would go: the end is looked at first.
    fn place(&self, id: u32) -> Result<usize, usize> {
        let end = self.0.len();
        let Some((last, _)) = self.0.last() else {
            return Err(end);
        };
        if *last < id {
            return Err(end);
        }
        if *last == id {
            return Ok(end.saturating_sub(1));
        }
        self.0.binary_search_by_key(&id, |(known, _)| *known)
    }
}

impl<V> Default for ById<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
