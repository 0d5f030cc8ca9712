//! Values under keys, each until its time has come.

use hashbrown::HashMap;

/// What records' keys begin with; a shard's two bytes in braces and a subject's sixteen follow.
const PREFIX: &[u8] = b"sg5:{";

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

/// A shard's tag and a subject: edges that lay accounts out differently keep one twice.
type RecordKey = ([u8; 2], [u8; 16]);

/// Records apart from the rest: there are millions of them, and their keys are of one length.
#[derive(Debug, Default)]
pub(super) struct Strings {
    records: HashMap<RecordKey, Value>,
    others: HashMap<Vec<u8>, Value>,
}

impl Strings {
    pub(super) fn get(&self, key: &[u8], now_ms: u64) -> Option<&[u8]> {
        let value = match subject_in(key) {
            Some(record) => self.records.get(&record),
            None => self.others.get(key),
        };
        let value = value.filter(|value| now_ms <= value.until_ms)?;
        Some(&value.bytes)
    }

    pub(super) fn records(&self, subject: [u8; 16], now_ms: u64) -> impl Iterator<Item = &[u8]> {
        let records = self.records.iter();
        let theirs =
            records.filter(move |((_, of), value)| *of == subject && now_ms <= value.until_ms);
        theirs.map(|(_, value)| &*value.bytes)
    }

    pub(super) fn set(&mut self, key: &[u8], bytes: &[u8], for_ms: u64, now_ms: u64) {
        let record = subject_in(key);
        let value = Value {
            bytes: bytes.into(),
            until_ms: now_ms + for_ms,
        };
        match record {
            Some(record) => self.records.insert(record, value),
            None => self.others.insert(key.to_vec(), value),
        };
    }

    pub(super) fn held(&self, now_ms: u64) -> impl Iterator<Item = Kept<'_>> {
        let records = self.records.iter();
        let records = records.map(|((tag, subject), value)| {
            let key = [PREFIX, &tag[..], b"}", &subject[..]].concat();
            (key, value)
        });
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

/// The shard's tag and the subject in a record's key.
fn subject_in(key: &[u8]) -> Option<RecordKey> {
    let (tag, rest) = key.strip_prefix(PREFIX)?.split_at_checked(2)?;
    let subject = rest.strip_prefix(b"}")?.try_into().ok()?;
    Some((tag.try_into().ok()?, subject))
}
