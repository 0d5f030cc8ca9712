//! What one worker remembers of streams it has let through, so that most segment
//! requests ask nobody.
//!
//! A lease says: this stream played when last looked, and its record need not be
//! touched before `due_at`. It holds as long as the subject's bell is silent.

use std::rc::Rc;

use hashbrown::HashMap;

use crate::moment::Moment;
use crate::stream_key::StreamKey;
use crate::subject::SubjectKey;

/// A stream that was let through.
#[derive(Debug, Clone)]
pub struct Lease {
    /// Whose stream.
    pub stream: Rc<Leased>,
    /// State of the subject's bell when the record was read.
    pub bell: u32,
    /// When the record has to be touched again.
    pub due_at: Moment,
    /// When the lease is worth nothing: the stream has lapsed, or its token expired.
    pub ends_at: Moment,
}

/// What is needed to touch a leased stream's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    /// The subject.
    pub subject: SubjectKey,
    /// The stream.
    pub stream: StreamKey,
    /// Id of the application.
    pub application: String,
    /// When the token that named the stream expires.
    pub expires_at: Option<Moment>,
    /// What paths begin with that this is known of: elsewhere the token may not be good,
    /// or the stream have other attributes.
    pub scope: Box<[u8]>,
    /// Its id names a device rather than a playback.
    pub recurring: bool,
}

/// A worker's leases, under whatever names a stream on the wire: a path token's text,
/// or subject and stream key.
///
/// Bounded by two generations: when the young one is full it becomes the old one,
/// and what was old is forgotten. What is in use moves to the young one in time;
/// what is forgotten costs one look at the record.
#[derive(Debug)]
pub struct Leases {
    young: HashMap<Box<[u8]>, Lease>,
    old: HashMap<Box<[u8]>, Lease>,
    generation_max: usize,
}

impl Leases {
    /// A table of at most `max` leases.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            generation_max: max.div_ceil(2),
        }
    }

    /// The lease under `name`.
    #[must_use]
    pub fn lease(&self, name: &[u8]) -> Option<&Lease> {
        self.young.get(name).or_else(|| self.old.get(name))
    }

    /// Remembers a lease.
    pub fn insert(&mut self, name: &[u8], lease: Lease) {
        if let Some(known) = self.young.get_mut(name) {
            *known = lease;
            return;
        }
        if self.young.len() >= self.generation_max {
            self.old = core::mem::take(&mut self.young);
        }
        self.young.insert(name.into(), lease);
    }

    /// Forgets a lease.
    pub fn remove(&mut self, name: &[u8]) {
        self.young.remove(name);
        self.old.remove(name);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len().saturating_add(self.old.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, key, test};

    fn lease() -> Lease {
        Lease {
            stream: Rc::new(Leased {
                subject: SubjectKey::from_bytes([1; 16]),
                stream: key(1, NOW),
                application: "demo-web".to_owned(),
                expires_at: None,
                scope: Box::default(),
                recurring: false,
            }),
            bell: 0,
            due_at: NOW,
            ends_at: NOW,
        }
    }

    #[test]
    fn the_table_is_bounded_and_keeps_what_is_in_use() {
        let mut leases = Leases::new(100);
        for n in 0..10_000_u32 {
            leases.insert(&n.to_be_bytes(), lease());
            leases.insert(b"busy", lease());
            assert!(leases.len() <= 101, "{}", leases.len());
            assert!(leases.lease(b"busy").is_some());
        }
        assert!(leases.lease(&0_u32.to_be_bytes()).is_none());
        leases.remove(b"busy");
        assert!(leases.lease(b"busy").is_none());
    }
}
