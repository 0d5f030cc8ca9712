//! Values under keys, each until its time has come.

use hashbrown::HashMap;

/// What records' keys begin with; a subject's sixteen bytes follow.
const PREFIX: &[u8] = b"sg4:";

/// What is held under one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<'a> {
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: &'a [u8],
    /// For how much longer, in milliseconds.
    pub for_ms: u64,
}

#[derive(Debug)]
struct Value {
    bytes: Box<[u8]>,
    until_ms: u64,
}

/// Records apart from the rest: there are millions of them, and their keys are of one length.
#[derive(Debug, Default)]
pub(super) struct Strings {
    records: HashMap<[u8; 16], Value>,
    others: HashMap<Vec<u8>, Value>,
}

impl Strings {
    pub(super) fn get(&self, key: &[u8], now_ms: u64) -> Option<&[u8]> {
        let value = match subject_in(key) {
            Some(subject) => self.records.get(&subject),
            None => self.others.get(key),
        };
        let value = value.filter(|value| now_ms <= value.until_ms)?;
        Some(&value.bytes)
    }

    pub(super) fn set(&mut self, key: &[u8], bytes: &[u8], for_ms: u64, now_ms: u64) {
        let value = Value {
            bytes: bytes.into(),
            until_ms: now_ms + for_ms,
        };
        match subject_in(key) {
            Some(subject) => self.records.insert(subject, value),
            None => self.others.insert(key.to_vec(), value),
        };
    }

    pub(super) fn held(&self, now_ms: u64) -> impl Iterator<Item = Kept<'_>> {
        let records = self.records.iter();
        let records = records.map(|(subject, value)| ([PREFIX, &subject[..]].concat(), value));
        let others = self.others.iter().map(|(key, value)| (key.clone(), value));
        let all = records.chain(others);
        all.filter(move |(_, value)| now_ms <= value.until_ms)
            .map(move |(key, value)| Kept {
                key,
                value: &value.bytes,
                for_ms: value.until_ms - now_ms,
            })
    }
}

fn subject_in(key: &[u8]) -> Option<[u8; 16]> {
    key.strip_prefix(PREFIX)?.try_into().ok()
}
