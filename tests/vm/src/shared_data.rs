//! The data all workers share, with the rules of proxy-wasm-cpp-host.

use std::collections::BTreeMap;

/// Values under keys, each with a number that changes at every write.
#[derive(Debug, Default)]
pub(crate) struct SharedData {
    values: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    /// One sequence of numbers for all keys.
    last_cas: u32,
}

/// A write came too late: the entry has another number by now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CasMismatch;

impl SharedData {
    /// The value under `key` and its number; `None` if there never was one.
    pub(crate) fn get(&self, key: &[u8]) -> Option<(&[u8], u32)> {
        let (value, cas) = self.values.get(key)?;
        Some((value, *cas))
    }

    /// Writes if `cas` is the entry's number, or 0. Where there is no entry any `cas`
    /// will do.
    pub(crate) fn set(&mut self, key: &[u8], value: &[u8], cas: u32) -> Result<(), CasMismatch> {
        if let Some((_, current)) = self.values.get(key)
            && cas != 0
            && cas != *current
        {
            return Err(CasMismatch);
        }
        self.last_cas += 1;
        self.values
            .insert(key.to_vec(), (value.to_vec(), self.last_cas));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_entry_can_be_written_under_any_number_and_a_present_one_under_its_own() {
        let mut data = SharedData::default();
        assert_eq!(data.get(b"a"), None);
        assert_eq!(data.set(b"a", b"first", u32::MAX), Ok(()));
        assert_eq!(data.set(b"a", b"late", u32::MAX), Err(CasMismatch));
        let (value, cas) = data.get(b"a").unwrap();
        assert_eq!(value, b"first");

        assert_eq!(data.set(b"a", b"second", cas), Ok(()));
        assert_eq!(data.set(b"a", b"late", cas), Err(CasMismatch));
        assert_eq!(data.get(b"a").unwrap().0, b"second");
    }

    #[test]
    fn an_empty_value_is_an_entry_whose_number_changes_with_every_write() {
        let mut data = SharedData::default();
        data.set(b"bell", b"", 0).unwrap();
        let (value, first) = data.get(b"bell").unwrap();
        assert!(value.is_empty());
        data.set(b"bell", b"", 0).unwrap();
        assert_ne!(data.get(b"bell").unwrap().1, first);
    }
}
